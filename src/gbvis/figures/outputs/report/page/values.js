// The numbers of a clip, as Python packed them, and the values that they stand for.

import { inflate } from "./base85.js";

/** @typedef {import("./types.js").PackedValues} PackedValues */
/** @typedef {import("./types.js").Source} Source */

/**
 * @typedef {object} ClipValues
 * @property {Uint16Array} numbers in the order row, time, y, x
 * @property {Float32Array} meanings the value that each of the 65536 numbers stands for
 * @property {PackedValues} packed
 */

const NUMBER_COUNT = 65536;
const ZERO_NUMBER = 32768;

/**
 * @param {Source} source
 * @param {PackedValues} packed
 * @returns {Promise<ClipValues>}
 */
export async function readValues(source, packed) {
  const bytes = await inflate(await source.readBlob(packed.blob));
  const count = packed.rows.length * packed.frameCount * packed.height * packed.width;
  if (bytes.length !== 2 * count) {
    throw new Error(`the values of this run are damaged: ${bytes.length} bytes instead of ${2 * count}`);
  }
  const numbers = new Uint16Array(count);
  for (let place = 0; place < count; place++) {
    numbers[place] = (bytes[place] << 8) | bytes[count + place];
  }
  return { numbers, meanings: listMeanings(packed.unit, packed.steps), packed };
}

/**
 * Returns what each number stands for: `unit * sinh((number - 32768) / steps)`.
 *
 * @param {number} unit
 * @param {number} steps
 */
export function listMeanings(unit, steps) {
  const meanings = new Float32Array(NUMBER_COUNT);
  for (let distance = 0; distance <= ZERO_NUMBER; distance++) {
    const value = unit * Math.sinh(distance / steps);
    meanings[ZERO_NUMBER - distance] = -value;
    if (distance < ZERO_NUMBER) {
      meanings[ZERO_NUMBER + distance] = value;
    }
  }
  return meanings;
}

/**
 * Returns the numbers of one frame, in the order y, x; no copy.
 *
 * @param {ClipValues} values
 * @param {number} row
 * @param {number} step which frame of the clip, from 0
 */
export function planeOf(values, row, step) {
  const { frameCount, height, width } = values.packed;
  const size = height * width;
  const start = (row * frameCount + step) * size;
  return values.numbers.subarray(start, start + size);
}

/**
 * How many digits of a value count: what it stands for is known to half a step.
 *
 * @param {ClipValues} values
 * @param {number} value
 */
export function digitsOf(values, value) {
  const { unit, steps } = values.packed;
  const step = Math.hypot(unit, value) / steps;
  return value === 0 ? 1 : Math.min(4, Math.max(1, Math.floor(Math.log10(Math.abs(value) / step)) + 1));
}

/**
 * @param {ClipValues} values
 * @param {number} row
 * @param {number} step
 * @param {{y: number, x: number}} pixel
 */
export function valueAt(values, row, step, pixel) {
  return values.meanings[planeOf(values, row, step)[pixel.y * values.packed.width + pixel.x]];
}
