// What is to be known of a run, in words: its heading, predictions, facts, commands and recipe.

import { element, nameElement, showScore, showText } from "./dom.js";
import { sayNumber } from "./limits.js";

/** @typedef {import("./types.js").Run} Run */
/** @typedef {import("./types.js").Summary} Summary */

/**
 * Returns the heading, and what sets the target's value in a clip.
 *
 * @param {Run} run
 */
export function makeHeading(run) {
  const { summary } = run;
  const value = element("dd", { class: "number" });
  /** @type {[string, string][]} */
  const words = [
    ["Stream", summary.stream],
    ["Endpoint", summary.endpoint],
    ["Target", summary.targetName],
    ["Method", summary.method],
    ["Weights", summary.weights],
  ];
  const list = element(
    "dl",
    { class: "tags" },
    ...words.filter(([, word]) => word).map(([name, word]) => makeTag(name, nameElement(word))),
  );
  list.append(element("div", {}, element("dt", {}, capitalize(summary.valueName)), value));
  const heading = element("header", { class: "run-head" }, element("h1", {}, nameElement(summary.video)), list);
  heading.append(...[makeVerdict(run), makeWarning(run), makeRemark(run)].filter((part) => part !== null));
  return {
    heading,
    /** @param {number} number */
    setValue(number) {
      value.textContent = sayNumber(number, 4);
    },
  };
}

/**
 * @param {string} name
 * @param {HTMLElement} word
 */
function makeTag(name, word) {
  return element("div", {}, element("dt", {}, name), element("dd", {}, word));
}

/** @param {string} word */
function capitalize(word) {
  return word.slice(0, 1).toUpperCase() + word.slice(1);
}

/**
 * Says what is predicted, and whether it is right.
 *
 * @param {Run} run
 */
function makeVerdict(run) {
  const { isRight, truth } = run.summary;
  if (!run.predicted && !truth) {
    return null;
  }
  const badge =
    isRight === null
      ? null
      : element("strong", { class: isRight ? "is-right" : "is-wrong" }, isRight ? "Right" : "Wrong");
  const name = truth ? (truth.name ?? `class ${truth.index}`) : "";
  const said = truth ? element("span", {}, "the list says ", nameElement(name)) : null;
  return element(
    "p",
    { class: "verdict" },
    badge,
    run.predicted && element("span", {}, showText(capitalize(run.predicted))),
    said,
  );
}

/** @param {Run} run */
function makeWarning(run) {
  return run.warning ? element("p", { class: "warning" }, showText(run.warning)) : null;
}

/** @param {Run} run */
function makeRemark(run) {
  return run.remark ? element("p", { class: "soft" }, showText(run.remark)) : null;
}

/**
 * Returns the best classes with their scores as bars; null where there are none.
 *
 * @param {Run} run
 */
export function makePredictions(run) {
  if (run.scores.length === 0) {
    return null;
  }
  const { summary } = run;
  const rows = run.scores.map(({ index, name, score }) => {
    const notes = [
      summary.isClass && summary.target === index ? "explained" : "",
      summary.truth?.index === index ? "the list’s" : "",
    ].filter(Boolean);
    const bar = element("span", { class: "score-bar" });
    bar.style.setProperty("--share", String(Math.min(1, Math.max(0, score))));
    const label = element(
      "span",
      {},
      nameElement(name ?? `class ${index}`),
      notes.length > 0 && element("em", { class: "soft" }, ` ${notes.join(", ")}`),
    );
    return element("li", { class: "score" }, label, element("span", { class: "number" }, showScore(score)), bar);
  });
  return makeSection("Predictions", element("ol", { class: "scores" }, ...rows));
}

/** @param {Run} run */
export function makeFacts(run) {
  const rows = run.facts.map(([name, value]) => makeTag(capitalize(name), nameElement(value)));
  return makeSection("Facts", element("dl", { class: "facts" }, ...rows));
}

/**
 * @param {Run} run
 * @param {(words: string) => void} announce
 */
export function makeCommands(run, announce) {
  if (run.commands.length === 0) {
    return null;
  }
  const rows = run.commands.map(([words, command]) => {
    const code = element(
      "code",
      { dir: "ltr", tabindex: 0, role: "group", "aria-label": `command: ${words}` },
      showText(command),
    );
    const copy = element("button", { class: "screen-only", type: "button", "aria-label": `Copy: ${words}` }, "Copy");
    copy.addEventListener("click", async () => {
      const isCopied = await copyText(command, code);
      copy.textContent = isCopied ? "Copied" : "Press Ctrl+C";
      announce(isCopied ? "Copied." : "The command is selected: press Ctrl+C to copy it.");
    });
    return element(
      "li",
      {},
      element("p", { class: "small soft" }, capitalize(words)),
      element("div", { class: "command" }, code, copy),
    );
  });
  return makeSection("Commands", element("ul", { class: "commands" }, ...rows));
}

/**
 * Returns whether a text is in the clipboard; where it cannot be, the element that shows it is selected.
 *
 * @param {string} text
 * @param {HTMLElement} shown
 */
async function copyText(text, shown) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    window.getSelection()?.selectAllChildren(shown); // inside a notebook the clipboard is closed
    return document.execCommand("copy");
  }
}

/** @param {Run} run */
export function makeRecipe(run) {
  const text = JSON.stringify(run.recipe, (_, value) => (typeof value === "string" ? showText(value) : value), 2);
  const short = text.replace(/\[[-\d.e+,\s]+\]/g, (list) => list.replace(/\s+/g, " ")); // numbers side by side
  const code = element("pre", { tabindex: 0, role: "group", "aria-label": "recipe" }, short);
  return element(
    "details",
    { class: "recipe" },
    element("summary", {}, "Recipe: all that decided these numbers"),
    code,
  );
}

/**
 * @param {string} title
 * @param {HTMLElement} content
 */
function makeSection(title, content) {
  return element("section", {}, element("h2", {}, title), content);
}
