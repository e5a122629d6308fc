/** All nodes as a table: sorted, searched, and of 20,000 only those in sight in the page. */

import { button, element, NameText, setAttribute, setHidden, setText } from "./dom.js";
import { copyButton, saveText } from "./export.js";
import { formatCount, plural, toCsv } from "./format.js";
import { NODE_STATES } from "./graph_looks.js";
import { VirtualList } from "./virtual_list.js";

const NODE_ROW_HEIGHT = 26;

/** A status as it fits into a narrow column; the sign says that "parser" is no good news. */
function briefStatus({ status }) {
  const { sign, brief, word } = NODE_STATES[status] ?? NODE_STATES[0];
  return `${sign} ${brief ?? word}`.trim();
}

const NODE_COLUMNS = [
  { key: "number", title: "#", text: (node) => String(node.number), order: (node) => node.number },
  { key: "name", title: "Name", text: (node) => node.name },
  { key: "operator", title: "Operator", text: (node) => node.operator },
  { key: "status", title: "Status", text: (node) => node.word, shown: briefStatus, order: (node) => node.status },
  { key: "scope", title: "Scope", text: (node) => node.scope },
  { key: "part", title: "Part", text: (node) => (node.part < 0 ? "" : String(node.part + 1)), order: (node) => node.part },
];
const nodeCollator = new Intl.Collator("en", { numeric: true });

function createNodeRow() {
  const names = NODE_COLUMNS.map(() => new NameText());
  const cells = NODE_COLUMNS.map(({ key }, place) => element("span", { role: "cell", "data-column": key }, names[place].node));
  return Object.assign(element("div", { class: "trtlab-node-row", role: "row" }, ...cells), { names });
}

export class GraphNodes {
  /** @param {(number: number) => void} onSelect */
  constructor(onSelect) {
    this.nodes = [];
    this.shown = [];
    this.statuses = [];
    this.marked = -1;
    this.sort = { key: "number", isDescending: false };
    this.list = new VirtualList({
      rowHeight: NODE_ROW_HEIGHT,
      createRow: createNodeRow,
      fillRow: (row, index) => this.fillRow(row, index),
      onActivate: (index) => (index >= 0 ? onSelect(this.shown[index].number) : this.showNode(this.marked)),
      attributes: { role: "rowgroup", "aria-label": "Nodes. Arrow keys select a node.", class: "trtlab-virtual trtlab-node-list" },
    });
    this.makeTop();
    this.makeHeads();
    this.empty = element("p", { class: "trtlab-empty", text: "No node holds this text.", hidden: true });
    this.table = element("div", { class: "trtlab-node-grid", role: "table", "aria-label": "Nodes" }, this.header, this.list.node);
    this.node = element("div", {}, this.top, this.table, this.empty);
  }

  makeTop() {
    this.search = element("input", {
      type: "search",
      class: "trtlab-input",
      placeholder: "Find a node",
      "aria-label": "Find a node by number, status, operator, name or scope",
      spellcheck: "false",
      on: { input: () => this.refresh() },
    });
    this.count = element("span", { class: "trtlab-muted", role: "status" });
    const save = button("Save CSV", { kind: "quiet", on: { click: () => saveText("nodes.csv", this.csv(), "text/csv") } });
    const spring = element("span", { class: "trtlab-spring" });
    this.top = element("div", { class: "trtlab-section-head" }, this.search, this.count, spring, copyButton("Copy CSV", () => this.csv()), save);
  }

  makeHeads() {
    this.heads = new Map();
    this.header = element("div", { class: "trtlab-node-row trtlab-node-head", role: "row" });
    for (const { key, title } of NODE_COLUMNS) {
      const arrow = element("span", { "aria-hidden": "true", class: "trtlab-sort" });
      const sorter = element("button", { type: "button", class: "trtlab-sorter", on: { click: () => this.sortBy(key) } }, title, arrow);
      const head = element("span", { role: "columnheader", "data-column": key }, sorter);
      this.heads.set(key, { head, arrow });
      this.header.append(head);
    }
  }

