// The page begins here: it reads what it was given, and shows the index or a run as the address says.

import { element, fill, setAttributes, showText } from "./dom.js";
import { showIndex } from "./index_page.js";
import { explainError } from "./read_error.js";
import { followLinks, readRoute } from "./route.js";
import { showRun } from "./run_page.js";
import { makeFileSource } from "./source_file.js";
import { makeServerSource } from "./source_server.js";

/** @typedef {import("./types.js").Page} Page */
/** @typedef {import("./types.js").PageData} PageData */
/** @typedef {import("./types.js").Problem} Problem */
/** @typedef {import("./types.js").Summary} Summary */

/**
 * @param {string} id
 * @returns {HTMLElement}
 */
function find(id) {
  return /** @type {HTMLElement} */ (document.getElementById(id));
}

/** Reads what the page holds, and shows what the address says, now and whenever that changes. */
function start() {
  const { page, takeRuns } = makePage(JSON.parse(find("data").textContent ?? ""));
  const main = find("main");
  fill(find("foot"), element("p", {}, `Made by gbvis ${page.data.version}`));
  find("skip").addEventListener("click", (event) => {
    event.preventDefault();
    main.focus();
  });
  followLinks(document);
  window.history.scrollRestoration = "manual"; // rows and panels are not there yet when the browser would do it
  page.source.listRuns(takeRuns, showProblem).catch((error) => showProblem(explainError(error)));
  let leave = showPlace(main, page);
  let shown = readRoute().get("run");
  window.addEventListener("hashchange", () => {
    const wanted = readRoute().get("run");
    if (wanted !== shown || wanted === null) {
      shown = wanted;
      leave();
      leave = showPlace(main, page);
      if (!main.contains(document.activeElement)) {
        main.focus({ preventScroll: true });
      }
    }
  });
}

/**
 * @param {PageData} data
 * @returns {{page: Page, takeRuns: (runs: Summary[], isComplete: boolean) => void}}
 */
function makePage(data) {
  let runs = data.runs;
  /** @type {Set<(isComplete: boolean) => void>} */
  const callbacks = new Set();
  const page = {
    data,
    source: data.isServed ? makeServerSource() : makeFileSource(data),
    runs: () => runs,
    /** @param {(isComplete: boolean) => void} callback */
    onRuns(callback) {
      callbacks.add(callback);
      return () => callbacks.delete(callback);
    },
    order: null,
  };
  return {
    page,
    takeRuns(known, isComplete) {
      runs = known;
      for (const callback of [...callbacks]) {
        callback(isComplete);
      }
    },
  };
}

/**
 * Shows what the address names.
 *
 * @param {HTMLElement} main
 * @param {Page} page
 * @returns {() => void} takes it down again
 */
function showPlace(main, page) {
  fill(main);
  window.scrollTo({ top: 0, behavior: "instant" });
  const { runs, isServed, title } = page.data;
  const only = !isServed && runs.length === 1 && runs[0].page === null ? runs[0].key : null;
  const key = readRoute().get("run") ?? only;
  if (key === null) {
    document.title = showText(title);
    return showIndex(main, page);
  }
  return showRun(main, page, key);
}

/**
 * Says above the page what went wrong with its server, as long as it does.
 *
 * @param {Problem | null} problem
 */
function showProblem(problem) {
  const banner = find("banner");
  const text = problem === null ? "" : showText(`${problem.problem}: ${problem.hint}`);
  if (banner.textContent !== text) {
    fill(banner, text);
    setAttributes(banner, { hidden: problem === null });
  }
}

start();
