/**
 * A layered layout, top to bottom, after Sugiyama, Tagawa and Toda (1981), in time that grows about linearly.
 *
 * Edges that run in a circle are turned round for the layout. An edge over several layers gets a *bend* in each, and all
 * long edges that leave one box share their bends, so that a mask read by every block of a transformer is one line with
 * branches. What is then drawn are *segments*: lines from a layer to the next. Edges too long for the number of bends that
 * is allowed are `far` and have none.
 */

import { Lists } from "./graph_model.js";
import { placeAcross } from "./graph_placement.js";

const MOST_BENDS = [4, 2000]; // times the boxes, plus
const SPANS = [100_000, 1024, 512, 256, 128, 64, 32, 16, 8, 4, 2, 1];
const COUNTS_CROSSINGS_BELOW = 6000; // segments
const MANY_SEGMENTS = 20_000;

/**
 * @param {{count: number, widths: Float64Array, from: Int32Array, to: Int32Array}} boxes
 * @returns layers as lists of vertices from left to right; a vertex is a box or, from `count` on, a bend; `x` is its centre
 */
export function layeredLayout({ count, widths, from, to }) {
  const turned = turnedEdges(count, from, to);
  const [upper, lower] = [from.slice(), to.slice()];
  for (const edge of turned) [upper[edge], lower[edge]] = [to[edge], from[edge]];
  const boxRank = ranks(count, upper, lower);
  const graph = withBends({ count, upper, lower, turned, boxRank });
  graph.segmentsFrom = new Lists(graph.size, graph.segFrom);
  graph.segmentsTo = new Lists(graph.size, graph.segTo);
  const layers = ordered(graph);
  const x = placeAcross({ ...graph, layers, count, widths });
  return { ...graph, layers, x, from, to, turned, segmentsBelow: segmentsByLayer(graph, layers.length), ...extent(x, widths) };
}

/** The edges that must be turned round so that no circle is left. */
function turnedEdges(count, from, to) {
  const turned = new Set();
  if (topological(count, from, to).length === count) return turned;
  const leaving = new Lists(count, from);
  const entered = new Int32Array(count);
  for (const target of to) entered[target] += 1;
  const state = new Uint8Array(count); // 1: on the way, 2: done
  const next = leaving.starts.slice(0, count);
  const begin = [...state.keys()].sort((one, other) => (entered[one] > 0) - (entered[other] > 0));
  for (const start of begin) {
    if (state[start]) continue;
    const way = [start];
    state[start] = 1;
    while (way.length) {
      const box = way[way.length - 1];
      if (next[box] === leaving.starts[box + 1]) {
        state[box] = 2;
        way.pop();
        continue;
      }
      const edge = leaving.items[next[box]];
      next[box] += 1;
      if (state[to[edge]] === 1) turned.add(edge);
      else if (!state[to[edge]]) {
        state[to[edge]] = 1;
        way.push(to[edge]);
      }
    }
  }
  return turned;
}

function topological(count, from, to) {
  const leaving = new Lists(count, from);
  const missing = new Int32Array(count);
  for (const target of to) missing[target] += 1;
  const order = [];
  for (let box = 0; box < count; box += 1) if (!missing[box]) order.push(box);
  for (let place = 0; place < order.length; place += 1) {
    for (const edge of leaving.of(order[place])) {
      missing[to[edge]] -= 1;
      if (!missing[to[edge]]) order.push(to[edge]);
    }
  }
  return order;
}

/** The layer of each box: as high as its inputs let it; what has no input stands right above its first reader. */
function ranks(count, from, to) {
  const leaving = new Lists(count, from);
  const rank = new Int32Array(count);
  const hasInput = new Uint8Array(count);
  for (const target of to) hasInput[target] = 1;
  for (const box of topological(count, from, to)) {
    for (const edge of leaving.of(box)) rank[to[edge]] = Math.max(rank[to[edge]], rank[box] + 1);
  }
  for (let box = 0; box < count; box += 1) {
    if (hasInput[box] || !leaving.length(box)) continue;
    let first = Infinity;
    for (const edge of leaving.of(box)) first = Math.min(first, rank[to[edge]]);
    rank[box] = first - 1;
  }
  return rank;
}

/** How many layers an edge may cross so that all bends together stay below the limit. */
function longestSpan(count, upper, lower, rank) {
  const limit = MOST_BENDS[0] * count + MOST_BENDS[1];
  for (const span of SPANS) {
    const longest = new Int32Array(count);
    let bends = 0;
    for (let edge = 0; edge < upper.length; edge += 1) {
      const crossed = rank[lower[edge]] - rank[upper[edge]] - 1;
      if (crossed >= span || crossed <= longest[upper[edge]]) continue;
      bends += crossed - longest[upper[edge]];
      longest[upper[edge]] = crossed;
    }
    if (bends <= limit) return span;
  }
  return 1;
}

