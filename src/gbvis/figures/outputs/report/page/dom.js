// Elements are made here, and text only ever becomes text.

/** @typedef {string | Node | null | undefined | false} Child what an element holds; nothing for null, undefined, false */
/** @typedef {Record<string, unknown>} Attributes `true` stands alone, `false` and null are left out, a function under
 * `onclick` listens to `click` */

const SVG_NAMESPACE = "http://www.w3.org/2000/svg";

/**
 * A new element of HTML.
 *
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Attributes} [attributes]
 * @param {...Child} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  setAttributes(made, attributes);
  fill(made, ...children);
  return made;
}

/**
 * A new element of SVG.
 *
 * @template {keyof SVGElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Attributes} [attributes]
 * @param {...Child} children
 * @returns {SVGElementTagNameMap[Tag]}
 */
export function svgElement(tag, attributes = {}, ...children) {
  const made = document.createElementNS(SVG_NAMESPACE, tag);
  setAttributes(made, attributes);
  fill(made, ...children);
  return made;
}

/**
 * Sets, removes and listens, as `Attributes` says.
 *
 * @param {Element} target
 * @param {Attributes} attributes
 */
export function setAttributes(target, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") {
      target.addEventListener(name.slice(2), /** @type {EventListener} */ (value));
    } else if (value === false || value === null || value === undefined) {
      target.removeAttribute(name);
    } else {
      target.setAttribute(name, value === true ? "" : String(value));
    }
  }
}

/**
 * Replaces what an element holds.
 *
 * @param {Element} target
 * @param {...Child} children
 */
export function fill(target, ...children) {
  target.replaceChildren(...children.filter((child) => child !== null && child !== undefined && child !== false));
}

/**
 * The text with every character that would not be seen, or would turn its surroundings round, written out.
 *
 * @param {string} text
 * @returns {string}
 */
export function showText(text) {
  return text.replace(HIDDEN_CHARACTERS, (character) => {
    const code = character.codePointAt(0) ?? 0;
    if (code < 0x80) {
      return ESCAPED.get(character) ?? `\\x${code.toString(16).padStart(2, "0")}`;
    }
    if (code >= 0xdc80 && code <= 0xdcff) {
      return `\\x${(code - 0xdc00).toString(16)}`; // Python keeps a byte that is not UTF-8 in this way
    }
    return `\u27e8U+${code.toString(16).toUpperCase().padStart(4, "0")}\u27e9`;
  });
}

const ESCAPED = new Map([
  ["\t", "\\t"],
  ["\n", "\\n"],
  ["\r", "\\r"],
]);

const HIDDEN_CHARACTERS =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

/**
 * A name that somebody else gave: in its own direction of writing, all its characters visible.
 *
 * @param {string} text
 * @param {Attributes} [attributes]
 * @returns {HTMLElement}
 */
export function nameElement(text, attributes = {}) {
  return element("bdi", attributes, showText(text));
}

/**
 * The same where there is little room: it may go on in the next line after any mark, not only after a space.
 *
 * @param {string} text
 * @returns {HTMLElement}
 */
export function narrowNameElement(text) {
  const parts = showText(text).split(/(?<=[:,;=_./)-])(?=[^\s:,;=_./)-])/);
  return element("bdi", {}, ...parts.flatMap((part, place) => (place === 0 ? [part] : [element("wbr"), part])));
}

/**
 * A number with three or four digits that count, as a person reads it.
 *
 * @param {number} value
 * @returns {string}
 */
export function showNumber(value) {
  const size = Math.abs(value);
  if (size !== 0 && (size < 0.001 || size >= 1e6)) {
    return value.toExponential(2).replace("-", "\u2212").replace("e\u2212", "e-").replace("e+", "e");
  }
  const digits = size >= 100 ? 1 : size >= 10 ? 2 : 3;
  return value.toFixed(digits).replace("-", "\u2212");
}

/**
 * A probability as a person reads it; one that is not 0 or 1 is never rounded to it.
 *
 * @param {number} score
 * @returns {string}
 */
export function showScore(score) {
  if (score > 0.99995 && score < 1) {
    return "> 0.9999";
  }
  return score > 0 && score < 0.00005 ? "< 0.0001" : score.toFixed(4);
}
