// The keyboard on a run's page: arrows move in time, with Shift they move the pixel that is read.

/** @typedef {import("./run_block.js").RunBlock} RunBlock */
/** @typedef {import("./run_block.js").Place} Place */
/** @typedef {import("./clock.js").Clock} Clock */
/** @typedef {import("./run_state.js").RunState} RunState */

/**
 * What the keyboard moves.
 *
 * @typedef {object} Driven
 * @property {Clock} clock
 * @property {RunBlock[]} blocks
 * @property {RunState} state
 * @property {Place | null} place the pixel that is read
 * @property {boolean} isKept
 * @property {(moment: number) => void} go
 * @property {(part: Partial<RunState>) => void} change
 * @property {(words?: string) => void} announce
 * @property {() => void} invalidate
 */

/** @type {Record<string, [number, number]>} */
const DIRECTIONS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/**
 * @param {Document} target
 * @param {Driven} driven
 * @returns {() => void} stops it
 */
export function followKeys(target, driven) {
  /** @param {KeyboardEvent} event */
  const follow = (event) => {
    if (!event.ctrlKey && !event.altKey && !event.metaKey && !event.defaultPrevented && press(event, driven)) {
      event.preventDefault();
    }
  };
  target.addEventListener("keydown", follow);
  return () => target.removeEventListener("keydown", follow);
}

/**
 * Returns whether a key was meant for the run.
 *
 * @param {KeyboardEvent} event
 * @param {Driven} driven
 */
function press(event, driven) {
  const focused = event.target instanceof Element ? event.target : null;
  const panel = focused?.closest("canvas[data-panel]") ?? null;
  if (driven.blocks.length === 0 || isTakenBy(focused, event.key)) {
    return false;
  }
  if (event.key === "Escape" && driven.place) {
    driven.isKept = false;
    driven.place = null;
    driven.invalidate();
    return true;
  }
  if (event.shiftKey) {
    return panel !== null && movePixel(panel, DIRECTIONS[event.key], driven);
  }
  return event.key === " " ? togglePlaying(driven) : moveInTime(event.key, panel !== null, driven);
}

/**
 * Returns whether the focused control needs the key itself.
 *
 * @param {Element | null} focused
 * @param {string} key
 */
function isTakenBy(focused, key) {
  const control = focused?.closest("input, select, textarea, button, summary, a, pre, code") ?? null;
  if (control === null) {
    return false;
  }
  if (control.matches("input[type=range], select, textarea, input[type=search], input[type=text]")) {
    return key !== " " || !control.matches("input[type=range]");
  }
  return key === " " || (control.matches("pre, code") && key !== " ");
}

/** @param {Driven} driven */
function togglePlaying(driven) {
  driven.clock.toggle();
  return true;
}

/**
 * @param {string} key
 * @param {boolean} isOnPanel
 * @param {Driven} driven
 */
function moveInTime(key, isOnPanel, driven) {
  const { clock } = driven;
  /** @type {Record<string, number>} */
  const moments = { ArrowLeft: clock.moment - 1, ArrowRight: clock.moment + 1, Home: 0, End: clock.moments.length - 1 };
  if (key in moments) {
    driven.go(moments[key]);
    driven.announce();
    return true;
  }
  const step =
    key === "[" || (isOnPanel && key === "ArrowUp") ? -1 : key === "]" || (isOnPanel && key === "ArrowDown") ? 1 : 0;
  const count = driven.blocks[0].run.clips.length;
  const clip = Math.max(0, Math.min(count - 1, driven.state.clip + step));
  if (step === 0 || count < 2) {
    return false;
  }
  driven.change({ clip });
  driven.announce(`Clip ${clip + 1} of ${count}`);
  return true;
}

/**
 * @param {Element} panel
 * @param {[number, number] | undefined} direction
 * @param {Driven} driven
 */
function movePixel(panel, direction, driven) {
  const block = driven.blocks.find((one) => one.element.contains(panel));
  if (!direction || !block) {
    return false;
  }
  const { width, height } = block.clip.values;
  const { across, down } = driven.place ?? { across: 0.5 + 0.5 / width, down: 0.5 + 0.5 / height };
  const [x, y] = driven.place ? direction : [0, 0];
  driven.isKept = true;
  driven.place = { across: stay(across + x / width, width), down: stay(down + y / height, height) };
  driven.invalidate();
  driven.announce();
  return true;
}

/**
 * Returns the middle of the pixel at a place, or of the last one.
 *
 * @param {number} share
 * @param {number} count of pixels
 */
function stay(share, count) {
  return (Math.max(0, Math.min(count - 1, Math.floor(share * count))) + 0.5) / count;
}
