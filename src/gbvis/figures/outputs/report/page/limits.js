// Scales: where the colours end, and what that means in words.

/** @typedef {import("./types.js").Limits} Limits */
/** @typedef {import("./types.js").ClipLimits} ClipLimits */
/** @typedef {import("./types.js").PageData} PageData */
/** @typedef {import("./run_state.js").RunState} RunState */

/** @type {Limits} */
const NOTHING = [0, 0, 0];

/**
 * Returns the limits of one frame.
 *
 * @param {ClipLimits} limits
 * @param {RunState} state
 * @param {number} step which frame of the clip, from 0
 * @param {Limits[] | null} ofAll the limits of scale `all`, one for each percentile
 * @returns {Limits}
 */
export function chooseLimits(limits, state, step, ofAll) {
  if (state.scale === "all" && ofAll) {
    return ofAll[state.percentile] ?? NOTHING;
  }
  if (state.scale === "frame") {
    return limits.frame[state.percentile]?.[step] ?? NOTHING;
  }
  return limits.clip[state.percentile] ?? NOTHING;
}

/**
 * Returns limits for several runs: of each kind the largest.
 *
 * @param {Limits[]} several
 * @returns {Limits}
 */
export function joinLimits(several) {
  return several.reduce((one, other) => [
    Math.max(one[0], other[0]),
    Math.max(one[1], other[1]),
    Math.max(one[2], other[2]),
  ]);
}

/**
 * Says what the ends of the colours mean.
 *
 * @param {RunState} state
 * @param {PageData} data
 * @param {boolean} isBeside whether several runs are shown
 */
export function describeScale(state, data, isBeside) {
  const percentile = data.percentiles[state.percentile];
  const end = percentile < 100 ? `the ${asOrdinal(percentile)} percentile` : "the largest value";
  const largest = isBeside && state.isShared ? ", the largest of the runs shown" : "";
  if (state.scale === "frame") {
    return `Colours end at ${end} of each frame${largest}: frames cannot be compared.`;
  }
  if (state.scale === "all") {
    return `Colours end at ${end} of each clip, the largest of all clips in this file, whatever their method and endpoint.`;
  }
  return `Colours end at ${end} of this clip${largest}.`;
}

/** @param {number} number */
function asOrdinal(number) {
  const isSpecial = !Number.isInteger(number) || [11, 12, 13].includes(number % 100);
  const endings = ["th", "st", "nd", "rd"];
  return `${number}${isSpecial ? "th" : (endings[number % 10] ?? "th")}`;
}

/**
 * Returns a number as Python's format `g` writes it.
 *
 * @param {number} number
 * @param {number} digits that count
 */
export function formatNumber(number, digits) {
  if (number === 0 || !Number.isFinite(number)) {
    return String(number);
  }
  const [mantissa, exponent] = number.toExponential(digits - 1).split("e");
  const power = Number(exponent);
  if (power >= -4 && power < digits) {
    return String(Number(number.toFixed(digits - 1 - power)));
  }
  return `${Number(mantissa)}e${power < 0 ? "-" : "+"}${String(Math.abs(power)).padStart(2, "0")}`;
}

/**
 * Returns a number for people: with a minus sign instead of a hyphen, and no zero in front of an exponent.
 *
 * @param {number} number
 * @param {number} [digits]
 */
export function sayNumber(number, digits = 2) {
  return formatNumber(number, digits)
    .replace(/e([+-])0/, "e$1")
    .replaceAll("-", "\u2212");
}
