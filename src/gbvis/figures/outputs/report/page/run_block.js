// A block: one run's panels, overlay, curve and what is read from them; all of one clip.

import { ColorTables } from "./colors.js";
import { Curve } from "./curve.js";
import { element, nameElement } from "./dom.js";
import { readFrames } from "./frames.js";
import { chooseLimits } from "./limits.js";
import { Overlay } from "./overlay.js";
import { countColumns, drawPanels, makePanels, placeMark } from "./panels.js";
import { followPixel } from "./pointer.js";
import { explainError } from "./read_error.js";
import { Readout } from "./readout.js";
import { readValues } from "./values.js";

/** @typedef {import("./types.js").Run} Run */
/** @typedef {import("./types.js").Clip} Clip */
/** @typedef {import("./types.js").Limits} Limits */
/** @typedef {import("./types.js").Source} Source */
/** @typedef {import("./colors.js").ColorMaps} ColorMaps */
/** @typedef {import("./frames.js").Frames} Frames */
/** @typedef {import("./values.js").ClipValues} ClipValues */
/** @typedef {import("./run_state.js").RunState} RunState */
/** @typedef {import("./pointer.js").PixelActions} PixelActions */
/** @typedef {{across: number, down: number}} Place a place of the clip, in parts of it */

/**
 * @typedef {object} LoadedClip
 * @property {Clip} clip
 * @property {ClipValues} values
 * @property {ColorTables} tables
 * @property {Frames[]} pictures the frames of each row
 * @property {Frames | null} sourceFrames
 */

/**
 * @typedef {object} BlockLimits
 * @property {Limits} panels
 * @property {Limits} overlay
 * @property {number} curve what the top of the curve stands for
 */

export class RunBlock {
  /**
   * @param {Run} run
   * @param {Source} source
   * @param {ColorMaps} maps
   * @param {PixelActions & {goToStep: (block: RunBlock, step: number) => void}} actions
   */
  constructor(run, source, maps, actions) {
    this.run = run;
    this.source = source;
    this.maps = maps;
    this.panels = makePanels(run, maps);
    this.overlay = new Overlay(run, maps);
    this.curve = new Curve(run.magnitude, (step) => actions.goToStep(this, step));
    this.readout = new Readout(run);
    this.title = element("header", { class: "block-title" });
    this.element = this.build();
    /** @type {LoadedClip | null} */
    this.loaded = null;
    this.request = 0;
    this.follow(actions);
  }

  build() {
    const { summary } = this.run;
    const columns = countColumns(this.run);
    const grid = element("div", { class: "panels" }, ...this.panels.map((panel) => panel.figure));
    grid.style.setProperty("--columns", String(columns));
    const below = element(
      "div",
      { class: "below" },
      this.overlay.figure,
      element("div", {}, this.curve.figure, this.readout.element),
    );
    const classes = `block block-${columns}`;
    const label = `${summary.stream}, ${summary.endpoint}, ${summary.targetName}, ${summary.method}`;
    return element("article", { class: classes, "aria-label": label }, this.title, grid, below);
  }

  /** @param {PixelActions} actions */
  follow(actions) {
    for (const panel of this.panels) {
      if (panel.canvas.tabIndex === 0) {
        followPixel(panel.view, actions, (across, down) => ({ across, down }));
      }
    }
    followPixel(this.overlay.view, actions, (across, down) => this.overlay.placeAt(across, down));
  }

  /** The clip that is shown, or will be as soon as it is loaded. */
  get clip() {
    return this.loaded?.clip ?? this.run.clips[0];
  }

  /**
   * Loads a clip; the one before is shown until then.
   *
   * @param {number} number from 0
   * @param {() => void} onMore called when the overlay's frames have come
   */
  async select(number, onMore) {
    this.request += 1;
    const request = this.request;
    const clip = this.run.clips[Math.min(number, this.run.clips.length - 1)];
    const [values, ...pictures] = await Promise.all([
      readValues(this.source, clip.values),
      ...clip.pictures.map((picture) => readFrames(this.source, picture.strips)),
    ]);
    const tables = new ColorTables(values.meanings, this.maps);
    const loaded = { clip, values, tables, pictures, sourceFrames: null };
    if (request !== this.request) {
      releaseClip(loaded);
      return;
    }
    this.release();
    this.loaded = loaded;
    this.overlay.setClip(clip);
    this.curve.setClip(clip);
    this.loadOverlay(loaded, onMore);
  }

