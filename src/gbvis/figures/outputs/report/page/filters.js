// Which runs the index shows: words to look for, what is chosen, and scores from and to.

import { describeRight, nameClass } from "./columns.js";

/** @typedef {import("./types.js").Summary} Summary */

/**
 * Something that can be chosen from a list.
 *
 * @typedef {object} Facet
 * @property {string} name
 * @property {string} label
 * @property {(run: Summary) => string} value what a run is chosen by
 */

/**
 * What is looked for.
 *
 * @typedef {object} Wanted
 * @property {string} words all of them stand in a run's names
 * @property {Record<string, string>} chosen the value of each facet that is chosen
 * @property {number | null} least score
 * @property {number | null} most score
 */

/** What stands for nothing known, in the address and in a list. */
export const UNKNOWN = "unknown";

/** @type {Facet[]} */
export const FACETS = [
  { name: "class", label: "Class", value: (run) => nameExplained(run) || UNKNOWN },
  { name: "truth", label: "Truth", value: (run) => nameClass(run.truth) || UNKNOWN },
  { name: "predicted", label: "Predicted", value: (run) => nameClass(run.prediction) || UNKNOWN },
  { name: "right", label: "Right or wrong", value: (run) => describeRight(run) || UNKNOWN },
  { name: "stream", label: "Stream", value: (run) => run.stream },
  { name: "endpoint", label: "Endpoint", value: (run) => run.endpoint },
  { name: "method", label: "Method", value: (run) => run.method },
  { name: "weights", label: "Weights", value: (run) => run.weights || UNKNOWN },
];

/**
 * The class that is explained; nothing where it is none.
 *
 * @param {Summary} run
 * @returns {string}
 */
function nameExplained(run) {
  return run.isClass ? (run.className ?? `class ${run.target}`) : "";
}

/**
 * The class that a run counts to: the truth where it is known, else what the network predicts, else the target.
 *
 * @param {Summary} run
 * @returns {{name: string, by: "truth" | "prediction" | "target" | ""}}
 */
export function findClass(run) {
  if (run.truth !== null) {
    return { name: nameClass(run.truth), by: "truth" };
  }
  if (run.prediction !== null) {
    return { name: nameClass(run.prediction), by: "prediction" };
  }
  return run.isClass ? { name: nameExplained(run), by: "target" } : { name: "", by: "" };
}

/** @returns {Wanted} what finds every run */
export function wantAll() {
  return { words: "", chosen: {}, least: null, most: null };
}

/**
 * What an address says; the names of what is chosen are those of the facets.
 *
 * @param {URLSearchParams} route
 * @returns {Wanted}
 */
export function readWanted(route) {
  const wanted = wantAll();
  wanted.words = route.get("search") ?? "";
  for (const { name } of FACETS) {
    const value = route.get(name);
    if (value !== null) {
      wanted.chosen[name] = value;
    }
  }
  wanted.least = readScore(route.get("from"));
  wanted.most = readScore(route.get("to"));
  return wanted;
}

/**
 * A number that somebody typed; null for none.
 *
 * @param {string | null} text
 * @returns {number | null}
 */
export function readScore(text) {
  const value = Number(text);
  return text === null || text.trim() === "" || Number.isNaN(value) ? null : value;
}

/**
 * The address of what is wanted, without what is not asked for.
 *
 * @param {Wanted} wanted
 * @returns {URLSearchParams}
 */
export function writeWanted(wanted) {
  const route = new URLSearchParams();
  const parts = { search: wanted.words, ...wanted.chosen, from: wanted.least, to: wanted.most };
  for (const [name, value] of Object.entries(parts)) {
    if (value !== null && value !== "") {
      route.set(name, String(value));
    }
  }
  return route;
}

/**
 * The runs that are wanted, and how many there would be with each choice of a facet.
 *
 * @param {Summary[]} runs
 * @param {Wanted} wanted
 * @returns {{found: Summary[], counts: Record<string, Map<string, number>>}}
 */
export function findRuns(runs, wanted) {
  const words = wanted.words.toLowerCase().split(/\s+/).filter(Boolean);
  const chosen = FACETS.map((facet) => wanted.chosen[facet.name]);
  const counts = FACETS.map(() => new Map());
  const found = runs.filter((run) => {
    const values = listValues(run);
    const missed = hasScore(run, wanted) && hasWords(run, words) ? findMissed(chosen, values) : SEVERAL_CHOICES;
    for (let place = 0; place < values.length; place += 1) {
      const known = counts[place].get(values[place]) ?? 0;
      counts[place].set(values[place], known + Number(missed === NO_CHOICE || missed === place));
    }
    return missed === NO_CHOICE;
  });
  return { found, counts: Object.fromEntries(FACETS.map((facet, place) => [facet.name, counts[place]])) };
}

const NO_CHOICE = -1;
const SEVERAL_CHOICES = -2;

/**
 * @param {(string | undefined)[]} chosen
 * @param {string[]} values
 * @returns {number} the place of the one choice that a run is not like, NO_CHOICE or SEVERAL_CHOICES
 */
function findMissed(chosen, values) {
  let missed = NO_CHOICE;
  for (let place = 0; place < values.length; place += 1) {
    if (chosen[place] !== undefined && chosen[place] !== values[place]) {
      if (missed !== NO_CHOICE) {
        return SEVERAL_CHOICES;
      }
      missed = place;
    }
  }
  return missed;
}

/**
 * @param {Summary} run
 * @param {Wanted} wanted
 */
function hasScore(run, { least, most }) {
  if (least === null && most === null) {
    return true;
  }
  const score = run.prediction?.score;
  return score !== undefined && score >= (least ?? -Infinity) && score <= (most ?? Infinity);
}

/** @type {WeakMap<Summary, string>} */
const NAMES = new WeakMap();

/**
 * @param {Summary} run
 * @param {string[]} words
 */
function hasWords(run, words) {
  if (words.length === 0) {
    return true;
  }
  let names = NAMES.get(run);
  if (names === undefined) {
    const classes = [run.className ?? "", nameClass(run.truth), nameClass(run.prediction)];
    const others = [run.video, run.stream, run.endpoint, run.targetName, run.method, run.weights, run.digest];
    names = [...others, ...classes].join("\n").toLowerCase();
    NAMES.set(run, names);
  }
  return words.every((word) => /** @type {string} */ (names).includes(word));
}

/** @type {WeakMap<Summary, string[]>} */
const VALUES = new WeakMap();

/**
 * @param {Summary} run
 * @returns {string[]} the value of each facet
 */
function listValues(run) {
  let values = VALUES.get(run);
  if (values === undefined) {
    values = FACETS.map((facet) => facet.value(run));
    VALUES.set(run, values);
  }
  return values;
}
