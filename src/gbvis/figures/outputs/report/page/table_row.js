// A row of the index.

import { element, narrowNameElement, setAttributes, showText } from "./dom.js";
import { linkTo } from "./route.js";

/** @typedef {import("./columns.js").Column} Column */
/** @typedef {import("./types.js").Summary} Summary */

/**
 * @typedef {object} TableRow
 * @property {Summary} run
 * @property {HTMLElement} element
 * @property {HTMLInputElement} checkbox
 * @property {HTMLAnchorElement} link
 * @property {() => void} showThumbnail where the run has one now
 */

/**
 * A row that shows a run; its place is set by `placeRow`.
 *
 * @param {Summary} run
 * @param {Column[]} columns
 * @param {boolean} isChosen
 * @returns {TableRow}
 */
export function makeRow(run, columns, isChosen) {
  const link = element("a", { href: linkToRun(run), tabindex: -1 }, narrowNameElement(run.video));
  const name = showText(`${run.video}, ${run.stream}, ${run.endpoint}, ${run.method}`);
  const checkbox = element("input", { type: "checkbox", tabindex: -1, "aria-label": `Choose ${name}` });
  checkbox.checked = isChosen;
  const picture = element("img", { alt: "", class: "thumbnail", decoding: "async", hidden: true });
  const cells = columns.map((column, place) => makeCell(run, column, place + 3, column.name === "video" ? link : null));
  const row = element(
    "div",
    { role: "row", class: "row", "aria-selected": String(isChosen) },
    element("div", { role: "gridcell", class: "cell cell-choose", "aria-colindex": 1 }, checkbox),
    element("div", { role: "gridcell", class: "cell cell-thumbnail", "aria-colindex": 2 }, picture),
    ...cells,
  );
  const showThumbnail = () => {
    if (run.thumbnail !== null && picture.hidden) {
      setAttributes(picture, { src: `data:image/webp;base64,${run.thumbnail}`, hidden: false });
    }
  };
  showThumbnail();
  return { run, element: row, checkbox, link, showThumbnail };
}

/**
 * @param {Summary} run
 * @param {Column} column
 * @param {number} place from 1
 * @param {Node | null} content instead of the column's words
 */
function makeCell(run, column, place, content) {
  const text = column.text(run);
  return element(
    "div",
    {
      role: "gridcell",
      class: `cell cell-${column.name}${column.isNumber ? " number" : ""}`,
      "aria-colindex": place,
      "data-label": column.label,
      "data-value": column.name === "right" ? text : null,
      "data-empty": text === "" ? true : null,
      title: showText(text),
    },
    content ?? narrowNameElement(text),
  );
}

/**
 * Where a run is shown: here, or in the file that holds it.
 *
 * @param {Summary} run
 * @returns {string}
 */
export function linkToRun(run) {
  return `${run.page ?? ""}${linkTo({ run: run.key })}`;
}

/**
 * Puts a row where it belongs.
 *
 * @param {TableRow} row
 * @param {number} place among all rows, from 0
 */
export function placeRow(row, place) {
  row.element.style.setProperty("--row", String(place));
  setAttributes(row.element, { "aria-rowindex": place + 2, "data-odd": place % 2 === 1 });
}
