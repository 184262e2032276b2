// What the index says of a run: its columns, and the words in them.

import { showNumber, showScore } from "./dom.js";

/** @typedef {import("./types.js").Summary} Summary */

/**
 * A column of the index.
 *
 * @typedef {object} Column
 * @property {string} name
 * @property {string} label
 * @property {(run: Summary) => string} text what it says of a run; nothing where nobody knows
 * @property {(run: Summary) => string | number | null} order what it is sorted by; null comes last
 * @property {string} width of its track in a grid of CSS
 * @property {boolean} isNumber
 */

/** @type {Column[]} */
export const INDEX_COLUMNS = [
  makeColumn("video", "Video", (run) => run.video, { width: "minmax(9rem, 2.4fr)" }),
  makeColumn("stream", "Stream", (run) => run.stream, { width: "minmax(4.5rem, 1fr)" }),
  makeColumn("endpoint", "Endpoint", (run) => run.endpoint, {
    order: (run) => run.position,
    width: "minmax(5rem, 1fr)",
  }),
  makeColumn("target", "Target", (run) => run.targetName, {
    order: (run) => run.target,
    width: "minmax(7rem, 1.8fr)",
  }),
  makeColumn("class", "Class", (run) => (isNamedTwice(run) ? "" : (run.className ?? "")), {}),
  makeColumn("truth", "Truth", (run) => nameClass(run.truth), {}),
  makeColumn("predicted", "Predicted", (run) => nameClass(run.prediction), {}),
  makeColumn("right", "Answer", describeRight, { width: "minmax(5.25rem, 0.6fr)" }),
  makeColumn("score", "Score", (run) => (run.prediction === null ? "" : showScore(run.prediction.score)), {
    order: (run) => run.prediction?.score ?? null,
    width: "5rem",
    isNumber: true,
  }),
  makeColumn("value", "Value", (run) => showNumber(run.value), {
    order: (run) => run.value,
    width: "5.5rem",
    isNumber: true,
  }),
  makeColumn("frames", "Frames", (run) => run.frames, { width: "minmax(6rem, 1.4fr)" }),
  makeColumn("method", "Method", (run) => run.method, { width: "minmax(6rem, 1.4fr)" }),
  makeColumn("weights", "Weights", (run) => run.weights, {}),
  makeColumn("precision", "Precision", (run) => run.precision, {}),
];

/**
 * @param {string} name
 * @param {string} label
 * @param {(run: Summary) => string} text
 * @param {{order?: Column["order"], width?: string, isNumber?: boolean}} rest
 * @returns {Column}
 */
function makeColumn(name, label, text, { order, width = "minmax(6rem, 1.4fr)", isNumber = false }) {
  return { name, label, text, order: order ?? ((run) => text(run).toLowerCase() || null), width, isNumber };
}

/**
 * A class in words; nothing where there is none.
 *
 * @param {{index: number | null, name: string | null} | null} known
 * @returns {string}
 */
export function nameClass(known) {
  if (known === null) {
    return "";
  }
  return known.name ?? (known.index === null ? "" : `class ${known.index}`);
}

/**
 * Whether the network was right, in a word; nothing where nobody knows.
 *
 * @param {Summary} run
 * @returns {string}
 */
export function describeRight(run) {
  if (run.isRight === null) {
    return "";
  }
  return run.isRight ? "right" : "wrong";
}

/** @param {Summary} run */
function isNamedTwice(run) {
  return run.className !== null && run.targetName.includes(run.className);
}

/**
 * The columns that tell runs apart, and what the others say of all runs alike.
 *
 * @param {Summary[]} runs
 * @returns {{shown: Column[], alike: {column: Column, text: string}[]}}
 */
export function divideColumns(runs) {
  const shown = [];
  const alike = [];
  for (const column of INDEX_COLUMNS) {
    const text = runs.length > 0 ? column.text(runs[0]) : "";
    if (column.name === "video" || runs.some((run) => column.text(run) !== text)) {
      shown.push(column);
    } else if (text !== "" && runs.length > 1) {
      alike.push({ column, text });
    }
  }
  return {
    shown: shown.filter((column) => !isScoreAgain(column, runs) && (column.name !== "frames" || areAmbiguous(runs))),
    alike: alike.filter(({ column }) => column.name !== "frames"),
  };
}

/**
 * Whether some runs differ in their frames and their numbers alone.
 *
 * @param {Summary[]} runs
 */
function areAmbiguous(runs) {
  const telling = INDEX_COLUMNS.filter((column) => !column.isNumber && column.name !== "frames");
  return new Set(runs.map((run) => telling.map((column) => column.text(run)).join("\n"))).size < runs.length;
}

/**
 * Whether it says of all runs what the score says: the target is the class predicted.
 *
 * @param {Column} column
 * @param {Summary[]} runs
 */
function isScoreAgain(column, runs) {
  return column.name === "value" && runs.every((run) => run.prediction !== null && run.prediction.score === run.value);
}

/**
 * The runs sorted by a column; what nobody knows comes last.
 *
 * @param {Summary[]} runs
 * @param {Column} column
 * @param {boolean} isFalling
 * @returns {Summary[]}
 */
export function sortRuns(runs, column, isFalling) {
  const words = new Intl.Collator("en", { numeric: true });
  const keyed = runs.map((run, place) => ({ run, place, key: column.order(run) }));
  keyed.sort((one, other) => {
    if (one.key === null || other.key === null) {
      return Number(one.key === null) - Number(other.key === null) || one.place - other.place;
    }
    const difference =
      typeof one.key === "number" && typeof other.key === "number"
        ? one.key - other.key
        : words.compare(String(one.key), String(other.key));
    return (isFalling ? -difference : difference) || one.place - other.place;
  });
  return keyed.map(({ run }) => run);
}
