/** What a box is in full, beside the pointer. */

import { element, setHidden, setText } from "./dom.js";
import { shortenMiddle } from "./format.js";
import { valueText } from "./graph_boxes.js";
import { BOX_GROUP, BOX_NODE } from "./graph_folding.js";
import { layerText } from "./graph_keys.js";
import { NODE_STATES } from "./graph_looks.js";

const LONGEST_IN_TIP = 400;
const TIP_AWAY = 16;

export class GraphTip {
  constructor() {
    this.node = element("div", { class: "trtlab-graph-tip", hidden: true, "aria-hidden": "true" });
  }

  show(scene, box, x, y, [width, height]) {
    setText(this.node, tipText(scene, box));
    setHidden(this.node, false);
    const { offsetWidth, offsetHeight } = this.node;
    this.node.style.left = `${Math.max(4, Math.min(x + TIP_AWAY, width - offsetWidth - 8))}px`;
    const below = y + TIP_AWAY;
    this.node.style.top = `${below + offsetHeight < height ? below : Math.max(4, y - offsetHeight - TIP_AWAY)}px`;
  }

  hide() {
    setHidden(this.node, true);
  }
}

function tipText(scene, box) {
  const { kind } = scene.boxes;
  const linesOfKind = { [BOX_GROUP]: groupLines, [BOX_NODE]: nodeLines }[kind[box]] ?? terminalLines;
  const lines = linesOfKind(scene, box).filter(Boolean);
  return lines.map((line) => shortenMiddle(line, LONGEST_IN_TIP)).join("\n");
}

function groupLines(scene, box) {
  const { model } = scene;
  const group = scene.boxes.ref[box];
  const path = model.groupPath(group).map((each) => model.groups[each].title).join(" › ");
  return [path, `${model.groupSize[group]} nodes, click to unfold`, ...stateLines(scene.states.inGroup(group)), valueText(scene, box)];
}

function nodeLines(scene, box) {
  const { model } = scene;
  const node = scene.boxes.ref[box];
  const state = NODE_STATES[scene.boxState[box]];
  const value = valueText(scene, box);
  const inside = scene.isHolder(box) ? stateLines(scene.states.inside(node)).map((line) => `inside: ${line}`) : [];
  const judged = `${state.sign} ${state.word}`.trim();
  return [model.name(node), model.operator(node), judged, ...inside, value && `${scene.overlay.name}: ${value}`, layerText(scene, box)];
}

function terminalLines(scene, box) {
  const terminal = scene.model.terminals[scene.boxes.ref[box] - scene.model.count];
  return [terminal.name, terminal.kind, terminal.type];
}

function stateLines(counts) {
  return NODE_STATES.flatMap(({ word, sign }, state) => (state && counts[state] ? [`${sign} ${word}: ${counts[state]}`] : []));
}
