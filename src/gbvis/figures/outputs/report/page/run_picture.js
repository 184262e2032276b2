// This view as one picture: all panels that are shown, with their names and colours.

import { showText } from "./dom.js";
import { countColumns } from "./panels.js";

/** @typedef {import("./run_block.js").RunBlock} RunBlock */
/** @typedef {{ground: string, ink: string, soft: string, line: string}} Inks */

const LEAST_SIDE = 200;
const GAP = 8;
const LINE = 18;
const MARGIN = 12;
const CURVE = 72;
const FONT = "12px system-ui, sans-serif";
const TITLE_FONT = "600 14px system-ui, sans-serif";

/**
 * Returns a canvas with what is shown now.
 *
 * @param {RunBlock[]} blocks
 * @param {string[]} foot what stands below: the moment, and what the colours mean
 * @returns {HTMLCanvasElement}
 */
export function drawPicture(blocks, foot) {
  const canvas = document.createElement("canvas");
  const widths = blocks.map((block) => Math.max(3, countColumns(block.run)) * (sideOf(block) + GAP) - GAP);
  canvas.width = Math.max(...widths) + 2 * MARGIN;
  canvas.height = 2 * MARGIN + blocks.reduce((sum, block) => sum + blockHeight(block), 0) + foot.length * LINE;
  const inks = findInks();
  const pen = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  pen.fillStyle = inks.ground;
  pen.fillRect(0, 0, canvas.width, canvas.height);
  pen.textBaseline = "top";
  let top = MARGIN;
  for (const block of blocks) {
    drawBlock(pen, block, top, inks);
    top += blockHeight(block);
  }
  foot.forEach((words, line) => {
    write(pen, words, MARGIN, top + line * LINE, canvas.width - 2 * MARGIN, inks.soft);
  });
  return canvas;
}

/** Returns the colours of the page as it is now, light or dark. */
function findInks() {
  const style = getComputedStyle(document.documentElement);
  const probe = document.createElement("span");
  document.body.append(probe);
  /** @param {string} name */
  const read = (name) => {
    probe.style.setProperty("color", `var(${name})`);
    return getComputedStyle(probe).color;
  };
  const inks = { ground: style.backgroundColor, ink: style.color, soft: read("--ink-soft"), line: read("--accent") };
  probe.remove();
  return inks;
}

/**
 * Returns the side of a panel: a whole multiple of the clip's, so that each pixel is a square.
 *
 * @param {RunBlock} block
 */
function sideOf(block) {
  const { width } = block.clip.values;
  return width * Math.ceil(LEAST_SIDE / width);
}

/** @param {RunBlock} block */
function rowCount(block) {
  return block.run.clips[0].values.rows.length;
}

/** @param {RunBlock} block */
function overlaySize(block) {
  const { width, height } = block.overlay.canvas;
  const side = sideOf(block);
  return block.loaded?.sourceFrames
    ? { width: Math.round((side * width) / height), height: side }
    : { width: 0, height: 0 };
}

/** @param {RunBlock} block */
function blockHeight(block) {
  const below = Math.max(CURVE, overlaySize(block).height) + 2 * LINE;
  return 3 * LINE + rowCount(block) * (sideOf(block) + 2 * LINE) + below + 2 * GAP;
}

/**
 * @param {CanvasRenderingContext2D} pen
 * @param {RunBlock} block
 * @param {number} top
 * @param {Inks} inks
 */
function drawBlock(pen, block, top, inks) {
  const { summary, predicted } = block.run;
  const room = pen.canvas.width - 2 * MARGIN;
  const value = `${summary.valueName} ${block.clip.value.toPrecision(4)}`;
  const title = [summary.stream, summary.endpoint, summary.targetName, value, summary.method].map(showText).join("   ");
  write(pen, showText(summary.video), MARGIN, top, room, inks.ink, TITLE_FONT);
  write(pen, title, MARGIN, top + LINE, room, inks.ink);
  write(pen, showText(predicted), MARGIN, top + 2 * LINE, room, inks.soft);
  const [columns, side] = [countColumns(block.run), sideOf(block)];
  block.panels.forEach((panel, number) => {
    const left = MARGIN + (number % columns) * (side + GAP);
    const row = Math.floor(number / columns);
    drawPanel(pen, panel, left, top + 3 * LINE + row * (side + 2 * LINE), { width: side, height: side }, inks);
  });
  drawBelow(pen, block, top + 3 * LINE + rowCount(block) * (side + 2 * LINE) + GAP, inks);
}

