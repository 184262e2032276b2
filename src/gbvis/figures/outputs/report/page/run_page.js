// The page of a run, and of other runs beside it: all on one clock.

import { Beside, findOthers, MOST_BESIDE } from "./beside.js";
import { Clock, makeClock } from "./clock.js";
import { decodeColorMaps } from "./colors.js";
import { Controls } from "./controls.js";
import { element, fill, showText } from "./dom.js";
import { describeScale, joinLimits } from "./limits.js";
import { setWords } from "./panels.js";
import { explainError } from "./read_error.js";
import { readRoute } from "./route.js";
import { RunAddress } from "./run_address.js";
import { RunBlock } from "./run_block.js";
import { makeCommands, makeFacts, makeHeading, makePredictions, makeRecipe } from "./run_facts.js";
import { followKeys } from "./run_keys.js";
import { makeRunLinks } from "./run_links.js";
import { saveCurves, savePicture } from "./run_saving.js";
import { readRunState, writeRunState } from "./run_state.js";
import { Speech } from "./speech.js";

/** @typedef {import("./types.js").Page} Page */
/** @typedef {import("./types.js").Run} Run */
/** @typedef {import("./run_state.js").RunState} RunState */
/** @typedef {import("./run_block.js").Place} Place */

/**
 * Shows a run.
 *
 * @param {HTMLElement} place
 * @param {Page} page
 * @param {string} key
 * @returns {() => void} takes it down again
 */
export function showRun(place, page, key) {
  const shown = new RunPage(place, page, key);
  shown.open();
  return () => shown.leave();
}

class RunPage {
  /**
   * @param {HTMLElement} place
   * @param {Page} page
   * @param {string} key
   */
  constructor(place, page, key) {
    this.page = page;
    this.key = key;
    this.maps = decodeColorMaps(page.data.tables);
    this.state = readRunState(readRoute(), page.data);
    /** @type {RunBlock[]} */
    this.blocks = [];
    /** @type {Place | null} */
    this.place = null;
    this.isKept = false;
    this.isLeft = false;
    this.draggedFrom = 0;
    this.drawRequest = 0;
    this.clock = new Clock(page.data.look.rate, () => this.invalidate());
    this.controls = this.makeControls();
    this.beside = new Beside((keys) => this.showBeside(keys));
    this.problem = element("div", { role: "alert" });
    this.blockList = element("div", { class: "blocks" });
    this.scale = element("p", { class: "scale-words soft small" });
    this.paper = element("p", { class: "paper-only number" });
    this.speech = new Speech();
    this.reading = element("p", { class: "soft" }, "Reading the run\u2026");
    this.content = element("div", { class: "run-page" }, this.reading);
    this.links = makeRunLinks(this.page, this.key);
    fill(place, this.links, this.problem, this.content, this.speech.element);
    this.address = new RunAddress(key, (words) => this.blocks.length > 0 && this.attempt(this.restore(words)));
    this.stops = [
      page.onRuns(() => {
        this.offerOthers();
        this.renewLinks();
      }),
      followKeys(document, this),
      this.address.follow(),
      () => this.speech.stop(),
    ];
  }

  /** @param {URLSearchParams} words */
  async restore(words) {
    const [clip, { frame }] = [this.state.clip, readRunState(words, this.page.data)];
    Object.assign(this.state, readRunState(words, this.page.data));
    this.controls.showState(this.state);
    if (clip !== this.state.clip) {
      await Promise.all(this.blocks.map((block) => this.selectClip(block)));
    }
    this.goToFrame(frame);
    await this.showBeside(this.state.beside.slice(0, MOST_BESIDE));
    this.offerOthers();
  }

  makeControls() {
    return new Controls(this.page.data, this.state, {
      toggle: () => this.clock.toggle(),
      go: (moment) => this.go(moment),
      setRate: (rate) => {
        this.clock.rate = rate;
      },
      change: (part) => this.change(part),
      savePicture: () => this.attempt(this.savePicture()),
      saveTable: () => this.saveTable(),
    });
  }

  /** Reads the run and shows it; what goes wrong is said on the page. */
  async open() {
    await this.attempt(this.build());
  }

  /** @param {Promise<void>} work */
  async attempt(work) {
    try {
      await work;
    } catch (error) {
      this.say(error);
    }
  }

  /** @param {unknown} error */
  say(error) {
    if (!this.isLeft) {
      const { problem, hint } = explainError(error);
      fill(this.problem, element("p", { class: "warning" }, showText(hint ? `${problem}: ${hint}` : problem)));
      this.reading.remove();
    }
  }

