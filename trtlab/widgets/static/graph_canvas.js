/**
 * The graph on the page: a canvas with its bar and its overview. GRAPH_CONTRACT.md lists what panels call.
 *
 * The scene knows what is shown, the viewport from where; this joins them with the page: size, theme, mouse, keyboard.
 */

import { element, sameValue, setAttribute, setHidden, setText, uniqueIdentifier } from "./dom.js";
import { plural, shortenMiddle } from "./format.js";
import { GraphBar } from "./graph_bar.js";
import { drawScene } from "./graph_drawing.js";
import { KEYS_HELP, firstBox, spokenBox } from "./graph_keys.js";
import { legendOf } from "./graph_legend.js";
import { readPalette } from "./graph_looks.js";
import { GraphOverview } from "./graph_overview.js";
import { STILL_PICTURE_BOXES, pngPicture, svgPicture } from "./graph_picture.js";
import { GraphPointer } from "./graph_pointer.js";
import { GraphScene } from "./graph_scene.js";
import { GraphSteering } from "./graph_steering.js";
import { GraphTip } from "./graph_tip.js";
import { Viewport } from "./graph_viewport.js";

const HINT_MS = 1600;
const SCROLL_HINT = "Click the graph to scroll inside it, or hold Ctrl to zoom";

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
    this.steering = new GraphSteering(this);
    this.makeNode();
    this.listenToPointer();
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
      on: { keydown: (event) => this.steering.press(event), focus: () => this.draw(), blur: () => this.draw() },
    });
    this.live = element("div", { class: "trtlab-only-read", role: "status", "aria-live": "polite" });
    this.tip = new GraphTip();
    this.hint = element("div", { class: "trtlab-graph-hint", hidden: true, text: SCROLL_HINT });
    this.empty = element("p", { class: "trtlab-empty trtlab-graph-empty", text: "No graph yet. It appears here with the model." });
    this.overview = new GraphOverview((x, y) => this.change(() => this.view.centre(x, y)));
    this.bar = new GraphBar({
      onScope: (scope) => this.steering.userScope(scope),
      onOpen: (scope) => this.steering.userScope(scope),
      onGroup: (group) => this.setFolded(group, true),
      onAll: () => this.neighbourhood([], 0),
      onZoom: (factor) => this.zoom(factor),
      onFit: () => this.fit(),
      onFold: (isFolded) => this.setFolded("all", isFolded),
    });
    this.stage = element("div", { class: "trtlab-graph-stage" }, this.canvas, this.overview.node, this.empty, this.tip.node, this.hint);
    this.node = element("div", { class: "trtlab-graph" }, this.bar.node, this.stage, help, this.live);
  }

  listenToPointer() {
    this.pointer = new GraphPointer(this.canvas, {
      onMove: (x, y) => this.change(() => this.view.move(x, y)),
      onZoom: (factor, x, y) => this.change(() => this.view.zoom(factor, x, y)),
      onClick: (x, y, isMore) => this.steering.click(x, y, isMore),
      onHover: (x, y) => this.hover(x, y),
      onBand: (band, isDone) => this.steering.drawBand(band, isDone),
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
    setAttribute(this.canvas, "aria-label", `Graph of ${shortenMiddle(model.title || "no model", 120)}: ${plural(model.count, "node")}`);
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
    // What was clicked comes back from the kernel: a folded group that is selected stays folded.
    if (!center && sameValue([...scene.selection], numbers)) return;
    scene.selection = new Set(numbers);
    const before = scene.scope;
    const isNew = scene.bringOut(numbers);
    scene.markBoxes();
    const box = scene.boxes.boxOf[numbers[0]] ?? -1;
    if (box >= 0) this.focusBox(box, { isCentred: center || isNew, isSpoken: false });
    if (isNew && this.size) this.isPlaced = true; // without a size yet, it is placed with the first drawing
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
    const first = typeof fold === "number" ? this.scene.leaderOf(fold) : this.focusedNode();
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
    return svgPicture(this.scene, this.view, this.colours);
  }

  /** A smaller one, for a notebook to carry: to make it must not be felt while the graph is moved. */
  stillSvg() {
    return svgPicture(this.scene, this.view, this.colours, STILL_PICTURE_BOXES);
  }

  /** The same as a Blob; `scale` pixels for one CSS pixel. */
  png(scale = 2) {
    return pngPicture(this.scene, this.view, this.colours, scale);
  }

  // Drawing

  get colours() {
    this.palette ??= readPalette(this.node);
    return this.palette;
  }

  change(step) {
    step();
    this.tip.hide();
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

  // Selecting

  focusedNode() {
    return this.scene.nodeOfBox(this.scene.focus);
  }

  focusBox(box, { isCentred = false, isSpoken = true } = {}) {
    this.scene.focus = box;
    this.scene.light(box);
    const [x, y] = this.scene.centre(box);
    if (isCentred || !this.view.holds(x, y)) this.view.showPoint(x, y);
    if (isSpoken) setText(this.live, spokenBox(this.scene, box));
    this.refresh();
  }

  // What floats over the graph

  hover(x, y) {
    const box = x === null ? -1 : this.scene.boxAt(...this.view.toPlane(x, y));
    if (box !== this.hovered) {
      this.hovered = box;
      this.scene.light(box >= 0 ? box : this.scene.focus);
      this.listeners.onHover?.(this.scene.nodeOfBox(box));
      setAttribute(this.canvas, "data-over", box >= 0);
      this.draw();
    }
    if (box < 0) this.tip.hide();
    else this.tip.show(this.scene, box, x, y, this.size ?? [0, 0]);
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
