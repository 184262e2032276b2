// The panels of a run: its frames, and its values as colours; each a canvas of exactly the clip's size.

import { limitOf, mapOf, paintBar } from "./colors.js";
import { element, fill } from "./dom.js";
import { contextOf } from "./frames.js";
import { sayNumber } from "./limits.js";
import { planeOf } from "./values.js";
import { paintWheel } from "./wheel.js";

/** @typedef {import("./types.js").Run} Run */
/** @typedef {import("./types.js").Limits} Limits */
/** @typedef {import("./colors.js").ColorMaps} ColorMaps */
/** @typedef {import("./run_block.js").LoadedClip} LoadedClip */

/**
 * @typedef {object} Panel
 * @property {import("./types.js").PanelName["kind"]} kind
 * @property {string} name
 * @property {number} row
 * @property {HTMLElement} figure
 * @property {HTMLElement} view what holds the canvas and the mark
 * @property {HTMLCanvasElement} canvas
 * @property {CanvasRenderingContext2D} context
 * @property {ImageData | null} image
 * @property {HTMLElement} mark of the pixel that is looked at
 * @property {{low: HTMLElement, high: HTMLElement} | null} ends what stands beside the colours
 */

const WHEEL_SIZE = 224;

/**
 * Makes all panels of a run, row by row.
 *
 * @param {Run} run
 * @param {ColorMaps} maps
 * @returns {Panel[]}
 */
export function makePanels(run, maps) {
  const { rows } = run.clips[0].values;
  const panels = rows.flatMap((suffix, row) =>
    run.panels.map(({ kind, name }) => makePanel(run, maps, kind, name, row, suffix)),
  );
  const hasFrame = run.panels.some(({ kind }) => kind === "frame");
  if (run.isWheel && hasFrame && rows.length === 1) {
    panels.push(makePanel(run, maps, "frame", "", 1, "")); // the wheel, which has no row to stand in
  }
  return panels;
}

/**
 * Returns how many panels stand in a row.
 *
 * @param {Run} run
 */
export function countColumns(run) {
  const rowCount = run.clips[0].values.rows.length;
  return run.panels.length + (run.isWheel && rowCount === 1 ? 1 : 0);
}

/**
 * @param {Run} run
 * @param {ColorMaps} maps
 * @param {Panel["kind"]} kind
 * @param {string} word
 * @param {number} row
 * @param {string} suffix
 * @returns {Panel}
 */
function makePanel(run, maps, kind, word, row, suffix) {
  const picture = run.clips[0].pictures[row];
  const isKey = kind === "frame" && picture === undefined;
  const name = isKey ? "direction of flow" : kind === "frame" ? picture.name : `${word} ${suffix}`.trim();
  const parts = makeView(name, kind, row, run.summary.key);
  const bar = kind === "frame" ? makeFrameNote(run, isKey) : makeBar(maps, kind);
  const figure = element("figure", { class: `panel panel-${isKey ? "key" : kind}` });
  fill(figure, element("figcaption", {}, name), parts.view, bar.line);
  if (isKey) {
    showWheel(parts.canvas, parts.view);
  }
  return { kind, name, row, figure, ...parts, image: null, ends: bar.ends };
}

/**
 * Makes a canvas with a mark over it.
 *
 * @param {string} name
 * @param {string} kind
 * @param {number} row
 * @param {string} key of the run
 */
export function makeView(name, kind, row, key) {
  const label = `${name}: drag or use the arrow keys to move in time, Shift and arrow keys to read a pixel`;
  const canvas = element("canvas", {
    width: 1,
    height: 1,
    tabindex: 0,
    role: "img",
    "aria-label": label,
    "data-panel": kind,
    "data-row": row,
    "data-run": key,
  });
  const mark = element("span", { class: "mark", hidden: true });
  return { view: element("div", { class: "view" }, canvas, mark), canvas, mark, context: contextOf(canvas) };
}

/**
 * Shows the wheel of flow instead of a panel.
 *
 * @param {HTMLCanvasElement} canvas
 * @param {HTMLElement} view
 */