  async build() {
    const run = await this.page.source.readRun(this.key);
    if (this.isLeft) {
      return;
    }
    const block = this.addBlock(run);
    document.title = showText(`${run.summary.video}, ${run.summary.endpoint}`);
    const { heading, setValue } = makeHeading(run);
    this.setValue = setValue;
    this.fillContent(run, heading);
    this.offerOthers();
    await this.selectClip(block);
    this.goToFrame(this.state.frame);
    if (this.state.beside.length > 0) {
      await this.showBeside(this.state.beside.slice(0, MOST_BESIDE));
    }
  }

  /**
   * @param {Run} run
   * @param {HTMLElement} heading
   */
  fillContent(run, heading) {
    const { playBar, settings } = this.controls;
    const sections = [
      element("div", { class: "run-sections" }, makePredictions(run), makeFacts(run)),
      makeCommands(run, (words) => this.announce(words)),
      makeRecipe(run),
    ];
    fill(
      this.content,
      heading,
      playBar,
      settings,
      this.paper,
      this.scale,
      this.beside.element,
      this.blockList,
      ...sections,
    );
  }

  /** @param {Run} run */
  addBlock(run) {
    const block = new RunBlock(run, this.page.source, this.maps, {
      goToStep: (one, step) => this.goToStep(one, step),
      point: (place) => this.point(place),
      keep: (place) => this.keep(place),
      startDrag: () => {
        this.draggedFrom = this.clock.moment;
      },
      drag: (share) => this.go(this.draggedFrom + share * (this.clock.moments.length - 1)),
    });
    this.blocks.push(block);
    this.blockList.append(block.element);
    return block;
  }

  /** Tells again what comes next and before: where the page began with this run, the others are only known later. */
  renewLinks() {
    if (this.page.order === null && !this.links.contains(document.activeElement)) {
      const links = makeRunLinks(this.page, this.key);
      this.links.replaceWith(links);
      this.links = links;
    }
  }

  /** Offers other runs of the video; there may be more of them by now. */
  offerOthers() {
    const [block] = this.blocks;
    if (block) {
      this.beside.set(findOthers(block.run.summary, this.page.runs()), this.state.beside);
    }
  }

  /**
   * Shows these runs below the first one.
   *
   * @param {string[]} keys
   */
  async showBeside(keys) {
    this.state.beside = keys;
    for (const block of this.blocks.slice(1).filter((one) => !keys.includes(one.run.summary.key))) {
      block.leave();
      this.blocks.splice(this.blocks.indexOf(block), 1);
    }
    const known = this.blocks.map((block) => block.run.summary.key);
    const lacking = keys.filter((key) => !known.includes(key));
    await Promise.all(lacking.map((key) => this.attempt(this.readBeside(key))));
    const shown = this.blocks.map((block) => block.run.summary.key);
    const failed = lacking.filter((key) => !shown.includes(key));
    this.state.beside = this.state.beside.filter((key) => !failed.includes(key));
    this.refresh();
    this.offerOthers();
  }

  /** @param {string} key */
  async readBeside(key) {
    const run = await this.page.source.readRun(key);
    const isThere = this.blocks.some((block) => block.run.summary.key === key);
    if (!this.isLeft && !isThere && this.state.beside.includes(key)) {
      await this.selectClip(this.addBlock(run));
    }
  }

  /** @param {RunBlock} block */
  async selectClip(block) {
    await block.select(this.state.clip, () => this.invalidate());
    if (!this.isLeft) {
      this.refresh();
    }
  }

  /** Brings clock, controls and titles in line with the runs that are shown. */
  refresh() {
    const [first] = this.blocks;
    if (this.isLeft || !first) {
      return;
    }
    const frame = first.clip.frames[this.clock.moments[this.clock.moment][0]];
    this.clock.set(makeClock(this.blocks.map((block) => block.clip.frames)));
    this.goToFrame(frame);
    this.setValue?.(first.clip.value);
    const isBeside = this.blocks.length > 1;
    this.blockList.classList.toggle("is-beside", isBeside);
    for (const block of this.blocks) {
      block.setTitle(isBeside, block === first ? null : this.makeRemove(block));
    }
    const hasOverlay = this.blocks.some((block) => block.clip.overlay !== null);
    this.controls.setChoices(first.run.clips.length, this.state.clip, isBeside, hasOverlay);
    this.controls.setRates(findRate(first.clip.seconds));
    this.invalidate();
  }

  /** @param {RunBlock} block */
  makeRemove(block) {
    const { key, method, endpoint } = block.run.summary;
    const remove = () => {
      const keys = this.state.beside.filter((one) => one !== key);
      this.showBeside(keys);
      this.offerOthers();
    };
    const label = showText(`Remove ${endpoint} ${method}`);
    return element(
      "button",
      { class: "remove screen-only", type: "button", "aria-label": label, onclick: remove },
      "Remove",
    );
  }

  /** @param {Partial<RunState>} part */
  change(part) {
    Object.assign(this.state, part);
    if (part.clip !== undefined) {
      this.clock.moment = 0;
      this.attempt(Promise.all(this.blocks.map((block) => this.selectClip(block))).then(() => {}));
    }
    this.invalidate();
  }

