// Runs that `gbvis view` sends as they are asked for.

import { explainError, ReadError } from "./read_error.js";

/** @typedef {import("./types.js").Source} Source */
/** @typedef {import("./types.js").Summary} Summary */

const MILLISECONDS_BETWEEN_LOOKS = 3000;

/**
 * The runs of the store that this page's server reads.
 *
 * @returns {Source}
 */
export function makeServerSource() {
  return {
    listRuns: watchRuns,
    readRun: (key) => readJson(`run?${new URLSearchParams({ key })}`),
    async readBlob(blob) {
      const answer = await request(`blob?${new URLSearchParams({ id: blob })}`);
      return new Uint8Array(await answer.arrayBuffer());
    },
    async readSummaries(keys) {
      const query = new URLSearchParams(keys.map((key) => ["key", key]));
      return new Map(Object.entries(await readJson(`summaries?${query}`)));
    },
  };
}

/** @type {Source["listRuns"]} */
async function watchRuns(onRuns, onProblem) {
  /** @type {Map<string, Summary>} */
  const known = new Map(); // a run that was computed again takes its old place
  let next = 0;
  let isFirst = true;
  for (;;) {
    let isComplete = true;
    try {
      const answer = await readJson(`runs?after=${next}`);
      onProblem(null);
      next = answer.next;
      isComplete = answer.isComplete;
      for (const run of answer.runs) {
        if (run.isGone) {
          known.delete(run.key);
        } else {
          known.set(run.key, run);
        }
      }
      if (answer.runs.length > 0 || isFirst) {
        onRuns([...known.values()], isComplete);
      }
      isFirst = !isComplete;
    } catch (error) {
      onProblem(explainError(error));
    }
    if (isComplete) {
      await waitForNextLook();
    }
  }
}

/** Waits some seconds, and as long as nobody looks at the page. */
async function waitForNextLook() {
  await new Promise((resolve) => setTimeout(resolve, MILLISECONDS_BETWEEN_LOOKS));
  while (document.hidden) {
    await new Promise((resolve) => document.addEventListener("visibilitychange", resolve, { once: true }));
  }
}

/**
 * @param {string} address below the page's own
 * @returns {Promise<any>}
 */
async function readJson(address) {
  return (await request(address)).json();
}

/**
 * @param {string} address below the page's own
 * @returns {Promise<Response>}
 */
async function request(address) {
  let answer;
  try {
    answer = await fetch(address, { cache: "no-store" });
  } catch {
    throw new ReadError("gbvis view has ended", "start it again, and open the address that it then prints");
  }
  if (!answer.ok) {
    const { problem, hint } = await answer.json().catch(() => ({}));
    throw new ReadError(problem ?? `the server answered ${answer.status}`, hint ?? "reload the page");
  }
  return answer;
}
