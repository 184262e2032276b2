// What Python tells the page, as types. `facts.py` makes it; every name is text that may be hostile.

/**
 * What the page holds, or where it gets it from: the JSON in the element `data`.
 *
 * @typedef {object} PageData
 * @property {string} version of gbvis
 * @property {boolean} isServed true where `gbvis view` answers, false where all is in this file
 * @property {string} title
 * @property {number[]} percentiles that can be chosen, rising
 * @property {Look} look how it looks at first
 * @property {{diverging: string, sequential: string}} tables colours from the lowest to the highest value: Base64 of
 *     uint8 (255, 3), RGB
 * @property {Limits[] | null} all the limits of scale `all`, one for each percentile; null where it is not known
 * @property {Summary[]} runs the index; empty where it is served, and then `Source.listRuns` has it
 * @property {string | null} index another file that lists all runs, where this one is one of several, as a relative URL
 * @property {Record<string, string>} [runBlobs] the blob of each run's JSON, packed by zlib, where all is in this file
 */

/**
 * @typedef {object} Look
 * @property {number} percentile
 * @property {"clip" | "frame" | "all"} scale
 * @property {number} rate frames per second
 */

/** Where the colours end: for the gradient, positive and negative values, each at least 0; 0 shows nothing.
 *
 * @typedef {[number, number, number]} Limits
 */

/**
 * A run in the index.
 *
 * @typedef {object} Summary
 * @property {string} key the run's group in the store, which no other run has
 * @property {string} digest the first letters of the run's own, as `gbvis store ls` shows them
 * @property {string} video
 * @property {"rgb" | "flow"} modality
 * @property {string} stream the modality, and how its flow was computed
 * @property {string} endpoint
 * @property {number} position the endpoint's place in the forward pass, from 0
 * @property {number} target the filter, feature or class
 * @property {string} targetName the target in words
 * @property {boolean} isClass whether the target is a class
 * @property {string | null} className of the target
 * @property {{index: number | null, name: string | null} | null} truth the class that a list gives the video
 * @property {{index: number, name: string | null, score: number} | null} prediction the class with the highest score
 * @property {boolean | null} isRight whether that is the truth; null where nobody knows
 * @property {string} method with the settings that are not as by default
 * @property {string} weights what the user calls them, or nothing
 * @property {string} precision
 * @property {string} clipsOf two runs with the same one are of the same clips
 * @property {number} clipCount
 * @property {number} frameCount of a clip
 * @property {string} frames which frames of the video the clips show, in words
 * @property {number} value of the target, the mean over the clips
 * @property {string} valueName what it is called, such as `probability`
 * @property {number[][] | null} importance for each clip, |values| summed over each frame; null until it is asked for
 * @property {string | null} thumbnail the strongest frame: Base64 of a WebP; null until it is asked for
 * @property {string | null} page another file that has the run, as a relative URL; null where this page has it
 */

/**
 * All of a run but its numbers.
 *
 * @typedef {object} Run
 * @property {Summary} summary
 * @property {string} quantity what values are called: `gradient`, or else `relevance`
 * @property {"signed" | "positive"} kind `positive` where no value is below 0
 * @property {string} magnitude what they are called without their sign
 * @property {PanelName[]} panels which are shown, in this order
 * @property {string} remark what is to be known of the values, or nothing
 * @property {string} warning what must not be overlooked, or nothing
 * @property {string} predicted what the network predicts in words, and whether that is the target
 * @property {{index: number, name: string | null, score: number}[]} scores the best classes
 * @property {[string, string][]} facts more to be known, as names and values: weights, precision, method, settings, frames
 * @property {[string, string][]} commands what they do in words, and the command line
 * @property {object} recipe all that decided the numbers
 * @property {{name: string, settings: string, relevance: string}} table what the CSV of curves says of the method, as
 *     `outputs/table.py` does: its name, all settings, and `all` or which part of the values is shown
 * @property {boolean} isWheel whether flow's frames are colours, full at `wheelBound` pixels a frame
 * @property {number} wheelBound
 * @property {Clip[]} clips
 */

/** @typedef {{kind: "frame" | "gradient" | "positive" | "negative", name: string}} PanelName */

/**
 * One clip of a run. A blob is named by its id, which `Source.readBlob` takes.
 *
 * @typedef {object} Clip
 * @property {number[]} frames their numbers in the video
 * @property {number[] | null} seconds when each is shown; null where nothing tells
 * @property {number} value of the target
 * @property {number[]} importance |values| summed over each frame
 * @property {PackedValues} values
 * @property {{name: string, strips: Strip[]}[]} pictures the panel `frame` of each row: one, or those of u and v; where
 *     frames are the wheel's colours one stands for both rows
 * @property {Overlay | null} overlay
 * @property {string} overlayProblem why there are no frames of their own size, or nothing
 * @property {[number, number, number, number]} box where the clip lies in a source frame: left, top, right, bottom, pixels
 * @property {[number, number]} sourceSize of a source frame: height, width
 * @property {ClipLimits} limits
 * @property {ClipLimits} overlayLimits of the magnitude that the overlay shows
 */

/**
 * The limits of the clip for each percentile, and of each of its frames.
 *
 * @typedef {object} ClipLimits
 * @property {Limits[]} clip
 * @property {Limits[][]} frame for each percentile, for each frame
 */

/**
 * Values: zlib (RFC 1950) of the high bytes of all numbers and then their low bytes. Number n stands for the value
 * `unit * sinh((n - 32768) / steps)`. The order is row, time, y, x.
 *
 * @typedef {object} PackedValues
 * @property {string} blob
 * @property {number} unit
 * @property {number} steps
 * @property {string[]} rows what tells rows apart: `[""]`, or `["u", "v"]`
 * @property {number} frameCount
 * @property {number} height
 * @property {number} width
 */

/**
 * Frames below each other in one WebP image.
 *
 * @typedef {object} Strip
 * @property {string} blob
 * @property {number} count of frames
 * @property {number} width of a frame, pixels
 * @property {number} height of a frame, pixels
 * @property {boolean} isDifference each frame but the first is its difference from the one before, modulo 256
 */

/**
 * @typedef {object} Overlay
 * @property {Strip[]} strips the frames at their own size or smaller; not quite as they are
 * @property {[number, number, number, number]} box where the clip lies in such a frame: left, top, right, bottom
 */

/**
 * Where runs come from: this file, or a server.
 *
 * @typedef {object} Source
 * @property {(onRuns: (runs: Summary[], isComplete: boolean) => void, onProblem: (problem: Problem | null) => void) =>
 *     Promise<void>} listRuns gives all runs known so far, again whenever there are more, and says what went wrong (null:
 *     all is well again); a server's never ends
 * @property {(key: string) => Promise<Run>} readRun
 * @property {(blob: string) => Promise<Uint8Array<ArrayBuffer>>} readBlob its bytes, as they were packed
 * @property {(keys: string[]) => Promise<Map<string, {importance: number[][], thumbnail: string}>>} readSummaries what the
 *     index lacks of these runs; a file has it all
 */

/** @typedef {{problem: string, hint: string}} Problem */

/**
 * What all parts of the page share.
 *
 * @typedef {object} Page
 * @property {PageData} data
 * @property {Source} source
 * @property {() => Summary[]} runs those known so far
 * @property {(callback: (isComplete: boolean) => void) => () => void} onRuns calls back whenever there are more; what comes
 *     back stops that
 * @property {string[] | null} order keys of the runs as the index shows them, sorted and filtered: what comes next and
 *     before; null where it has not been shown
 */

export {};
