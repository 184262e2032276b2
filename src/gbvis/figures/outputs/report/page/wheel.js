// Motion as colours: the wheel of flow, as `figures/color.py` draws it (Baker et al. 2011).

const HUES = [
  [1, 0, 0],
  [1, 1, 0],
  [0, 1, 0],
  [0, 1, 1],
  [0, 0, 1],
  [1, 0, 1],
  [1, 0, 0],
];
/** The circle is divided unevenly among the hues, as the eye divides it. */
const PLACES = [0, 15, 21, 25, 36, 49, 55].map((sum) => sum / 55);
const SECTORS = 16;
const RINGS = 3;

/**
 * Returns the colour of motion: red, green and blue, 0-255.
 *
 * @param {number} u to the right, 1 where colours are full
 * @param {number} v downwards
 * @returns {number[]}
 */
export function colorOfMotion(u, v) {
  const angle = (Math.atan2(-v, -u) / Math.PI + 1) / 2;
  const speed = Math.hypot(u, v);
  return pureColor(angle).map((part) => Math.round(255 * (speed <= 1 ? 1 - speed * (1 - part) : 0.75 * part)));
}

/** @param {number} angle 0-1 */
function pureColor(angle) {
  let after = 1;
  while (after < PLACES.length - 1 && PLACES[after] < angle) {
    after += 1;
  }
  const share = Math.min(1, (angle - PLACES[after - 1]) / (PLACES[after] - PLACES[after - 1]));
  return HUES[after].map((part, channel) => HUES[after - 1][channel] * (1 - share) + part * share);
}

/**
 * Returns the motion that a colour stands for, in parts of the speed where colours are full; null for faster motion.
 *
 * @param {number[]} color red, green and blue, 0-255
 * @returns {{u: number, v: number} | null}
 */
export function motionOfColor(color) {
  if (Math.max(...color) < 254) {
    return null; // only motion that is too fast is darkened
  }
  const speed = 1 - Math.min(...color) / 255;
  if (speed === 0) {
    return { u: 0, v: 0 };
  }
  const angle = Math.PI * (2 * angleOfColor(color.map((part) => 1 - (1 - part / 255) / speed)) - 1);
  return { u: -speed * Math.cos(angle), v: -speed * Math.sin(angle) };
}

/** @param {number[]} pure a colour with a part of 0 and one of 1 */
function angleOfColor(pure) {
  let [best, nearest] = [0, Number.POSITIVE_INFINITY];
  for (let after = 1; after < PLACES.length; after++) {
    const [from, to] = [HUES[after - 1], HUES[after]];
    const moving = from.findIndex((part, channel) => part !== to[channel]);
    const share = Math.abs(Math.max(0, Math.min(1, pure[moving])) - from[moving]);
    const error = pure.reduce((sum, part, channel) => {
      return sum + Math.abs(part - from[channel] * (1 - share) - to[channel] * share);
    }, 0);
    if (error < nearest) {
      [best, nearest] = [PLACES[after - 1] + share * (PLACES[after] - PLACES[after - 1]), error];
    }
  }
  return best;
}

/**
 * Draws the colours of motion by direction and speed: rest in the middle, full speed at the rim; nothing around it.
 *
 * @param {HTMLCanvasElement} canvas a square
 */
export function paintWheel(canvas) {
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  const size = canvas.width;
  const image = context.createImageData(size, size);
  for (let place = 0; place < size * size; place++) {
    const x = (((place % size) + 0.5) / size) * 2 - 1;
    const y = ((Math.floor(place / size) + 0.5) / size) * 2 - 1;
    if (Math.hypot(x, y) <= 1) {
      image.data.set([...wheelColor(x, y), 255], 4 * place);
    }
  }
  context.putImageData(image, 0, 0);
}

/**
 * @param {number} x -1 to 1
 * @param {number} y
 */
function wheelColor(x, y) {
  const ring = Math.min(Math.round(Math.hypot(x, y) * (RINGS + 0.5)), RINGS);
  const angle = Math.round((Math.atan2(y, x) / (2 * Math.PI)) * SECTORS) * ((2 * Math.PI) / SECTORS);
  const speed = (ring / RINGS) * (1 - 1e-6); // at most full: beyond it colours are dark
  return colorOfMotion(speed * Math.cos(angle), speed * Math.sin(angle));
}
