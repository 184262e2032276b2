// Choosing other runs of the same video to be shown beside a run.

import { makeSelect } from "./controls.js";
import { element, fill, nameElement } from "./dom.js";
import { sayNumber } from "./limits.js";

/** @typedef {import("./types.js").Summary} Summary */

export const MOST_BESIDE = 11;
const MOST_ROWS = 200;

/** @type {[string, (run: Summary) => string][]} */
const FILTERS = [
  ["Stream", (run) => run.stream],
  ["Endpoint", (run) => run.endpoint],
  ["Target", (run) => run.targetName],
  ["Method", (run) => run.method],
  ["Weights", (run) => run.weights],
  ["Frames", (run) => run.frames],
];

/**
 * Returns the other runs of a run's video that this page has, those of the same clips first.
 *
 * @param {Summary} summary
 * @param {Summary[]} runs
 */
export function findOthers(summary, runs) {
  const others = runs.filter((run) => run.video === summary.video && run.key !== summary.key && run.page === null);
  return others.sort(
    (one, other) => Number(other.clipsOf === summary.clipsOf) - Number(one.clipsOf === summary.clipsOf),
  );
}

/** A list of runs with a checkbox each. */
export class Beside {
  /**
   * @param {(keys: string[]) => void} onChoice called with all keys that are chosen
   */
  constructor(onChoice) {
    this.onChoice = onChoice;
    /** @type {Summary[]} */
    this.others = [];
    /** @type {string[]} */
    this.chosen = [];
    /** @type {Map<string, string>} */
    this.wanted = new Map();
    this.filters = element("div", { class: "beside-filters" });
    this.list = element("ul", { class: "beside-list" });
    this.count = element("span", { class: "soft small", role: "status" });
    const summary = element("summary", {}, element("h2", {}, "Beside each other"), this.count);
    this.element = element("details", { class: "beside screen-only", hidden: true }, summary, this.filters, this.list);
  }

  /**
   * @param {Summary[]} others
   * @param {string[]} chosen keys
   */
  set(others, chosen) {
    const isSame =
      others.length === this.others.length && others.every((run, place) => run.key === this.others[place].key);
    this.others = others;
    this.chosen = chosen;
    this.element.hidden = others.length === 0;
    if (!isSame) {
      this.buildFilters();
    }
    this.buildList();
  }

  buildFilters() {
    const fields = FILTERS.map(([name, read]) => {
      const values = [...new Set(this.others.map(read))];
      if (values.length < 2) {
        return null;
      }
      const choices = values.map((value) => /** @type {[string, string]} */ ([value, value]));
      const select = makeSelect([["", "any"], ...choices], (value) => {
        this.wanted.set(name, value);
        this.buildList();
      });
      select.value = this.wanted.get(name) ?? "";
      return element("label", { class: "field" }, element("span", {}, name), select);
    });
    const all = element(
      "button",
      { type: "button", onclick: () => this.choose([...this.chosen, ...this.shown().map((run) => run.key)]) },
      "Show these",
    );
    const none = element("button", { type: "button", onclick: () => this.choose([]) }, "Show none");
    fill(this.filters, ...fields, element("span", { class: "beside-buttons" }, all, none));
  }

  /** The runs that the filters let through. */
  shown() {
    return this.others.filter((run) => {
      return FILTERS.every(([name, read]) => !this.wanted.get(name) || this.wanted.get(name) === read(run));
    });
  }

  buildList() {
    const shown = this.shown();
    fill(this.list, ...shown.slice(0, MOST_ROWS).map((run) => this.makeRow(run)));
    if (shown.length > MOST_ROWS) {
      this.list.append(element("li", { class: "soft" }, `and ${shown.length - MOST_ROWS} more: choose above which`));
    }
    this.say();
  }

  say() {
    const most = this.chosen.length >= MOST_BESIDE ? `, the most at once` : "";
    const shown = this.chosen.length > 0 ? `, ${this.chosen.length} shown${most}` : "";
    this.count.textContent = `${this.others.length} other ${this.others.length === 1 ? "run" : "runs"} of this video${shown}`;
  }

  /** @param {Summary} run */
  makeRow(run) {
    const isChosen = this.chosen.includes(run.key);
    const isFull = this.chosen.length >= MOST_BESIDE && !isChosen;
    const box = element("input", { type: "checkbox", checked: isChosen, disabled: isFull, value: run.key });
    box.addEventListener("change", () => {
      this.choose(box.checked ? [...this.chosen, run.key] : this.chosen.filter((key) => key !== run.key));
      this.find(run.key)?.focus();
    });
    const words = FILTERS.map(([, read]) => read(run)).filter(Boolean);
    const parts = words.map((word) => nameElement(word, { class: "title-part" }));
    const value = element("span", { class: "soft number" }, ` ${run.valueName} ${sayNumber(run.value, 3)}`);
    return element("li", {}, element("label", {}, box, element("span", {}, ...parts, value)));
  }

  /**
   * Returns the checkbox of a run: the list is made again when it changes.
   *
   * @param {string} key
   */
  find(key) {
    return [...this.list.querySelectorAll("input")].find((box) => box.value === key);
  }

  /** @param {string[]} keys */
  choose(keys) {
    this.chosen = [...new Set(keys)].slice(0, MOST_BESIDE);
    this.buildList();
    this.onChoice(this.chosen);
  }
}
