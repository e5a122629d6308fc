/**
 * The scene, drawn as far as it is in sight and as fine as it can be seen.
 *
 * From near to far: boxes with two lines; boxes with the operator alone; plain blocks; and where a layer is thinner than a
 * pixel, one layer for each pixel. Problems keep a smallest size, so that one among 20,000 nodes is seen from any height.
 */

import { drawBox, shapePath } from "./graph_boxes.js";
import { BOX_GROUP, BOX_TERMINAL } from "./graph_folding.js";
import { NODE_STATES } from "./graph_looks.js";
import { BOX_HEIGHT, ROW_HEIGHT } from "./graph_scene.js";

const NAMES_FROM = 0.55;
const TITLES_FROM = 0.34;
const LARGEST_TITLE = 26;
const EDGES_FROM_ROW_PIXELS = 2;
const LINES_IN_A_PATH = 400;
const SMALLEST_PROBLEM = 5; // pixels, its radius
const NARROWEST_BLOCK = 2;
const FADED = 0.22;
const TURNED_ASIDE = 20;

/** @param {CanvasRenderingContext2D} pen with one unit for one CSS pixel */
export function drawScene(pen, scene, view, palette) {
  const sight = ranksInSight(scene, view);
  pen.save();
  pen.translate(view.left, view.top);
  pen.scale(view.scale, view.scale);
  const isFine = view.scale >= TITLES_FROM;
  if (view.scale * ROW_HEIGHT >= EDGES_FROM_ROW_PIXELS) drawEdges(pen, scene, view, palette, sight, isFine);
  if (isFine) drawBoxes(pen, scene, view, palette, sight);
  pen.restore();
  if (!isFine) {
    drawBlocks(pen, scene, view, palette, sight);
    drawProblems(pen, scene, view, palette, sight);
  }
}

function ranksInSight(scene, view) {
  const [left, top] = view.toPlane(0, 0);
  const [right, bottom] = view.toPlane(view.width, view.height);
  const depth = scene.layout.layers.length;
  const first = Math.max(0, Math.floor((top - BOX_HEIGHT) / ROW_HEIGHT));
  const last = Math.min(depth - 1, Math.ceil((bottom + BOX_HEIGHT) / ROW_HEIGHT));
  return { left, right, first, last, step: Math.max(1, Math.floor(1 / (view.scale * ROW_HEIGHT))) };
}

// Edges

function drawEdges(pen, scene, view, palette, sight, isFine) {
  const { layout } = scene;
  const thin = 1 / view.scale;
  const plain = new SegmentPath(pen, scene, isFine);
  const heads = [];
  const marked = [];
  pen.strokeStyle = view.scale > 0.1 ? palette.edge : palette.faint;
  pen.lineWidth = isFine ? 1.2 : thin;
  pen.globalAlpha = scene.shownStates ? 2 * FADED : 1;
  for (let rank = Math.max(0, sight.first - 1); rank <= sight.last; rank += 1) {
    for (const segment of layout.segmentsBelow.of(rank)) {
      const [from, to] = [layout.segFrom[segment], layout.segTo[segment]];
      const [low, high] = layout.x[from] < layout.x[to] ? [from, to] : [to, from];
      if (layout.x[high] < sight.left || layout.x[low] > sight.right) continue;
      plain.add(segment);
      if (isFine) heads.push(segment);
      if (scene.pathSegments.has(segment) || scene.litSegments.has(segment) || isInLayer(scene, from, to)) marked.push(segment);
    }
  }
  plain.end();
  if (isFine) drawHeads(pen, scene, heads, palette.edge);
  drawFarEdges(pen, scene, sight, thin);
  pen.globalAlpha = 1;
  for (const segment of marked) drawMarkedSegment(pen, scene, segment, palette, isFine, thin);
}

function isInLayer(scene, from, to) {
  const { count } = scene.boxes;
  return from < count && to < count && scene.layerHue(from) !== "" && scene.boxLayer[from] === scene.boxLayer[to];
}

function drawMarkedSegment(pen, scene, segment, palette, isFine, thin) {
  const isPath = scene.pathSegments.has(segment);
  const isLit = scene.litSegments.has(segment);
  const colour = isPath ? palette.blue : isLit ? palette.accent : palette[scene.layerHue(scene.layout.segFrom[segment])];
  pen.strokeStyle = colour;
  pen.lineWidth = Math.max(isPath ? 4 : isLit ? 2.4 : 5, (isPath ? 3 : 1.5) * thin);
  const path = new SegmentPath(pen, scene, isFine);
  path.add(segment);
  path.end();
  if (isFine) drawHeads(pen, scene, [segment], colour);
}

