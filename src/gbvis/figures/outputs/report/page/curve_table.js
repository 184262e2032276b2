// The curves as CSV, as `figures/outputs/table.py` writes them.

import { formatNumber } from "./limits.js";

/** @typedef {import("./types.js").Run} Run */

const COLUMNS = [
  ...["video", "modality", "endpoint", "target", "group", "clip", "frame", "seconds", "importance", "share"],
  ...["method", "settings", "relevance"],
];

/**
 * Returns a row for each frame of all clips, and above them the names of the columns.
 *
 * @param {Run[]} runs
 */
export function makeTable(runs) {
  const rows = [COLUMNS, ...runs.flatMap(listRows)];
  return rows.map((row) => `${row.map(quoteCell).join(",")}\r\n`).join("");
}

/**
 * @param {Run} run
 * @returns {string[][]}
 */
function listRows(run) {
  const { video, modality, endpoint, target, key } = run.summary;
  const named = [asCell(video), asCell(modality), asCell(endpoint), String(target), asCell(key)];
  const { name, settings, relevance } = run.table;
  const how = [asCell(name), asCell(settings), relevance];
  return run.clips.flatMap((clip, number) => {
    const total = clip.importance.reduce((sum, one) => sum + one, 0) || 1;
    return clip.frames.map((frame, step) => {
      const second = clip.seconds?.[step];
      const seconds = typeof second === "number" ? second.toFixed(3) : "";
      const importance = clip.importance[step];
      const numbers = [formatNumber(importance, 6), (importance / total).toFixed(6)];
      return [...named, String(number), String(frame), seconds, ...numbers, ...how];
    });
  });
}

/**
 * Returns a word as spreadsheets show it and do not compute it: behind an apostrophe where it could be a formula.
 *
 * @param {string} word
 */
function asCell(word) {
  return /^(?:[=+@\t\r]|-[\s\S]*[(|!])/.test(word) ? `'${word}` : word;
}

/** @param {string} cell */
function quoteCell(cell) {
  return /[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}
