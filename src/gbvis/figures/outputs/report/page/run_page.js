// The page of a run.

import { element, fill } from "./dom.js";

/** @typedef {import("./types.js").Page} Page */

/**
 * Shows a run.
 *
 * @param {HTMLElement} place
 * @param {Page} page
 * @param {string} key
 * @returns {() => void} takes it down again
 */
export function showRun(place, page, key) {
  fill(place, element("a", { href: "#" }, "All runs"), element("p", {}, key, ` of ${page.runs().length}`));
  return () => {};
}
