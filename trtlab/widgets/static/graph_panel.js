/**
 * The page side of trtlab.widgets.GraphPanel. GRAPH_CONTRACT.md says what the kernel sends and what this sends back.
 *
 * The page keeps nothing that matters: all comes from synced traits, so that a reload or a second view shows the same.
 */

import { CardStack } from "./card_stack.js";
import { KernelClock } from "./clock.js";
import { element, sameValue } from "./dom.js";
import { blockDisabledControls } from "./field.js";
import { formatCount } from "./format.js";
import { GraphCanvas } from "./graph_canvas.js";
import { GraphDetails } from "./graph_details.js";
import { GraphHeader } from "./graph_header.js";
import { GraphNodes } from "./graph_nodes.js";
import { pictureSender } from "./graph_still.js";
import { GraphProblems } from "./graph_problems.js";
import { GraphReleases } from "./graph_releases.js";
import { GraphToolbar } from "./graph_toolbar.js";
import { keepKeysInside } from "./keyboard.js";
import { Tabs } from "./tabs.js";
import { installTooltip } from "./tooltip.js";

const NO_GRAPH_BUTTON = { enabled: false, label: "", reason: "" };
const EMPTY_GRAPH_VIEW = {
  headline: { state: "waiting", text: "" },
  started: null,
  progress: "",
  depth: "",
  buttons: { quick: NO_GRAPH_BUTTON, full: NO_GRAPH_BUTTON, cancel: NO_GRAPH_BUTTON, netron: NO_GRAPH_BUTTON },
  models: [],
  model: "",
  model_lines: [],
  flavour: "",
  counts: [],
  findings: [],
  partition_text: "",
  releases: {},
  note: "",
  netron: "",
  python: "",
};
const NO_FINDINGS = "Nothing in the file itself speaks against TensorRT. What the parser says stands under Problems.";

function emptyText({ model, depth, started, headline }) {
  if (!model) return "No model is open. Choose one above.";
  if (started) return "A check is running. The problems stand here as soon as it has ended.";
  if (headline.state === "failed" && !depth) return "Nothing could be checked; the line at the top says why.";
  if (depth === "full") return "No problems: the parser takes every node, and the builder makes an engine.";
  if (depth === "quick") return "No problems: the parser takes every node. Full check asks the builder too.";
  return "Not checked yet. Quick check asks the parser about every node.";
}

class GraphPage {
  constructor(model) {
    this.model = model;
    this.frame = 0;
    this.view = EMPTY_GRAPH_VIEW;
    this.problems = null;
    const send = (message) => model.send(message);
    const select = (numbers) => this.choose(numbers);
    this.clock = new KernelClock();
    this.header = new GraphHeader({ send, onNetron: () => this.openNetron() }, this.clock);
    this.canvas = new GraphCanvas({
      onSelect: (numbers) => this.choose(numbers, { isInGraph: true }),
      onOpen: () => this.tabs.select("node"),
      onNextProblem: (isBackward) => this.nextProblem(isBackward ? -1 : 1),
      onSearch: () => this.toolbar.search.focus(),
    });
    this.toolbar = new GraphToolbar(this.canvas, {
      onSelect: select,
      onFilter: (statuses) => this.filter(statuses),
      python: () => this.view.python,
    });
    const find = (name) => this.find(name);
    this.list = new GraphProblems({ onChoose: ({ node }) => node >= 0 && select([node]), onFind: find });
    this.details = new GraphDetails({ send, onSelect: (number) => select([number]), nameOf: (number) => this.nameOf(number), onFind: find });
    this.nodes = new GraphNodes((number) => select([number]));
    this.findings = new CardStack({ onFind: find });
    this.releases = new GraphReleases();
    this.tabs = new Tabs(
      [
        { name: "problems", title: "Problems", panel: this.list.node },
        { name: "node", title: "Details", panel: this.details.node },
        { name: "nodes", title: "Nodes", panel: this.nodes.node },
        { name: "findings", title: "File", panel: this.findings.node },
        { name: "releases", title: "Releases", panel: this.releases.node },
      ],
      "Parts of the check",
    );
    const left = element("div", { class: "trtlab-graph-left" }, this.toolbar.node, this.canvas.node);
    const right = element("div", { class: "trtlab-graph-right" }, this.tabs.list, this.tabs.node);
    const body = element("div", { class: "trtlab-graph-body" }, left, right);
    this.node = element("div", { class: "trtlab trtlab-graph-panel", role: "region", "aria-label": "ONNX graph and TensorRT" }, this.header.node, body);
    this.node.addEventListener("keydown", (event) => this.press(event));
    blockDisabledControls(this.node);
    this.hideTooltip = installTooltip(this.node);
    this.releaseKeys = keepKeysInside(this.node);
    this.picture = pictureSender(model, this.canvas);
  }

  // What the kernel says

  readGraph() {
    this.canvas.setGraph(this.model.get("graph") ?? {});
    // A new graph has no marks yet, and what marks it may have come before it.
    this.readStatus();
    this.readLayers();
    this.toolbar.restart();
    this.readSelected();
  }

  readLayers() {
    this.toolbar.updateLayers(this.model.get("overlay") ?? {}, this.model.get("engine") ?? {});
    this.picture.ask();
  }

  readStatus() {
    const status = this.model.get("status") ?? {};
    this.canvas.setStatus(status);
    this.nodes.update(this.model.get("graph") ?? {}, status);
    const problems = status.problems ?? [];
    const isNew = !sameValue(problems, this.problems);
    if (isNew) this.problems = problems;
    this.read();
    if (isNew && problems.length) this.showFirst = true;
    this.details.refresh();
    this.picture.ask();
  }

