// The section with the classes' curves: small pictures on one scale, made when it is opened.

import { averageClasses, countRuns, describeClasses, groupRuns } from "./class_curves.js";
import { element, fill, nameElement, setAttributes, showText, svgElement } from "./dom.js";
import { explainError } from "./read_error.js";
import { readImportance } from "./thumbnails.js";

/** @typedef {import("./class_curves.js").ClassCurve} ClassCurve */
/** @typedef {import("./types.js").Source} Source */
/** @typedef {import("./types.js").Summary} Summary */

const MOST_AT_FIRST = 48;
const CURVE_WIDTH = 200;
const CURVE_HEIGHT = 64;
const MILLISECONDS_BETWEEN_DRAWINGS = 400;

/** A section that shows a curve for each class of the runs that it is given. */
export class ClassPanel {
  /** @type {Summary[]} */ #runs = [];
  #group = ""; // the name of the group that is shown; the largest where it is not there
  #isWhole = false; // whether all classes are shown, however many
  #reading = 0; // raised when other runs are to be read: what was begun before stops
  #source;
  #onClass;
  #list = element("select", { onchange: () => this.#choose(this.#list.value) });
  #choice = element("label", { class: "field group-choice screen-only" }, element("span", {}, "Runs of"), this.#list);
  #words = element("p", { class: "soft" });
  #progress = element("p", { class: "soft", role: "status" });
  #curves = element("ul", { class: "class-curves" });
  #more = element("button", { type: "button", hidden: true, onclick: () => this.#showAll() });

  /**
   * @param {Source} source
   * @param {boolean} isOpen
   * @param {(name: string) => void} onClass the runs of a class are asked for
   */
  constructor(source, isOpen, onClass) {
    this.#source = source;
    this.#onClass = onClass;
    this.element = element(
      "details",
      { class: "classes", open: isOpen, ontoggle: () => this.#update() },
      element("summary", {}, element("h2", {}, "Importance over time, by class")),
      element("div", { class: "classes-head" }, this.#choice, this.#words),
      this.#progress,
      this.#curves,
      this.#more,
    );
  }

  /** Shows other runs. @param {Summary[]} runs */
  show(runs) {
    this.#runs = runs;
    if (this.element.open) {
      this.#update();
    }
  }

  /** Stops reading. */
  leave() {
    this.#reading += 1;
  }

  /** @param {string} name of a group */
  #choose(name) {
    this.#group = name;
    this.#update();
  }

  #showAll() {
    this.#isWhole = true;
    this.#update();
  }

  /** Draws what is known, reads what is lacking, and draws that too. */
  async #update() {
    this.#reading += 1;
    if (!this.element.open) {
      return;
    }
    const reading = this.#reading;
    const groups = groupRuns(this.#runs);
    const group = groups.find(({ name }) => name === this.#group) ?? groups[0];
    this.#showGroups(groups, group?.name ?? "");
    const runs = group?.runs ?? [];
    fill(this.#words, runs.length === 0 ? "No runs are shown." : `${EXPLANATION} ${describeClasses(runs)}`);
    this.#draw(runs);
    let drawn = performance.now();
    try {
      await readImportance(this.#source, runs, (lacking) => {
        if (reading !== this.#reading) {
          return false;
        }
        fill(this.#progress, lacking > 0 ? `${countRuns(lacking)} still to be read` : null);
        if (lacking === 0 || performance.now() - drawn > MILLISECONDS_BETWEEN_DRAWINGS) {
          this.#draw(runs);
          drawn = performance.now();
        }
        return true;
      });
    } catch (error) {
      fill(this.#progress, `The rest could not be read: ${explainError(error).problem}`);
    }
  }

  /** @param {import("./class_curves.js").RunGroup[]} groups @param {string} chosen */
  #showGroups(groups, chosen) {
    setAttributes(this.#choice, { hidden: groups.length < 2 });
    const options = groups.map(({ name, runs }) =>
      element("option", { value: name }, `${showText(name)} (${runs.length.toLocaleString("en")})`),
    );
    fill(this.#list, ...options);
    this.#list.value = chosen;
  }

  /** @param {Summary[]} runs */
  #draw(runs) {
    const curves = averageClasses(runs);
    const shown = this.#isWhole ? curves : curves.slice(0, MOST_AT_FIRST);
    const highest = Math.max(1, ...curves.map(({ values }) => Math.max(...values)));
    fill(this.#curves, ...shown.map((curve) => this.#drawClass(curve, highest)));
    setAttributes(this.#more, { hidden: shown.length === curves.length });
    fill(this.#more, `Show all ${curves.length} classes`);
  }

  /** @param {ClassCurve} curve @param {number} highest of all curves */
  #drawClass(curve, highest) {
    const { name, runCount, values } = curve;
    const peak = values.indexOf(Math.max(...values));
    const when = values.length === 1 ? 0 : Math.round((100 * peak) / (values.length - 1));
    const most = `highest at ${when} % of the clip, ${values[peak].toFixed(1)} times the mean`;
    return element(
      "li",
      {},
      element(
        "h3",
        {},
        element("button", { type: "button", class: "quiet", onclick: () => this.#onClass(name) }, nameElement(name)),
      ),
      drawClassCurve(values, highest, `Mean importance of ${showText(name)}: ${most}`),
      element("p", { class: "soft small" }, `${countRuns(runCount)}, ${most}`),
    );
  }
}

const EXPLANATION =
  "A curve shows how a run\u2019s importance is spread over the clip, from its first frame to its last: the mean over the " +
  "runs of a class. The dotted line is an even share. All classes have the same scale.";

/**
 * @param {number[]} values
 * @param {number} highest
 * @param {string} label
 * @returns {SVGSVGElement}
 */
function drawClassCurve(values, highest, label) {
  const points = values.length === 1 ? [values[0], values[0]] : values;
  const places = points.map((value, step) => {
    const across = (step / (points.length - 1)) * CURVE_WIDTH;
    return `${across.toFixed(1)},${heightOf(value, highest).toFixed(1)}`;
  });
  const line = `M${places.join("L")}`;
  const even = heightOf(1, highest).toFixed(1);
  return svgElement(
    "svg",
    {
      class: "curve-small",
      viewBox: `0 0 ${CURVE_WIDTH} ${CURVE_HEIGHT}`,
      preserveAspectRatio: "none",
      role: "img",
      "aria-label": label,
    },
    svgElement("path", { class: "curve-area", d: `${line}L${CURVE_WIDTH},${CURVE_HEIGHT}L0,${CURVE_HEIGHT}Z` }),
    svgElement("path", { class: "curve-even", d: `M0,${even}H${CURVE_WIDTH}` }),
    svgElement("path", { class: "curve-line", d: line }),
  );
}

/** @param {number} value @param {number} highest */
function heightOf(value, highest) {
  return CURVE_HEIGHT - 1 - (value / highest) * (CURVE_HEIGHT - 3);
}
