/** The list of problems, in the order of the graph, with the card of the one that is chosen. */

import { CARD_WORDS, DiagnosisCard } from "./diagnosis_card.js";
import { button, element, NameText, setAttribute, setHidden, setText, uniqueIdentifier } from "./dom.js";
import { copyButton } from "./export.js";
import { formatCount, plural } from "./format.js";
import { StateBadge } from "./states.js";
import { VirtualList } from "./virtual_list.js";

const PROBLEM_ROW_HEIGHT = 46;
const MOST_ROWS_IN_SIGHT = 7;
const GRAPH_CARD_WORDS = { ...CARD_WORDS, find: "Show in the graph" };
const PROBLEM_STATES = { unknown: "warning" };

function createProblemRow() {
  const badge = new StateBadge({ withWord: false });
  const title = element("span", { class: "trtlab-problem-title" });
  const where = new NameText();
  const operator = element("strong", { class: "trtlab-problem-operator" });
  const word = element("span", { class: "trtlab-muted trtlab-problem-word" });
  const row = element(
    "div",
    { class: "trtlab-problem-row", role: "option", id: uniqueIdentifier("problem") },
    badge.node,
    element("div", { class: "trtlab-problem-words" }, title, element("div", { class: "trtlab-problem-where" }, operator, where.node, word)),
  );
  return Object.assign(row, { badge, problemTitle: title, operator, where, word });
}

export class GraphProblems {
  /** @param {{onChoose(problem: object): void, onFind(name: string): void}} actions */
  constructor({ onChoose, onFind }) {
    this.onChoose = onChoose;
    this.all = [];
    this.problems = [];
    this.shows = () => true;
    this.chosen = -1;
    this.list = new VirtualList({
      rowHeight: PROBLEM_ROW_HEIGHT,
      createRow: createProblemRow,
      fillRow: (row, index) => this.fillRow(row, index),
      onActivate: (index) => this.choose(index),
      attributes: { role: "listbox", "aria-label": "Problems. Arrow keys choose one.", class: "trtlab-virtual trtlab-problem-list" },
    });
    this.count = element("span", { class: "trtlab-muted", role: "status" });
    const step = (label, by) => button(label, { kind: "quiet", "data-problem-step": by, on: { click: () => this.step(by) } });
    this.head = element(
      "div",
      { class: "trtlab-section-head" },
      this.count,
      element("span", { class: "trtlab-spring" }),
      step("Previous", -1),
      step("Next (N)", 1),
      copyButton("Copy all", () => this.text()),
    );
    this.card = new DiagnosisCard({ onFind }, GRAPH_CARD_WORDS);
    this.cardPlace = element("div", { class: "trtlab-problem-card", "aria-live": "polite" }, this.card.node);
    this.empty = element("p", { class: "trtlab-empty" });
    this.node = element("div", {}, this.head, this.list.node, this.cardPlace, this.empty);
  }

  /** @param {object[]} problems @param {string} emptyText what to say where there are none */
  update(problems, emptyText) {
    this.emptyText = emptyText;
    if (problems !== this.all) {
      this.all = problems;
      this.filter(this.shows);
    }
    this.sayWhereEmpty();
  }

  /** @param {(problem: object) => boolean} shows which problems are listed; the one that was chosen stays so */
  filter(shows) {
    const before = this.problems[this.chosen];
    this.shows = shows;
    this.problems = this.all.filter(shows);
    const { length } = this.problems;
    setHidden(this.head, this.all.length === 0);
    setHidden(this.list.node, length === 0);
    const all = plural(this.all.length, "problem");
    setText(this.count, length < this.all.length ? `${formatCount(length)} of ${all}` : all);
    this.list.node.style.height = `${Math.min(length, MOST_ROWS_IN_SIGHT) * PROBLEM_ROW_HEIGHT + 2}px`;
    this.list.setCount(length);
    this.show(this.problems.findIndex((problem) => problem === before));
    this.sayWhereEmpty();
  }

  sayWhereEmpty() {
    setText(this.empty, this.all.length ? "No problem of this kind. The counts over the graph choose what is listed." : this.emptyText);
    setHidden(this.empty, this.problems.length > 0);
  }

  fillRow(row, index) {
    const { title, where, operator, word, brief, state } = this.problems[index];
    row.badge.update(PROBLEM_STATES[state] ?? state, word);
    setText(row.operator, operator ?? "");
    setHidden(row.operator, !operator);
    setText(row.problemTitle, title);
    setAttribute(row.problemTitle, "title", title);
    row.where.update(where);
    setText(row.word, brief ?? word);
    setAttribute(row.word, "title", word);
    const isActive = index === this.list.active;
    setAttribute(row, "aria-selected", String(isActive));
    if (isActive) setAttribute(this.list.node, "aria-activedescendant", row.id);
    setAttribute(row, "aria-setsize", this.problems.length);
    setAttribute(row, "aria-posinset", index + 1);
  }

  choose(index) {
    if (index < 0) {
      this.list.active = this.chosen; // a second click leaves the row chosen, for its card stays
      return;
    }
    this.show(index);
    this.onChoose(this.problems[index]);
  }

  /** Show the card of a problem without telling about it. */
  show(index) {
    this.chosen = index;
    const problem = this.problems[index];
    setHidden(this.cardPlace, !problem?.card);
    if (problem?.card) this.card.update(problem.card);
    if (this.list.active !== index) {
      this.list.active = index;
      if (index >= 0) this.list.scrollToIndex(index);
    }
    if (index < 0) setAttribute(this.list.node, "aria-activedescendant", null);
    this.list.draw();
  }

  /** Show the problem of a node. Where it has none no row is marked, and the next problem is that after the last one. */
  showNode(number) {
    if (this.problems[this.chosen]?.node === number && this.list.active === this.chosen) return;
    const index = this.problems.findIndex((problem) => problem.node === number);
    if (index >= 0) this.show(index);
    else if (this.problems[this.chosen]?.node >= 0) {
      this.list.active = -1;
      setAttribute(this.list.node, "aria-activedescendant", null);
      setHidden(this.cardPlace, true);
      this.list.draw();
    }
  }

  /** Go on to the next problem or back, round and round. */
  step(by) {
    const count = this.problems.length;
    if (!count) return;
    const from = this.chosen < 0 ? (by > 0 ? -1 : 0) : this.chosen;
    this.choose((from + by + count) % count);
  }

  text() {
    return this.problems.map(({ word, where, operator, title, card }) => `${word}: ${operator ?? ""} ${where}: ${card?.why || title}`).join("\n");
  }

  destroy() {
    this.list.destroy();
  }
}
