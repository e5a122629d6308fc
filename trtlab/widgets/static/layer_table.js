/** The engine's layers: sorted, searched, and of 20,000 only those in sight in the page. */

import { button, element, NameText, setAttribute, setHidden, setText } from "./dom.js";
import { copyButton, saveText } from "./export.js";
import { formatCount, plural, toCsv } from "./format.js";
import { VirtualList } from "./virtual_list.js";

const LAYER_ROW_HEIGHT = 26;

const COLUMNS = [
  { key: "index", title: "#", text: (layer) => String(layer.index), order: (layer) => layer.index },
  { key: "name", title: "Layer", text: (layer) => layer.name },
  { key: "type", title: "Type", text: (layer) => layer.type },
  {
    key: "onnx_nodes",
    title: "ONNX nodes",
    text: (layer) => layer.onnx_nodes.join(", "),
    order: (layer) => layer.onnx_nodes.length,
  },
  { key: "inputs", title: "Inputs", text: (layer) => layer.inputs },
  { key: "outputs", title: "Outputs", text: (layer) => layer.outputs },
];

const collator = new Intl.Collator("en", { numeric: true });

function createLayerRow() {
  const names = COLUMNS.map(() => new NameText());
  const cells = COLUMNS.map(({ key }, place) =>
    element("span", { role: "cell", "data-column": key }, names[place].node),
  );
  const row = element("div", { class: "trtlab-layer-row", role: "row" }, ...cells);
  row.names = names;
  return row;
}

export class LayerTable {
  constructor() {
    this.layers = [];
    this.shown = [];
    this.sort = { key: "index", isDescending: false };
    this.list = new VirtualList({
      rowHeight: LAYER_ROW_HEIGHT,
      createRow: createLayerRow,
      fillRow: (row, index) => this.fillRow(row, index),
      onActivate: (index) => this.showDetail(index),
      attributes: { role: "rowgroup", "aria-label": "Layers. Arrow keys select a layer." },
    });
    this.makeHead();
    this.source = element("p", { class: "trtlab-muted trtlab-section-note" });
    this.empty = element("div", { class: "trtlab-empty", hidden: true, text: "No layer holds this text." });
    this.table = element(
      "div",
      { class: "trtlab-layers", role: "table", "aria-label": "Layers" },
      this.header,
      this.list.node,
    );
    this.node = element(
      "section",
      { class: "trtlab-section", "aria-label": "Layers" },
      this.makeTop(),
      this.source,
      this.table,
      this.empty,
      this.makeDetail(),
    );
  }

  makeTop() {
    this.search = element("input", {
      type: "search",
      class: "trtlab-input",
      placeholder: "Find a layer, node or tensor",
      spellcheck: "false",
      "aria-label": "Find a layer, node or tensor",
      on: { input: () => this.refresh() },
    });
    this.count = element("span", { class: "trtlab-muted", role: "status" });
    return element(
      "div",
      { class: "trtlab-section-head" },
      element("h4", { text: "Layers" }),
      this.count,
      element("span", { class: "trtlab-spring" }),
      this.search,
      element(
        "div",
        { class: "trtlab-actions" },
        copyButton("Copy CSV", () => this.csv()),
        button("Save CSV", { kind: "quiet", on: { click: () => saveText("layers.csv", this.csv(), "text/csv") } }),
      ),
    );
  }

  makeHead() {
    this.heads = new Map();
    this.header = element("div", { class: "trtlab-layer-row trtlab-layer-head", role: "row" });
    for (const { key, title } of COLUMNS) {
      const arrow = element("span", { "aria-hidden": "true", class: "trtlab-sort" });
      const sorter = element(
        "button",
        { type: "button", class: "trtlab-sorter", on: { click: () => this.sortBy(key) } },
        title,
        arrow,
      );
      const cell = element("span", { role: "columnheader", "data-column": key }, sorter);
      this.heads.set(key, { cell, arrow });
      this.header.append(cell);
    }
  }

  makeDetail() {
    this.detailText = element("dl", { class: "trtlab-facts" });
    const copy = copyButton("Copy", () => this.detailLayer.map(([title, text]) => `${title}: ${text}`).join("\n"));
    const close = button("Close", { kind: "quiet", on: { click: () => this.list.activate(-1) } });
    this.detail = element(
      "div",
      { class: "trtlab-detail", "aria-live": "polite", hidden: true },
      element(
        "div",
        { class: "trtlab-detail-head" },
        element("span", { class: "trtlab-muted", text: "Layer" }),
        copy,
        close,
      ),
      this.detailText,
    );
    return this.detail;
  }

  /** @param {{source: string, rows: object[]}} layers */
  update({ source, rows }) {
    this.layers = rows;
    setText(this.source, source);
    setHidden(this.node, rows.length === 0);
    this.refresh();
  }

  sortBy(key) {
    this.sort = { key, isDescending: this.sort.key === key && !this.sort.isDescending };
    this.refresh();
  }

  refresh() {
    const needle = this.search.value.toLowerCase();
    const holds = (layer) => COLUMNS.some(({ text }) => text(layer).toLowerCase().includes(needle));
    this.shown = needle ? this.layers.filter(holds) : [...this.layers];
    const { key, isDescending } = this.sort;
    const { text, order } = COLUMNS.find((column) => column.key === key);
    const compare = order ? (a, b) => order(a) - order(b) : (a, b) => collator.compare(text(a), text(b));
    this.shown.sort((a, b) => (isDescending ? compare(b, a) : compare(a, b)));
    for (const [name, { cell, arrow }] of this.heads) {
      const direction = name !== key ? "none" : isDescending ? "descending" : "ascending";
      setAttribute(cell, "aria-sort", direction);
      setText(arrow, { none: "", ascending: " ↑", descending: " ↓" }[direction]);
    }
    const all = plural(this.layers.length, "layer");
    setText(this.count, needle ? `${formatCount(this.shown.length)} of ${all}` : all);
    setHidden(this.empty, this.shown.length > 0);
    setAttribute(this.table, "aria-rowcount", this.shown.length + 1);
    this.list.activate(-1);
    this.list.setCount(this.shown.length);
    this.list.draw();
  }

  fillRow(row, index) {
    const layer = this.shown[index];
    setAttribute(row, "aria-rowindex", index + 2);
    COLUMNS.forEach(({ text }, place) => row.names[place].update(text(layer)));
  }

  showDetail(index) {
    const layer = this.shown[index];
    setHidden(this.detail, !layer);
    if (!layer) return;
    this.detailLayer = COLUMNS.map(({ title, text }) => [title === "#" ? "Index" : title, text(layer)]);
    this.detailText.replaceChildren(
      ...this.detailLayer.flatMap(([title, text]) => [
        element("dt", { text: title }),
        element("dd", { text: text || "–" }),
      ]),
    );
  }

  /** The rows shown, in the order shown. */
  csv() {
    return toCsv([COLUMNS.map(({ key }) => key), ...this.shown.map((layer) => COLUMNS.map(({ text }) => text(layer)))]);
  }

  destroy() {
    this.list.destroy();
  }
}
