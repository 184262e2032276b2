// The controls of a run's page: playing, and how values are shown.

import { element, fill, svgElement } from "./dom.js";
import { setWords } from "./panels.js";

/** @typedef {import("./types.js").PageData} PageData */
/** @typedef {import("./run_state.js").RunState} RunState */

/**
 * @typedef {object} ControlActions
 * @property {() => void} toggle
 * @property {(moment: number) => void} go
 * @property {(rate: number) => void} setRate
 * @property {(part: Partial<RunState>) => void} change
 * @property {() => void} savePicture
 * @property {() => void} saveTable
 */

/**
 * @typedef {object} Shown
 * @property {number} moment from 0
 * @property {number} count of moments
 * @property {string} words which moment it is
 * @property {boolean} isPlaying
 */

const RATES = [1, 2, 5, 10, 25, 50];

export class Controls {
  /**
   * @param {PageData} data
   * @param {RunState} state
   * @param {ControlActions} actions
   */
  constructor(data, state, actions) {
    this.data = data;
    this.actions = actions;
    this.playIcon = svgElement("path", { d: "" });
    this.playWord = element("span", {});
    this.slider = this.makeSlider();
    this.words = element("span", { class: "moment number" });
    this.rate = element("select", {
      "aria-label": "Speed, frames a second",
      onchange: () => actions.setRate(Number(this.rate.value)),
    });
    this.clip = makeSelect([], (value) => actions.change({ clip: Number(value) }));
    this.clipField = makeField("Clip", this.clip);
    this.shared = element("input", {
      type: "checkbox",
      onchange: () => actions.change({ isShared: this.shared.checked }),
    });
    this.sharedField = element("label", { class: "shared" }, this.shared, "One scale for all runs");
    this.opacity = this.makeOpacity();
    this.opacityField = makeField("Opacity of the overlay", this.opacity);
    this.play = element("button", { class: "play", type: "button", disabled: true, onclick: actions.toggle });
    this.playBar = this.buildPlayBar();
    this.percentile = this.makePercentile();
    this.scale = this.makeScale();
    this.settings = this.buildSettings();
    this.showState(state);
    this.setRates(null);
  }

  buildPlayBar() {
    const icon = svgElement("svg", { class: "icon", viewBox: "0 0 16 16", "aria-hidden": "true" }, this.playIcon);
    this.play.append(icon, this.playWord);
    return element("div", { class: "play-bar screen-only" }, this.play, this.slider, this.words, this.rate);
  }

  makePercentile() {
    const names = this.data.percentiles.map((one, place) => {
      return /** @type {[string, string]} */ ([String(place), one < 100 ? `${one} %` : "100 % (largest)"]);
    });
    return makeSelect(names, (value) => this.actions.change({ percentile: Number(value) }));
  }

  makeScale() {
    /** @type {[string, string][]} */
    const scales = [
      ["clip", "the clip"],
      ["frame", "each frame"],
    ];
    return makeSelect(this.data.all ? [...scales, ["all", "all runs of this file"]] : scales, (value) => {
      this.actions.change({ scale: /** @type {RunState["scale"]} */ (value) });
    });
  }

  buildSettings() {
    const save = element(
      "span",
      { class: "save" },
      element("button", { type: "button", onclick: this.actions.savePicture }, "Save as PNG"),
      element("button", { type: "button", onclick: this.actions.saveTable }, "Save curves as CSV"),
    );
    return element(
      "div",
      { class: "settings screen-only" },
      this.clipField,
      makeField("Colours end at percentile", this.percentile),
      makeField("Scale of", this.scale),
      this.opacityField,
      this.sharedField,
      save,
    );
  }

  /**
   * Brings what can be chosen in line with what is shown.
   *
   * @param {RunState} state
   */
  showState(state) {
    this.percentile.value = String(state.percentile);
    this.scale.value = state.scale;
    this.opacity.value = String(Math.round(100 * state.opacity));
    this.shared.checked = state.isShared;
  }

  makeSlider() {
    const go = () => this.actions.go(Number(this.slider.value));
    return element("input", {
      type: "range",
      class: "scrub",
      disabled: true,
      min: 0,
      max: 0,
      step: 1,
      "aria-label": "Frame",
      oninput: go,
    });
  }

  makeOpacity() {
    const change = () => this.actions.change({ opacity: Number(this.opacity.value) / 100 });
    return element("input", { type: "range", min: 0, max: 100, step: 5, oninput: change });
  }

  /**
   * Offers how fast it plays.
   *
   * @param {number | null} filmed the video's own frames a second
   */
  setRates(filmed) {
    const chosen = Number(this.rate.value || this.data.look.rate);
    const own = filmed === null ? [] : [filmed];
    const rates = [...new Set([...RATES, this.data.look.rate, ...own, chosen])].sort((one, other) => one - other);
    fill(
      this.rate,
      ...rates.map((rate) => {
        const words = `${Number(rate.toFixed(2))} frames/s${rate === filmed ? ", as filmed" : ""}`;
        return element("option", { value: rate, selected: rate === chosen }, words);
      }),
    );
  }

  /**
   * Offers clips, and what several runs need.
   *
   * @param {number} clipCount
   * @param {number} clip from 0
   * @param {boolean} isBeside
   * @param {boolean} hasOverlay
   */
  setChoices(clipCount, clip, isBeside, hasOverlay) {
    this.clipField.hidden = clipCount < 2;
    fill(
      this.clip,
      ...Array.from({ length: clipCount }, (_, number) => {
        return element("option", { value: number, selected: number === clip }, `${number + 1} of ${clipCount}`);
      }),
    );
    this.sharedField.hidden = !isBeside;
    this.opacityField.hidden = !hasOverlay;
  }

  /** @param {Shown} shown */
  show({ moment, count, words, isPlaying }) {
    if (this.slider.max !== String(count - 1)) {
      this.slider.max = String(count - 1);
      this.slider.disabled = count < 2;
      this.play.disabled = count < 2;
    }
    this.slider.value = String(moment);
    setAttribute(this.slider, "aria-valuetext", words);
    setWords(this.words, words);
    setWords(this.playWord, isPlaying ? "Pause" : "Play");
    setAttribute(this.playIcon, "d", isPlaying ? "M3 2h4v12H3zM9 2h4v12H9z" : "M3 1.5v13L14 8z");
  }
}

/**
 * Sets an attribute if it is another one.
 *
 * @param {Element} target
 * @param {string} name
 * @param {string} value
 */
function setAttribute(target, name, value) {
  if (target.getAttribute(name) !== value) {
    target.setAttribute(name, value);
  }
}

/**
 * @param {string} name
 * @param {HTMLElement} control
 */
function makeField(name, control) {
  return element("label", { class: "field" }, element("span", {}, name), control);
}

/**
 * @param {[string, string][]} choices values, and what they are called
 * @param {(value: string) => void} onChoice
 */
export function makeSelect(choices, onChoice) {
  const select = element("select", { onchange: () => onChoice(select.value) });
  fill(select, ...choices.map(([value, name]) => element("option", { value }, name)));
  return select;
}
