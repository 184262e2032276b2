// The index: all runs, and what they have in common.

import { element, fill, nameElement } from "./dom.js";
import { linkTo } from "./route.js";

/** @typedef {import("./types.js").Page} Page */

/**
 * Shows all runs.
 *
 * @param {HTMLElement} place
 * @param {Page} page
 * @returns {() => void} takes it down again
 */
export function showIndex(place, page) {
  const list = element("ul");
  const draw = () => {
    fill(
      list,
      ...page
        .runs()
        .map((run) =>
          element(
            "li",
            {},
            element("a", { href: linkTo({ run: run.key }) }, nameElement(run.video)),
            ` ${run.stream} ${run.endpoint} ${run.method}`,
          ),
        ),
    );
  };
  draw();
  fill(place, element("h1", {}, nameElement(page.data.title)), list);
  return page.onRuns(draw);
}
