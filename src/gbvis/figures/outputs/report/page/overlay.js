// The overlay: how strong values are, over the video's own frames, as `figures/layouts/overlay.py` draws it.

import { LAST_COLOR, limitOf } from "./colors.js";
import { element, showText } from "./dom.js";
import { sayNumber } from "./limits.js";
import { makeBar, makeView, resizeCanvas, setWords } from "./panels.js";
import { planeOf } from "./values.js";

/** @typedef {import("./types.js").Run} Run */
/** @typedef {import("./types.js").Clip} Clip */
/** @typedef {import("./types.js").Limits} Limits */
/** @typedef {import("./colors.js").ColorMaps} ColorMaps */
/** @typedef {import("./values.js").ClipValues} ClipValues */
/** @typedef {import("./run_block.js").LoadedClip} LoadedClip */

/**
 * Which values lie around each column or row of a frame, and how much of the second one is taken.
 *
 * @typedef {object} Neighbors
 * @property {Int32Array} first
 * @property {Int32Array} second
 * @property {Float32Array} share
 * @property {Uint8Array} isInside whether the network saw it
 */

const OUTSIDE = 0.35;
const STRONGEST = 0.85;

/** One canvas as large as the source frames that came along. */
export class Overlay {
  /**
   * @param {Run} run
   * @param {ColorMaps} maps
   */
  constructor(run, maps) {
    this.colors = maps.sequential;
    this.magnitude = run.magnitude;
    const name = `${run.magnitude} over the source`;
    const { view, canvas, mark, context } = makeView(name, "overlay", 0, run.summary.key);
    this.view = view;
    this.canvas = canvas;
    this.mark = mark;
    this.context = context;
    const bar = makeBar(maps, "positive");
    this.ends = bar.ends;
    this.problem = element("p", { class: "overlay-problem soft", hidden: true });
    this.figure = element("figure", { class: "panel overlay" });
    this.figure.append(element("figcaption", {}, name), view, this.problem, bar.line);
    this.bar = bar.line;
    /** @type {Clip | null} */
    this.clip = null;
    /** @type {{across: Neighbors, down: Neighbors} | null} */
    this.places = null;
  }

  /**
   * Shows the overlay of a clip, or why it has none.
   *
   * @param {Clip} clip
   */
  setClip(clip) {
    this.clip = clip;
    this.places = null;
    this.view.hidden = clip.overlay === null;
    this.bar.hidden = clip.overlay === null;
    this.problem.hidden = true;
    if (!clip.overlay) {
      this.say(clip.overlayProblem || "there are no source frames");
    } else {
      const { width, height } = clip.overlay.strips[0];
      const [left, top, right, bottom] = clip.overlay.box;
      this.places = {
        across: findNeighbors(width, left, right, clip.values.width),
        down: findNeighbors(height, top, bottom, clip.values.height),
      };
      this.figure.style.setProperty("--aspect", String(width / height));
    }
  }

  /**
   * Says why there is nothing to be seen.
   *
   * @param {string} problem
   */
  say(problem) {
    this.problem.hidden = false;
    this.problem.textContent = `No source frames: ${showText(problem)}`;
  }

  /**
   * @param {LoadedClip} loaded
   * @param {number} step which frame of the clip, from 0
   * @param {Limits} limits of the magnitude
   * @param {number} opacity 0-1
   */
  draw(loaded, step, limits, opacity) {
    if (!loaded.sourceFrames || !this.places) {
      return;
    }
    const frames = loaded.sourceFrames;
    resizeCanvas(this.canvas, frames.width, frames.height);
    frames.draw(this.context, step);
    const image = this.context.getImageData(0, 0, frames.width, frames.height);
    const limit = limitOf(limits, "gradient");
    blend(image.data, findHeat(loaded.values, step, limit), this.places, loaded.values.packed.width, {
      colors: this.colors,
      opacity,
    });
    this.context.putImageData(image, 0, 0);
    setWords(this.ends.low, "0");
    setWords(this.ends.high, limit > 0 ? sayNumber(limit) : "nothing");
  }

