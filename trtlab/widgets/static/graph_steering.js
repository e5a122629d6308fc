/** What a click and a key do on the graph: select, walk, unfold, open. */

import { BOX_GROUP, BOX_NODE } from "./graph_folding.js";
import { boxTowards, firstBox, nextProblem } from "./graph_keys.js";
import { OPENER_WIDTH } from "./graph_scene.js";

const KEY_PAN = 60;

export class GraphSteering {
  /** @param {import("./graph_canvas.js").GraphCanvas} graph */
  constructor(graph) {
    this.graph = graph;
    this.scene = graph.scene;
    this.listeners = graph.listeners;
  }

  userSelect(numbers) {
    this.scene.selection = new Set(numbers);
    this.scene.markBoxes();
    this.graph.refresh();
    this.listeners.onSelect?.([...numbers]);
  }

  userScope(scope) {
    this.graph.showScope(scope);
    this.listeners.onScope?.(this.scene.scope);
    this.graph.focus();
  }

  click(x, y, isMore) {
    const { scene } = this;
    const [planeX, planeY] = this.graph.view.toPlane(x, y);
    const box = scene.boxAt(planeX, planeY);
    if (box < 0) {
      if (!isMore) this.userSelect([]);
      return;
    }
    this.scene.focus = box;
    const isOpener = planeX > scene.centre(box)[0] + scene.widths[box] / 2 - OPENER_WIDTH;
    if (scene.boxes.kind[box] === BOX_GROUP && !isMore) this.graph.setFolded(scene.boxes.ref[box], false);
    else if (scene.isHolder(box) && isOpener && !isMore) this.openInside(box);
    else this.choose(box, isMore);
  }

  /** Select a box's nodes; `isMore` adds them, or takes them away. */
  choose(box, isMore) {
    const nodes = this.scene.nodesOf(box);
    const chosen = new Set(isMore ? this.scene.selection : []);
    const isIn = isMore && nodes.every((node) => chosen.has(node));
    for (const node of nodes) isIn ? chosen.delete(node) : chosen.add(node);
    this.graph.focusBox(box);
    this.userSelect([...chosen]);
  }

  openInside(box) {
    this.userScope(this.scene.model.inside.get(this.scene.boxes.ref[box])[0]);
  }

  drawBand(band, isDone) {
    this.graph.band = isDone ? null : band;
    if (isDone && band) {
      const [left, right] = [Math.min(band[0], band[2]), Math.max(band[0], band[2])];
      const [top, bottom] = [Math.min(band[1], band[3]), Math.max(band[1], band[3])];
      const boxes = this.scene.boxesIn(...this.graph.view.toPlane(left, top), ...this.graph.view.toPlane(right, bottom));
      this.userSelect([...new Set([...this.scene.selection, ...boxes.flatMap((box) => this.scene.nodesOf(box))])]);
    }
    this.graph.draw();
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
      "+": () => this.graph.zoom(1.25),
      "=": () => this.graph.zoom(1.25),
      "-": () => this.graph.zoom(1 / 1.25),
      0: () => this.graph.fit(),
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
    if (box >= 0) this.graph.focusBox(box);
  }

  panByKey(key) {
    const [x, y] = { ArrowLeft: [1, 0], ArrowRight: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[key];
    this.graph.change(() => this.graph.view.move(x * KEY_PAN, y * KEY_PAN));
  }

  enter(isShift) {
    const { scene } = this;
    const box = scene.focus;
    if (box < 0) return;
    if (scene.boxes.kind[box] === BOX_GROUP) this.graph.setFolded(scene.boxes.ref[box], false);
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
    if (group >= 0) this.graph.setFolded(group, true);
  }

  goOut() {
    const { scopes } = this.scene.model;
    const { parent, holder } = scopes[this.scene.scope];
    if (!(parent >= 0)) return;
    this.userScope(parent);
    if (holder >= 0) this.graph.select([holder], { center: true });
  }
}
