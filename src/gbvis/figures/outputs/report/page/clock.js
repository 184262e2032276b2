// The clock that all runs on a page share: its moments, and playing through them.

/**
 * Returns for each moment which of its frames each run shows, counted from 0; as `make_clock` in `figures/scene.py`.
 *
 * The moments are the numbers of all frames, and each run shows the last of its frames that has begun. Where frames
 * are repeated, a run shows its next one at each moment.
 *
 * @param {number[][]} numbers the frames' numbers in the video, of each run
 * @returns {number[][]}
 */
export function makeClock(numbers) {
  const isRising = numbers.every((frames) => frames.every((frame, place) => place === 0 || frames[place - 1] < frame));
  if (numbers.length === 1 || !isRising) {
    const length = Math.max(...numbers.map((frames) => frames.length));
    return Array.from({ length }, (_, moment) => numbers.map((frames) => Math.min(moment, frames.length - 1)));
  }
  const moments = [...new Set(numbers.flat())].sort((one, other) => one - other);
  return moments.map((moment) => numbers.map((frames) => lastBegun(frames, moment)));
}

/**
 * @param {number[]} frames rising
 * @param {number} moment
 */
function lastBegun(frames, moment) {
  const next = frames.findIndex((frame) => frame > moment);
  return Math.max(0, (next < 0 ? frames.length : next) - 1);
}

/** The moment that is shown; it moves by itself only between `play` and `pause`. */
export class Clock {
  /**
   * @param {number} rate moments a second
   * @param {() => void} onChange called after the moment has changed, or whether it plays
   */
  constructor(rate, onChange) {
    this.rate = rate;
    this.onChange = onChange;
    /** @type {number[][]} */
    this.moments = [[0]];
    this.moment = 0;
    this.isPlaying = false;
    this.request = 0;
  }

  /** @param {number[][]} moments as `makeClock` returns them */
  set(moments) {
    this.moments = moments;
    this.moment = Math.min(this.moment, moments.length - 1);
  }

  /** @param {number} moment one beyond the ends is the end */
  go(moment) {
    const next = Math.max(0, Math.min(this.moments.length - 1, Math.round(moment)));
    if (next !== this.moment) {
      this.moment = next;
      this.onChange();
    }
  }

  toggle() {
    if (this.isPlaying) {
      this.pause();
    } else {
      this.play();
    }
  }

  play() {
    if (this.isPlaying || this.moments.length < 2) {
      return;
    }
    this.isPlaying = true;
    let due = performance.now() + 1000 / this.rate;
    /** @param {number} now milliseconds */
    const advance = (now) => {
      this.request = requestAnimationFrame(advance);
      const steps = Math.floor(((now - due) * this.rate) / 1000) + 1;
      if (steps > 0) {
        due += (1000 * steps) / this.rate;
        this.moment = (this.moment + steps) % this.moments.length;
        this.onChange();
      }
    };
    this.request = requestAnimationFrame(advance);
    this.onChange();
  }

  pause() {
    if (this.isPlaying) {
      cancelAnimationFrame(this.request);
      this.isPlaying = false;
      this.onChange();
    }
  }
}
