/**
 * The graph on the page: a canvas with its bar and its overview. GRAPH_CONTRACT.md lists what panels call.
 *
 * The scene knows what is shown, the viewport from where; this joins them with the page: size, theme, mouse, keyboard.
 */

import { element, setAttribute, setHidden, setText, uniqueIdentifier } from "./dom.js";
import { shortenMiddle } from "./format.js";
import { GraphBar } from "./graph_bar.js";
import { OPENER_WIDTH, valueText } from "./graph_boxes.js";
import { drawScene } from "./graph_drawing.js";
import { SvgPen } from "./graph_export.js";
import { BOX_GROUP, BOX_NODE } from "./graph_folding.js";
import { KEYS_HELP, boxTowards, firstBox, layerText, nextProblem, spokenBox } from "./graph_keys.js";
import { legendOf } from "./graph_legend.js";
import { NODE_STATES, readPalette } from "./graph_looks.js";
import { GraphOverview } from "./graph_overview.js";
import { GraphPointer } from "./graph_pointer.js";
import { GraphScene } from "./graph_scene.js";
import { Viewport } from "./graph_viewport.js";

const KEY_PAN = 60;
const HINT_MS = 1600;
const LONGEST_IN_TIP = 400;
const WHOLE_PICTURE_BOXES = 2000;
const PICTURE_MARGIN = 30;
const WIDEST_PNG = 8192;

export class GraphCanvas {
  /**
   * @param {{onSelect?(numbers: number[]): void, onScope?(scope: number): void, onHover?(number: number): void,
   *   onOpen?(number: number): void, onNextProblem?(isBackward: boolean): void, onSearch?(): void}} [listeners]
   *   `onNextProblem` takes over the key N; without it the canvas goes to the next problem in sight.
   */
  constructor(listeners = {}) {
    this.listeners = listeners;
    this.scene = new GraphScene();
    this.view = new Viewport();
    this.palette = null;
    this.version = {};
    this.hovered = -1;
    this.band = null;
    this.isPlaced = false;
    this.frame = 0;
    this.makeNode();
    this.observe();
    this.refreshBar();
  }

  makeNode() {
    const help = element("span", { class: "trtlab-only-read", id: uniqueIdentifier("graph-help"), text: KEYS_HELP });
    this.canvas = element("canvas", {
      class: "trtlab-graph-canvas",
      tabindex: "0",
      role: "application",
      "aria-roledescription": "graph",
      "aria-describedby": help.id,
      on: { keydown: (event) => this.press(event), focus: () => this.draw(), blur: () => this.draw() },
    });
    this.live = element("div", { class: "trtlab-only-read", role: "status", "aria-live": "polite" });
    this.tip = element("div", { class: "trtlab-graph-tip", hidden: true, "aria-hidden": "true" });
    this.hint = element("div", { class: "trtlab-graph-hint", hidden: true, text: "Click the graph to scroll inside it, or hold Ctrl to zoom" });
    this.empty = element("p", { class: "trtlab-empty trtlab-graph-empty", text: "No graph yet. It appears here with the model." });
    this.overview = new GraphOverview((x, y) => this.change(() => this.view.centre(x, y)));
    this.bar = new GraphBar({
      onScope: (scope) => this.userScope(scope),
      onOpen: (scope) => this.userScope(scope),
      onGroup: (group) => this.setFolded(group, true),
      onAll: () => this.neighbourhood([], 0),
      onZoom: (factor) => this.zoom(factor),
      onFit: () => this.fit(),
      onFold: (isFolded) => this.setFolded("all", isFolded),
    });
    this.stage = element("div", { class: "trtlab-graph-stage" }, this.canvas, this.overview.node, this.empty, this.tip, this.hint);
    this.node = element("div", { class: "trtlab-graph" }, this.bar.node, this.stage, help, this.live);
    this.pointer = new GraphPointer(this.canvas, {
      onMove: (x, y) => this.change(() => this.view.move(x, y)),
      onZoom: (factor, x, y) => this.change(() => this.view.zoom(factor, x, y)),
      onClick: (x, y, isMore) => this.click(x, y, isMore),
      onHover: (x, y) => this.hover(x, y),
      onBand: (band, isDone) => this.drawBand(band, isDone),
      ownsWheel: () => document.activeElement === this.canvas || this.node.getRootNode().activeElement === this.canvas,
      onRefusedWheel: () => this.showHint(),
    });
  }

