// The address of a run's page: it keeps what is shown, and is followed where somebody changes it.

import { readRoute, replaceRoute } from "./route.js";

const ADDRESS_DELAY = 300; // milliseconds: browsers refuse an address that changes with every frame

export class RunAddress {
  /**
   * @param {string} key of the run
   * @param {(words: URLSearchParams) => void} onChange called when somebody else has changed it
   */
  constructor(key, onChange) {
    this.key = key;
    this.onChange = onChange;
    this.known = readRoute().toString();
    this.timer = 0;
  }

  /** Returns what stops it again. */
  follow() {
    const follow = () => {
      const words = readRoute();
      if (words.get("run") === this.key && words.toString() !== this.known) {
        this.known = words.toString();
        this.onChange(words);
      }
    };
    window.addEventListener("hashchange", follow);
    return () => {
      window.removeEventListener("hashchange", follow);
      clearTimeout(this.timer);
    };
  }

  /**
   * Keeps what is shown, when it has stayed for a moment.
   *
   * @param {URLSearchParams} words
   */
  note(words) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      if (readRoute().toString() === this.known) {
        this.known = words.toString();
        replaceRoute(words);
      }
    }, ADDRESS_DELAY);
  }
}
