// The readout: what is at one pixel, in words.

import { element, fill } from "./dom.js";
import { sayNumber } from "./limits.js";
import { digitsOf, valueAt } from "./values.js";
import { motionOfColor } from "./wheel.js";

/** @typedef {import("./types.js").Run} Run */
/** @typedef {import("./types.js").Clip} Clip */
/** @typedef {import("./panels.js").Panel} Panel */
/** @typedef {import("./run_block.js").LoadedClip} LoadedClip */
/** @typedef {{y: number, x: number}} Pixel */

export class Readout {
  /** @param {Run} run */
  constructor(run) {
    this.run = run;
    this.words = element("span");
    this.isHint = false;
    this.swatch = element("span", { class: "swatch", hidden: true });
    this.element = element("p", { class: "readout number" }, this.swatch, this.words);
    this.show(null, [], 0, null);
  }

  /**
   * Says what is at a pixel; without one, how to get there.
   *
   * @param {LoadedClip | null} loaded
   * @param {Panel[]} panels
   * @param {number} step which frame of the clip, from 0
   * @param {Pixel | null} pixel
   * @returns {string}
   */
  show(loaded, panels, step, pixel) {
    this.swatch.hidden = true;
    if (!loaded || !pixel) {
      fill(
        this.words,
        element("span", { class: "soft hint" }, "Point at a panel to read its values; click to keep the pixel."),
      );
      return "";
    }
    this.isHint = false;
    const said = [
      sayPlace(loaded.clip, pixel),
      ...loaded.values.packed.rows.map((row, number) => {
        const value = valueAt(loaded.values, number, step, pixel);
        return `${this.run.quantity}${row ? ` ${row}` : ""} ${sayNumber(value, digitsOf(loaded.values, value))}`;
      }),
      ...this.sayFrames(panels, pixel),
    ];
    fill(this.words, ...said.map((words) => element("span", { class: "read" }, words)));
    return said.join(", ");
  }

  /**
   * Says what the frames have at a pixel, and shows its colour.
   *
   * @param {Panel[]} panels
   * @param {Pixel} pixel
   */
  sayFrames(panels, pixel) {
    const frames = panels.filter((panel) => panel.kind === "frame" && panel.canvas.tabIndex === 0);
    return frames.map((panel, number) => {
      const color = [...panel.context.getImageData(pixel.x, pixel.y, 1, 1).data.subarray(0, 3)];
      if (number === 0) {
        this.swatch.hidden = false;
        this.swatch.style.setProperty("background-color", `rgb(${color.join(" ")})`);
      }
      return this.run.isWheel ? this.sayMotion(color) : sayColor(panel.name, color);
    });
  }

  /** @param {number[]} color */
  sayMotion(color) {
    const motion = motionOfColor(color);
    if (motion === null) {
      return `motion of more than ${this.run.wheelBound} pixels a frame`;
    }
    const [u, v] = [motion.u, motion.v].map((part) => sayNumber(Math.round(100 * part * this.run.wheelBound) / 100));
    return `motion u ${u}, v ${v} pixels a frame`;
  }
}

/**
 * @param {Clip} clip
 * @param {Pixel} pixel
 */
function sayPlace(clip, pixel) {
  const [left, top, right, bottom] = clip.box;
  const x = Math.floor(left + ((pixel.x + 0.5) / clip.values.width) * (right - left));
  const y = Math.floor(top + ((pixel.y + 0.5) / clip.values.height) * (bottom - top));
  return `row ${pixel.y}, column ${pixel.x} (source pixel x ${x}, y ${y})`;
}

/**
 * @param {string} name
 * @param {number[]} color
 */
function sayColor(name, color) {
  const isGrey = color[0] === color[1] && color[1] === color[2] && name !== "frame";
  return `${name} ${isGrey ? color[0] : color.join(", ")}`;
}