/** Many lines in one path, but not too many: the time that one path takes grows faster than its length. */
class SegmentPath {
  constructor(pen, scene, isCurved) {
    Object.assign(this, { pen, scene, isCurved, lines: 0 });
    pen.beginPath();
  }

  add(segment) {
    const { pen } = this;
    const { layout, boxes } = this.scene;
    const [from, to] = [layout.segFrom[segment], layout.segTo[segment]];
    const [x, y] = [portOf(this.scene, segment, from), layout.rank[from] * ROW_HEIGHT];
    const [endX, endY] = [portOf(this.scene, segment, to), layout.rank[to] * ROW_HEIGHT];
    if (!this.isCurved) {
      pen.moveTo(x, y);
      pen.lineTo(endX, endY);
    } else {
      const [start, end] = [y + BOX_HEIGHT / 2, endY - BOX_HEIGHT / 2];
      pen.moveTo(x, start);
      if (Math.abs(x - endX) < 0.5) pen.lineTo(endX, end);
      else pen.bezierCurveTo(x, start + (end - start) * 0.6, endX, end - (end - start) * 0.6, endX, end);
      if (to >= boxes.count) pen.lineTo(endX, endY + BOX_HEIGHT / 2);
    }
    this.lines += 1;
    if (this.lines < LINES_IN_A_PATH) return;
    pen.stroke();
    pen.beginPath();
    this.lines = 0;
  }

  end() {
    if (this.lines) this.pen.stroke();
  }
}

/** Where a segment meets a vertex. An edge that was turned round keeps to the side: there may be one the other way. */
function portOf({ layout, boxes }, segment, vertex) {
  return layout.x[vertex] + (layout.segTurned[segment] && vertex < boxes.count ? TURNED_ASIDE : 0);
}

function drawHeads(pen, scene, segments, colour) {
  const { layout, boxes } = scene;
  pen.fillStyle = colour;
  pen.beginPath();
  const head = (x, tip, back) => {
    pen.moveTo(x, tip);
    pen.lineTo(x - 4, back);
    pen.lineTo(x + 4, back);
    pen.closePath();
  };
  for (const segment of segments) {
    const [from, to] = [layout.segFrom[segment], layout.segTo[segment]];
    const isTurned = layout.segTurned[segment];
    if (isTurned && from < boxes.count) {
      const tip = layout.rank[from] * ROW_HEIGHT + BOX_HEIGHT / 2;
      head(portOf(scene, segment, from), tip, tip + 8);
    } else if (!isTurned && to < boxes.count) {
      const tip = layout.rank[to] * ROW_HEIGHT - BOX_HEIGHT / 2;
      head(layout.x[to], tip, tip - 8);
    }
  }
  pen.fill();
}

/** Edges too long for bends of their own: one wide curve. */
function drawFarEdges(pen, scene, sight, thin) {
  const { layout } = scene;
  pen.lineWidth = thin;
  pen.setLineDash([6 * thin, 4 * thin]);
  pen.beginPath();
  for (const edge of layout.far) {
    const [from, to] = [layout.from[edge], layout.to[edge]];
    const [high, low] = layout.rank[from] < layout.rank[to] ? [from, to] : [to, from];
    if (layout.rank[low] < sight.first || layout.rank[high] > sight.last) continue;
    const [x, y] = [layout.x[high], layout.rank[high] * ROW_HEIGHT + BOX_HEIGHT / 2];
    const [endX, endY] = [layout.x[low], layout.rank[low] * ROW_HEIGHT - BOX_HEIGHT / 2];
    const side = layout.right + 60;
    pen.moveTo(x, y);
    pen.bezierCurveTo(side, y + ROW_HEIGHT, side, endY - ROW_HEIGHT, endX, endY);
  }
  pen.stroke();
  pen.setLineDash([]);
}

// Boxes

function drawBoxes(pen, scene, view, palette, sight) {
  const detail = { withName: view.scale >= NAMES_FROM, titleSize: Math.min(LARGEST_TITLE, 10 / view.scale) };
  eachBox(scene, sight, 1, (box) => {
    pen.globalAlpha = scene.boxFaded[box] ? FADED : 1;
    drawBox(pen, scene, box, palette, detail);
    if (scene.boxes.loops.has(box)) drawLoop(pen, scene, box, palette);
  });
  pen.globalAlpha = 1;
}

