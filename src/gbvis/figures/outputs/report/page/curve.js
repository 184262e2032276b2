// The curve: how much of the values lies in each frame, with the frame that is shown marked.

import { element, fill, svgElement } from "./dom.js";
import { sayNumber } from "./limits.js";
import { setWords } from "./panels.js";

/** @typedef {import("./types.js").Clip} Clip */

const WIDTH = 1000;
const HEIGHT = 100;

/** The curve of one clip; it is clicked and dragged into. */
export class Curve {
  /**
   * @param {string} magnitude what values are called without their sign
   * @param {(step: number) => void} onStep called with the frame that is pointed at, from 0
   */
  constructor(magnitude, onStep) {
    this.magnitude = magnitude;
    this.line = svgElement("polyline", { class: "curve-line" });
    this.area = svgElement("polygon", { class: "curve-area" });
    const picture = svgElement("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img" });
    this.picture = fillSvg(picture, this.area, this.line);
    this.mark = element("span", { class: "curve-mark" }, element("span", { class: "curve-dot" }));
    this.plot = element("div", { class: "curve-plot" }, picture, this.mark);
    this.said = element("span", { class: "number" });
    this.first = element("span", { class: "number" });
    this.last = element("span", { class: "number" });
    this.figure = element(
      "figure",
      { class: "curve" },
      element("figcaption", {}, element("span", {}, `${magnitude} in each frame`), this.said),
      this.plot,
      element("p", { class: "curve-ends soft small" }, this.first, this.last),
    );
    /** @type {Clip | null} */
    this.clip = null;
    this.total = 1;
    this.drawnMost = -1;
    followPointer(this.plot, (share) => onStep(Math.round(share * Math.max(0, this.count - 1))));
  }

  /** Frames. */
  get count() {
    return this.clip?.importance.length ?? 0;
  }

  /** The largest of its numbers. */
  get most() {
    return Math.max(0, ...(this.clip?.importance ?? []));
  }

  /** @param {Clip} clip */
  setClip(clip) {
    this.clip = clip;
    this.total = clip.importance.reduce((sum, one) => sum + one, 0) || 1;
    this.drawnMost = -1;
    const strongest = clip.frames[clip.importance.indexOf(this.most)];
    const label = `${this.magnitude} in each frame of the clip: most, ${sayNumber(this.most, 3)}, in frame ${strongest}`;
    this.picture.setAttribute("aria-label", label);
    fill(this.first, `frame ${clip.frames[0]}`);
    fill(this.last, this.count > 1 ? `${clip.frames[this.count - 1]}` : "");
  }

  /**
   * @param {number} step the frame that is shown, from 0
   * @param {number} most what the curve's top stands for
   */
  draw(step, most) {
    if (!this.clip) {
      return;
    }
    if (most !== this.drawnMost) {
      this.drawLine(most);
    }
    const importance = this.clip.importance[step];
    const across = this.count > 1 ? step / (this.count - 1) : 0;
    this.mark.style.setProperty("left", `${100 * across}%`);
    this.mark.style.setProperty("--height", `${(100 * importance) / (most || 1)}%`);
    setWords(this.said, `${sayNumber(importance, 3)}, ${((100 * importance) / this.total).toFixed(1)} % of the clip`);
  }

  /** @param {number} most */
  drawLine(most) {
    this.drawnMost = most;
    const importance = this.clip?.importance ?? [];
    const points = importance.map((one, step) => {
      const x = this.count > 1 ? (WIDTH * step) / (this.count - 1) : 0;
      return `${x.toFixed(1)},${(HEIGHT * (1 - one / (most || 1))).toFixed(1)}`;
    });
    this.line.setAttribute("points", points.join(" "));
    this.area.setAttribute("points", `0,${HEIGHT} ${points.join(" ")} ${WIDTH},${HEIGHT}`);
  }
}

/**
 * @param {SVGSVGElement} picture
 * @param {...SVGElement} parts
 */
function fillSvg(picture, ...parts) {
  picture.append(...parts);
  return picture;
}

/**
 * Calls back with where a pressed pointer is, as a part of the width.
 *
 * @param {HTMLElement} target
 * @param {(share: number) => void} onMove
 */
function followPointer(target, onMove) {
  /** @param {PointerEvent} event */
  const tell = (event) => {
    const box = target.getBoundingClientRect();
    onMove(Math.max(0, Math.min(1, (event.clientX - box.left) / box.width)));
  };
  target.addEventListener("pointerdown", (event) => {
    if (event.button === 0) {
      target.setPointerCapture(event.pointerId);
      tell(event);
    }
  });
  target.addEventListener("pointermove", (event) => {
    if (target.hasPointerCapture(event.pointerId)) {
      tell(event);
    }
  });
}
