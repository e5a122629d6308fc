/**
 * What is shown of a graph: which scope, which groups folded, which marks; and where each box stands.
 *
 * No part of the page is touched here, so that the same scene can be drawn on a canvas, written as a picture, or tested.
 */

import { BOX_GROUP, BOX_NODE, BOX_TERMINAL, boxesOf, foldsAtStart, groupsOf, unfold } from "./graph_folding.js";
import { layeredLayout } from "./graph_layout.js";
import { LAYER_HUES, SCALE_STEPS, isProblem, worstState } from "./graph_looks.js";
import { GraphModel, Lists } from "./graph_model.js";
import { GraphStates } from "./graph_states.js";
import { nodesFound, shortestPath, verticesAround } from "./graph_walks.js";

export const BOX_HEIGHT = 40;
export const ROW_HEIGHT = 82;
const NARROWEST = 84;
const WIDEST = 190;
const TITLE_LETTER = 7.9;
const NAME_LETTER = 6.2;
const BOX_PADDING = 22;
const BADGE_ROOM = 20;
const LETTERS_OF_COUNTS = 18; // "inside: x 1  ? 12"
const MOST_LIT = 400; // edges
/** The part at a box's right end that opens what is in it. */
export const OPENER_WIDTH = 22;

export class GraphScene {
  constructor() {
    this.setGraph({});
  }

  setGraph(graph) {
    this.model = new GraphModel(graph);
    this.scope = 0;
    this.folds = new Map(); // scope -> Set of folded groups
    this.only = null;
    this.around = null;
    this.pathNodes = [];
    this.matches = new Set();
    this.selection = new Set();
    this.shownStates = null;
    this.states = new GraphStates(this.model);
    this.overlay = null;
    this.layers = [];
    this.layerOf = new Int32Array(this.model.count).fill(-1);
    this.litLayer = -1;
    this.arrange();
  }

  // Where the boxes stand

  get folded() {
    if (!this.folds.has(this.scope)) this.folds.set(this.scope, foldsAtStart(this.model, this.scope));
    return this.folds.get(this.scope);
  }

  arrange() {
    this.boxes = boxesOf(this.model, this.scope, this.folded, this.only);
    this.widths = Float64Array.from({ length: this.boxes.count }, (_, box) => this.widthOf(box));
    this.layout = layeredLayout({ ...this.boxes, widths: this.widths });
    this.focus = -1;
    this.edgesFrom = null;
    this.edgesTo = null;
    this.litBox = -1;
    this.leftmost = this.layout.layers.map((layer) => Float64Array.from(layer, (vertex) => this.layout.x[vertex]));
    this.paintBoxes();
  }

  widthOf(box) {
    const { title, name } = this.labels(box);
    const isOpening = this.boxes.kind[box] === BOX_GROUP || this.isHolder(box);
    const nameLetters = Math.max(name.length, this.isHolder(box) ? LETTERS_OF_COUNTS : 0);
    const letters = Math.max(title.length * TITLE_LETTER + BADGE_ROOM, nameLetters * NAME_LETTER);
    return Math.min(WIDEST, Math.max(NARROWEST, letters + BOX_PADDING + (isOpening ? OPENER_WIDTH : 0)));
  }

  /** The two lines in a box. */
  labels(box) {
    const ref = this.boxes.ref[box];
    const { model } = this;
    if (this.boxes.kind[box] === BOX_GROUP) return { title: model.groups[ref].title, name: `${model.groupSize[ref]} nodes` };
    if (this.boxes.kind[box] === BOX_NODE) return { title: model.operator(ref), name: model.shortName(ref) };
    const terminal = model.terminals[ref - model.count];
    return { title: terminal.name, name: terminal.type || terminal.kind };
  }

  centre(box) {
    return [this.layout.x[box], this.layout.rank[box] * ROW_HEIGHT];
  }

  get extent() {
    const height = Math.max(0, this.layout.layers.length - 1) * ROW_HEIGHT;
    return { left: this.layout.left, right: this.layout.right, top: -BOX_HEIGHT / 2, bottom: height + BOX_HEIGHT / 2 };
  }

  /** The box at a place, or -1. */
  boxAt(x, y) {
    const rank = Math.round(y / ROW_HEIGHT);
    const layer = this.layout.layers[rank];
    if (!layer || Math.abs(y - rank * ROW_HEIGHT) > BOX_HEIGHT / 2) return -1;
    for (let at = this.firstAfter(rank, x - WIDEST / 2); at < layer.length && this.leftmost[rank][at] <= x + WIDEST / 2; at += 1) {
      const vertex = layer[at];
      if (vertex < this.boxes.count && Math.abs(this.layout.x[vertex] - x) <= this.widths[vertex] / 2) return vertex;
    }
    return -1;
  }

  /** The boxes whose centre lies in a rectangle. */
  boxesIn(left, top, right, bottom) {
    const found = [];
    const last = Math.min(this.layout.layers.length - 1, Math.floor(bottom / ROW_HEIGHT));
    for (let rank = Math.max(0, Math.ceil(top / ROW_HEIGHT)); rank <= last; rank += 1) {
      const layer = this.layout.layers[rank];
      for (let at = this.firstAfter(rank, left); at < layer.length && this.leftmost[rank][at] <= right; at += 1) {
        if (layer[at] < this.boxes.count) found.push(layer[at]);
      }
    }
    return found;
  }