function showWheel(canvas, view) {
  canvas.width = WHEEL_SIZE;
  canvas.height = WHEEL_SIZE;
  paintWheel(canvas);
  canvas.removeAttribute("tabindex");
  canvas.setAttribute("data-panel", "wheel");
  canvas.setAttribute("aria-label", "wheel of colours: each direction of flow has one, and rest is white");
  view.classList.add("view-key");
}

/**
 * @param {Run} run
 * @param {boolean} isKey
 */
function makeFrameNote(run, isKey) {
  const full = `full at ${run.wheelBound} pixels a frame`;
  const words = isKey ? "white is rest" : run.isWheel ? full : "";
  return { line: element("p", { class: "bar-line soft" }, words), ends: null };
}

/**
 * Makes the colours of a panel, between the values at their ends.
 *
 * @param {ColorMaps} maps
 * @param {Panel["kind"]} kind
 */
export function makeBar(maps, kind) {
  const canvas = element("canvas", { class: "bar", width: 255, height: 1, "aria-hidden": true });
  paintBar(canvas, mapOf(maps, kind));
  const ends = { low: element("span"), high: element("span") };
  return { line: element("p", { class: "bar-line number soft" }, ends.low, canvas, ends.high), ends };
}

/**
 * Draws one frame in all panels.
 *
 * @param {Panel[]} panels
 * @param {LoadedClip} loaded
 * @param {number} step which frame of the clip, from 0
 * @param {Limits} limits
 */
export function drawPanels(panels, loaded, step, limits) {
  for (const panel of panels) {
    if (panel.kind !== "frame") {
      drawValues(panel, loaded, step, limitOf(limits, panel.kind), limits[0] === 0);
    } else if (loaded.pictures[panel.row]) {
      const frames = loaded.pictures[panel.row];
      resizeCanvas(panel.canvas, frames.width, frames.height);
      frames.draw(panel.context, step);
    }
  }
}

/**
 * @param {Panel} panel
 * @param {LoadedClip} loaded
 * @param {number} step
 * @param {number} limit
 * @param {boolean} isNothing whether there are no values to be seen
 */
function drawValues(panel, loaded, step, limit, isNothing) {
  const { width, height } = loaded.values.packed;
  if (resizeCanvas(panel.canvas, width, height) || panel.image === null) {
    panel.image = panel.context.createImageData(width, height);
  }
  const words = new Uint32Array(panel.image.data.buffer);
  const table = loaded.tables.find(panel.kind, limit);
  const numbers = planeOf(loaded.values, panel.row, step);
  for (let place = 0; place < words.length; place++) {
    words[place] = table[numbers[place]];
  }
  panel.context.putImageData(panel.image, 0, 0);
  if (panel.ends) {
    const isSigned = panel.kind === "gradient";
    setWords(panel.ends.low, isSigned && isNothing ? "" : isSigned ? sayNumber(-limit) : "0");
    setWords(panel.ends.high, isSigned && isNothing ? "nothing" : sayNumber(limit));
  }
}

/**
 * Sets a text if it is another one.
 *
 * @param {Element} target
 * @param {string} words
 */
export function setWords(target, words) {
  if (target.textContent !== words) {
    target.textContent = words;
  }
}

/**
 * Returns whether a canvas had another size.
 *
 * @param {HTMLCanvasElement} canvas
 * @param {number} width
 * @param {number} height
 */
export function resizeCanvas(canvas, width, height) {
  const isOther = canvas.width !== width || canvas.height !== height;
  if (isOther) {
    canvas.width = width;
    canvas.height = height;
  }
  return isOther;
}

/**
 * Marks a pixel, given as a part of the whole; null for none.
 *
 * @param {HTMLElement} mark
 * @param {{left: number, top: number, width: number, height: number} | null} box
 */
export function placeMark(mark, box) {
  mark.hidden = box === null;
  for (const [name, share] of Object.entries(box ?? {})) {
    mark.style.setProperty(name, `${100 * share}%`);
  }
}
