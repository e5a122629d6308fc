/** Above the graph: search, counts that filter, what is around a node, ways between two, and taking pictures. */

import { button, element, KeyedList, sameValue, setAttribute, setHidden, setText } from "./dom.js";
import { copyButton, saveText } from "./export.js";
import { setAvailability } from "./field.js";
import { formatCount, shortenMiddle } from "./format.js";
import { NODE_STATES } from "./graph_looks.js";

const STEP_CHOICES = [1, 2, 3, 4, 5];
const PATH_HELP = "Mark a shortest path between the two selected nodes";

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
    const gone = [...this.pressed].filter((status) => !counts.some((item) => item.status === status));
    for (const status of gone) this.pressed.delete(status);
    this.list.update(counts);
    if (gone.length) this.onFilter([...this.pressed]);
  }

  toggle(status) {
    if (!this.pressed.delete(status)) this.pressed.add(status);
    this.list.update(this.counts);
    this.onFilter([...this.pressed]);
  }
}

/** Shows what the kernel sends over the graph, or leaves it away. Hidden where there is nothing. */
class LayerToggle {
  constructor(onShow) {
    this.onShow = onShow;
    this.values = {};
    this.isEmpty = true;
    this.node = button("", { kind: "quiet", class: "trtlab-button trtlab-quiet trtlab-layer-toggle", "aria-pressed": "true", hidden: true, on: { click: () => this.toggle() } });
  }

  /** @param {object} values {} for nothing @param {string} label @param {string} help */
  update(values, label, help) {
    this.values = values;
    setHidden(this.node, Object.keys(values).length === 0);
    setText(this.node, label);
    setAttribute(this.node, "data-tip", help);
    this.show();
  }

  toggle() {
    setAttribute(this.node, "aria-pressed", String(this.node.getAttribute("aria-pressed") !== "true"));
    this.show();
  }

  show() {
    const shown = this.node.getAttribute("aria-pressed") === "true" ? this.values : {};
    const isEmpty = Object.keys(shown).length === 0;
    if (!isEmpty || !this.isEmpty) this.onShow(shown);
    this.isEmpty = isEmpty;
  }
}

export class GraphToolbar {
  /**
   * @param {import("./graph_canvas.js").GraphCanvas} canvas
   * @param {{onSelect(numbers: number[]): void, onFilter(statuses: number[]): void, python(): string}} actions
   */
  constructor(canvas, { onSelect, onFilter, python }) {
    Object.assign(this, { canvas, onSelect, selected: [], hits: [], at: -1 });
    this.filters = new StatusFilters((statuses) => {
      canvas.filterStatus(statuses);
      onFilter(statuses);
    });
    this.overlay = new LayerToggle((values) => canvas.setOverlay(values));
    this.engine = new LayerToggle((layers) => canvas.setEngine(layers));
    this.makeSearch();
    this.makeAround();
    const svg = button("SVG", { kind: "quiet", "data-tip": "Save the graph as a drawing", on: { click: () => saveText("graph.svg", canvas.svg(), "image/svg+xml") } });
    const png = button("PNG", { kind: "quiet", "data-tip": "Save the graph as a picture", on: { click: () => this.savePng() } });
    const code = copyButton("As Python", python);
    const actions = element("div", { class: "trtlab-actions" }, svg, png, code);
    this.partition = element("p", { class: "trtlab-muted trtlab-partition" });
    const spring = element("span", { class: "trtlab-spring" });
    const second = element("div", { class: "trtlab-toolbar" }, this.searching, this.around, this.between, this.overlay.node, this.engine.node, spring, actions);
    this.node = element("div", { class: "trtlab-graph-tools" }, this.filters.node, this.partition, second);
  }

  makeSearch() {
    this.search = element("input", {
      type: "search",
      class: "trtlab-input",
      placeholder: "Find in the graph",
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
    // It acts and is empty again: what is shown, and the way back to all, stand above the graph.
    this.around = element("select", { class: "trtlab-input", "aria-label": "Show only what is around the selection", on: { change: () => this.showAround() } });
    this.around.append(element("option", { value: "", text: "Around …" }));
    for (const steps of STEP_CHOICES) this.around.append(element("option", { value: String(steps), text: steps === 1 ? "1 step" : `${steps} steps` }));
    this.between = button("Path", {
      kind: "quiet",
      "data-tip": PATH_HELP,
      on: { click: () => this.showPath() },
    });
  }

  updateLayers(overlay, engine) {
    this.overlay.update(overlay, shortenMiddle(overlay.name ?? "", 24), `Numbers on the nodes: ${overlay.name}${overlay.source ? `, ${overlay.source}` : ""}`);
    this.engine.update(engine, "Engine layers", `Which nodes were fused into which layer: ${engine.source}`);
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
    setAvailability(this.around, { enabled: numbers.length > 0, reason: "Select a node first." }, "Show only what is around the selection");
    const reason = "Select two nodes: click one, then another with Shift.";
    setAvailability(this.between, { enabled: numbers.length === 2, reason }, PATH_HELP);
  }

  /** Another graph is shown: what was asked of the one before is asked of it too. */
  restart() {
    this.canvas.filterStatus([...this.filters.pressed]);
    if (this.search.value) this.find();
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
    if (this.around.value) this.canvas.neighbourhood(this.selected, Number(this.around.value));
    this.around.value = "";
  }

  showPath() {
    const [from, to] = this.selected;
    const nodes = this.canvas.path(from, to);
    setText(this.between, nodes.length ? `Path: ${formatCount(nodes.length)} nodes` : "No path between them");
    setTimeout(() => setText(this.between, "Path"), 3000);
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
