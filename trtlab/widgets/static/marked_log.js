/** The log with its marked lines. Lines come from the kernel as they come into sight. */

import { button, element, setAttribute, setHidden, setText } from "./dom.js";
import { formatCount } from "./format.js";
import { VirtualList } from "./virtual_list.js";

const MARKED_ROW_HEIGHT = 20;
const LINES_A_REQUEST = 400;
const KEPT_BLOCKS = 50;
const TYPING_MS = 250;
/** Browsers cut off taller boxes than this; the filters reach what is beyond. */
const MOST_ROWS = 800_000;

const ROLE_ICONS = { root: "✕", error: "✕", consequence: "↳", harmless: "✓", evidence: "•" };
const ROLE_STATES = { root: "error", error: "error", consequence: "consequence", harmless: "harmless", evidence: "warning" };

function createMarkedRow() {
  const parts = {
    icon: element("span", { class: "trtlab-icon", "aria-hidden": "true" }),
    role: element("span", { class: "trtlab-only-read" }),
    number: element("span", { class: "trtlab-line-number" }),
    text: element("span", { class: "trtlab-log-message" }),
  };
  const row = element("div", { class: "trtlab-log-row trtlab-marked-row" }, parts.icon, parts.role, parts.number, parts.text);
  row.parts = parts;
  return row;
}

export class MarkedLog {
  /** @param {{send: (message: object) => void, onCard: (index: number) => void}} actions @param {object} words */
  constructor({ send, onCard }, words) {
    this.send = send;
    this.onCard = onCard;
    this.words = words;
    this.log = { generation: -1, rows: 0, lines: 0, show: "all", text: "", numbers: [] };
    this.marks = [];
    this.blocks = new Map();
    this.asked = new Set();
    this.wanted = null;
    this.timer = 0;
    this.list = new VirtualList({
      rowHeight: MARKED_ROW_HEIGHT,
      createRow: createMarkedRow,
      fillRow: (row, index) => this.fillRow(row, index),
      onActivate: (index) => this.showDetail(index),
      attributes: { role: "log", "aria-live": "off", "aria-label": words.log },
    });
    this.empty = element("p", { class: "trtlab-empty trtlab-log-empty", text: words.log_empty });
    const box = element("div", { class: "trtlab-log-box" }, this.list.node, this.empty);
    this.status = element("div", { class: "trtlab-log-status", role: "status" });
    this.node = element("div", { class: "trtlab-log" }, this.makeToolbar(), box, this.status, this.makeDetail());
  }

  makeToolbar() {
    this.show = element("select", {
      class: "trtlab-input",
      "aria-label": this.words.log,
      on: { change: () => this.filter() },
    });
    for (const name of ["all", "marked", "problems"]) {
      this.show.append(element("option", { value: name, text: this.words[name] }));
    }
    this.search = element("input", {
      type: "search",
      class: "trtlab-input",
      placeholder: this.words.search_log,
      "aria-label": this.words.search_log,
      spellcheck: "false",
      on: {
        input: () => {
          clearTimeout(this.timer);
          this.timer = setTimeout(() => this.filter(), TYPING_MS);
        },
      },
    });
    const move = (direction, label, name) =>
      button(label, { kind: "quiet", "aria-label": name, title: name, on: { click: () => this.moveToMark(direction) } });
    this.moves = element(
      "div",
      { class: "trtlab-actions" },
      move(-1, "↑", this.words.previous),
      move(1, "↓", this.words.next),
    );
    const searching = element("div", { class: "trtlab-search" }, this.search);
    return element("div", { class: "trtlab-toolbar" }, this.show, searching, this.moves);
  }

  makeDetail() {
    this.detailHead = element("span", { class: "trtlab-muted" });
    this.toCard = button(this.words.show_card, { kind: "quiet", on: { click: () => this.onCard(this.detailCard) } });
    const head = element("div", { class: "trtlab-detail-head" }, this.detailHead, this.toCard);
    this.detailText = element("pre", { class: "trtlab-code", tabindex: "0" });
    this.detail = element("div", { class: "trtlab-detail", "aria-live": "polite", hidden: true }, head, this.detailText);
    return this.detail;
  }