  observe() {
    this.sizes = new ResizeObserver(() => this.resize());
    this.sizes.observe(this.stage);
    // JupyterLab, then VS Code, say the theme on the body.
    this.themes = new MutationObserver(() => {
      this.palette = null;
      this.version = {};
      this.draw();
    });
    this.themes.observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-light", "data-jp-theme-name", "class"] });
  }

  destroy() {
    this.sizes.disconnect();
    this.themes.disconnect();
    cancelAnimationFrame(this.frame);
    clearTimeout(this.hintTimer);
  }

  // What a panel calls

  setGraph(graph) {
    if (graph.id !== undefined && graph.id === this.scene.model.id && this.scene.model.count) return;
    this.scene.setGraph(graph);
    this.isPlaced = false;
    this.hovered = -1;
    const { model } = this.scene;
    setAttribute(this.canvas, "aria-label", `Graph of ${shortenMiddle(model.title || "no model", 120)}: ${model.count} nodes`);
    setHidden(this.empty, model.vertexCount > 0);
    this.refresh();
  }

  setStatus(status) {
    this.scene.setStatus(status);
    this.refresh();
  }

  setOverlay(overlay) {
    this.scene.setOverlay(overlay);
    this.refresh();
  }

  setEngine(engine) {
    this.scene.setEngine(engine);
    this.refresh();
  }

  select(numbers, { center = false } = {}) {
    const { scene } = this;
    scene.selection = new Set(numbers);
    const before = scene.scope;
    const isNew = center && scene.bringOut(numbers);
    scene.markBoxes();
    const box = scene.boxes.boxOf[numbers[0]] ?? -1;
    if (box >= 0) this.focusBox(box, { isCentred: center, isSpoken: false });
    if (isNew) this.isPlaced = true;
    if (scene.scope !== before) this.listeners.onScope?.(scene.scope);
    this.refresh();
  }

  showScope(scope) {
    if (scope === this.scene.scope && !this.scene.only) return;
    this.scene.showScope(scope);
    this.isPlaced = false;
    this.refresh();
  }

  fit() {
    this.change(() => this.view.fit(this.scene.extent));
  }

  zoom(factor) {
    const at = this.scene.focus >= 0 ? this.view.toScreen(...this.scene.centre(this.scene.focus)) : [];
    const isInSight = at.length && this.view.holds(...this.scene.centre(this.scene.focus), 0);
    this.change(() => this.view.zoom(factor, ...(isInSight ? at : [])));
  }

  focus() {
    this.canvas.focus({ preventScroll: true });
  }

  neighbourhood(numbers, steps) {
    const before = this.scene.scope;
    this.keepPlace(numbers[0] ?? this.focusedNode(), () => this.scene.neighbourhood(numbers, steps));
    if (steps > 0) this.isPlaced = false;
    if (this.scene.scope !== before) this.listeners.onScope?.(this.scene.scope);
    this.refresh();
  }

  path(from, to) {
    const before = this.scene.scope;
    let nodes = [];
    this.keepPlace(from, () => (nodes = this.scene.path(from, to)));
    if (this.scene.scope !== before) this.listeners.onScope?.(this.scene.scope);
    this.refresh();
    return nodes;
  }

  setFolded(fold, isFolded) {
    const first = typeof fold === "number" ? this.scene.model.nodesInGroup(fold)[0] : this.focusedNode();
    this.keepPlace(first ?? -1, () => this.scene.setFolded(fold, isFolded));
    const box = this.scene.boxes.boxOf[first] ?? -1;
    if (box >= 0) this.focusBox(box, { isSpoken: true });
    this.refresh();
  }

  filterStatus(statuses) {
    this.scene.filterStatus(statuses);
    this.refresh();
  }

  search(text) {
    const found = this.scene.search(text);
    this.refresh();
    return found;
  }

  /** The whole scope as a picture, or, where it has too many boxes for one, the part in sight. */
  svg() {
    const picture = this.pictureFrame();
    const pen = new SvgPen();
    this.drawPicture(pen, picture);
    return pen.document(picture.view.width, picture.view.height + picture.legend.height, this.scene.model.title, this.colours.surface);
  }

