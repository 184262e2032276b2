// From values to colours: the same as `figures/panel.py` and `figures/color.py` do in Python.

import { decodeBase64 } from "./base85.js";

/** @typedef {import("./types.js").PanelName["kind"]} Kind */
/** @typedef {import("./types.js").Limits} Limits */
/** @typedef {{diverging: Uint32Array, sequential: Uint32Array}} ColorMaps of 255 colours, as bytes R, G, B, A */

export const LAST_COLOR = 254;
const MOST_TABLES = 24;

/**
 * @param {{diverging: string, sequential: string}} tables as in `PageData`
 * @returns {ColorMaps}
 */
export function decodeColorMaps(tables) {
  return { diverging: decodeColorMap(tables.diverging), sequential: decodeColorMap(tables.sequential) };
}

/** @param {string} text Base64 of uint8 (255, 3) */
function decodeColorMap(text) {
  const bytes = decodeBase64(text);
  const colors = new Uint32Array(bytes.length / 3);
  const parts = new Uint8Array(colors.buffer);
  for (let color = 0; color < colors.length; color++) {
    parts.set([...bytes.subarray(3 * color, 3 * color + 3), 255], 4 * color);
  }
  return colors;
}

/**
 * Returns the map that shows values of a kind.
 *
 * @param {ColorMaps} maps
 * @param {Kind} kind
 */
export function mapOf(maps, kind) {
  return kind === "gradient" ? maps.diverging : maps.sequential;
}

/**
 * Returns the limit that a kind of panel has.
 *
 * @param {Limits} limits
 * @param {Kind} kind
 */
export function limitOf(limits, kind) {
  return limits[kind === "positive" ? 1 : kind === "negative" ? 2 : 0];
}

/**
 * Returns which colour of its map shows a value, 0-254. It is computed in float32, as in Python.
 *
 * @param {Kind} kind
 * @param {number} value
 * @param {number} limit 0 where there is nothing of that sign
 */
export function colorIndex(kind, value, limit) {
  const end = Math.fround(limit);
  const share = end > 0 ? Math.max(-1, Math.min(1, Math.fround(value / end))) : 0;
  const place =
    kind === "gradient" ? Math.fround(0.5 + Math.fround(0.5 * share)) : kind === "negative" ? -share : share;
  return Math.round(Math.max(0, place) * LAST_COLOR);
}

/** The colours of all 65536 numbers, for the limits that were asked for last. */
export class ColorTables {
  /**
   * @param {Float32Array} meanings what each number stands for
   * @param {ColorMaps} maps
   */
  constructor(meanings, maps) {
    this.meanings = meanings;
    this.maps = maps;
    /** @type {Map<string, Uint32Array>} */
    this.kept = new Map();
  }

  /**
   * @param {Kind} kind
   * @param {number} limit
   * @returns {Uint32Array} the colour of each number
   */
  find(kind, limit) {
    const name = `${kind} ${limit}`;
    const table = this.kept.get(name) ?? this.make(kind, limit);
    this.kept.delete(name); // what was asked for last is the last to go
    this.kept.set(name, table);
    if (this.kept.size > MOST_TABLES) {
      this.kept.delete(/** @type {string} */ (this.kept.keys().next().value));
    }
    return table;
  }

  /**
   * Fills a table from both ends inwards: where both ends of a stretch have one colour, all of it has.
   *
   * @param {Kind} kind
   * @param {number} limit
   */
  make(kind, limit) {
    const table = new Uint32Array(this.meanings.length);
    const colors = mapOf(this.maps, kind);
    /** @type {(first: number, last: number) => void} */
    const fill = (first, last) => {
      const low = colorIndex(kind, this.meanings[first], limit);
      if (low === colorIndex(kind, this.meanings[last], limit)) {
        table.fill(colors[low], first, last + 1);
        return;
      }
      const middle = (first + last) >> 1;
      fill(first, middle);
      fill(middle + 1, last);
    };
    fill(0, table.length - 1);
    return table;
  }
}

/**
 * Paints a map from its lowest to its highest colour.
 *
 * @param {HTMLCanvasElement} canvas 255 pixels wide
 * @param {Uint32Array} colors
 */
export function paintBar(canvas, colors) {
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  const image = context.createImageData(colors.length, 1);
  new Uint32Array(image.data.buffer).set(colors);
  for (let y = 0; y < canvas.height; y++) {
    context.putImageData(image, 0, y);
  }
}
