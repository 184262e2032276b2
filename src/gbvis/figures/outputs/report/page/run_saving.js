// Saving what a run's page shows: the view as a picture, the curves as a table.

import { makeTable } from "./curve_table.js";
import { encodePicture, nameFile, saveFile } from "./download.js";
import { drawPicture } from "./run_picture.js";

/** @typedef {import("./run_block.js").RunBlock} RunBlock */

/**
 * @param {RunBlock[]} blocks the runs that are shown
 * @param {string[]} foot what stands below
 * @param {number} frame its number in the video
 */
export async function savePicture(blocks, foot, frame) {
  const picture = await encodePicture(drawPicture(blocks, foot));
  saveFile(picture, nameFile([...listFileWords(blocks), `frame_${frame}`], ".png"));
}

/** @param {RunBlock[]} blocks the runs that are shown */
export function saveCurves(blocks) {
  const table = new Blob([makeTable(blocks.map((block) => block.run))], { type: "text/csv" });
  saveFile(table, nameFile(listFileWords(blocks), ".csv"));
}

/** @param {RunBlock[]} blocks */
function listFileWords(blocks) {
  const { video, modality, endpoint, digest } = blocks[0].run.summary;
  return [video, modality, endpoint, digest];
}