  /**
   * @param {LoadedClip} loaded
   * @param {() => void} onMore
   */
  async loadOverlay(loaded, onMore) {
    if (!loaded.clip.overlay) {
      return;
    }
    try {
      const frames = await readFrames(this.source, loaded.clip.overlay.strips);
      if (this.loaded !== loaded) {
        frames.release();
        return;
      }
      loaded.sourceFrames = frames;
      onMore();
    } catch (error) {
      this.overlay.say(explainError(error).problem);
    }
  }

  /**
   * Returns where the colours end in one frame.
   *
   * @param {RunState} state
   * @param {number} step
   * @param {Limits[] | null} ofAll
   * @returns {BlockLimits}
   */
  limits(state, step, ofAll) {
    return {
      panels: chooseLimits(this.clip.limits, state, step, ofAll),
      overlay: chooseLimits(this.clip.overlayLimits, state, step, ofAll),
      curve: this.curve.most,
    };
  }

  /**
   * @param {number} step which frame of the clip, from 0
   * @param {BlockLimits} limits
   * @param {number} opacity of the overlay, 0-1
   */
  draw(step, limits, opacity) {
    if (!this.loaded) {
      return;
    }
    drawPanels(this.panels, this.loaded, step, limits.panels);
    this.overlay.draw(this.loaded, step, limits.overlay, opacity);
    this.curve.draw(step, limits.curve);
    const frame = String(this.clip.frames[step]);
    for (const canvas of this.canvases()) {
      canvas.dataset.frame = frame;
    }
  }

  canvases() {
    const shown = this.loaded?.sourceFrames ? [this.overlay.canvas] : [];
    return [...this.panels.map((panel) => panel.canvas), ...shown];
  }

  /**
   * Marks a pixel in all panels, and says what is there.
   *
   * @param {number} step which frame of the clip, from 0
   * @param {Place | null} place
   * @returns {string} what is there
   */
  point(step, place) {
    const pixel = place && this.loaded ? this.pixelAt(place) : null;
    const { width, height } = this.clip.values;
    const box = pixel && { left: pixel.x / width, top: pixel.y / height, width: 1 / width, height: 1 / height };
    for (const panel of this.panels) {
      if (panel.canvas.tabIndex === 0) {
        placeMark(panel.mark, box);
      }
    }
    placeMark(this.overlay.mark, pixel && this.overlay.boxOf(pixel));
    return this.readout.show(this.loaded, this.panels, step, pixel);
  }

  /** @param {Place} place */
  pixelAt({ across, down }) {
    const { width, height } = this.clip.values;
    return { x: Math.min(width - 1, Math.floor(across * width)), y: Math.min(height - 1, Math.floor(down * height)) };
  }

  /** Frees the memory of the clip that is shown. */
  release() {
    if (this.loaded) {
      releaseClip(this.loaded);
      this.loaded = null;
    }
  }

  /** Frees all; nothing that is still loaded is shown. */
  leave() {
    this.request += 1;
    this.release();
    this.element.remove();
  }

  /**
   * Says above the panels which run it is.
   *
   * @param {boolean} isBeside whether other runs are shown
   * @param {HTMLElement | null} button which takes it away
   */
  setTitle(isBeside, button) {
    const { summary } = this.run;
    const words = [summary.stream, summary.endpoint, summary.targetName, summary.method];
    const clip = `${summary.valueName} ${this.clip.value.toPrecision(4)}`;
    this.title.replaceChildren(
      element("h2", {}, ...words.map((word) => nameElement(word, { class: "title-part" }))),
      element("span", { class: "soft number" }, clip),
      ...(button ? [button] : []),
    );
    this.title.hidden = !isBeside;
  }
}

/** @param {LoadedClip} loaded */
function releaseClip(loaded) {
  for (const frames of [...loaded.pictures, loaded.sourceFrames]) {
    frames?.release();
  }
}
