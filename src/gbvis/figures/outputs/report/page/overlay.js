// The overlay: how strong values are, over the video's own frames, as `figures/layouts/overlay.py` draws it.

import { LAST_COLOR, limitOf } from "./colors.js";
import { element, showText } from "./dom.js";
import { contextOf } from "./frames.js";
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
 * Which values lie around each column or row that the network saw, and how much of the second one is taken.
 *
 * @typedef {object} Neighbors
 * @property {number} start the first column or row that the network saw
 * @property {Int32Array} first
 * @property {Int32Array} second
 * @property {Float32Array} share
 */

const OUTSIDE = 0.35;
const STRONGEST = 0.85;
const LAST_INK = 4 * LAST_COLOR;

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
    this.layer = element("canvas", { width: 1, height: 1 });
    this.layerContext = contextOf(this.layer);
    /** @type {ImageData | null} */
    this.image = null;
    this.inks = { opacity: -1, colors: new Uint32Array(0) };
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
    const { width, height } = loaded.sourceFrames;
    resizeCanvas(this.canvas, width, height);
    loaded.sourceFrames.draw(this.context, step);
    const limit = limitOf(limits, "gradient");
    this.paint(findHeat(loaded.values, step, limit), loaded.values.packed.width, opacity);
    const { across, down } = this.places;
    const [right, bottom] = [across.start + across.first.length, down.start + down.first.length];
    this.context.fillStyle = `rgb(0 0 0 / ${1 - OUTSIDE})`;
    this.context.fillRect(0, 0, width, down.start);
    this.context.fillRect(0, bottom, width, height - bottom);
    this.context.fillRect(0, down.start, across.start, bottom - down.start);
    this.context.fillRect(right, down.start, width - right, bottom - down.start);
    this.context.drawImage(this.layer, across.start, down.start);
    setWords(this.ends.low, "0");
    setWords(this.ends.high, limit > 0 ? sayNumber(limit) : "nothing");
  }

  /**
   * Paints the layer that lies over the frame.
   *
   * @param {Float32Array} heat
   * @param {number} columns of values
   * @param {number} opacity 0-1
   */
  paint(heat, columns, opacity) {
    if (!this.places) {
      return;
    }
    const [width, height] = [this.places.across.first.length, this.places.down.first.length];
    if (resizeCanvas(this.layer, width, height) || this.image === null) {
      this.image = this.layerContext.createImageData(width, height);
    }
    if (this.inks.opacity !== opacity) {
      this.inks = { opacity, colors: makeInks(this.colors, opacity) };
    }
    paintHeat(new Uint32Array(this.image.data.buffer), heat, this.places, columns, this.inks.colors);
    this.layerContext.putImageData(this.image, 0, 0);
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
  const start = Math.max(0, Math.ceil(from - 0.5));
  const length = Math.max(1, Math.min(size, Math.ceil(to - 0.5)) - start);
  const first = new Int32Array(length);
  const second = new Int32Array(length);
  const share = new Float32Array(length);
  for (let pixel = 0; pixel < length; pixel++) {
    const place = ((start + pixel + 0.5 - from) * count) / (to - from) - 0.5;
    const before = Math.floor(place);
    share[pixel] = place - before;
    first[pixel] = Math.max(0, Math.min(count - 1, before));
    second[pixel] = Math.max(0, Math.min(count - 1, before + 1));
  }
  return { start, first, second, share };
}

/**
 * Returns the colours of all strengths, with the part that is seen of each: the stronger, the less is left of the frame.
 *
 * @param {Uint32Array} colors
 * @param {number} opacity 0-1
 */
function makeInks(colors, opacity) {
  return Uint32Array.from({ length: LAST_INK + 1 }, (_, ink) => {
    const strength = ink / LAST_INK;
    const seen = Math.round(255 * STRONGEST * Math.sqrt(strength) * opacity);
    return ((seen << 24) | (colors[Math.round(strength * LAST_COLOR)] & 0xffffff)) >>> 0;
  });
}

/**
 * Paints heat, whose values lie between those of the clip.
 *
 * @param {Uint32Array} words pixels to be painted
 * @param {Float32Array} heat 0-1, in the order y, x
 * @param {{across: Neighbors, down: Neighbors}} places
 * @param {number} columns of values
 * @param {Uint32Array} inks
 */
function paintHeat(words, heat, { across, down }, columns, inks) {
  const { first, second, share } = across;
  const width = first.length;
  for (let y = 0, at = 0; y < down.first.length; y++) {
    const [upper, lower, part] = [columns * down.first[y], columns * down.second[y], down.share[y]];
    for (let x = 0; x < width; x++, at++) {
      const left = heat[upper + first[x]] * (1 - part) + heat[lower + first[x]] * part;
      const right = heat[upper + second[x]] * (1 - part) + heat[lower + second[x]] * part;
      words[at] = inks[((left + (right - left) * share[x]) * LAST_INK + 0.5) | 0];
    }
  }
}
