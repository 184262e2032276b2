// Frames: images below each other in strips, drawn one at a time.

/** @typedef {import("./types.js").Strip} Strip */
/** @typedef {import("./types.js").Source} Source */

/** The frames of a clip, decoded. Who asked for them gives them back with `release`. */
export class Frames {
  /**
   * @param {Strip[]} strips
   * @param {(ImageBitmap | HTMLCanvasElement)[]} bitmaps
   */
  constructor(strips, bitmaps) {
    this.strips = strips;
    this.bitmaps = bitmaps;
  }

  /** Pixels of a frame. */
  get width() {
    return this.strips[0].width;
  }

  /** Pixels of a frame. */
  get height() {
    return this.strips[0].height;
  }

  /**
   * Draws a frame as it is, without any smoothing.
   *
   * @param {CanvasRenderingContext2D} context of a canvas as large as a frame
   * @param {number} step which frame of the clip, from 0
   */
  draw(context, step) {
    let [number, place] = [0, step];
    while (number < this.strips.length - 1 && place >= this.strips[number].count) {
      place -= this.strips[number].count;
      number += 1;
    }
    const { width, height, count } = this.strips[number];
    const top = Math.min(place, count - 1) * height;
    context.imageSmoothingEnabled = false;
    context.drawImage(this.bitmaps[number], 0, top, width, height, 0, 0, this.width, this.height);
  }

  /** Frees the memory of the images. */
  release() {
    for (const bitmap of this.bitmaps) {
      if (bitmap instanceof ImageBitmap) {
        bitmap.close();
      } else {
        bitmap.width = 0;
      }
    }
  }
}

/**
 * @param {Source} source
 * @param {Strip[]} strips
 * @returns {Promise<Frames>}
 */
export async function readFrames(source, strips) {
  return new Frames(strips, await Promise.all(strips.map((strip) => readStrip(source, strip))));
}

/**
 * @param {Source} source
 * @param {Strip} strip
 */
async function readStrip(source, strip) {
  const image = new Blob([await source.readBlob(strip.blob)], { type: "image/webp" });
  const bitmap = await createImageBitmap(image, { colorSpaceConversion: "none", premultiplyAlpha: "none" });
  return strip.isDifference ? addUp(bitmap, strip.height) : bitmap;
}

/**
 * Returns the frames themselves, of an image in which each is its difference from the one before.
 *
 * @param {ImageBitmap} bitmap
 * @param {number} height of a frame, pixels
 */
function addUp(bitmap, height) {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [bitmap.width, bitmap.height];
  const context = contextOf(canvas);
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  const image = context.getImageData(0, 0, canvas.width, canvas.height);
  const bytes = new Uint8Array(image.data.buffer); // a clamped one would not begin at 0 again
  const before = 4 * canvas.width * height;
  for (let place = before; place < bytes.length; place += 4) {
    for (let channel = place; channel < place + 3; channel += 1) {
      bytes[channel] += bytes[channel - before];
    }
  }
  context.putImageData(image, 0, 0);
  return canvas;
}

/**
 * Returns where a canvas is drawn; its pixels are read back often.
 *
 * @param {HTMLCanvasElement} canvas
 */
export function contextOf(canvas) {
  return /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d", { willReadFrequently: true }));
}
