// The table of runs: of ten thousand rows, those in view are there.

import { element, fill, setAttributes } from "./dom.js";
import { linkToRun, makeRow, placeRow } from "./table_row.js";

/** @typedef {import("./columns.js").Column} Column */
/** @typedef {import("./table_row.js").TableRow} TableRow */
/** @typedef {import("./types.js").Summary} Summary */

/** @typedef {{name: string, isFalling: boolean}} Sorting by a column */

/**
 * @typedef {object} TableEvents
 * @property {(name: string) => void} onSort the head of a column was pressed
 * @property {(run: Summary, isChosen: boolean) => void} onChoose
 * @property {(runs: Summary[]) => void} onView which rows are in view
 */

const ROWS_BEYOND = 6; // rendered above and below the view

/** Rows that are printed. */
export const MOST_ON_PAPER = 200;

/** Rows of which those in view are elements. */
export class RunTable {
  /** @type {Summary[]} */ #runs = [];
  /** @type {Column[]} */ #columns = [];
  /** @type {Map<string, TableRow>} */ #rows = new Map();
  /** @type {Set<string>} */ #chosen;
  #active = ""; // the key of the row that TAB reaches
  #isPrinting = false;
  #paper = window.matchMedia("print");
  #isFrameAsked = false;
  #events;
  #head = element("div", { role: "row", class: "row head", "aria-rowindex": 1 });
  #body = element("div", { role: "rowgroup", class: "rows" });
  #leaving = new AbortController();

  /**
   * @param {Set<string>} chosen the keys of chosen runs
   * @param {TableEvents} events
   */
  constructor(chosen, events) {
    this.#chosen = chosen;
    this.#events = events;
    this.element = element(
      "div",
      {
        role: "grid",
        class: "runs",
        "aria-label": "Runs",
        "aria-multiselectable": "true",
        "aria-describedby": "runs-keys",
      },
      element("p", { id: "runs-keys", hidden: true }, "Arrow keys go from row to row, Enter opens a run."),
      element("div", { role: "rowgroup", class: "heads" }, this.#head),
      this.#body,
    );
    this.#listen();
  }

  /** Stops listening to the window. */
  leave() {
    this.#leaving.abort();
  }

  /**
   * Shows runs, in this order.
   *
   * @param {Summary[]} runs
   * @param {Column[]} columns
   * @param {Sorting | null} sorting
   */
  show(runs, columns, sorting) {
    const anchor = this.#findAnchor();
    const isOther = columns.map(({ name }) => name).join() !== this.#columns.map(({ name }) => name).join();
    this.#runs = runs;
    this.#columns = columns;
    if (isOther) {
      this.#clear();
    }
    this.#showHeads(sorting);
    setAttributes(this.element, { "aria-rowcount": runs.length + 1, "aria-colcount": columns.length + 2 });
    const style = this.element.style;
    style.setProperty("--rows", String(runs.length));
    style.setProperty("--lines", String(Math.ceil((columns.length - 1) / 2)));
    style.setProperty("--tracks", columns.map(({ width }) => width).join(" "));
    this.#draw();
    this.#returnTo(anchor);
  }

  /** Shows the thumbnails that have come. @param {Summary[]} runs */
  showThumbnails(runs) {
    for (const run of runs) {
      this.#rows.get(run.key)?.showThumbnail();
    }
  }

  /** Shows which runs are chosen, after that was changed elsewhere. */
  showChosen() {
    for (const row of this.#rows.values()) {
      const isChosen = this.#chosen.has(row.run.key);
      row.checkbox.checked = isChosen;
      setAttributes(row.element, { "aria-selected": String(isChosen) });
    }
  }

  /** The run whose row TAB reaches. */
  get active() {
    return this.#active;
  }

  /** Focuses a run's row, where it is among those shown. @param {string} key */
  focusRun(key) {
    const place = this.#runs.findIndex((run) => run.key === key);
    if (place >= 0) {
      this.#focusPlace(place, false);
    }
  }

  #listen() {
    const { signal } = this.#leaving;
    const draw = () => this.#askDraw();
    window.addEventListener("scroll", draw, { signal, passive: true });
    window.addEventListener("resize", draw, { signal });
    window.addEventListener("beforeprint", () => this.#print(true), { signal });
    window.addEventListener("afterprint", () => this.#print(false), { signal });
    this.#paper.addEventListener("change", draw, { signal });
    this.#body.addEventListener("keydown", (event) => this.#onKey(event));
    this.#body.addEventListener("focusin", (event) => this.#onFocus(event));
    this.#body.addEventListener("click", (event) => this.#onClick(event));
    this.#body.addEventListener("change", (event) => this.#onChange(event));
  }

  #clear() {
    this.#rows.clear();
    fill(this.#body);
  }

  /** @param {Sorting | null} sorting */
  #showHeads(sorting) {
    const focused = document.activeElement?.closest(".head [data-column]")?.getAttribute("data-column");
    const heads = this.#columns.map((column, place) => {
      const way = sorting?.name === column.name ? (sorting.isFalling ? "descending" : "ascending") : null;
      const press = () => this.#events.onSort(column.name);
      return element(
        "div",
        {
          role: "columnheader",
          class: `cell${column.isNumber ? " number" : ""}`,
          "aria-colindex": place + 3,
          "aria-sort": way ?? "none",
          "data-column": column.name,
        },
        element("button", { type: "button", class: "sorter", onclick: press }, column.label),
      );
    });
    fill(
      this.#head,
      element("div", { role: "columnheader", class: "cell", "aria-colindex": 1 }, hide("Choose")),
      element("div", { role: "columnheader", class: "cell", "aria-colindex": 2 }, hide("Strongest frame")),
      ...heads,
    );
    if (focused) {
      /** @type {HTMLElement | null} */ (this.#head.querySelector(`[data-column="${focused}"] button`))?.focus();
    }
  }

