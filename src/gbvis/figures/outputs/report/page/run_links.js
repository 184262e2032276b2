// Going from one run to the next, and back to all.

import { element } from "./dom.js";
import { linkTo } from "./route.js";

/** @typedef {import("./types.js").Page} Page */

/**
 * Returns the links above a run.
 *
 * @param {Page} page
 * @param {string} shown the key of the run
 */
export function makeRunLinks(page, shown) {
  const order = page.order ?? page.runs().map((run) => run.key);
  const place = order.indexOf(shown);
  /** @type {(key: string | undefined, words: string) => HTMLElement | null} */
  const link = (key, words) => (key ? element("a", { class: "button", href: linkTo({ run: key }) }, words) : null);
  const all = element("a", { class: "button", href: page.data.index ?? linkTo() }, "\u2190 All runs");
  const parts = place < 0 ? [] : [link(order[place - 1], "Previous"), link(order[place + 1], "Next")];
  const where = place < 0 ? null : element("span", { class: "soft small number" }, `${place + 1} of ${order.length}`);
  const isAlone = !page.data.isServed && page.data.runs.length < 2;
  return element("nav", { class: "run-nav screen-only", "aria-label": "Runs", hidden: isAlone }, all, ...parts, where);
}
