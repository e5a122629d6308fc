/** Above the graph: search, counts that filter, what is around a node, ways between two, and taking pictures. */

import { button, element, KeyedList, sameValue, setAttribute, setHidden, setText } from "./dom.js";
import { copyButton, saveText } from "./export.js";
import { formatCount } from "./format.js";
import { NODE_STATES } from "./graph_looks.js";

const STEP_CHOICES = [1, 2, 3, 5, 8];

/** How many nodes have each status; each can be pressed to show only these clearly. */
class StatusFilters {
  constructor(onFilter) {
    this.onFilter = onFilter;
    this.pressed = new Set();
    this.node = element("div", { class: "trtlab-filters", role: "group", "aria-label": "Show only nodes that are" });
    this.list = new KeyedList(this.node, {
      key: ({ status }) => String(status),
      create: ({ status }) => {
        const count = element("strong");
        const sign = element("span", { class: "trtlab-icon", "aria-hidden": "true", text: NODE_STATES[status].sign || "○" });
        const node = button("", { kind: "quiet", "data-state": NODE_STATES[status].state, "data-status": status, on: { click: () => this.toggle(status) } });
        const word = element("span");
        node.append(sign, " ", count, " ", word);
        return { node, update: (item) => (setText(count, formatCount(item.count)), setText(word, item.word), setAttribute(node, "aria-pressed", String(this.pressed.has(status)))) };
      },
    });
  }

  update(counts) {
    this.counts = counts;
    for (const status of this.pressed) if (!counts.some((item) => item.status === status)) this.pressed.delete(status);
    this.list.update(counts);
  }

  toggle(status) {
    if (!this.pressed.delete(status)) this.pressed.add(status);
    this.list.update(this.counts);
    this.onFilter([...this.pressed]);
  }
}

export class GraphToolbar {
  /** @param {import("./graph_canvas.js").GraphCanvas} canvas @param {{onSelect(numbers: number[]): void, python(): string}} actions */
  constructor(canvas, { onSelect, python }) {
    Object.assign(this, { canvas, onSelect, selected: [], hits: [], at: -1 });
    this.filters = new StatusFilters((statuses) => canvas.filterStatus(statuses));
    this.makeSearch();
    this.makeAround();
    const svg = button("SVG", { kind: "quiet", "data-tip": "Save the graph as a drawing", on: { click: () => saveText("graph.svg", canvas.svg(), "image/svg+xml") } });
    const png = button("PNG", { kind: "quiet", "data-tip": "Save the graph as a picture", on: { click: () => this.savePng() } });
    const code = copyButton("As Python", python);
    this.partition = element("p", { class: "trtlab-muted trtlab-partition" });
    const spring = element("span", { class: "trtlab-spring" });
    const second = element("div", { class: "trtlab-toolbar" }, this.searching, this.around, this.between, spring, svg, png, code);
    this.node = element("div", { class: "trtlab-graph-tools" }, this.filters.node, this.partition, second);
  }

  makeSearch() {
    this.search = element("input", {
      type: "search",
      class: "trtlab-input",
      placeholder: "Find a node, operator or tensor",
      "aria-label": "Find nodes by name, operator or tensor; a text between slashes is a pattern",
      spellcheck: "false",
      on: {
        input: () => this.find(),
        keydown: (event) => {
          if (event.key !== "Enter") return;
          event.preventDefault();
          this.step(event.shiftKey ? -1 : 1);
        },
      },
    });
    this.count = element("span", { class: "trtlab-match-count", role: "status" });
    const step = (label, name, by) => button(label, { kind: "quiet", "aria-label": name, "data-tip": name, on: { click: () => this.step(by) } });
    this.steps = element("span", { hidden: true }, step("↑", "Previous hit (Shift+Enter)", -1), step("↓", "Next hit (Enter)", 1));
    this.searching = element("div", { class: "trtlab-search" }, this.search, this.count, this.steps);
  }

  makeAround() {
    this.radius = element("select", { class: "trtlab-input", "aria-label": "How far around the selection", on: { change: () => this.showAround() } });
    this.radius.append(element("option", { value: "0", text: "whole graph" }));
    for (const steps of STEP_CHOICES) this.radius.append(element("option", { value: String(steps), text: `${steps} around` }));
    this.around = this.radius;
    this.between = button("Path between", {
      kind: "quiet",
      "data-tip": "Mark a shortest path between two selected nodes (shift-click selects a second one)",
      on: { click: () => this.showPath() },
    });
  }

  update(view) {
    if (!sameValue(view.counts, this.counts)) {
      this.counts = view.counts;
      this.filters.update(view.counts);
    }
    setText(this.partition, view.partition_text);
    setHidden(this.partition, !view.partition_text);
  }

  select(numbers) {
    this.selected = numbers;
    setHidden(this.between, numbers.length !== 2);
    setAttribute(this.radius, "disabled", numbers.length === 0 && this.radius.value === "0");
  }

  find() {
    const text = this.search.value;
    this.hits = text ? this.canvas.search(text) : (this.canvas.search(""), []);
    this.at = -1;
    setText(this.count, text ? `${formatCount(this.hits.length)} found` : "");
    setHidden(this.steps, this.hits.length === 0);
  }

  step(by) {
    if (!this.hits.length) return;
    this.at = (this.at + by + this.hits.length) % this.hits.length;
    setText(this.count, `${formatCount(this.at + 1)} of ${formatCount(this.hits.length)}`);
    this.onSelect([this.hits[this.at]]);
  }

  showAround() {
    this.canvas.neighbourhood(this.selected, Number(this.radius.value));
    this.select(this.selected);
  }

  showPath() {
    const [from, to] = this.selected;
    const found = this.canvas.path(from, to);
    const nodes = found.length ? found : this.canvas.path(to, from);
    setText(this.between, nodes.length ? `Path: ${formatCount(nodes.length)} nodes` : "No path between them");
    setTimeout(() => setText(this.between, "Path between"), 3000);
  }

  async savePng() {
    const url = URL.createObjectURL(await this.canvas.png(2));
    const link = element("a", { href: url, download: "graph.png" });
    document.body.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(url), 10_000);
  }
}
