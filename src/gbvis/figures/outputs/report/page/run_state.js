// What is chosen on the page of a run, and how the address keeps it.

/** @typedef {import("./types.js").PageData} PageData */

/**
 * @typedef {object} RunState
 * @property {number} clip from 0
 * @property {number | null} frame its number in the video; null for the clip's first
 * @property {number} percentile its place in `PageData.percentiles`
 * @property {"clip" | "frame" | "all"} scale
 * @property {number} opacity of the colours over the source frame, 0-1
 * @property {boolean} isShared whether runs beside each other have one scale
 * @property {string[]} beside the keys of other runs that are shown
 */

/**
 * Returns what an address says, and for the rest what the page shows at first.
 *
 * @param {URLSearchParams} words
 * @param {PageData} data
 * @returns {RunState}
 */
export function readRunState(words, data) {
  const percentile = data.percentiles.indexOf(Number(words.get("percentile") ?? data.look.percentile));
  const asked = words.get("scale") ?? data.look.scale;
  const scale = asked === "frame" || (asked === "all" && data.all) ? asked : "clip";
  return {
    clip: asWhole(words.get("clip"), 1) - 1,
    frame: words.has("frame") ? asWhole(words.get("frame"), 0) : null,
    percentile: percentile < 0 ? Math.max(0, data.percentiles.indexOf(data.look.percentile)) : percentile,
    scale,
    opacity: words.has("opacity") ? Math.max(0, Math.min(100, asWhole(words.get("opacity"), 0))) / 100 : 1,
    isShared: words.get("scales") === "shared",
    beside: words.getAll("beside"),
  };
}

/**
 * @param {string | null} word
 * @param {number} least
 */
function asWhole(word, least) {
  return Math.max(least, Math.floor(Number(word)) || least);
}

/**
 * Returns the address of a run's page; it says only what is not as at first.
 *
 * @param {string} key
 * @param {RunState} state
 * @param {PageData} data
 */
export function writeRunState(key, state, data) {
  const words = new URLSearchParams({ run: key });
  const first = readRunState(new URLSearchParams(), data);
  const parts = {
    clip: state.clip === first.clip ? "" : state.clip + 1,
    frame: state.frame ?? "",
    percentile: state.percentile === first.percentile ? "" : data.percentiles[state.percentile],
    scale: state.scale === first.scale ? "" : state.scale,
    opacity: state.opacity === first.opacity ? "" : Math.round(100 * state.opacity),
    scales: state.isShared ? "shared" : "",
  };
  for (const [name, word] of Object.entries(parts)) {
    if (word !== "") {
      words.set(name, String(word));
    }
  }
  for (const other of state.beside) {
    words.append("beside", other);
  }
  return words;
}
