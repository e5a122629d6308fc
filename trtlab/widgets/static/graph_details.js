/** What is known of one node: attributes, what it reads and makes, its card, and cutting it out. */

import { CARD_WORDS, DiagnosisCard } from "./diagnosis_card.js";
import { button, element, NameText, setHidden, setText } from "./dom.js";
import { copyButton } from "./export.js";
import { setAvailability } from "./field.js";
import { formatCount, plural, shortenMiddle } from "./format.js";
import { NODE_STATES, isProblem } from "./graph_looks.js";

const LONGEST_SHOWN = 160;
const MOST_READERS = 8;
const REDUCE_HELP = "Find and save the smallest model in which TensorRT still refuses this node";

function cell(text, properties = {}) {
  const isLong = text.length > LONGEST_SHOWN;
  return element("td", { text: shortenMiddle(text, LONGEST_SHOWN), title: isLong ? text.slice(0, 4000) : null, ...properties });
}

/** What a node reads or makes: role, name and type in one line each, for there is no room for them side by side. */
function tensorList(title, rows) {
  if (!rows.length) return null;
  return element("section", {}, element("h4", { text: title }), element("ul", { class: "trtlab-tensors" }, ...rows));
}

function tensorRow({ name, type, parsed, role }, source) {
  const shown = new NameText();
  shown.update(name);
  const head = element("div", { class: "trtlab-tensor-head" }, role ? element("span", { class: "trtlab-muted", text: role }) : null, shown.node);
  const types = [parsed || type, parsed && type && parsed !== type ? `in the model: ${type}` : ""].filter(Boolean);
  return element("li", {}, head, ...types.map((text) => element("div", { class: "trtlab-tensor-type", text: shortenMiddle(text, LONGEST_SHOWN) })), source);
}

function detailsTable(title, heads, rows) {
  if (!rows.length) return null;
  const head = element("tr", {}, ...heads.map((text) => element("th", { scope: "col", text })));
  const table = element("table", { class: "trtlab-node-table" }, element("thead", {}, head), element("tbody", {}, ...rows));
  return element("section", {}, element("h4", { text: title }), element("div", { class: "trtlab-node-scroll" }, table));
}

export class GraphDetails {
  /** @param {{send(message: object): void, onSelect(number: number): void, nameOf(number: number): string, onFind(name: string): void}} actions */
  constructor({ send, onSelect, nameOf, onFind }) {
    Object.assign(this, { send, onSelect, nameOf });
    this.numbers = [];
    this.shown = -1;
    this.empty = element("p", { class: "trtlab-empty", text: "Select a node in the graph or in a list: its attributes, inputs and outputs appear here." });
    this.title = element("div", { class: "trtlab-node-title" });
    this.place = element("p", { class: "trtlab-muted" });
    this.card = new DiagnosisCard({ onFind }, { ...CARD_WORDS, find: "Show in the graph" });
    this.tables = element("div", { class: "trtlab-node-tables" });
    this.makeCutting();
    this.body = element("div", { class: "trtlab-node" }, this.title, this.place, this.card.node, this.cutting, this.tables);
    this.node = element("div", {}, this.empty, this.body);
    setHidden(this.body, true);
  }

  makeCutting() {
    this.path = element("input", {
      type: "text",
      class: "trtlab-input trtlab-cut-path",
      placeholder: "file name (optional)",
      "aria-label": "Where the smaller model is saved",
      spellcheck: "false",
    });
    this.cut = button("Cut out as a model", {
      "data-tip": "Save the selected nodes as a model of their own; what they read becomes its inputs",
      on: { click: () => this.send({ command: "cut", nodes: this.numbers, path: this.path.value }) },
    });
    this.reduce = button("Smallest failing model", {
      "data-tip": REDUCE_HELP,
      on: { click: () => this.send({ command: "reduce", node: this.numbers[0], path: this.path.value }) },
    });
    this.saved = element("pre", { class: "trtlab-code trtlab-cut-saved", role: "status", hidden: true });
    this.cutting = element("div", { class: "trtlab-cutting" }, this.cut, this.reduce, this.path, this.saved);
  }