  /** The place in a layer of the first vertex that is not left of `x`. */
  firstAfter(rank, x) {
    const places = this.leftmost[rank];
    let [low, high] = [0, places.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (places[middle] < x) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  // What the boxes say

  setStatus(status) {
    this.states = new GraphStates(this.model, status.of);
    this.paintBoxes();
  }

  setOverlay(overlay) {
    this.overlay = overlay.values && Object.keys(overlay.values).length ? overlay : null;
    this.paintBoxes();
  }

  setEngine(engine) {
    this.layers = engine.layers ?? [];
    this.engineSource = engine.source ?? "";
    this.layerOf = new Int32Array(this.model.count).fill(-1);
    this.layers.forEach((layer, number) => {
      for (const node of layer.nodes) if (node >= 0 && node < this.model.count) this.layerOf[node] = number;
    });
    this.paintBoxes();
  }

  nodesOf(box) {
    const ref = this.boxes.ref[box];
    if (this.boxes.kind[box] === BOX_GROUP) return this.model.nodesInGroup(ref);
    return this.boxes.kind[box] === BOX_NODE ? [ref] : [];
  }

  /** The node of a group that is looked at first: its first problem, or its first at all. */
  leaderOf(group) {
    if (!this.model.groups[group]) return -1;
    const nodes = this.model.nodesInGroup(group);
    return nodes.find((node) => isProblem(this.states.of(node))) ?? nodes[0] ?? -1;
  }

  /** The node that a box is; -1 for a group, a terminal, or no box. */
  nodeOfBox(box) {
    return box >= 0 && this.boxes.kind[box] === BOX_NODE ? this.boxes.ref[box] : -1;
  }

  /** What a drawing asks for each box, kept in arrays. */
  paintBoxes() {
    const { count, kind, ref } = this.boxes;
    this.boxState = new Uint8Array(count);
    this.boxMark = new Uint8Array(count);
    this.boxLayer = new Int32Array(count).fill(-1);
    this.boxValue = new Float64Array(count).fill(NaN);
    this.boxFaded = new Uint8Array(count);
    this.problemBoxes = [];
    for (let box = 0; box < count; box += 1) {
      if (kind[box] === BOX_TERMINAL) continue;
      const isGroup = kind[box] === BOX_GROUP;
      this.boxState[box] = isGroup ? worstState(this.states.inGroup(ref[box])) : this.states.of(ref[box]);
      if (!isGroup) this.boxLayer[box] = this.layerOf[ref[box]];
      this.boxMark[box] = this.markOf(box);
      if (isProblem(this.boxMark[box])) this.problemBoxes.push(box);
      if (this.shownStates) this.boxFaded[box] = this.holdsState(box) ? 0 : 1;
    }
    if (this.overlay) for (let box = 0; box < count; box += 1) this.boxValue[box] = this.valueOf(box);
    this.markBoxes();
  }

  /** A box's state, or that of a problem inside: this is what marks it from afar. */
  markOf(box) {
    if (isProblem(this.boxState[box]) || !this.isHolder(box)) return this.boxState[box];
    const inside = worstState(this.states.inside(this.boxes.ref[box]));
    return isProblem(inside) ? inside : this.boxState[box];
  }

  holdsState(box) {
    if (this.boxes.kind[box] !== BOX_GROUP) return this.shownStates.has(this.boxState[box]) || this.shownStates.has(this.boxMark[box]);
    return [...this.shownStates].some((state) => this.states.inGroup(this.boxes.ref[box])[state] > 0);
  }

  /** The overlay's number; of a folded group the highest inside. */
  valueOf(box) {
    let highest = NaN;
    for (const node of this.nodesOf(box)) {
      const value = this.overlay.values[node];
      if (typeof value === "number" && !(value <= highest)) highest = value;
    }
    return highest;
  }

  /** A value's step on the colour scale. */
  scaleStep(value) {
    const { low, high } = this.overlay;
    const share = high > low ? (value - low) / (high - low) : 0.5;
    return Math.round(Math.min(1, Math.max(0, share)) * (SCALE_STEPS - 1));
  }

  /** Which boxes are selected, found, or on the path. */
  markBoxes() {
    const boxesOfNodes = (nodes) => {
      const boxes = new Set();
      for (const node of nodes) if (this.boxes.boxOf[node] >= 0) boxes.add(this.boxes.boxOf[node]);
      return boxes;
    };
    this.selectedBoxes = boxesOfNodes(this.selection);
    this.matchedBoxes = boxesOfNodes(this.matches);
    this.pathBoxes = boxesOfNodes(this.pathNodes);
    this.pathSegments = this.segmentsOfPath();
    this.light(this.litBox);
  }

  /** Light up what is around a box: its edges, and the layer it went into. */
  light(box) {
    this.litBox = box;
    this.litLayer = box >= 0 && this.boxState.length > box ? this.boxLayer[box] : -1;
    this.litSegments = new Set();
    if (box < 0) return;
    this.edgesFrom ??= new Lists(this.boxes.count, this.layout.from);
    this.edgesTo ??= new Lists(this.boxes.count, this.layout.to);
    for (const edges of [this.edgesFrom.of(box), this.edgesTo.of(box)]) {
      if (edges.length > MOST_LIT) continue;
      for (const edge of edges) for (const segment of this.segmentsOfEdge(edge)) this.litSegments.add(segment);
    }
  }

  /** Does the box hold branches, or call a local function? */
  isHolder(box) {
    return this.boxes.kind[box] === BOX_NODE && this.model.inside.has(this.boxes.ref[box]);
  }

  /** The hue of the fused layer that a box went into; "" for a layer of one node, for that fuses nothing. */
  layerHue(box) {
    const layer = this.boxLayer[box];
    return layer >= 0 && this.layers[layer].nodes.length > 1 ? LAYER_HUES[layer % LAYER_HUES.length] : "";
  }

  segmentsOfPath() {
    const segments = new Set();
    const { layout } = this;
    const next = new Map();
    const before = new Map();
    for (let at = 1; at < this.pathNodes.length; at += 1) {
      const [one, other] = [this.pathNodes[at - 1], this.pathNodes[at]].map((node) => this.boxes.boxOf[node]);
      next.set(one, other);
      before.set(other, one);
    }
    if (!next.size) return segments;
    layout.from.forEach((from, edge) => {
      const to = layout.to[edge];
      if (next.get(from) !== to && before.get(from) !== to) return;
      for (const segment of this.segmentsOfEdge(edge)) segments.add(segment);
    });
    return segments;
  }

  segmentsOfEdge(edge) {
    const { layout } = this;
    const [top, bottom] = layout.turned.has(edge) ? [layout.to[edge], layout.from[edge]] : [layout.from[edge], layout.to[edge]];
    const crossed = layout.rank[bottom] - layout.rank[top] - 1;
    const first = layout.firstBend[edge];
    const way = [top];
    if (first >= 0) for (let bend = 0; bend < crossed; bend += 1) way.push(first + bend);
    way.push(bottom);
    const segments = [];
    for (let at = 1; at < way.length; at += 1) {
      const found = layout.segmentsFrom.of(way[at - 1]).find((segment) => layout.segTo[segment] === way[at]);
      if (found !== undefined) segments.push(found);
    }
    return segments;
  }

  // What is shown

  showScope(scope) {
    if (!this.model.scopes[scope]) return;
    this.scope = scope;
    this.only = null;
    this.around = null;
    this.arrange();
  }

  /** Show the scope of these nodes and unfold what holds them; returns whether the boxes were arranged anew. */
  bringOut(nodes) {
    const known = nodes.filter((node) => node >= 0 && node < this.model.count);
    if (!known.length) return false;
    const scope = this.model.vertexScope[known[0]];
    let isChanged = scope !== this.scope;
    this.scope = scope;
    if (isChanged || (this.only && !known.every((node) => this.only.has(node)))) {
      isChanged ||= this.only !== null;
      this.only = null;
      this.around = null;
    }
    for (const node of known) {
      for (const group of this.model.groupPath(this.model.nodeGroup[node])) isChanged = this.folded.delete(group) || isChanged;
    }
    if (isChanged) this.arrange();
    return isChanged;
  }

  /** @param {"none"|"all"|number} fold @param {boolean} isFolded */
  setFolded(fold, isFolded) {
    const groups = groupsOf(this.model, this.scope);
    if (fold === "none") this.folds.set(this.scope, new Set(isFolded ? [] : groups));
    else if (fold === "all") this.folds.set(this.scope, new Set(isFolded ? groups : []));
    else if (!this.model.groups[fold]) return;
    else if (isFolded) this.folded.add(fold);
    else unfold(this.model, this.folded, fold);
    this.only = null;
    this.around = null;
    this.arrange();
  }

  neighbourhood(nodes, steps) {
    const known = nodes.filter((node) => node >= 0 && node < this.model.count);
    const isAround = steps > 0 && known.length > 0;
    if (!isAround && !this.only) return;
    if (isAround) this.scope = this.model.vertexScope[known[0]];
    this.only = isAround ? verticesAround(this.model, known, steps) : null;
    this.around = isAround ? { count: known.length, steps } : null;
    this.arrange();
  }

  path(from, to) {
    const isKnown = [from, to].every((node) => node >= 0 && node < this.model.count);
    this.pathNodes = isKnown && from !== to ? shortestPath(this.model, from, to) : [];
    this.bringOut(this.pathNodes);
    this.markBoxes();
    return this.pathNodes.filter((vertex) => this.model.isNode(vertex));
  }

  filterStatus(statuses) {
    this.shownStates = statuses?.length ? new Set(statuses) : null;
    this.paintBoxes();
  }

  search(text) {
    const found = nodesFound(this.model, text);
    this.matches = new Set(found);
    this.markBoxes();
    return found;
  }
}