  /**
   * Returns where a pixel of the clip lies in the frame, in parts of it.
   *
   * @param {{y: number, x: number}} pixel
   */
  boxOf(pixel) {
    if (!this.clip?.overlay) {
      return null;
    }
    const { width: columns, height: rows } = this.clip.values;
    const { width, height } = this.clip.overlay.strips[0];
    const [left, top, right, bottom] = this.clip.overlay.box;
    return {
      left: (left + (pixel.x / columns) * (right - left)) / width,
      top: (top + (pixel.y / rows) * (bottom - top)) / height,
      width: (right - left) / columns / width,
      height: (bottom - top) / rows / height,
    };
  }

  /**
   * Returns which place of the clip, in parts of it, lies at a place of the frame; null outside the clip.
   *
   * @param {number} across 0-1
   * @param {number} down 0-1
   */
  placeAt(across, down) {
    if (!this.clip?.overlay) {
      return null;
    }
    const { width, height } = this.clip.overlay.strips[0];
    const [left, top, right, bottom] = this.clip.overlay.box;
    const place = { across: (across * width - left) / (right - left), down: (down * height - top) / (bottom - top) };
    const isInside = place.across >= 0 && place.across < 1 && place.down >= 0 && place.down < 1;
    return isInside ? place : null;
  }
}

/**
 * Returns how strong each value of a frame is, 0-1: of flow, the stronger of u and v.
 *
 * @param {ClipValues} values
 * @param {number} step
 * @param {number} limit
 */
export function findHeat(values, step, limit) {
  const heat = new Float32Array(values.packed.width * values.packed.height);
  if (limit > 0) {
    for (let row = 0; row < values.packed.rows.length; row++) {
      const plane = planeOf(values, row, step);
      for (let place = 0; place < heat.length; place++) {
        const share = Math.min(1, Math.abs(values.meanings[plane[place]]) / limit);
        heat[place] = Math.max(share, heat[place]);
      }
    }
  }
  return heat;
}

/**
 * Returns which values are neighbours of each pixel, as Pillow's bilinear transform takes them.
 *
 * @param {number} size pixels
 * @param {number} from where the values begin, pixels
 * @param {number} to
 * @param {number} count of values
 * @returns {Neighbors}
 */
export function findNeighbors(size, from, to, count) {
  const first = new Int32Array(size);
  const second = new Int32Array(size);
  const share = new Float32Array(size);
  const isInside = new Uint8Array(size);
  for (let pixel = 0; pixel < size; pixel++) {
    const middle = pixel + 0.5;
    isInside[pixel] = middle >= from && middle < to ? 1 : 0;
    const place = ((middle - from) * count) / (to - from) - 0.5;
    const before = Math.floor(place);
    share[pixel] = place - before;
    first[pixel] = Math.max(0, Math.min(count - 1, before));
    second[pixel] = Math.max(0, Math.min(count - 1, before + 1));
  }
  return { first, second, share, isInside };
}

/**
 * Puts colours over a frame: the stronger a value is, the less of the frame is left. What the network never saw is dimmed.
 *
 * @param {Uint8ClampedArray} pixels R, G, B, A; changed in place
 * @param {Float32Array} heat 0-1, in the order y, x
 * @param {{across: Neighbors, down: Neighbors}} places
 * @param {number} columns of values
 * @param {{colors: Uint32Array, opacity: number}} look
 */
function blend(pixels, heat, { across, down }, columns, { colors, opacity }) {
  const [width, height] = [across.first.length, down.first.length];
  for (let y = 0, at = 0; y < height; y++) {
    const [upper, lower, share] = [columns * down.first[y], columns * down.second[y], down.share[y]];
    for (let x = 0; x < width; x++, at += 4) {
      if (!(down.isInside[y] && across.isInside[x])) {
        pixels[at] *= OUTSIDE;
        pixels[at + 1] *= OUTSIDE;
        pixels[at + 2] *= OUTSIDE;
        continue;
      }
      const [left, right, part] = [across.first[x], across.second[x], across.share[x]];
      const above = heat[upper + left] * (1 - part) + heat[upper + right] * part;
      const below = heat[lower + left] * (1 - part) + heat[lower + right] * part;
      const strength = above * (1 - share) + below * share;
      const weight = STRONGEST * Math.sqrt(strength) * opacity;
      const color = colors[Math.round(strength * LAST_COLOR)];
      pixels[at] += weight * ((color & 255) - pixels[at]);
      pixels[at + 1] += weight * (((color >> 8) & 255) - pixels[at + 1]);
      pixels[at + 2] += weight * (((color >> 16) & 255) - pixels[at + 2]);
    }
  }
}
