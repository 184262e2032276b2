// What the index is filtered with: a search, lists with counts, scores from and to.

import { element, fill, setAttributes, showText } from "./dom.js";
import { FACETS, readScore, UNKNOWN } from "./filters.js";

/** @typedef {import("./filters.js").Wanted} Wanted */

/**
 * @typedef {object} FilterBar
 * @property {HTMLElement} element
 * @property {(wanted: Wanted, counts: Record<string, Map<string, number>>, hasScores: boolean) => void} show
 */

/**
 * The controls; each change calls back with what is wanted now.
 *
 * @param {(change: (wanted: Wanted) => Wanted) => void} onChange
 * @returns {FilterBar}
 */
export function makeFilterBar(onChange) {
  const search = element("input", {
    type: "search",
    placeholder: "Video, class, target, method \u2026",
    autocomplete: "off",
    spellcheck: "false",
    oninput: () => onChange((wanted) => ({ ...wanted, words: search.value })),
  });
  const lists = FACETS.map((facet) => makeList(facet, onChange));
  const least = makeScore("Lowest score", (wanted, least) => ({ ...wanted, least }), onChange);
  const most = makeScore("Highest score", (wanted, most) => ({ ...wanted, most }), onChange);
  const range = element(
    "div",
    { class: "field field-score", role: "group", "aria-label": "Score" },
    element("span", { "aria-hidden": "true" }, "Score"),
    element("div", { class: "range" }, least, element("span", { "aria-hidden": "true" }, "to"), most),
  );
  const fold = element("button", { type: "button", class: "filters-fold", "aria-expanded": "false" }, "Filters");
  fold.addEventListener("click", () => {
    const isOpen = bar.classList.toggle("is-open");
    setAttributes(fold, { "aria-expanded": String(isOpen) });
  });
  const bar = element(
    "form",
    { class: "filters screen-only", role: "search", onsubmit: (/** @type {Event} */ event) => event.preventDefault() },
    element("label", { class: "field field-search" }, element("span", {}, "Search"), search),
    fold,
    ...lists.map((list) => list.element),
    range,
  );
  return {
    element: bar,
    show(wanted, counts, hasScores) {
      setValue(search, wanted.words);
      setNumber(least, wanted.least);
      setNumber(most, wanted.most);
      setAttributes(range, { hidden: !hasScores });
      lists.forEach((list, place) => {
        const { name } = FACETS[place];
        list.show(wanted.chosen[name] ?? null, counts[name]);
      });
    },
  };
}

/**
 * @param {import("./filters.js").Facet} facet
 * @param {(change: (wanted: Wanted) => Wanted) => void} onChange
 */
function makeList({ name, label }, onChange) {
  const select = element("select", {
    onchange: () =>
      onChange((wanted) => {
        const { [name]: _, ...chosen } = wanted.chosen;
        const place = select.selectedIndex - 1;
        return { ...wanted, chosen: place < 0 ? chosen : { ...chosen, [name]: values[place] } };
      }),
  });
  const field = element("label", { class: "field" }, element("span", {}, label), select);
  /** @type {string[]} */
  let values = [];
  const words = new Intl.Collator("en", { numeric: true });
  return {
    element: field,
    /** @param {string | null} chosen @param {Map<string, number>} counts */
    show(chosen, counts) {
      const known = [...counts.keys()];
      if (chosen !== null && !counts.has(chosen)) {
        known.push(chosen);
      }
      setAttributes(field, { hidden: known.length < 2 && chosen === null });
      known.sort((one, other) => Number(one === UNKNOWN) - Number(other === UNKNOWN) || words.compare(one, other));
      if (known.join("\n") !== values.join("\n") || select.options.length === 0) {
        values = known;
        fill(select, element("option", {}, "All"), ...values.map(() => element("option")));
      }
      values.forEach((value, place) => {
        const text = `${showText(value)} (${(counts.get(value) ?? 0).toLocaleString("en")})`;
        const option = select.options[place + 1];
        if (option.textContent !== text) {
          option.textContent = text;
        }
      });
      select.selectedIndex = chosen === null ? 0 : values.indexOf(chosen) + 1;
    },
  };
}

/**
 * @param {string} label
 * @param {(wanted: Wanted, score: number | null) => Wanted} set
 * @param {(change: (wanted: Wanted) => Wanted) => void} onChange
 */
function makeScore(label, set, onChange) {
  const input = element("input", {
    type: "text",
    inputmode: "decimal",
    size: 5,
    "aria-label": label,
    autocomplete: "off",
    oninput: () => onChange((wanted) => set(wanted, readScore(input.value))),
  });
  return input;
}

/** @param {HTMLInputElement} input @param {string} value */
function setValue(input, value) {
  if (input.value !== value) {
    input.value = value;
  }
}

/** @param {HTMLInputElement} input @param {number | null} value */
function setNumber(input, value) {
  if (readScore(input.value) !== value) {
    input.value = value === null ? "" : String(value);
  }
}
