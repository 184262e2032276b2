// Runs that this very file holds.

import { decodeBase85, inflate } from "./base85.js";
import { ReadError } from "./read_error.js";

/** @typedef {import("./types.js").PageData} PageData */
/** @typedef {import("./types.js").Source} Source */

/**
 * The runs in this file.
 *
 * @param {PageData} data
 * @returns {Source}
 */
export function makeFileSource(data) {
  return {
    async listRuns(onRuns) {
      onRuns(data.runs, true);
    },
    async readRun(key) {
      const blob = data.runBlobs?.[key];
      if (blob === undefined) {
        throw new ReadError("this report has no such run", "go back to all runs");
      }
      return JSON.parse(new TextDecoder().decode(await inflate(readBlobText(blob))));
    },
    async readBlob(blob) {
      return readBlobText(blob);
    },
    async readSummaries() {
      return new Map(); // the index in a file lacks nothing
    },
  };
}

/**
 * @param {string} blob
 * @returns {Uint8Array<ArrayBuffer>}
 */
function readBlobText(blob) {
  const holder = document.getElementById(`blob-${blob}`);
  if (holder === null) {
    throw new ReadError("a part of this report is missing", "the file was cut off or changed: make the report again");
  }
  return decodeBase85(holder.textContent ?? "");
}