  /** @param {number} moment */
  go(moment) {
    this.clock.pause();
    this.clock.go(moment);
  }

  /**
   * @param {RunBlock} block
   * @param {number} step one of its frames, from 0
   */
  goToStep(block, step) {
    const number = this.blocks.indexOf(block);
    const moment = this.clock.moments.findIndex((steps) => steps[number] === step);
    if (moment >= 0) {
      this.go(moment);
    }
  }

  /** @param {number | null} frame its number in the video */
  goToFrame(frame) {
    const [first] = this.blocks;
    const step = frame === null ? 0 : Math.max(0, first.clip.frames.indexOf(frame));
    const moment = this.clock.moments.findIndex((steps) => steps[0] === step);
    this.clock.moment = Math.max(0, moment);
    this.invalidate();
  }

  /** @param {Place | null} place */
  point(place) {
    if (!this.isKept) {
      this.place = place;
      this.invalidate();
    }
  }

  /** @param {Place | null} place */
  keep(place) {
    this.isKept = place !== null && !(this.isKept && this.place && isNear(place, this.place));
    this.place = place;
    this.invalidate();
  }

  /** Draws before the next picture of the screen, once. */
  invalidate() {
    if (this.drawRequest === 0 && !this.isLeft) {
      this.drawRequest = requestAnimationFrame(() => {
        this.drawRequest = 0;
        this.draw();
      });
    }
  }

  draw() {
    const { moments, moment, isPlaying } = this.clock;
    const steps = moments[moment];
    const shown = this.blocks.filter((block, number) => block.loaded && number < steps.length);
    if (shown.length === 0) {
      return;
    }
    const limits = this.findLimits(shown, steps);
    const said = shown.map((block, number) => {
      const step = Math.min(steps[this.blocks.indexOf(block)], block.clip.frames.length - 1);
      block.draw(step, limits[number], this.state.opacity);
      return block.point(step, this.place);
    });
    this.said = said[0];
    this.state.frame = shown[0].clip.frames[steps[0]];
    const words = this.sayMoment();
    this.controls.show({ moment, count: moments.length, words, isPlaying });
    setWords(this.paper, words);
    setWords(this.scale, describeScale(this.state, this.page.data, this.blocks.length > 1));
    if (!isPlaying) {
      this.address.note(writeRunState(this.key, this.state, this.page.data));
    }
  }

  /**
   * @param {RunBlock[]} shown
   * @param {number[]} steps
   */
  findLimits(shown, steps) {
    const own = shown.map((block) => {
      return block.limits(this.state, steps[this.blocks.indexOf(block)], this.page.data.all);
    });
    if (!this.state.isShared || own.length < 2) {
      return own;
    }
    const shared = {
      panels: joinLimits(own.map((one) => one.panels)),
      overlay: joinLimits(own.map((one) => one.overlay)),
      curve: Math.max(...own.map((one) => one.curve)),
    };
    return own.map(() => shared);
  }

  /** Says which moment is shown. */
  sayMoment() {
    const steps = this.clock.moments[this.clock.moment];
    const numbers = [...new Set(this.blocks.map((block, number) => block.clip.frames[steps[number] ?? 0]))];
    const second = this.blocks[0].clip.seconds?.[steps[0]];
    const seconds = typeof second === "number" ? `, ${second.toFixed(2)} s` : "";
    return `${numbers.length > 1 ? "frames" : "frame"} ${numbers.join(" and ")}${seconds}`;
  }

  /** @param {string} [words] what is shown, if none are given */
  announce(words) {
    this.speech.say(() => words ?? [this.sayMoment(), this.said].filter(Boolean).join(": "));
  }

  async savePicture() {
    await savePicture(this.blocks, [this.sayMoment(), this.scale.textContent ?? ""], this.state.frame ?? 0);
    this.announce("The picture is saved.");
  }

  saveTable() {
    saveCurves(this.blocks);
    this.announce("The table is saved.");
  }

  /** Takes all down, and frees the memory. */
  leave() {
    this.isLeft = true;
    this.clock.pause();
    cancelAnimationFrame(this.drawRequest);
    for (const stop of this.stops) {
      stop();
    }
    for (const block of this.blocks) {
      block.leave();
    }
  }
}

/**
 * @param {Place} one
 * @param {Place} other
 */
function isNear(one, other) {
  return Math.hypot(one.across - other.across, one.down - other.down) < 0.02;
}

/**
 * Returns the frames a second of a clip as it was filmed, or null.
 *
 * @param {number[] | null} seconds
 */
function findRate(seconds) {
  if (!seconds || seconds.length < 2) {
    return null;
  }
  const span = seconds[seconds.length - 1] - seconds[0];
  return span > 0 ? Math.round((100 * (seconds.length - 1)) / span) / 100 : null;
}