/**
 * @param {CanvasRenderingContext2D} pen
 * @param {{figure: HTMLElement, canvas: HTMLCanvasElement, ends: {low: HTMLElement, high: HTMLElement} | null}} panel
 * @param {number} left
 * @param {number} top
 * @param {{width: number, height: number}} size
 * @param {Inks} inks
 */
function drawPanel(pen, panel, left, top, { width, height }, inks) {
  write(pen, panel.figure.querySelector("figcaption")?.textContent ?? "", left, top, width, inks.soft);
  pen.imageSmoothingEnabled = false;
  pen.drawImage(panel.canvas, left, top + LINE, width, height);
  const bar = panel.figure.querySelector("canvas.bar");
  const foot = top + LINE + height + 3;
  if (!(bar instanceof HTMLCanvasElement) || !panel.ends) {
    write(pen, panel.figure.querySelector(".bar-line")?.textContent ?? "", left, foot, width, inks.soft);
    return;
  }
  const ends = [panel.ends.low.textContent ?? "", panel.ends.high.textContent ?? ""];
  const [low, high] = ends.map((end) => pen.measureText(end).width);
  const length = Math.min(width - low - high - 2 * GAP, 0.5 * width);
  const start = left + (width - length - low - high - 2 * GAP) / 2;
  write(pen, ends[0], start, foot, width, inks.soft);
  pen.drawImage(bar, start + low + GAP, foot + 2, length, LINE - 9);
  write(pen, ends[1], start + low + length + 2 * GAP, foot, width, inks.soft);
}

/**
 * Draws the overlay, and beside it the curve.
 *
 * @param {CanvasRenderingContext2D} pen
 * @param {RunBlock} block
 * @param {number} top
 * @param {Inks} inks
 */
function drawBelow(pen, block, top, inks) {
  const size = overlaySize(block);
  if (size.width > 0) {
    drawPanel(pen, block.overlay, MARGIN, top, size, inks);
  }
  const left = MARGIN + size.width + (size.width > 0 ? 2 * GAP : 0);
  const width = pen.canvas.width - MARGIN - left - 4;
  write(pen, `${block.run.magnitude} in each frame   ${block.curve.said.textContent}`, left, top, width, inks.soft);
  drawCurve(pen, block, { left, top: top + LINE + 4, width, height: CURVE - 8 }, inks);
}

/**
 * @param {CanvasRenderingContext2D} pen
 * @param {RunBlock} block
 * @param {{left: number, top: number, width: number, height: number}} box
 * @param {Inks} inks
 */
function drawCurve(pen, block, { left, top, width, height }, inks) {
  const { importance, frames } = block.clip;
  const most = block.curve.drawnMost || 1;
  const xOf = (/** @type {number} */ step) => left + (width * step) / Math.max(1, importance.length - 1);
  const yOf = (/** @type {number} */ step) => top + height * (1 - importance[step] / most);
  pen.strokeStyle = inks.soft;
  pen.lineWidth = 1;
  strokeLine(pen, [
    [left, top + height],
    [left + width, top + height],
  ]);
  pen.strokeStyle = inks.line;
  pen.fillStyle = inks.line;
  pen.lineWidth = 2;
  strokeLine(
    pen,
    importance.map((_, step) => [xOf(step), yOf(step)]),
  );
  const step = frames.indexOf(Number(block.panels[0].canvas.dataset.frame));
  pen.lineWidth = 1;
  strokeLine(pen, [
    [xOf(step), yOf(step)],
    [xOf(step), top + height],
  ]);
  pen.beginPath();
  pen.arc(xOf(step), yOf(step), 4, 0, 2 * Math.PI);
  pen.fill();
}

/**
 * @param {CanvasRenderingContext2D} pen
 * @param {number[][]} points
 */
function strokeLine(pen, points) {
  pen.beginPath();
  for (const [x, y] of points) {
    pen.lineTo(x, y);
  }
  pen.stroke();
}

/**
 * Writes one line; what has no room loses its end.
 *
 * @param {CanvasRenderingContext2D} pen
 * @param {string} words
 * @param {number} left
 * @param {number} top
 * @param {number} room pixels
 * @param {string} ink
 * @param {string} [font]
 */
function write(pen, words, left, top, room, ink, font = FONT) {
  pen.font = font;
  pen.fillStyle = ink;
  let shown = words;
  while (shown.length > 1 && pen.measureText(shown).width > room) {
    shown = `${shown.slice(0, Math.max(1, Math.floor(shown.length * 0.95) - 2))}\u2026`;
  }
  pen.fillText(shown, left, top);
}
