// The index: all runs, what they have in common, and which of them are looked for.

import { countRuns } from "./class_curves.js";
import { ClassPanel } from "./class_panel.js";
import { divideColumns, INDEX_COLUMNS, sortRuns } from "./columns.js";
import { element, fill, nameElement, setAttributes } from "./dom.js";
import { makeFilterBar } from "./filter_bar.js";
import { findRuns, readWanted, wantAll, writeWanted } from "./filters.js";
import { linkTo, readRoute, replaceRoute } from "./route.js";
import { MOST_ON_PAPER, RunTable } from "./run_table.js";
import { makeThumbnailReader } from "./thumbnails.js";

/** @typedef {import("./columns.js").Column} Column */
/** @typedef {import("./filters.js").Wanted} Wanted */
/** @typedef {import("./run_table.js").Sorting} Sorting */
/** @typedef {import("./types.js").Page} Page */
/** @typedef {import("./types.js").Summary} Summary */

/**
 * How the index was left, for when the reader comes back.
 *
 * @typedef {object} Memory
 * @property {Wanted} wanted
 * @property {Sorting | null} sorting null: as the store lists them
 * @property {Set<string>} chosen the keys of runs to be shown beside each other
 * @property {string} active the run whose row was used last
 * @property {number} scroll pixels
 * @property {boolean} isClassesOpen
 */

/** @type {WeakMap<Page, Memory>} */
const MEMORIES = new WeakMap();

const MILLISECONDS_OF_NEWS = 8000;
const MILLISECONDS_BEFORE_NOTE = 250; // a browser takes no more than some changes of the address a second

/**
 * Shows all runs.
 *
 * @param {HTMLElement} place
 * @param {Page} page
 * @returns {() => void} takes it down again
 */
export function showIndex(place, page) {
  const index = new Index(page);
  fill(place, index.element);
  index.begin();
  return () => index.leave();
}

/**
 * How the index was left, or what the address says.
 *
 * @param {Page} page
 * @returns {Memory}
 */
function recall(page) {
  const memory = MEMORIES.get(page) ?? {
    wanted: wantAll(),
    sorting: null,
    chosen: new Set(),
    active: "",
    scroll: 0,
    isClassesOpen: false,
  };
  const route = readRoute();
  if (route.size > 0) {
    memory.wanted = readWanted(route);
    const name = INDEX_COLUMNS.find((column) => column.name === (route.get("sort") ?? route.get("fall")))?.name;
    memory.sorting = name === undefined ? null : { name, isFalling: route.has("fall") };
  }
  MEMORIES.set(page, memory);
  return memory;
}

/**
 * What there is in all.
 *
 * @param {Summary[]} runs
 * @returns {Node}
 */
function describeRuns(runs) {
  const videos = new Set(runs.map((run) => run.video));
  const only = videos.size === 1 ? nameElement(runs[0].video) : `${videos.size.toLocaleString("en")} videos`;
  return element(
    "span",
    {},
    runs.length === 0 ? "No runs yet" : `${countRuns(runs.length)} of `,
    runs.length > 0 && only,
  );
}

class Index {
  #page;
  #memory;
  #known = -1; // how many runs there were at the last look; -1 while the list is not complete
  #newsTimer = 0;
  #routeTimer = 0;
  /** @type {Summary[]} */ #runs = []; // all, sorted
  /** @type {Summary[]} */ #found = [];
  /** @type {Column[]} */ #columns = [];
  #forget = () => {};
  #title = element("h1");
  #reading = element("p", { class: "soft" });
  #alike = element("dl", { class: "alike" });
  #status = element("p", { class: "found", role: "status" });
  #news = element("p", { class: "news", role: "status" });
  #nothing = element("p", { class: "notice", hidden: true });
  #paper = element("p", { class: "paper-only" });
  #sorter = element("select", { onchange: () => this.#sortBy(this.#sorter.value) });
  #clear = element("button", { type: "button", onclick: () => this.#want(wantAll) }, "Clear filters");
  #besideHint = element("p", { class: "soft small", role: "status" });
  #beside = element("button", { type: "button", onclick: () => this.#openBeside() });

