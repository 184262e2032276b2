// Saving a file that the page made.

/**
 * @param {Blob} content
 * @param {string} name
 */
export function saveFile(content, name) {
  const address = URL.createObjectURL(content);
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000); // some browsers read it later
}

/**
 * @param {HTMLCanvasElement} canvas
 * @returns {Promise<Blob>}
 */
export function encodePicture(canvas) {
  return new Promise((resolve, reject) => {
    canvas.toBlob(
      (blob) => (blob ? resolve(blob) : reject(new Error("the browser could not make the picture"))),
      "image/png",
    );
  });
}

/**
 * Returns a name for a file from words that may hold anything.
 *
 * @param {string[]} words
 * @param {string} suffix such as `.png`
 */
export function nameFile(words, suffix) {
  const name = words.map((word) => word.replace(/[^\p{L}\p{N}._-]+/gu, "_").slice(0, 60)).join("-");
  return `${name.replace(/^[._-]+/, "") || "gbvis"}${suffix}`;
}