  png(scale = 2) {
    const picture = this.pictureFrame();
    const [width, height] = [picture.view.width, picture.view.height + picture.legend.height];
    const factor = Math.min(scale, WIDEST_PNG / width, WIDEST_PNG / height);
    const canvas = element("canvas", { width: Math.ceil(width * factor), height: Math.ceil(height * factor) });
    const pen = canvas.getContext("2d");
    pen.scale(factor, factor);
    pen.fillStyle = this.colours.surface;
    pen.fillRect(0, 0, width, height);
    this.drawPicture(pen, picture);
    return new Promise((resolve, reject) => {
      canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("The browser made no picture."))), "image/png");
    });
  }

  pictureFrame() {
    const view = new Viewport();
    Object.assign(view, this.view);
    if (this.scene.boxes.count <= WHOLE_PICTURE_BOXES) {
      const { left, right, top, bottom } = this.scene.extent;
      view.scale = 1;
      view.width = right - left + 2 * PICTURE_MARGIN;
      view.height = bottom - top + 2 * PICTURE_MARGIN;
      view.centre((left + right) / 2, (top + bottom) / 2);
    }
    return { view, legend: legendOf(this.scene, this.colours, view.width) };
  }

  drawPicture(pen, { view, legend }) {
    drawScene(pen, this.scene, view, this.colours);
    pen.save();
    pen.translate(0, view.height);
    legend.draw(pen);
    pen.restore();
  }

  // Drawing

  get colours() {
    this.palette ??= readPalette(this.node);
    return this.palette;
  }

  change(step) {
    step();
    this.hideTip();
    this.draw();
  }

  /** What is shown has changed, not only from where. */
  refresh() {
    this.version = {};
    this.refreshBar();
    this.draw();
  }

  refreshBar() {
    this.bar.update(this.scene, this.focusedNode());
  }

  draw() {
    if (this.frame) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      this.drawNow();
    });
  }

  resize() {
    const { clientWidth: width, clientHeight: height } = this.stage;
    if (!width || !height || (width === this.size?.[0] && height === this.size?.[1])) return;
    this.size = [width, height];
    const ratio = window.devicePixelRatio || 1;
    [this.canvas.width, this.canvas.height] = [Math.round(width * ratio), Math.round(height * ratio)];
    this.drawNow();
  }

  drawNow() {
    if (!this.size || !this.node.isConnected) return;
    const { scene, view, colours } = this;
    const [width, height] = this.size;
    const legend = legendOf(scene, colours, width);
    Object.assign(view, { width, height: Math.max(80, height - legend.height) });
    if (!this.isPlaced) this.place();
    const ratio = window.devicePixelRatio || 1;
    const pen = this.canvas.getContext("2d");
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, width, height);
    drawScene(pen, scene, view, colours);
    this.drawBelow(pen, legend, width, height);
    if (this.band) drawBandFrame(pen, this.band, colours);
    this.overview.draw(scene, view, colours, this.version);
    if (scene.model.vertexCount) performance.mark("trtlab-graph-drawn");
  }

  drawBelow(pen, legend, width, height) {
    if (!legend.height) return;
    pen.fillStyle = this.colours.surface;
    pen.fillRect(0, height - legend.height, width, legend.height);
    pen.fillStyle = this.colours.line;
    pen.fillRect(0, height - legend.height, width, 1);
    pen.save();
    pen.translate(0, height - legend.height);
    legend.draw(pen);
    pen.restore();
  }

  /** Where a graph is first seen from: all of it where that can be read, else its first box or what is selected. */
  place() {
    const { scene } = this;
    this.isPlaced = true;
    const selected = scene.selectedBoxes.values().next().value;
    const start = selected ?? firstBox(scene);
    if (start < 0) return;
    this.view.begin(scene.extent, scene.centre(start)[0]);
    if (selected !== undefined && !this.view.holds(...scene.centre(selected))) this.view.showPoint(...scene.centre(selected));
  }

  /** Arrange the boxes anew with `node` staying where it is on the page. */
  keepPlace(node, step) {
    const boxBefore = this.scene.boxes.boxOf[node] ?? -1;
    const before = boxBefore >= 0 ? this.view.toScreen(...this.scene.centre(boxBefore)) : null;
    step();
    const box = this.scene.boxes.boxOf[node] ?? -1;
    if (!before || box < 0) {
      this.isPlaced = false;
      return;
    }
    const after = this.view.toScreen(...this.scene.centre(box));
    this.view.move(before[0] - after[0], before[1] - after[1]);
  }

  // Selecting and walking

  focusedNode() {
    const { boxes, focus } = this.scene;
    return focus >= 0 && boxes.kind[focus] === BOX_NODE ? boxes.ref[focus] : -1;
  }

  focusBox(box, { isCentred = false, isSpoken = true } = {}) {
    this.scene.focus = box;
    this.scene.light(box);
    const [x, y] = this.scene.centre(box);
    if (isCentred || !this.view.holds(x, y)) this.view.showPoint(x, y);
    if (isSpoken) setText(this.live, spokenBox(this.scene, box));
    this.refresh();
  }

  userSelect(numbers) {
    this.scene.selection = new Set(numbers);
    this.scene.markBoxes();
    this.refresh();
    this.listeners.onSelect?.([...numbers]);
  }

  userScope(scope) {
    this.showScope(scope);
    this.listeners.onScope?.(this.scene.scope);
    this.focus();
  }

  click(x, y, isMore) {
    const { scene } = this;
    const [planeX, planeY] = this.view.toPlane(x, y);
    const box = scene.boxAt(planeX, planeY);
    if (box < 0) {
      if (!isMore) this.userSelect([]);
      return;
    }
    this.scene.focus = box;
    const isOpener = planeX > scene.centre(box)[0] + scene.widths[box] / 2 - OPENER_WIDTH;
    if (scene.boxes.kind[box] === BOX_GROUP && !isMore) this.setFolded(scene.boxes.ref[box], false);
    else if (scene.isHolder(box) && isOpener && !isMore) this.openInside(box);
    else this.choose(box, isMore);
  }

  /** Select a box's nodes; `isMore` adds them, or takes them away. */
  choose(box, isMore) {
    const nodes = this.scene.nodesOf(box);
    const chosen = new Set(isMore ? this.scene.selection : []);
    const isIn = isMore && nodes.every((node) => chosen.has(node));
    for (const node of nodes) isIn ? chosen.delete(node) : chosen.add(node);
    this.focusBox(box);
    this.userSelect([...chosen]);
  }

  openInside(box) {
    this.userScope(this.scene.model.inside.get(this.scene.boxes.ref[box])[0]);
  }

  drawBand(band, isDone) {
    this.band = isDone ? null : band;
    if (isDone && band) {
      const [left, right] = [Math.min(band[0], band[2]), Math.max(band[0], band[2])];
      const [top, bottom] = [Math.min(band[1], band[3]), Math.max(band[1], band[3])];
      const boxes = this.scene.boxesIn(...this.view.toPlane(left, top), ...this.view.toPlane(right, bottom));
      this.userSelect([...new Set([...this.scene.selection, ...boxes.flatMap((box) => this.scene.nodesOf(box))])]);
    }
    this.draw();
  }

  press(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const action = this.keyAction(key, event.shiftKey);
    if (!action) return;
    event.preventDefault();
    action();
  }

  keyAction(key, isShift) {
    const { scene, listeners } = this;
    const box = scene.focus;
    if (key.startsWith("Arrow")) return () => (isShift ? this.panByKey(key) : this.walk(key));
    const actions = {
      "+": () => this.zoom(1.25),
      "=": () => this.zoom(1.25),
      "-": () => this.zoom(1 / 1.25),
      0: () => this.fit(),
      n: () => (listeners.onNextProblem ? listeners.onNextProblem(isShift) : this.walkTo(nextProblem(scene, box, isShift))),
      f: () => this.foldFocused(),
      Backspace: () => this.goOut(),
      Enter: () => this.enter(isShift),
      " ": () => box >= 0 && this.choose(box, true),
      Home: () => this.walkTo(firstBox(scene)),
      Escape: () => this.userSelect([]),
    };
    if (key === "/" && listeners.onSearch) return () => listeners.onSearch();
    if (key === "Escape" && !scene.selection.size) return null;
    return actions[key] ?? null;
  }

  walk(key) {
    this.walkTo(boxTowards(this.scene, this.scene.focus, key));
  }

  walkTo(box) {
    if (box >= 0) this.focusBox(box);
  }

  panByKey(key) {
    const [x, y] = { ArrowLeft: [1, 0], ArrowRight: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[key];
    this.change(() => this.view.move(x * KEY_PAN, y * KEY_PAN));
  }

  enter(isShift) {
    const { scene } = this;
    const box = scene.focus;
    if (box < 0) return;
    if (scene.boxes.kind[box] === BOX_GROUP) this.setFolded(scene.boxes.ref[box], false);
    else if (isShift && scene.isHolder(box)) this.openInside(box);
    else {
      this.choose(box, false);
      if (scene.boxes.kind[box] === BOX_NODE) this.listeners.onOpen?.(scene.boxes.ref[box]);
    }
  }

  foldFocused() {
    const { scene } = this;
    const box = scene.focus;
    if (box < 0) return;
    const ref = scene.boxes.ref[box];
    const group = scene.boxes.kind[box] === BOX_GROUP ? scene.model.groupParent[ref] : scene.model.nodeGroup[ref] ?? -1;
    if (group >= 0) this.setFolded(group, true);
  }

  goOut() {
    const { scopes } = this.scene.model;
    const { parent, holder } = scopes[this.scene.scope];
    if (!(parent >= 0)) return;
    this.userScope(parent);
    if (holder >= 0) this.select([holder], { center: true });
  }

  // Hints

  hover(x, y) {
    const box = x === null ? -1 : this.scene.boxAt(...this.view.toPlane(x, y));
    if (box !== this.hovered) {
      this.hovered = box;
      this.scene.light(box >= 0 ? box : this.scene.focus);
      this.listeners.onHover?.(box >= 0 && this.scene.boxes.kind[box] === BOX_NODE ? this.scene.boxes.ref[box] : -1);
      setAttribute(this.canvas, "data-over", box >= 0);
      this.draw();
    }
    if (box < 0) this.hideTip();
    else this.showTip(box, x, y);
  }

  showTip(box, x, y) {
    setText(this.tip, tipText(this.scene, box));
    setHidden(this.tip, false);
    const [width, height] = this.size ?? [0, 0];
    this.tip.style.left = `${Math.max(4, Math.min(x + 14, width - this.tip.offsetWidth - 8))}px`;
    const below = y + 18;
    this.tip.style.top = `${below + this.tip.offsetHeight < height ? below : Math.max(4, y - this.tip.offsetHeight - 12)}px`;
  }

  hideTip() {
    setHidden(this.tip, true);
  }

  showHint() {
    setHidden(this.hint, false);
    clearTimeout(this.hintTimer);
    this.hintTimer = setTimeout(() => setHidden(this.hint, true), HINT_MS);
  }
}

