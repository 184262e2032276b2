// The mean importance curve of each class.

import { findClass } from "./filters.js";

/** @typedef {import("./types.js").Summary} Summary */

/**
 * Runs whose curves can be compared: one stream, endpoint and method.
 *
 * @typedef {object} RunGroup
 * @property {string} name all three
 * @property {string} label those that tell it from the other groups
 * @property {Summary[]} runs
 */

/**
 * @typedef {object} ClassCurve
 * @property {string} name of the class
 * @property {number} runCount
 * @property {number[]} values for each step of relative time, how many times the mean over all frames; their mean is 1
 */

/**
 * Runs by stream, endpoint and method, the largest group first.
 *
 * @param {Summary[]} runs
 * @returns {RunGroup[]}
 */
export function groupRuns(runs) {
  /** @type {Map<string, {parts: string[], runs: Summary[]}>} */
  const groups = new Map();
  for (const run of runs) {
    const parts = [run.stream, run.endpoint, run.method];
    const name = parts.join(" \u00b7 ");
    const group = groups.get(name) ?? { parts, runs: [] };
    group.runs.push(run);
    groups.set(name, group);
  }
  const all = [...groups.values()];
  return [...groups]
    .map(([name, { parts, runs: members }]) => {
      const telling = parts.filter((part, place) => all.some((group) => group.parts[place] !== part));
      return { name, label: telling.join(" \u00b7 ") || name, runs: members };
    })
    .sort((one, other) => other.runs.length - one.runs.length);
}

/**
 * The mean curve of each class, in the order of names, over the runs whose importance has been read.
 *
 * @param {Summary[]} runs
 * @returns {ClassCurve[]}
 */
export function averageClasses(runs) {
  const known = runs.filter((run) => run.importance !== null && findClass(run).name !== "");
  const length = Math.max(0, ...known.map((run) => run.importance?.[0]?.length ?? 0));
  /** @type {Map<string, {sum: number[], count: number}>} */
  const classes = new Map();
  for (const run of known) {
    const curve = averageClips(run.importance ?? [], length);
    if (curve !== null) {
      const { name } = findClass(run);
      const mean = classes.get(name) ?? { sum: new Array(length).fill(0), count: 0 };
      curve.forEach((value, step) => {
        mean.sum[step] += value;
      });
      mean.count += 1;
      classes.set(name, mean);
    }
  }
  const words = new Intl.Collator("en", { numeric: true });
  return [...classes]
    .map(([name, { sum, count }]) => ({ name, runCount: count, values: sum.map((value) => value / count) }))
    .sort((one, other) => words.compare(one.name, other.name));
}

/**
 * The mean over a run's clips; null where nothing is important at all.
 *
 * @param {number[][]} clips
 * @param {number} length steps of the curve
 * @returns {number[] | null}
 */
function averageClips(clips, length) {
  const curves = clips.map((clip) => spread(clip, length)).filter((curve) => curve !== null);
  if (curves.length === 0) {
    return null;
  }
  return curves[0].map((_, step) => curves.reduce((sum, curve) => sum + curve[step], 0) / curves.length);
}

/**
 * Importance by relative time, as times its mean: linear between frames.
 *
 * @param {number[]} importance
 * @param {number} length
 * @returns {number[] | null}
 */
function spread(importance, length) {
  const steps = Array.from({ length }, (_, step) => {
    const place = length === 1 ? 0 : (step / (length - 1)) * (importance.length - 1);
    const before = Math.floor(place);
    const after = Math.min(before + 1, importance.length - 1);
    return importance[before] + (place - before) * (importance[after] - importance[before]);
  });
  const mean = steps.reduce((sum, value) => sum + value, 0) / length;
  return mean > 0 ? steps.map((value) => value / mean) : null;
}

/**
 * Says what tells the class of runs.
 *
 * @param {Summary[]} runs
 * @returns {string}
 */
export function describeClasses(runs) {
  const counts = { truth: 0, prediction: 0, target: 0, "": 0 };
  for (const run of runs) {
    counts[findClass(run).by] += 1;
  }
  const parts = [
    counts.truth && `the truth that a list gives (${countRuns(counts.truth)})`,
    counts.prediction && `the class predicted (${countRuns(counts.prediction)})`,
    counts.target && `the target (${countRuns(counts.target)})`,
  ].filter(Boolean);
  const lacking = counts[""] > 0 ? ` Left out, without a class: ${countRuns(counts[""])}.` : "";
  return parts.length > 0
    ? `A run\u2019s class is ${parts.join(", else ")}.${lacking}`
    : "No class is known of these runs.";
}

/** @param {number} number */
export function countRuns(number) {
  return `${number.toLocaleString("en")} ${number === 1 ? "run" : "runs"}`;
}