  readSelected() {
    const numbers = this.model.get("selected") ?? [];
    if (!sameValue(numbers, [...this.canvas.scene.selection])) this.canvas.select(numbers, { center: true });
    this.showSelected(numbers);
  }

  /** Take over the view; `isFresh` when it came as a change just now. */
  read(isFresh = false) {
    this.view = { ...EMPTY_GRAPH_VIEW, ...this.model.get("view") };
    this.view.buttons = { ...EMPTY_GRAPH_VIEW.buttons, ...this.view.buttons };
    const { started } = this.view;
    this.clock.learn({ progress: started ? { started, last_sign: started } : null, steps: [] }, isFresh);
    // Several changes before the next frame are drawn once.
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      this.draw();
    });
  }

  draw() {
    const { view } = this;
    this.header.update(view);
    this.toolbar.update(view);
    this.list.update(this.problems ?? [], emptyText(view));
    this.findings.update(view.findings, view.depth ? NO_FINDINGS : "A check says what is known from the file alone.");
    this.releases.update(view.releases);
    const problems = this.problems?.length ?? 0;
    this.tabs.setNote("problems", problems ? `✕ ${formatCount(problems)}` : view.depth ? "✓ none" : "", problems ? "failed" : "");
    const warnings = view.findings.filter((card) => card.state !== "info").length;
    this.tabs.setNote("findings", warnings ? `▲ ${formatCount(warnings)}` : "", warnings ? "warning" : "");
    if (!this.showFirst) return;
    this.showFirst = false;
    const selected = this.model.get("selected") ?? [];
    if (!selected.length) this.nextProblem(1);
    else this.list.showNode(selected[0]);
  }

  receive(message) {
    if (message?.type === "details") this.details.receive(message.node, message.details);
    else if (message?.type === "saved") this.details.showSaved(message.text);
    else if (message?.type === "reveal") this.choose(message.nodes);
  }

  // What a person does

  /** Select nodes, here and in the kernel. */
  choose(numbers, { isInGraph = false } = {}) {
    if (!isInGraph) this.canvas.select(numbers, { center: true });
    this.model.set("selected", numbers);
    this.model.save_changes();
    this.showSelected(numbers);
    if (isInGraph && numbers.length && this.tabs.selected !== "problems") this.tabs.select("node");
    if (isInGraph && numbers.length === 1 && !this.hasProblem(numbers[0])) this.tabs.select("node");
  }

  hasProblem(number) {
    return (this.problems ?? []).some((problem) => problem.node === number);
  }

  showSelected(numbers) {
    this.details.select(numbers);
    this.toolbar.select(numbers);
    if (numbers.length) this.list.showNode(numbers[0]);
    this.nodes.showNode(numbers[0] ?? -1);
  }

  /** List only what has one of these statuses, and what belongs to no node; [] for all. */
  filter(statuses) {
    const stateOf = (node) => this.model.get("status")?.of?.[node];
    this.list.filter(({ node }) => !statuses.length || node < 0 || statuses.includes(stateOf(node)));
    this.nodes.filterStatus(statuses);
  }

  /** N goes to the next problem from anywhere but a text. */
  press(event) {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.key.toLowerCase() !== "n") return;
    if (event.target.closest("input, select, textarea")) return;
    event.preventDefault();
    this.nextProblem(event.shiftKey ? -1 : 1);
  }

  nextProblem(by) {
    this.tabs.select("problems");
    this.list.step(by);
  }

  /** Select the node of a name that a card quotes. */
  find(name) {
    const names = this.model.get("graph")?.nodes?.name ?? [];
    const number = names.indexOf(name);
    if (number >= 0) this.choose([number]);
    else if (/^#\d+$/.test(name)) this.choose([Number(name.slice(1))]);
    else {
      this.toolbar.search.value = name;
      this.toolbar.find();
      this.toolbar.step(1);
    }
  }

  nameOf(number) {
    const { nodes, operators } = this.model.get("graph") ?? {};
    return nodes?.name?.[number] || `${operators?.[nodes?.operator?.[number]] ?? "node"} #${number}`;
  }

  openNetron() {
    const { netron } = this.view;
    if (!netron) return;
    const name = this.details.numbers.length ? this.model.get("graph")?.nodes?.name?.[this.details.numbers[0]] : "";
    const base = JSON.parse(document.getElementById("jupyter-config-data")?.textContent ?? "{}").baseUrl ?? "/";
    const address = new URL(netron.replace(/^\//, ""), new URL(base, window.location.href));
    if (name) address.hash = `node=${encodeURIComponent(name)}`;
    window.open(address, "_blank", "noopener");
  }

  destroy() {
    cancelAnimationFrame(this.frame);
    this.picture.stop();
    this.hideTooltip();
    this.releaseKeys();
    for (const part of [this.header, this.list, this.nodes, this.canvas]) part.destroy();
    this.node.remove();
  }
}

function render({ model, el }) {
  const page = new GraphPage(model);
  el.append(page.node);
  const listeners = {
    "change:graph": () => page.readGraph(),
    "change:status": () => page.readStatus(),
    "change:overlay": () => page.readLayers(),
    "change:engine": () => page.readLayers(),
    "change:view": () => page.read(true),
    "change:selected": () => page.readSelected(),
    "msg:custom": (message) => page.receive(message),
  };
  for (const [event, listener] of Object.entries(listeners)) model.on(event, listener);
  page.readGraph();
  return () => {
    for (const [event, listener] of Object.entries(listeners)) model.off(event, listener);
    page.destroy();
  };
}

export default { render };
