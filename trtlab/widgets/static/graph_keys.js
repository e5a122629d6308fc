/** The graph by keyboard: arrows walk along its edges, and each box that is reached is said aloud. */

import { plural, shortenMiddle } from "./format.js";
import { BOX_GROUP, BOX_NODE, BOX_TERMINAL } from "./graph_folding.js";
import { NODE_STATES, isProblem } from "./graph_looks.js";
import { valueText } from "./graph_boxes.js";

export const KEYS_HELP =
  "Arrow keys walk along edges and to neighbours, Enter opens, Shift and Enter opens what a node holds, Space selects, F folds " +
  "the group, Backspace goes out, N next problem, plus and minus zoom, 0 shows the whole graph.";

const LONGEST_SPOKEN = 200;

/** The box that an arrow key leads to from `box`, or -1. */
export function boxTowards(scene, box, key) {
  const { layout, boxes } = scene;
  if (box < 0) return firstBox(scene);
  if (key === "ArrowLeft" || key === "ArrowRight") {
    const layer = layout.layers[layout.rank[box]].filter((vertex) => vertex < boxes.count);
    return layer[layer.indexOf(box) + (key === "ArrowRight" ? 1 : -1)] ?? -1;
  }
  const isDown = key === "ArrowDown";
  let [nearest, distance] = [-1, Infinity];
  layout.from.forEach((from, edge) => {
    const [start, end] = isDown ? [from, layout.to[edge]] : [layout.to[edge], from];
    if (start !== box) return;
    const away = Math.abs(layout.x[end] - layout.x[box]) + 1000 * Math.abs(layout.rank[end] - layout.rank[box]);
    if (away < distance) [nearest, distance] = [end, away];
  });
  return nearest;
}

export function firstBox({ layout, boxes }) {
  for (const layer of layout.layers) {
    const first = layer.find((vertex) => vertex < boxes.count);
    if (first !== undefined) return first;
  }
  return -1;
}

/** The next problem after `box` from top to bottom, or before it; -1 where there is none. */
export function nextProblem(scene, box, isBackward) {
  const { layout } = scene;
  const key = (each) => layout.rank[each] * 1e7 + layout.x[each];
  const problems = [...scene.problemBoxes].sort((one, other) => key(one) - key(other));
  if (isBackward) problems.reverse();
  const isAfter = (each) => box < 0 || (isBackward ? key(each) < key(box) : key(each) > key(box));
  return problems.find(isAfter) ?? problems[0] ?? -1;
}

/** What is said of a box: name, operator, state, inputs and outputs. */
export function spokenBox(scene, box) {
  const { boxes, model } = scene;
  const ref = boxes.ref[box];
  if (boxes.kind[box] === BOX_TERMINAL) {
    const terminal = model.terminals[ref - model.count];
    return `${terminal.kind} ${shortenMiddle(terminal.name, LONGEST_SPOKEN)}, ${terminal.type}`;
  }
  const ends = boxes.kind[box] === BOX_NODE ? nodeEnds(model, ref) : "";
  const value = valueText(scene, box);
  const parts = [headOf(scene, box), ends, value && `${scene.overlay.name} ${value}`, layerText(scene, box)];
  return parts.filter(Boolean).join(", ");
}

function headOf(scene, box) {
  const { boxes, model } = scene;
  const ref = boxes.ref[box];
  if (boxes.kind[box] !== BOX_GROUP) {
    const [name, operator] = [model.name(ref), model.operator(ref)].map((text) => shortenMiddle(text, LONGEST_SPOKEN));
    return `${name}, ${operator}, ${NODE_STATES[scene.boxState[box]].word}`;
  }
  const counts = scene.states.inGroup(ref);
  const problems = NODE_STATES.flatMap(({ word }, state) => (isProblem(state) && counts[state] ? [`${counts[state]} ${word}`] : []));
  const title = shortenMiddle(model.groups[ref].title, LONGEST_SPOKEN);
  return [`folded group ${title}`, plural(model.groupSize[ref], "node"), ...problems].join(", ");
}

function nodeEnds(model, node) {
  const held = model.inside.get(node)?.length ?? 0;
  const inputs = plural(model.entering.length(node), "input edge");
  const ends = `${inputs}, ${plural(model.leaving.length(node), "output edge")}`;
  return held ? `${ends}, holds ${plural(held, "graph")}` : ends;
}

export function layerText(scene, box) {
  const layer = scene.layers[scene.boxLayer[box]];
  if (!layer) return "";
  const others = layer.nodes.length > 1 ? ` (${plural(layer.nodes.length, "node")} fused)` : "";
  return `layer ${shortenMiddle(layer.name, LONGEST_SPOKEN)}${others}`;
}