function drawBandFrame(pen, [x, y, endX, endY], palette) {
  pen.strokeStyle = palette.accent;
  pen.lineWidth = 1;
  pen.setLineDash([4, 3]);
  pen.strokeRect(x, y, endX - x, endY - y);
  pen.setLineDash([]);
}

/** A box in full: the name, the operator, what its edges carry, its state and its layer. */
function tipText(scene, box) {
  const { model, boxes } = scene;
  const ref = boxes.ref[box];
  const short = (text) => shortenMiddle(text, LONGEST_IN_TIP);
  if (boxes.kind[box] === BOX_GROUP) {
    const counts = NODE_STATES.map(({ word, sign }, state) => (state && scene.groupStates[ref][state] ? `${sign} ${word}: ${scene.groupStates[ref][state]}` : ""));
    const path = model.groupPath(ref).map((group) => model.groups[group].title).join(" › ");
    return [short(path), `${model.groupSize[ref]} nodes, click to unfold`, ...counts, valueText(scene, box)].filter(Boolean).join("\n");
  }
  if (boxes.kind[box] !== BOX_NODE) {
    const terminal = model.terminals[ref - model.count];
    return [short(terminal.name), terminal.kind, short(terminal.type ?? "")].filter(Boolean).join("\n");
  }
  const state = NODE_STATES[scene.boxState[box]];
  const value = valueText(scene, box);
  const lines = [short(model.name(ref)), model.operator(ref), `${state.sign} ${state.word}`.trim(), value && `${scene.overlay.name}: ${value}`, layerText(scene, box)];
  return lines.filter(Boolean).join("\n");
}