/** An edge from a box to itself. */
function drawLoop(pen, scene, box, palette) {
  const [x, y] = scene.centre(box);
  const right = x + scene.widths[box] / 2;
  pen.strokeStyle = palette.edge;
  pen.lineWidth = 1.2;
  pen.beginPath();
  pen.moveTo(right, y + 8);
  pen.bezierCurveTo(right + 22, y + 14, right + 22, y - 14, right, y - 8);
  pen.stroke();
}

function eachBox(scene, sight, step, visit) {
  const { layout, boxes } = scene;
  const widest = 100;
  for (let rank = sight.first - (sight.first % step); rank <= sight.last; rank += step) {
    const layer = layout.layers[rank];
    if (!layer) continue;
    for (let at = scene.firstAfter(rank, sight.left - widest); at < layer.length; at += 1) {
      if (scene.leftmost[rank][at] > sight.right + widest) break;
      if (layer[at] < boxes.count) visit(layer[at], rank);
    }
  }
}

/** Far away: blocks of one colour each, gathered by colour, for to change it costs more than to fill. */
function drawBlocks(pen, scene, view, palette, sight) {
  const byColour = new Map();
  const height = Math.max(1, BOX_HEIGHT * view.scale);
  let lastRank = -1;
  let reached = -Infinity;
  eachBox(scene, sight, sight.step, (box, rank) => {
    const [x, y] = view.toScreen(scene.layout.x[box], rank * ROW_HEIGHT);
    const width = Math.max(NARROWEST_BLOCK, scene.widths[box] * view.scale);
    if (rank !== lastRank) reached = -Infinity;
    lastRank = rank;
    if (x + width / 2 < reached + 1) return; // the same pixel as its neighbour
    reached = x + width / 2;
    const colour = blockColour(scene, box, palette);
    if (!byColour.has(colour)) byColour.set(colour, []);
    byColour.get(colour).push(x - width / 2, y - height / 2, width);
  });
  for (const [colour, blocks] of byColour) {
    pen.fillStyle = colour;
    for (let at = 0; at < blocks.length; at += 3) pen.fillRect(blocks[at], blocks[at + 1], blocks[at + 2], height);
  }
}

function blockColour(scene, box, palette) {
  if (scene.boxFaded[box]) return palette.faint;
  if (scene.selectedBoxes.has(box)) return palette.accent;
  if (scene.pathBoxes.has(box)) return palette.blue;
  if (scene.overlay && !Number.isNaN(scene.boxValue[box])) return palette.scale[scene.scaleStep(scene.boxValue[box])];
  const hue = scene.layerHue(box);
  if (hue) return palette.blocks[hue];
  if (scene.boxes.kind[box] === BOX_TERMINAL) return palette.blocks.sky;
  const state = scene.boxState[box];
  if (state > 0) return palette.blocks[NODE_STATES[state].colour];
  return scene.boxes.kind[box] === BOX_GROUP ? palette.muted : palette.block;
}

/** Far away, problems, finds and what is selected are marks of a smallest size, in their state's shape. */
function drawProblems(pen, scene, view, palette, sight) {
  const radius = Math.max(SMALLEST_PROBLEM, (BOX_HEIGHT / 2) * view.scale);
  const inSight = (box) => scene.layout.rank[box] >= sight.first && scene.layout.rank[box] <= sight.last;
  const ring = (boxes, colour) => {
    pen.strokeStyle = colour;
    pen.lineWidth = 2;
    for (const box of boxes) {
      if (!inSight(box)) continue;
      pen.beginPath();
      pen.arc(...view.toScreen(...scene.centre(box)), radius + 3, 0, 2 * Math.PI);
      pen.stroke();
    }
  };
  ring(scene.matchedBoxes, palette.orange);
  for (const box of scene.problemBoxes) {
    if (scene.boxFaded[box] || !inSight(box)) continue;
    const state = NODE_STATES[scene.boxMark[box]];
    shapePath(pen, state.shape, ...view.toScreen(...scene.centre(box)), radius);
    pen.fillStyle = palette[state.colour];
    pen.strokeStyle = palette.surface;
    pen.lineWidth = 1.5;
    pen.fill();
    pen.stroke();
  }
  ring(scene.selectedBoxes, palette.accent);
}
