/** What is one box on the page: a node, a terminal, or a folded group with all that is in it. */

export const BOX_NODE = 0;
export const BOX_TERMINAL = 1;
export const BOX_GROUP = 2;

/** A scope with more nodes than this starts folded, where its names have parts. */
const STARTS_FOLDED_ABOVE = 2000;
const BOXES_AT_START = 1000;

/**
 * The boxes of a scope and the edges between them, each pair once.
 *
 * @param {import("./graph_model.js").GraphModel} model
 * @param {number} scope
 * @param {Set<number>} folded groups that are one box; a group inside a folded one counts for nothing
 * @param {Set<number>|null} only the vertices to show, each as itself; null for all
 */
export function boxesOf(model, scope, folded, only = null) {
  const shownGroup = only ? null : outermostFolded(model, folded);
  const boxOf = new Int32Array(model.vertexCount).fill(-1);
  const boxOfGroup = new Map();
  const [kinds, refs] = [[], []];
  const add = (kind, ref) => {
    kinds.push(kind);
    refs.push(ref);
    return kinds.length - 1;
  };
  for (const vertex of model.members.of(scope)) {
    if (only && !only.has(vertex)) continue;
    const group = shownGroup && model.isNode(vertex) && model.nodeGroup[vertex] >= 0 ? shownGroup[model.nodeGroup[vertex]] : -1;
    if (group < 0) {
      boxOf[vertex] = add(model.isNode(vertex) ? BOX_NODE : BOX_TERMINAL, vertex);
    } else {
      if (!boxOfGroup.has(group)) boxOfGroup.set(group, add(BOX_GROUP, group));
      boxOf[vertex] = boxOfGroup.get(group);
    }
  }
  const boxes = { count: kinds.length, kind: Uint8Array.from(kinds), ref: Int32Array.from(refs), boxOf };
  return { ...boxes, ...edgesBetween(model, scope, boxes) };
}

/** For each group the outermost folded one that holds it, or -1. */
function outermostFolded(model, folded) {
  const shown = new Int32Array(model.groups.length);
  for (let group = 0; group < shown.length; group += 1) {
    const parent = model.groupParent[group];
    const outer = parent < 0 ? -1 : shown[parent];
    shown[group] = outer >= 0 ? outer : folded.has(group) && model.groupSize[group] > 1 ? group : -1;
  }
  return shown;
}

function edgesBetween(model, scope, { count, kind, boxOf }) {
  const [from, to] = [[], []];
  const loops = new Set();
  const seen = new Set();
  for (const vertex of model.members.of(scope)) {
    const source = boxOf[vertex];
    if (source < 0) continue;
    for (const edge of model.leaving.of(vertex)) {
      const target = boxOf[model.edgeTo[edge]];
      if (target < 0) continue;
      if (source === target) {
        if (kind[source] !== BOX_GROUP) loops.add(source);
        continue;
      }
      const key = source * count + target;
      if (seen.has(key)) continue;
      seen.add(key);
      from.push(source);
      to.push(target);
    }
  }
  return { from: Int32Array.from(from), to: Int32Array.from(to), loops };
}

/** The groups that are folded when a scope is first shown: none in a small one, else the deepest level that stays small. */
export function foldsAtStart(model, scope) {
  if (model.members.length(scope) <= STARTS_FOLDED_ABOVE) return new Set();
  const groups = groupsOf(model, scope);
  const deepest = groups.reduce((depth, group) => Math.max(depth, model.groupDepth[group]), 0);
  let level = 0;
  for (let depth = 0; depth <= deepest && boxCount(model, scope, depth) <= BOXES_AT_START; depth += 1) level = depth;
  return new Set(groups.filter((group) => model.groupDepth[group] >= level));
}

/** The groups of a scope. */
export function groupsOf(model, scope) {
  const groups = [];
  model.groups.forEach((group, number) => {
    if (group.scope === scope) groups.push(number);
  });
  return groups;
}

function boxCount(model, scope, level) {
  let count = 0;
  for (let group = 0; group < model.groups.length; group += 1) {
    if (model.groups[group].scope !== scope) continue;
    if (model.groupDepth[group] === level) count += 1;
    if (model.groupDepth[group] < level) count += model.groupNodes.length(group);
  }
  for (const vertex of model.members.of(scope)) if (!model.isNode(vertex) || model.nodeGroup[vertex] < 0) count += 1;
  return count;
}

/** Unfold a group, and what it holds where that is a single group: one click must show something new. */
export function unfold(model, folded, group) {
  folded.delete(group);
  let each = group;
  while (model.groupNodes.length(each) === 0 && model.groupChildren.length(each) === 1) {
    [each] = model.groupChildren.of(each);
    folded.delete(each);
  }
}