  #askDraw() {
    if (!this.#isFrameAsked) {
      this.#isFrameAsked = true;
      requestAnimationFrame(() => {
        this.#isFrameAsked = false;
        if (this.element.isConnected) {
          this.#draw();
        }
      });
    }
  }

  /** @returns {{first: number, last: number}} the rows in view; `last` is the first that is not */
  #findView() {
    if (this.#isOnPaper) {
      return { first: 0, last: Math.min(MOST_ON_PAPER, this.#runs.length) };
    }
    const height = this.#rowHeight;
    const top = this.#body.getBoundingClientRect().top;
    const first = Math.max(0, Math.floor(-top / height));
    const last = Math.ceil((window.innerHeight - top) / height);
    return { first: Math.min(first, this.#runs.length), last: Math.max(0, Math.min(last, this.#runs.length)) };
  }

  get #rowHeight() {
    return this.#runs.length === 0 ? 1 : this.#body.getBoundingClientRect().height / this.#runs.length || 1;
  }

  /** Makes the elements of the rows in view, and removes those of others. */
  #draw() {
    const { first, last } = this.#findView();
    const beyond = this.#isOnPaper ? 0 : ROWS_BEYOND;
    const places = new Map();
    for (let place = Math.max(0, first - beyond); place < Math.min(last + beyond, this.#runs.length); place += 1) {
      places.set(this.#runs[place].key, place);
    }
    this.#keepFocused(places);
    for (const [key, row] of this.#rows) {
      if (!places.has(key) || this.#runs[places.get(key)] !== row.run) {
        row.element.remove();
        this.#rows.delete(key);
      }
    }
    const inOrder = [...places].sort(([, one], [, other]) => one - other);
    inOrder.forEach(([key, place], index) => {
      const row = this.#rows.get(key) ?? makeRow(this.#runs[place], this.#columns, this.#chosen.has(key));
      this.#rows.set(key, row);
      placeRow(row, place);
      if (this.#body.children[index] !== row.element) {
        this.#body.insertBefore(row.element, this.#body.children[index] ?? null);
      }
    });
    const inView = this.#runs.slice(first, last);
    this.#activate(places.has(this.#active) ? this.#active : (inView[0]?.key ?? ""));
    this.#events.onView(inView);
  }

  /** Keeps the row that has the focus, wherever it is now. @param {Map<string, number>} places */
  #keepFocused(places) {
    const row = this.#rows.get(this.#active);
    if (row?.element.contains(document.activeElement) && !places.has(this.#active)) {
      const place = this.#runs.indexOf(row.run);
      if (place >= 0) {
        places.set(this.#active, place);
      }
    }
  }

  /** @param {string} key of the row that TAB reaches from now on */
  #activate(key) {
    this.#active = key;
    for (const row of this.#rows.values()) {
      const index = row.run.key === key ? 0 : -1;
      row.link.tabIndex = index;
      row.checkbox.tabIndex = index;
    }
  }

  /** @returns {{key: string, top: number} | null} the first row in view, where the page is scrolled into the table */
  #findAnchor() {
    if (this.#runs.length === 0 || this.#body.getBoundingClientRect().top >= 0) {
      return null;
    }
    const { first } = this.#findView();
    const run = this.#runs[first];
    return run ? { key: run.key, top: this.#topOf(first) } : null;
  }

  /** @param {{key: string, top: number} | null} anchor */
  #returnTo(anchor) {
    const place = anchor === null ? -1 : this.#runs.findIndex((run) => run.key === anchor.key);
    if (anchor !== null && place >= 0) {
      window.scrollBy({ top: this.#topOf(place) - anchor.top, behavior: "instant" });
      this.#draw();
    }
  }

  /** @param {number} place @returns {number} of a row, pixels below the window's top */
  #topOf(place) {
    return this.#body.getBoundingClientRect().top + place * this.#rowHeight;
  }

  get #isOnPaper() {
    return this.#isPrinting || this.#paper.matches;
  }

  /** @param {boolean} isPrinting */
  #print(isPrinting) {
    this.#isPrinting = isPrinting;
    this.#draw();
  }

  /** @param {Event} event @returns {TableRow | null} */
  #rowOf(event) {
    const target = /** @type {Element} */ (event.target).closest(".row");
    return [...this.#rows.values()].find((row) => row.element === target) ?? null;
  }

  /** @param {FocusEvent} event */
  #onFocus(event) {
    const row = this.#rowOf(event);
    if (row !== null) {
      this.#activate(row.run.key);
    }
  }

  /** @param {MouseEvent} event */
  #onClick(event) {
    const row = this.#rowOf(event);
    const isOnControl = /** @type {Element} */ (event.target).closest("a, input, .cell-choose") !== null;
    if (row !== null && !isOnControl && window.getSelection()?.isCollapsed !== false) {
      if (event.ctrlKey || event.metaKey) {
        window.open(linkToRun(row.run));
      } else {
        row.link.click();
      }
    }
  }

  /** @param {Event} event */
  #onChange(event) {
    const row = this.#rowOf(event);
    if (row !== null) {
      setAttributes(row.element, { "aria-selected": String(row.checkbox.checked) });
      this.#events.onChoose(row.run, row.checkbox.checked);
    }
  }

  /** Arrows, Page, Home and End go from row to row; left and right between its check box and its link. */
  /** @param {KeyboardEvent} event */
  #onKey(event) {
    const row = this.#rowOf(event);
    if (row === null || event.ctrlKey || event.metaKey || event.altKey) {
      return;
    }
    const isOnBox = event.target === row.checkbox;
    if (event.key === "ArrowLeft" || event.key === "ArrowRight") {
      (event.key === "ArrowLeft" ? row.checkbox : row.link).focus();
    } else {
      const { first, last } = this.#findView();
      const page = Math.max(1, last - first - 2);
      const end = this.#runs.length;
      const steps = { ArrowUp: -1, ArrowDown: 1, PageUp: -page, PageDown: page, Home: -end, End: end };
      const step = steps[/** @type {keyof typeof steps} */ (event.key)];
      if (step === undefined) {
        return;
      }
      const place = this.#runs.indexOf(row.run) + step;
      this.#focusPlace(Math.max(0, Math.min(end - 1, place)), isOnBox);
    }
    event.preventDefault();
  }

  /** @param {number} place @param {boolean} isOnBox */
  #focusPlace(place, isOnBox) {
    const head = this.#head.offsetHeight;
    const top = this.#topOf(place);
    const above = top - head;
    const below = top + this.#rowHeight - window.innerHeight;
    if (above < 0 || below > 0) {
      window.scrollBy({ top: above < 0 ? above : below, behavior: "instant" });
    }
    this.#draw();
    const row = this.#rows.get(this.#runs[place].key);
    this.#activate(this.#runs[place].key);
    (isOnBox ? row?.checkbox : row?.link)?.focus({ preventScroll: true });
  }
}

/** @param {string} text for those who cannot see */
function hide(text) {
  return element("span", { class: "unseen" }, text);
}
