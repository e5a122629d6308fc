/** The log: every line of TensorRT's parser and builder, as it comes, up to the newest 20,000 records. */

import { button, element, setAttribute, setHidden, setText } from "./dom.js";
import { copyButton, saveText } from "./export.js";
import { formatClock, formatCount, plural } from "./format.js";
import { FOLD_ROW, LOG_CAPACITY, LogRows, LogStore, severityGroup } from "./log_store.js";
import { LogToolbar, SEVERITIES } from "./log_toolbar.js";
import { VirtualList } from "./virtual_list.js";

const LOG_ROW_HEIGHT = 20;
const LONGEST_SHOWN = 1500;
const LONGEST_DETAIL = 100_000;
const EMPTY_TEXT =
  "The log of TensorRT's parser and builder will be here, line by line, while a step runs. " +
  "Its severities can be filtered and every line searched.";

/** One record as a line of a text file. */
function recordText({ time, severity, step, message }) {
  return `${formatClock(time)}  ${severity.padEnd(14)}  ${step.padEnd(9)}  ${message}`;
}

/** Put `text` into `node`, each occurrence of `needle` in a mark of its own. */
function setMarkedText(node, text, needle) {
  const key = `${needle}\u0000${text}`;
  if (node.shownKey === key) return;
  node.shownKey = key;
  const pieces = [];
  const lower = needle ? text.toLowerCase() : "";
  let start = 0;
  // Lower case of a few letters is longer than the letter, and places found in it would be wrong in the text.
  let place = needle && lower.length === text.length ? lower.indexOf(needle) : -1;
  while (place >= 0) {
    pieces.push(text.slice(start, place), element("mark", { text: text.slice(place, place + needle.length) }));
    start = place + needle.length;
    place = lower.indexOf(needle, start);
  }
  node.replaceChildren(...pieces, text.slice(start));
}

/** A row's nodes, made once and filled again and again. */
function createLogRow() {
  const parts = {
    time: element("span", { class: "trtlab-log-time" }),
    icon: element("span", { class: "trtlab-icon", "aria-hidden": "true" }),
    word: element("span", { class: "trtlab-log-word" }),
    step: element("span", { class: "trtlab-log-step" }),
    message: element("span", { class: "trtlab-log-message" }),
  };
  const severity = element("span", { class: "trtlab-log-severity" }, parts.icon, parts.word);
  const row = element("div", { class: "trtlab-log-row" }, parts.time, severity, parts.step, parts.message);
  row.parts = parts;
  return row;
}

export class LogView {
  constructor() {
    this.store = new LogStore();
    this.rows = new LogRows();
    this.isFollowing = true;
    this.unseen = 0;
    this.currentMatch = -1;
    this.frame = 0;
    this.toolbar = new LogToolbar({
      onToggleSeverity: (severity) => this.toggleSeverity(severity),
      onStep: (step) => this.setFilter({ step }),
      onSearch: (text) => this.setFilter({ needle: text.toLowerCase() }),
      onMove: (direction) => this.moveToMatch(direction),
      onOnlyMatches: (onlyMatches) => this.setFilter({ onlyMatches }),
      shownText: () => this.shownText(),
      onSave: () => saveText("tensorrt.log", this.shownText()),
    });
    this.list = new VirtualList({
      rowHeight: LOG_ROW_HEIGHT,
      createRow: createLogRow,
      fillRow: (row, index) => this.fillRow(row, index),
      onActivate: (index) => this.showDetail(index),
      onScroll: (reason) => this.afterScroll(reason),
      // A log is a live region by its role. Reading thousands of lines aloud would bury the one line that matters, the
      // headline, which is announced.
      attributes: { role: "log", "aria-live": "off", "aria-label": "Log lines. Arrow keys select a line." },
    });
    this.node = element("div", { class: "trtlab-log" }, this.toolbar.node, this.makeBox(), this.makeDetail());
    this.refresh();
  }

  makeBox() {
    this.empty = element("div", { class: "trtlab-empty trtlab-log-empty" });
    this.emptyText = element("p");
    this.showAll = button("Show all lines", { on: { click: () => this.clearFilter() } });
    this.empty.append(this.emptyText, this.showAll);
    this.follow = button("", { class: "trtlab-button trtlab-follow", on: { click: () => this.followEnd() } });
    this.status = element("div", { class: "trtlab-log-status" });
    const box = element("div", { class: "trtlab-log-box" }, this.list.node, this.empty, this.follow);
    return element("div", {}, box, this.status);
  }

