// What is said to who does not see the page.

import { element, fill } from "./dom.js";

const SPEECH_DELAY = 400; // milliseconds

/** Says something when nothing more has been asked for a moment. */
export class Speech {
  constructor() {
    this.element = element("p", { class: "unseen", role: "status" });
    this.timer = 0;
  }

  /** @param {() => string} makeWords */
  say(makeWords) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => fill(this.element, makeWords()), SPEECH_DELAY);
  }

  stop() {
    clearTimeout(this.timer);
  }
}