  /** @param {object} graph @param {object} status the traits */
  update(graph, status) {
    if (graph === this.graph && status === this.status) return;
    Object.assign(this, { graph, status });
    const { nodes, operators = [], scopes = [] } = graph;
    const count = nodes?.name?.length ?? 0;
    const states = status.of ?? [];
    const parts = status.partitions ?? [];
    this.nodes = Array.from({ length: count }, (_, number) => ({
      number,
      status: states[number] ?? 0,
      word: (NODE_STATES[states[number]] ?? NODE_STATES[0]).word,
      operator: operators[nodes.operator[number]] ?? "",
      name: nodes.name[number],
      scope: scopes[nodes.scope[number]]?.path ?? "",
      part: parts[number] ?? -1,
    }));
    this.refresh();
  }

  /** @param {number[]} statuses list only nodes with one of these; [] for all */
  filterStatus(statuses) {
    this.statuses = statuses;
    this.refresh();
  }

  /** Mark a node's row, and bring it into sight. */
  showNode(number) {
    this.marked = number;
    this.list.active = this.shown.findIndex((node) => node.number === number);
    if (this.list.active >= 0) this.list.scrollToIndex(this.list.active);
    this.list.draw();
  }

  sortBy(key) {
    this.sort = { key, isDescending: this.sort.key === key && !this.sort.isDescending };
    this.refresh();
  }

  refresh() {
    const needle = this.search.value.toLowerCase();
    const holds = (node) => NODE_COLUMNS.some(({ text }) => text(node).toLowerCase().includes(needle));
    const { statuses } = this;
    const kept = statuses.length ? this.nodes.filter(({ status }) => statuses.includes(status)) : this.nodes;
    this.shown = needle ? kept.filter(holds) : [...kept];
    const { key, isDescending } = this.sort;
    const { text, order } = NODE_COLUMNS.find((column) => column.key === key);
    const compare = order ? (a, b) => order(a) - order(b) : (a, b) => nodeCollator.compare(text(a), text(b));
    if (key !== "number" || isDescending) this.shown.sort((a, b) => (isDescending ? compare(b, a) : compare(a, b)));
    for (const [name, { head, arrow }] of this.heads) {
      const direction = name !== key ? "none" : isDescending ? "descending" : "ascending";
      setAttribute(head, "aria-sort", direction);
      setText(arrow, { none: "", ascending: " ↑", descending: " ↓" }[direction]);
    }
    const all = plural(this.nodes.length, "node");
    setText(this.count, this.shown.length < this.nodes.length ? `${formatCount(this.shown.length)} of ${all}` : all);
    setHidden(this.empty, this.shown.length > 0 || !this.nodes.length);
    setAttribute(this.table, "aria-rowcount", this.shown.length + 1);
    setAttribute(this.table, "data-has-scopes", (this.graph?.scopes?.length ?? 0) > 1);
    setAttribute(this.table, "data-has-parts", (this.status?.partitions?.length ?? 0) > 0);
    this.list.setCount(this.shown.length);
    this.list.active = this.shown.findIndex((node) => node.number === this.marked);
    this.list.draw();
  }

  fillRow(row, index) {
    const node = this.shown[index];
    setAttribute(row, "aria-rowindex", index + 2);
    setAttribute(row, "data-state", NODE_STATES[node.status]?.state ?? null);
    NODE_COLUMNS.forEach(({ text, shown = text }, place) => row.names[place].update(shown(node)));
  }

  /** The rows shown, in the order shown. */
  csv() {
    return toCsv([NODE_COLUMNS.map(({ key }) => key), ...this.shown.map((node) => NODE_COLUMNS.map(({ text }) => text(node)))]);
  }

  destroy() {
    this.list.destroy();
  }
}