  makeDetail() {
    this.detailHead = element("span", { class: "trtlab-muted" });
    this.detailText = element("pre", { class: "trtlab-code", tabindex: "0" });
    this.detailRecord = null;
    const copy = copyButton("Copy line", () => this.detailRecord?.message ?? "");
    const close = button("Close", { kind: "quiet", on: { click: () => this.list.activate(-1) } });
    const head = element("div", { class: "trtlab-detail-head" }, this.detailHead, copy, close);
    this.detail = element(
      "div",
      { class: "trtlab-detail", "aria-live": "polite", hidden: true },
      head,
      this.detailText,
    );
    return this.detail;
  }

  /** A batch of raw records from the kernel. */
  add(batch) {
    const { added, dropped, isReordered } = this.store.add(batch);
    if (!added.length) return;
    if (isReordered) {
      this.rows.rebuild(this.store.records);
    } else {
      const before = this.rows.length;
      this.rows.append(added);
      if (!this.isFollowing) this.unseen += this.rows.length - before;
      const left = this.rows.drop(dropped);
      if (left) this.forgetRows(left);
    }
    this.schedule();
  }

  forgetRows(count) {
    this.currentMatch = this.currentMatch < count ? -1 : this.currentMatch - count;
    // First the place, then the length: a shorter list would move the place by itself, and then it would move twice.
    this.list.shift(count);
    this.list.setCount(this.rows.length);
    if (this.isFollowing) this.list.scrollToEnd();
  }

  /** A new run: forget all lines; filters stay, for they are the reader's. */
  reset() {
    this.store.reset();
    this.rows.clear();
    this.rows.unfolded.clear();
    this.list.setCount(0);
    this.list.activate(-1);
    this.isFollowing = true;
    this.unseen = 0;
    this.currentMatch = -1;
    this.schedule();
  }