  /** @param {Page} page */
  constructor(page) {
    this.#page = page;
    this.#memory = recall(page);
    this.filters = makeFilterBar((change) => this.#want(change));
    this.table = new RunTable(this.#memory.chosen, {
      onSort: (name) => this.#turn(name),
      onChoose: (run, isChosen) => this.#choose(run, isChosen),
      onView: (runs) => this.thumbnails.want(runs),
    });
    this.thumbnails = makeThumbnailReader(page.source, (runs) => this.table.showThumbnails(runs));
    this.classes = new ClassPanel(page.source, this.#memory.isClassesOpen, (name) =>
      this.#want((wanted) => ({ ...wanted, chosen: { ...wanted.chosen, class: name } })),
    );
    this.element = this.#build();
  }

  #build() {
    const sort = element(
      "label",
      { class: "sort-field screen-only" },
      element("span", { class: "soft" }, "Sort by"),
      this.#sorter,
    );
    return element(
      "div",
      { class: "index" },
      element("header", { class: "index-head" }, this.#title, this.#reading, this.#alike),
      this.filters.element,
      this.classes.element,
      element(
        "div",
        { class: "results" },
        element("div", { class: "results-words" }, this.#status, this.#news, this.#clear),
        sort,
        element("div", { class: "beside-choice screen-only" }, this.#besideHint, this.#beside),
      ),
      this.#paper,
      this.#nothing,
      this.table.element,
    );
  }

  /** Shows the runs there are, where the reader left them, and then those that come. */
  begin() {
    this.#forget = this.#page.onRuns((isComplete) => this.#take(isComplete));
    this.#take(!this.#page.data.isServed || this.#page.runs().length > 0);
    window.scrollTo({ top: this.#memory.scroll, behavior: "instant" });
    if (this.#memory.active !== "") {
      this.table.focusRun(this.#memory.active);
    }
  }

  /** Notes how the index is left, and stops all that goes on. */
  leave() {
    this.#memory.scroll = window.scrollY;
    this.#memory.active = this.table.active;
    this.#memory.isClassesOpen = this.classes.element.open;
    this.#forget();
    clearTimeout(this.#newsTimer);
    clearTimeout(this.#routeTimer);
    this.table.leave();
    this.thumbnails.leave();
    this.classes.leave();
  }

  /** @param {boolean} isComplete whether these are all runs, as far as anybody knows */
  #take(isComplete) {
    const runs = this.#page.runs();
    const more = this.#known < 0 ? 0 : runs.length - this.#known;
    this.#known = isComplete ? runs.length : -1;
    const { shown, alike } = divideColumns(runs);
    this.#columns = shown;
    fill(this.#title, describeRuns(runs));
    fill(this.#reading, isComplete ? null : "The store is still being read \u2026");
    fill(
      this.#alike,
      ...alike.map(({ column, text: words }) =>
        element("div", {}, element("dt", {}, column.label), element("dd", {}, nameElement(words))),
      ),
    );
    const options = shown.map(({ name, label }) => element("option", { value: name }, label));
    fill(this.#sorter, element("option", { value: "" }, "as stored"), ...options);
    this.#sort();
    if (more > 0) {
      this.#tellNews(more);
    }
  }

  /** @param {number} more */
  #tellNews(more) {
    fill(this.#news, more === 1 ? "1 new run" : `${more.toLocaleString("en")} new runs`);
    clearTimeout(this.#newsTimer);
    this.#newsTimer = setTimeout(() => fill(this.#news), MILLISECONDS_OF_NEWS);
  }

  /** The head of a column was pressed: rising, falling, and then as the store lists them. @param {string} name */
  #turn(name) {
    const { sorting } = this.#memory;
    const isSame = sorting?.name === name;
    this.#memory.sorting = isSame && sorting?.isFalling ? null : { name, isFalling: isSame };
    this.#sort();
  }

  /** @param {string} name of a column, or nothing */
  #sortBy(name) {
    this.#memory.sorting = name === "" ? null : { name, isFalling: false };
    this.#sort();
  }

  #sort() {
    const { sorting } = this.#memory;
    const column = INDEX_COLUMNS.find(({ name }) => name === sorting?.name);
    const runs = this.#page.runs();
    this.#runs = column === undefined ? runs : sortRuns(runs, column, sorting?.isFalling ?? false);
    this.#sorter.value = sorting?.name ?? "";
    this.#filter();
  }

  /** @param {(wanted: Wanted) => Wanted} change */
  #want(change) {
    this.#memory.wanted = change(this.#memory.wanted);
    this.#filter();
  }

  /** Shows the runs that are wanted. */
  #filter() {
    const { wanted, sorting } = this.#memory;
    const { found, counts } = findRuns(this.#runs, wanted);
    this.#found = found;
    this.#page.order = found.map((run) => run.key);
    this.filters.show(
      wanted,
      counts,
      this.#columns.some(({ name }) => name === "score"),
    );
    this.classes.show(found);
    setAttributes(this.#clear, { hidden: writeWanted(wanted).size === 0 });
    clearTimeout(this.#routeTimer);
    this.#routeTimer = setTimeout(() => this.#noteRoute(), MILLISECONDS_BEFORE_NOTE);
    this.#describe();
    this.table.show(found, this.#columns, sorting);
    this.#showBeside();
  }

  /** Lets the address say what is shown. */
  #noteRoute() {
    const { wanted, sorting } = this.#memory;
    const route = writeWanted(wanted);
    if (sorting !== null) {
      route.set(sorting.isFalling ? "fall" : "sort", sorting.name);
    }
    const now = readRoute(); // it may name a run already, which is about to be shown
    if (!now.has("run") && `${route}` !== `${now}`) {
      replaceRoute(route);
    }
  }

  #describe() {
    const all = this.#runs.length;
    const found = this.#found.length;
    const isAll = found === all;
    fill(
      this.#status,
      isAll ? `Shows all ${countRuns(all)}` : `Shows ${found.toLocaleString("en")} of ${countRuns(all)}`,
    );
    const empty = this.#page.data.isServed
      ? "The store has no runs yet. They appear here as gbvis explain makes them."
      : "There are no runs in this file.";
    fill(this.#nothing, all === 0 ? empty : "No run is like that.");
    setAttributes(this.#nothing, { hidden: found > 0 || (all === 0 && this.#known < 0) });
    setAttributes(this.table.element, { hidden: found === 0 });
    const printed = `The first ${MOST_ON_PAPER} of these ${countRuns(found)} are printed.`;
    fill(this.#paper, found > MOST_ON_PAPER ? printed : null);
  }

  /** @param {Summary} run @param {boolean} isChosen */
  #choose(run, isChosen) {
    if (isChosen) {
      this.#memory.chosen.add(run.key);
    } else {
      this.#memory.chosen.delete(run.key);
    }
    this.#showBeside();
  }

  /** @returns {Summary[]} the chosen runs, in the order shown */
  #listChosen() {
    const { chosen } = this.#memory;
    return chosen.size === 0 ? [] : this.#runs.filter((run) => chosen.has(run.key));
  }

  #showBeside() {
    const chosen = this.#listChosen();
    const isOneVideo = chosen.every((run) => run.video === chosen[0].video && run.page === chosen[0].page);
    const hint = chosen.length === 1 ? "Choose another run of this video to see both." : "";
    fill(this.#besideHint, isOneVideo ? hint : "Runs beside each other are of one video; these are of several.");
    setAttributes(this.#beside, { hidden: chosen.length === 0, disabled: chosen.length < 2 || !isOneVideo });
    fill(this.#beside, chosen.length < 2 ? "Show beside each other" : `Show ${chosen.length} beside each other`);
  }

  #openBeside() {
    const [first, ...others] = this.#listChosen();
    const state = [["run", first.key], ...others.map((run) => ["beside", run.key])];
    if (first.page === null) {
      window.location.hash = linkTo(state);
    } else {
      window.location.href = `${first.page}${linkTo(state)}`;
    }
  }
}