  update({ log, marks }) {
    this.marks = marks;
    if (log.generation !== this.log.generation) {
      this.blocks.clear();
      this.asked.clear();
      this.list.activate(-1);
      this.list.node.scrollTop = 0;
    }
    this.log = log;
    this.list.setCount(Math.min(log.rows, MOST_ROWS));
    setHidden(this.empty, log.lines > 0);
    setHidden(this.moves, marks.length === 0);
    if (this.show.value !== log.show) this.show.value = log.show;
    if (!this.search.matches(":focus") && this.search.value !== log.text) this.search.value = log.text;
    const counts = [formatCount(log.rows), formatCount(log.lines)];
    const found = this.words.found.includes("{0}")
      ? this.words.found.replace("{0}", counts[0]).replace("{1}", counts[1])
      : this.words.found.replace("{}", counts[0]).replace("{}", counts[1]);
    setText(this.status, log.lines ? found : "");
    this.list.draw();
    if (this.wanted && log.show === "all" && !log.text) {
      const { number, card } = this.wanted;
      this.wanted = null;
      this.goToLine(number, card);
    }
  }

  /** Lines that the kernel sent. */
  receive({ generation, first, rows }) {
    if (generation !== this.log.generation) return;
    this.blocks.set(first / LINES_A_REQUEST, rows);
    this.asked.delete(first / LINES_A_REQUEST);
    while (this.blocks.size > KEPT_BLOCKS) this.blocks.delete(this.blocks.keys().next().value);
    this.list.draw();
    if (this.list.active >= 0) this.showDetail(this.list.active);
  }

  lineAt(index) {
    const block = Math.floor(index / LINES_A_REQUEST);
    const rows = this.blocks.get(block);
    if (rows) return rows[index - block * LINES_A_REQUEST];
    if (!this.asked.has(block)) {
      this.asked.add(block);
      this.send({ command: "lines", generation: this.log.generation, first: block * LINES_A_REQUEST, count: LINES_A_REQUEST });
    }
    return undefined;
  }

  /** The mark of a line: marks are in the order of their first lines, and the gravest of those that meet counts. */
  markOf(number) {
    let [low, high] = [0, this.marks.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.marks[middle][0] <= number) low = middle + 1;
      else high = middle;
    }
    for (let place = low - 1; place >= 0 && place >= low - 20; place -= 1) {
      if (this.marks[place][1] >= number) return this.marks[place];
    }
    return null;
  }

  fillRow(row, index) {
    const line = this.lineAt(index);
    const { parts } = row;
    const mark = line ? this.markOf(line[0]) : null;
    setAttribute(row, "data-state", mark ? ROLE_STATES[mark[2]] : null);
    setAttribute(row, "data-role", mark ? mark[2] : null);
    setText(parts.icon, mark ? ROLE_ICONS[mark[2]] : "");
    setText(parts.role, mark ? this.words[`role_${mark[2]}`] : "");
    setText(parts.number, line ? formatCount(line[0]) : "");
    setText(parts.text, line ? line[1] : "…");
  }

  filter() {
    clearTimeout(this.timer);
    this.send({ command: "filter", show: this.show.value, text: this.search.value });
  }

  /** Look for `text` in all lines, as if it had been typed. */
  find(text) {
    this.show.value = "all";
    this.search.value = text;
    this.filter();
  }

  /** Bring a line into sight and select it. */
  goToLine(number, card) {
    if (this.log.show !== "all" || this.log.text) {
      this.wanted = { number, card };
      this.show.value = "all";
      this.search.value = "";
      this.filter();
      return;
    }
    this.list.scrollToIndex(number - 1);
    this.list.activate(number - 1);
    this.list.node.focus({ preventScroll: true });
  }

  /** Select the next marked line in sight of the filter, or the one before. */
  moveToMark(direction) {
    const isFiltered = this.log.show !== "all" || Boolean(this.log.text);
    const places = this.marks.map(([first], place) => (isFiltered ? this.log.numbers[place] : first - 1)).filter((place) => place >= 0);
    const current = this.list.active;
    const next = direction > 0 ? places.find((place) => place > current) : places.filter((place) => place < current).pop();
    const target = next ?? (direction > 0 ? places[0] : places[places.length - 1]);
    if (target === undefined) return;
    this.list.scrollToIndex(target);
    this.list.activate(target);
  }

  showDetail(index) {
    const line = index < 0 ? undefined : this.lineAt(index);
    setHidden(this.detail, !line);
    if (!line) return;
    const mark = this.markOf(line[0]);
    const role = mark ? ` · ${this.words[`role_${mark[2]}`]}` : "";
    setText(this.detailHead, `${this.words.line.replace("{}", formatCount(line[0]))}${role}`);
    setText(this.detailText, line[1]);
    this.detailCard = mark ? mark[3] : -1;
    setHidden(this.toCard, !mark);
  }

  destroy() {
    clearTimeout(this.timer);
    this.list.destroy();
  }
}