  /** Refresh once in the next frame, however many batches arrive before it. */
  schedule() {
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      this.refresh();
    });
  }

  refresh() {
    this.list.setCount(this.rows.length);
    if (this.isFollowing) this.list.scrollToEnd();
    this.list.draw();
    this.toolbar.update({
      filter: this.rows.filter,
      counts: this.store.counts,
      steps: this.store.steps,
      current: this.rows.matches.indexOf(this.currentMatch) + 1,
      found: this.rows.matches.length,
    });
    this.updateStatus();
  }

  updateStatus() {
    const kept = this.store.records.length;
    const isEmpty = this.rows.length === 0;
    setHidden(this.empty, !isEmpty);
    setHidden(this.showAll, kept === 0);
    setText(this.emptyText, kept === 0 ? EMPTY_TEXT : "No line passes these filters.");
    const shown = this.rows.isFiltered ? `${formatCount(this.rows.recordCount)} of ` : "";
    const older = kept < LOG_CAPACITY ? "" : " Only the newest are kept.";
    setText(this.status, kept ? `${shown}${plural(kept, "message")}.${older}` : "");
    const isBehind = !this.isFollowing && !isEmpty;
    setHidden(this.follow, !isBehind);
    setText(this.follow, this.unseen ? `↓ ${plural(this.unseen, "new line")}` : "↓ Follow the newest line");
  }

  fillRow(row, index) {
    const record = this.rows.rowRecords[index];
    const line = this.rows.rowLines[index];
    const { parts } = row;
    const isFirst = line === 0;
    const { icon, word } = SEVERITIES[severityGroup(record.severity)] ?? SEVERITIES.output;
    setAttribute(row, "data-severity", severityGroup(record.severity));
    row.classList.toggle("trtlab-fold", line === FOLD_ROW);
    row.classList.toggle("trtlab-match", index === this.currentMatch);
    setText(parts.time, isFirst ? formatClock(record.time) : "");
    setText(parts.icon, isFirst ? icon : "");
    setText(parts.word, isFirst ? word : "");
    setText(parts.step, isFirst ? record.step : "");
    const folded = plural(this.rows.foldedCount(record), "more line");
    const text = line === FOLD_ROW ? `… ${folded}` : record.lines[line];
    const rest = text.length - LONGEST_SHOWN;
    const more = rest > 0 ? `… (${plural(rest, "more character")}; select the line)` : "";
    setMarkedText(parts.message, text.slice(0, LONGEST_SHOWN) + more, this.rows.filter.needle);
  }

  toggleSeverity(severity) {
    const hidden = new Set(this.rows.filter.hidden);
    if (!hidden.delete(severity)) hidden.add(severity);
    this.setFilter({ hidden });
  }

  clearFilter() {
    this.toolbar.search.input.value = "";
    this.toolbar.search.only.checked = false;
    this.setFilter({ hidden: new Set(), step: "", needle: "", onlyMatches: false });
  }

  /** Change a part of the filter; the line in the middle of attention stays in sight where it can. */
  setFilter(change) {
    const anchor = this.currentSequence();
    Object.assign(this.rows.filter, change);
    this.rows.rebuild(this.store.records);
    this.list.activate(-1);
    this.list.setCount(this.rows.length);
    this.currentMatch = -1;
    const row = anchor === null ? -1 : this.rows.rowOfSequence(anchor);
    if (!this.isFollowing && row >= 0) this.list.node.scrollTop = row * LOG_ROW_HEIGHT;
    const { matches } = this.rows;
    if ("needle" in change && matches.length) this.goToMatch(matches.find((match) => match >= row) ?? matches[0]);
    this.refresh();
  }

  currentSequence() {
    const row = this.currentMatch >= 0 ? this.currentMatch : Math.floor(this.list.node.scrollTop / LOG_ROW_HEIGHT);
    return this.rows.rowRecords[row]?.sequence ?? null;
  }

  moveToMatch(direction) {
    const { matches } = this.rows;
    if (!matches.length) return;
    const place = matches.indexOf(this.currentMatch);
    const next = place < 0 ? (direction > 0 ? 0 : matches.length - 1) : place + direction;
    this.goToMatch(matches[(next + matches.length) % matches.length]);
    this.refresh();
  }

  goToMatch(row) {
    this.currentMatch = row;
    this.isFollowing = false;
    this.list.scrollToIndex(row);
  }

  /** Look for `text` in all lines, as if it had been typed. */
  find(text) {
    this.clearFilter();
    this.toolbar.search.input.value = text;
    this.setFilter({ needle: text.toLowerCase() });
  }

  /** Show the lines from record `sequence` on. */
  goToSequence(sequence) {
    this.clearFilter();
    const row = this.rows.rowOfSequence(sequence);
    if (row < 0) return;
    this.isFollowing = false;
    this.list.setCount(this.rows.length);
    this.list.node.scrollTop = row * LOG_ROW_HEIGHT;
    this.refresh();
  }

  followEnd() {
    this.isFollowing = true;
    this.unseen = 0;
    this.list.node.focus({ preventScroll: true });
    this.refresh();
  }

  /** Scrolling up stops following, scrolling back to the end takes it up again. */
  afterScroll(reason) {
    if (reason === "resize") {
      if (this.isFollowing) this.list.scrollToEnd();
      return;
    }
    if (this.list.node.clientHeight === 0 || this.list.count !== this.rows.length) return;
    const isAtEnd = this.list.isAtEnd;
    if (isAtEnd === this.isFollowing) return;
    this.isFollowing = isAtEnd;
    if (isAtEnd) this.unseen = 0;
    this.updateStatus();
  }

  showDetail(index) {
    const record = index < 0 ? null : this.rows.rowRecords[index];
    if (record && this.rows.rowLines[index] === FOLD_ROW) {
      this.rows.unfolded.add(record.sequence);
      this.list.active = -1;
      this.isFollowing = false;
      this.rows.rebuild(this.store.records);
      this.refresh();
      return;
    }
    this.detailRecord = record ?? null;
    setHidden(this.detail, !record);
    if (!record) return;
    const facts = [formatClock(record.time), record.severity, record.step, record.source];
    setText(this.detailHead, facts.filter(Boolean).join(" · "));
    setText(this.detailText, record.message.slice(0, LONGEST_DETAIL));
  }

  shownText() {
    return this.rows.records().map(recordText).join("\n") + "\n";
  }

  destroy() {
    cancelAnimationFrame(this.frame);
    this.list.destroy();
  }
}
