/**
 * The whole graph in a narrow strip beside it, with the part in sight framed and the problems marked. Graphs are often
 * thousands of layers tall: both axes have a scale of their own, so that the strip is full in any case.
 */

import { element, setHidden } from "./dom.js";
import { NODE_STATES } from "./graph_looks.js";
import { ROW_HEIGHT } from "./graph_scene.js";

const STRIP_WIDTH = 44;
const STRIP_MARK = 7;

export class GraphOverview {
  /** @param {(x: number, y: number) => void} onMove a place of the plane that shall be in the middle */
  constructor(onMove) {
    this.onMove = onMove;
    this.picture = document.createElement("canvas");
    this.key = null;
    this.node = element("canvas", { class: "trtlab-graph-overview", "aria-hidden": "true", title: "The whole graph: click to go there" });
    this.node.addEventListener("pointerdown", (event) => {
      event.stopPropagation();
      this.node.setPointerCapture(event.pointerId);
      this.moveTo(event);
    });
    this.node.addEventListener("pointermove", (event) => {
      if (this.node.hasPointerCapture(event.pointerId)) this.moveTo(event);
    });
  }

  moveTo(event) {
    if (!this.toPlane) return;
    const box = this.node.getBoundingClientRect();
    this.onMove(...this.toPlane(event.clientX - box.left, event.clientY - box.top));
  }

  /** @param {object} key another one when what the strip shows has changed */
  draw(scene, view, palette, key) {
    const { left, right, top, bottom } = scene.extent;
    const [leftmost, highest] = view.toScreen(left, top);
    const [rightmost, lowest] = view.toScreen(right, bottom);
    const isWhole = Math.min(leftmost, highest) >= 0 && rightmost <= view.width && lowest <= view.height;
    setHidden(this.node, isWhole || !scene.boxes.count);
    if (this.node.hidden) return;
    const ratio = window.devicePixelRatio || 1;
    const height = view.height;
    if (this.node.width !== Math.round(STRIP_WIDTH * ratio) || this.node.height !== Math.round(height * ratio)) {
      [this.node.width, this.node.height] = [Math.round(STRIP_WIDTH * ratio), Math.round(height * ratio)];
      this.node.style.height = `${height}px`;
      this.key = null;
    }
    const [across, down] = [(STRIP_WIDTH - 8) / Math.max(1, right - left), (height - 8) / Math.max(1, bottom - top)];
    this.toPlane = (x, y) => [left + (x - 4) / across, top + (y - 4) / down];
    const toStrip = (x, y) => [4 + (x - left) * across, 4 + (y - top) * down];
    if (this.key !== key) {
      this.key = key;
      this.paint(scene, palette, toStrip, ratio);
    }
    const pen = this.node.getContext("2d");
    pen.setTransform(1, 0, 0, 1, 0, 0);
    pen.clearRect(0, 0, this.node.width, this.node.height);
    pen.drawImage(this.picture, 0, 0);
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.frame(pen, view, palette, toStrip, height);
  }

  paint(scene, palette, toStrip, ratio) {
    [this.picture.width, this.picture.height] = [this.node.width, this.node.height];
    const pen = this.picture.getContext("2d");
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.fillStyle = palette.block;
    let lastRow = -1;
    scene.layout.layers.forEach((layer, rank) => {
      const boxes = layer.filter((vertex) => vertex < scene.boxes.count);
      if (!boxes.length) return;
      const [x, y] = toStrip(scene.layout.x[boxes[0]] - 40, rank * ROW_HEIGHT);
      const [end] = toStrip(scene.layout.x[boxes[boxes.length - 1]] + 40, 0);
      const row = Math.round(y);
      if (row === lastRow) return;
      lastRow = row;
      pen.fillRect(x, row, Math.max(2, end - x), 1);
    });
    for (const box of scene.matchedBoxes) this.mark(pen, toStrip(...scene.centre(box)), palette.orange, 3);
    for (const box of scene.problemBoxes) {
      this.mark(pen, toStrip(...scene.centre(box)), palette[NODE_STATES[scene.boxMark[box]].colour], STRIP_MARK);
    }
  }

  mark(pen, [x, y], colour, size) {
    const ink = pen.fillStyle;
    pen.fillStyle = colour;
    pen.fillRect(x - size / 2, y - 1.5, size, 3);
    pen.fillStyle = ink;
  }

  frame(pen, view, palette, toStrip, height) {
    const [left, top] = toStrip(...view.toPlane(0, 0));
    const [right, bottom] = toStrip(...view.toPlane(view.width, view.height));
    const [x, end] = [Math.max(1, left), Math.min(STRIP_WIDTH - 1, right)];
    const [y, low] = [Math.max(1, top), Math.min(height - 1, bottom)];
    pen.strokeStyle = palette.accent;
    pen.lineWidth = 1.5;
    pen.strokeRect(x, y, Math.max(4, end - x), Math.max(4, low - y));
  }
}
