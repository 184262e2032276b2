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
  const blobs = data.runBlobs ?? {};
  return {
    async listRuns(onRuns) {
      onRuns(data.runs, true);
    },
    async readRun(key) {
      if (!Object.hasOwn(blobs, key)) {
        throw new ReadError("this report has no such run", "go back to all runs");
      }
      return JSON.parse(new TextDecoder().decode(await inflate(readBlobText(blobs[key]))));
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
