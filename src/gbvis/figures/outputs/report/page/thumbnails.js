// What the index lacks of some runs, read in steps: thumbnails of the rows in view, importance for the classes' curves.

/** @typedef {import("./types.js").Source} Source */
/** @typedef {import("./types.js").Summary} Summary */

const MOST_AT_ONCE = 16;
const LONGEST_REQUEST = 12000; // characters of all keys, below what a server takes as an address
const MILLISECONDS_AT_REST = 60;

/**
 * The runs that the next request can take.
 *
 * @param {Summary[]} runs
 * @returns {Summary[]}
 */
function takeStep(runs) {
  let length = 0;
  return runs.slice(0, MOST_AT_ONCE).filter((run, place) => {
    length += encodeURIComponent(run.key.toWellFormed()).length + 5;
    return place === 0 || length < LONGEST_REQUEST;
  });
}

/**
 * Adds to runs what the index lacks of them.
 *
 * @param {Source} source
 * @param {Summary[]} runs at most as many as `takeStep` gives
 */
async function completeRuns(source, runs) {
  const answers = await source.readSummaries(runs.map((run) => run.key));
  for (const run of runs) {
    const answer = answers.get(run.key);
    run.importance = answer?.importance ?? run.importance;
    run.thumbnail = answer?.thumbnail ?? run.thumbnail;
  }
}

/**
 * Reads thumbnails while rows come into view. What has left it before its turn is not read.
 *
 * @param {Source} source
 * @param {(runs: Summary[]) => void} onRead
 * @returns {{want: (runs: Summary[]) => void, leave: () => void}} `want` takes the runs in view
 */
export function makeThumbnailReader(source, onRead) {
  /** @type {Summary[]} */
  let wanted = [];
  let timer = 0;
  let isReading = false;
  /** @type {WeakSet<Summary>} */
  const tried = new WeakSet();

  const readStep = async () => {
    const step = takeStep(wanted.filter((run) => run.thumbnail === null && !tried.has(run)));
    if (isReading || step.length === 0) {
      return;
    }
    isReading = true;
    for (const run of step) {
      tried.add(run);
    }
    try {
      await completeRuns(source, step);
      onRead(step);
    } catch {
      // The run says so when it is opened, and the banner where the server has ended.
    }
    isReading = false;
    readStep();
  };

  return {
    want(runs) {
      wanted = runs;
      clearTimeout(timer);
      timer = setTimeout(readStep, MILLISECONDS_AT_REST);
    },
    leave() {
      wanted = [];
      clearTimeout(timer);
    },
  };
}

/**
 * Reads the importance of runs that lack it.
 *
 * @param {Source} source
 * @param {Summary[]} runs
 * @param {(lacking: number) => boolean} onStep is called after each step; false stops
 */
export async function readImportance(source, runs, onStep) {
  let lacking = runs.filter((run) => run.importance === null);
  while (lacking.length > 0) {
    const step = takeStep(lacking);
    await completeRuns(source, step);
    lacking = lacking.slice(step.length);
    if (!onStep(lacking.length)) {
      return;
    }
  }
}