/** Add the bends; `firstBend[edge]` is where the edge's bends begin, one for each layer it crosses, or -1. */
function withBends({ count, upper, lower, turned, boxRank }) {
  const span = longestSpan(count, upper, lower, boxRank);
  const rank = Array.from(boxRank);
  const [segFrom, segTo, segTurned, far] = [[], [], [], []];
  const chains = new Map(); // box -> {first, length}; a turned edge has its own
  const firstBend = new Int32Array(upper.length).fill(-1);
  const join = (one, other, isTurned) => {
    segFrom.push(one);
    segTo.push(other);
    segTurned.push(isTurned ? 1 : 0);
  };
  const order = [...upper.keys()].sort(
    (one, other) => boxRank[lower[other]] - boxRank[upper[other]] - (boxRank[lower[one]] - boxRank[upper[one]]),
  );
  for (const edge of order) {
    const [top, bottom, isTurned] = [upper[edge], lower[edge], turned.has(edge)];
    const crossed = boxRank[bottom] - boxRank[top] - 1;
    if (crossed >= span) {
      far.push(edge);
      continue;
    }
    if (crossed === 0) {
      join(top, bottom, isTurned);
      continue;
    }
    // Longest first: the chain that a box's longest edge makes is long enough for all its others.
    let first = isTurned ? undefined : chains.get(top);
    if (first === undefined) {
      first = rank.length;
      if (!isTurned) chains.set(top, first);
      for (let bend = 0; bend < crossed; bend += 1) {
        join(bend ? first + bend - 1 : top, first + bend, isTurned);
        rank.push(boxRank[top] + 1 + bend);
      }
    }
    firstBend[edge] = first;
    join(first + crossed - 1, bottom, isTurned);
  }
  return {
    count,
    size: rank.length,
    rank: Int32Array.from(rank),
    segFrom: Int32Array.from(segFrom),
    segTo: Int32Array.from(segTo),
    segTurned: Uint8Array.from(segTurned),
    far,
    firstBend,
  };
}

/** The layers, ordered so that few segments cross: neighbours' mean place, sweeping down and up. */
function ordered(graph) {
  const layers = layersAtStart(graph);
  const place = new Float64Array(graph.size);
  const number = (layer) => layer.forEach((vertex, at) => (place[vertex] = at));
  layers.forEach(number);
  const isSmall = graph.segFrom.length < COUNTS_CROSSINGS_BELOW;
  const sweeps = isSmall ? 12 : graph.segFrom.length < MANY_SEGMENTS ? 6 : 4;
  let best = null;
  let fewest = isSmall ? crossings(graph, layers, place) : Infinity;
  for (let sweep = 0; sweep < sweeps && fewest > 0; sweep += 1) {
    const isDown = sweep % 2 === 0;
    for (let step = 0; step < layers.length; step += 1) {
      const layer = layers[isDown ? step : layers.length - 1 - step];
      if (layer.length < 2) continue;
      if (sortByNeighbours(graph, layer, place, isDown)) number(layer);
    }
    const now = isSmall ? crossings(graph, layers, place) : Infinity;
    if (now < fewest) {
      fewest = now;
      best = layers.map((layer) => layer.slice());
    }
  }
  // The start may have been the best of all.
  return isSmall ? (best ?? layersAtStart(graph)) : layers;
}

/** Depth first from the top: what hangs together stands together. */
function layersAtStart({ size, rank, segTo, segmentsFrom, segmentsTo }) {
  const depth = rank.reduce((most, each) => Math.max(most, each + 1), 0);
  const layers = Array.from({ length: depth }, () => []);
  const seen = new Uint8Array(size);
  const visit = (start) => {
    const waiting = [start];
    while (waiting.length) {
      const vertex = waiting.pop();
      if (seen[vertex]) continue;
      seen[vertex] = 1;
      layers[rank[vertex]].push(vertex);
      const segments = segmentsFrom.of(vertex);
      for (let each = segments.length - 1; each >= 0; each -= 1) waiting.push(segTo[segments[each]]);
    }
  };
  for (let vertex = 0; vertex < size; vertex += 1) if (!segmentsTo.length(vertex)) visit(vertex);
  for (let vertex = 0; vertex < size; vertex += 1) visit(vertex);
  return layers;
}

const sortKeys = { values: new Float64Array(0) };

function sortByNeighbours({ size, segFrom, segTo, segmentsFrom, segmentsTo }, layer, place, isDown) {
  if (sortKeys.values.length < size) sortKeys.values = new Float64Array(size);
  const keys = sortKeys.values;
  const [lists, ends] = isDown ? [segmentsTo, segFrom] : [segmentsFrom, segTo];
  let isSorted = true;
  let before = -Infinity;
  for (const vertex of layer) {
    const [start, end] = [lists.starts[vertex], lists.starts[vertex + 1]];
    let sum = 0;
    for (let at = start; at < end; at += 1) sum += place[ends[lists.items[at]]];
    keys[vertex] = end > start ? sum / (end - start) : place[vertex];
    if (keys[vertex] < before) isSorted = false;
    before = keys[vertex];
  }
  if (isSorted) return false;
  layer.sort((one, other) => keys[one] - keys[other]);
  return true;
}

/** How many segments cross, counted with a binary indexed tree (Barth, Juenger and Mutzel 2002). */
function crossings({ segTo, segmentsFrom }, layers, place) {
  let count = 0;
  for (let below = 1; below < layers.length; below += 1) {
    const width = layers[below].length;
    if (width < 2 || layers[below - 1].length < 2) continue;
    const tree = new Int32Array(width + 1);
    let entered = 0;
    for (const vertex of layers[below - 1]) {
      const ends = Array.from(segmentsFrom.of(vertex), (segment) => place[segTo[segment]]);
      for (const end of ends) {
        let left = 0;
        for (let at = end + 1; at > 0; at -= at & -at) left += tree[at];
        count += entered - left;
      }
      for (const end of ends) for (let at = end + 1; at <= width; at += at & -at) tree[at] += 1;
      entered += ends.length;
    }
  }
  return count;
}

function segmentsByLayer({ rank, segFrom }, depth) {
  return new Lists(depth, Int32Array.from(segFrom, (vertex) => rank[vertex]));
}

function extent(x, widths) {
  let [left, right] = [Infinity, -Infinity];
  for (let box = 0; box < widths.length; box += 1) {
    left = Math.min(left, x[box] - widths[box] / 2);
    right = Math.max(right, x[box] + widths[box] / 2);
  }
  return widths.length ? { left, right } : { left: 0, right: 0 };
}