  /** What is known of the nodes has changed. */
  refresh() {
    if (this.numbers.length) this.send({ command: "details", node: this.numbers[0] });
  }

  /** Other nodes are selected; their details come in a message, which may take as long as a check that runs. */
  select(numbers) {
    const isSame = numbers.length === this.numbers.length && numbers.every((number, at) => number === this.numbers[at]);
    this.numbers = numbers;
    setHidden(this.empty, numbers.length > 0);
    setHidden(this.body, numbers.length === 0);
    if (isSame || !numbers.length) return;
    setHidden(this.saved, true);
    setText(this.cut, numbers.length > 1 ? `Cut out ${plural(numbers.length, "node")} as a model` : "Cut out as a model");
    if (numbers[0] !== this.shown) this.showWaiting(numbers[0]);
    this.refresh();
  }

  /** Nothing of another node may stand below this one's name. */
  showWaiting(number) {
    this.shown = -1;
    this.title.replaceChildren(element("strong", { class: "trtlab-node-name", text: shortenMiddle(this.nameOf(number), LONGEST_SHOWN) }));
    setText(this.place, "Its attributes, inputs and outputs are being read; while a check runs, they come after it.");
    setHidden(this.card.node, true);
    setAvailability(this.reduce, { enabled: false, reason: "Its details are being read." });
    this.tables.replaceChildren();
  }

  receive(number, details) {
    if (number !== this.numbers[0]) return;
    this.shown = number;
    const state = NODE_STATES[details.status] ?? NODE_STATES[0];
    this.title.replaceChildren(
      element("strong", { text: details.operator }),
      " ",
      element("span", { class: "trtlab-node-name", text: details.title }),
      " ",
      copyButton("Copy name", () => details.title, { kind: "link" }),
    );
    const more = this.numbers.length > 1 ? `; ${plural(this.numbers.length - 1, "more node")} selected` : "";
    const scope = details.scope ? ` in ${details.scope}` : "";
    setText(this.place, `${state.word}; node ${number}, number ${details.index}${scope}${more}`);
    setHidden(this.card.node, !details.card);
    if (details.card) this.card.update(details.card);
    const isRefused = isProblem(details.status) && details.status !== 4;
    setAvailability(this.reduce, { enabled: isRefused, reason: "TensorRT does not refuse this node." }, REDUCE_HELP);
    this.tables.replaceChildren(...[this.inputs(details), this.outputs(details), this.attributes(details), this.doc(details)].filter(Boolean));
  }

  link(number) {
    const name = this.nameOf(number);
    return element("button", {
      type: "button",
      class: "trtlab-button trtlab-link",
      text: shortenMiddle(name, 48),
      title: name.length > 48 ? name.slice(0, 1000) : null,
      on: { click: () => this.onSelect(number) },
    });
  }

  inputs({ inputs }) {
    const rows = inputs.map((input) => {
      const source = element("div", { class: "trtlab-muted" });
      if (input.constant) source.append(`constant ${input.constant}`);
      else if (input.made_by >= 0) source.append("made by ", this.link(input.made_by));
      return tensorRow(input, source);
    });
    return tensorList("Inputs", rows);
  }

  outputs({ outputs }) {
    const rows = outputs.map((output) => {
      const readers = element("div", { class: "trtlab-muted" });
      if (output.read_by.length) readers.append("read by ");
      output.read_by.slice(0, MOST_READERS).forEach((number, at) => readers.append(at ? ", " : "", this.link(number)));
      const more = output.read_by.length - MOST_READERS;
      if (more > 0) readers.append(`, and ${formatCount(more)} more`);
      return tensorRow(output, readers);
    });
    return tensorList("Outputs", rows);
  }

  attributes({ attributes }) {
    const rows = attributes.map(([name, type, text]) => element("tr", {}, cell(name), cell(type), cell(text)));
    return detailsTable("Attributes", ["Name", "Type", "Value"], rows);
  }

  doc({ doc }) {
    return doc ? element("section", {}, element("h4", { text: "Note in the model" }), element("p", { text: doc.slice(0, 4000) })) : null;
  }

  showSaved(text) {
    setText(this.saved, text);
    setHidden(this.saved, false);
  }
}
