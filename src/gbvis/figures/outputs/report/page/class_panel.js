// The section with the classes' curves: small pictures on one scale, made when it is opened.

import { averageClasses, countRuns, describeClasses, groupRuns } from "./class_curves.js";
import { element, fill, nameElement, setAttributes, showText, svgElement } from "./dom.js";
import { findClass } from "./filters.js";
import { explainError } from "./read_error.js";
import { readImportance } from "./thumbnails.js";

/** @typedef {import("./class_curves.js").ClassCurve} ClassCurve */
/** @typedef {import("./class_curves.js").RunGroup} RunGroup */
/** @typedef {import("./types.js").Source} Source */
/** @typedef {import("./types.js").Summary} Summary */

const EVERY_GROUP = ""; // no group has no name
const MOST_AT_FIRST = 48; // curves
const CURVE_WIDTH = 200;
const CURVE_HEIGHT = 64;
const MILLISECONDS_BETWEEN_DRAWINGS = 400;

/** A section that shows a curve for each class of the runs that it is given. */
export class ClassPanel {
  /** @type {Summary[]} */ #runs = [];
  /** @type {string | null} */ #group = null; // which is shown: its name, EVERY_GROUP, or null where nobody chose
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
    const groups = this.#chooseGroups();
    const runs = groups.flatMap((group) => group.runs);
    fill(this.#words, runs.length === 0 ? "No runs are shown." : `${EXPLANATION} ${describeClasses(runs)}`);
    this.#draw(groups);
    let drawn = performance.now();
    try {
      await readImportance(this.#source, runs, (lacking) => {
        if (reading !== this.#reading) {
          return false;
        }
        fill(this.#progress, lacking > 0 ? `${countRuns(lacking)} still to be read` : null);
        if (lacking === 0 || performance.now() - drawn > MILLISECONDS_BETWEEN_DRAWINGS) {
          this.#draw(groups);
          drawn = performance.now();
        }
        return true;
      });
    } catch (error) {
      fill(this.#progress, `The rest could not be read: ${explainError(error).problem}`);
    }
  }

  /** @returns {RunGroup[]} those to be shown; the list then says which */
  #chooseGroups() {
    const groups = groupRuns(this.#runs);
    const curveCount = groups.reduce((sum, { runs }) => sum + new Set(runs.map((run) => findClass(run).name)).size, 0);
    const isFew = groups.length > 1 && curveCount <= MOST_AT_FIRST;
    const first = isFew ? EVERY_GROUP : (groups[0]?.name ?? EVERY_GROUP);
    const isThere = groups.some(({ name }) => name === this.#group) || (this.#group === EVERY_GROUP && isFew);
    const chosen = isThere && this.#group !== null ? this.#group : first;
    const options = groups.map(({ name, label, runs }) =>
      element("option", { value: name }, `${showText(label)} (${runs.length.toLocaleString("en")})`),
    );
    fill(this.#list, isFew && element("option", { value: EVERY_GROUP }, "all of these, a curve each"), ...options);
    this.#list.value = chosen;
    setAttributes(this.#choice, { hidden: groups.length < 2 });
    return chosen === EVERY_GROUP ? groups : groups.filter(({ name }) => name === chosen);
  }

  /** @param {RunGroup[]} groups */
  #draw(groups) {
    const words = new Intl.Collator("en", { numeric: true });
    const curves = groups
      .flatMap(({ label: group, runs }) => averageClasses(runs).map((curve) => ({ ...curve, group })))
      .sort((one, other) => words.compare(one.name, other.name)); // curves of one class stand together
    const shown = this.#isWhole ? curves : curves.slice(0, MOST_AT_FIRST);
    const highest = Math.max(1, ...curves.map(({ values }) => Math.max(...values)));
    fill(this.#curves, ...shown.map((curve) => this.#drawClass(curve, groups.length > 1 ? curve.group : "", highest)));
    setAttributes(this.#more, { hidden: shown.length === curves.length });
    fill(this.#more, `Show all ${curves.length} classes`);
  }

  /** @param {ClassCurve} curve @param {string} group where several are shown @param {number} highest of all curves */
  #drawClass(curve, group, highest) {
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
      group !== "" && element("p", { class: "small" }, nameElement(group)),
      drawClassCurve(values, highest, `Mean importance of ${showText(`${name} ${group}`.trim())}: ${most}`),
      element("p", { class: "soft small" }, `${countRuns(runCount)}, ${most}`),
    );
  }
}

const EXPLANATION =
  "A curve shows how a run\u2019s importance is spread over the clip, from its first frame to its last: the mean over the " +
  "runs of a class. The dotted line is an even share. All curves have the same scale.";

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
