/**
 * Where the vertices of a layered layout stand across the page, after Brandes and Koepf (2001): vertices are joined to
 * vertical blocks that run straight, the blocks are pushed together from the left and from the right, and of the four
 * results the mean of the middle two is taken. Linear in vertices and segments, and without recursion.
 */

import { Lists } from "./graph_model.js";
import { relaxedAcross } from "./graph_relaxation.js";

export const BOX_GAP = 22;
const BEND_GAP = 12;
const BEND_WIDTH = 4;
/** Straight blocks may take this many times the room of the widest layer. */
const WIDEST_TIMES = 2.5;

/** @returns {Float64Array} the centre of each vertex */
export function placeAcross(graph) {
  const { layers, size } = graph;
  if (!size) return new Float64Array(0);
  const place = new Int32Array(size);
  for (const layer of layers) layer.forEach((vertex, at) => (place[vertex] = at));
  const width = (vertex) => (vertex < graph.count ? graph.widths[vertex] : BEND_WIDTH);
  const gap = (one, other) => (one < graph.count && other < graph.count ? BOX_GAP : BEND_GAP);
  const apart = (one, other) => (width(one) + width(other)) / 2 + gap(one, other);
  const work = { ...graph, place, ...neighbours(graph), pairs: pairsOf(layers, apart) };
  work.isCrossed = crossedSegments(work);
  const results = [];
  for (const isDown of [true, false]) {
    for (const isLeft of [true, false]) results.push({ isLeft, x: pushed(work, joined(work, isDown, isLeft), isLeft) });
  }
  const x = middle(results, size);
  return spread(x) > WIDEST_TIMES * widestLayer(layers, apart) ? relaxedAcross(work, apart) : x;
}

function spread(x) {
  let [low, high] = [Infinity, -Infinity];
  for (const each of x) {
    low = Math.min(low, each);
    high = Math.max(high, each);
  }
  return high - low;
}

function widestLayer(layers, apart) {
  let widest = 10 * BOX_GAP;
  for (const layer of layers) {
    let width = 0;
    for (let at = 1; at < layer.length; at += 1) width += apart(layer[at - 1], layer[at]);
    widest = Math.max(widest, width);
  }
  return widest;
}

/** All that stand side by side, and how far apart they must be. */
function pairsOf(layers, apart) {
  const count = layers.reduce((sum, layer) => sum + Math.max(0, layer.length - 1), 0);
  const [left, right, distance] = [new Int32Array(count), new Int32Array(count), new Float64Array(count)];
  let pair = 0;
  for (const layer of layers) {
    for (let at = 1; at < layer.length; at += 1) {
      [left[pair], right[pair]] = [layer[at - 1], layer[at]];
      distance[pair] = apart(left[pair], right[pair]);
      pair += 1;
    }
  }
  return { left, right, distance };
}

/** The segments above and below each vertex, sorted by the place of their other end. */
function neighbours({ layers, size, segFrom, segTo, segmentsFrom, segmentsTo }) {
  const order = new Int32Array(segFrom.length);
  const sorted = (walk, ends) => {
    let filled = 0;
    for (const layer of layers) {
      for (const vertex of layer) for (const segment of walk.of(vertex)) order[filled++] = segment;
    }
    const lists = new Lists(size, Int32Array.from(order, (segment) => ends[segment]));
    return { starts: lists.starts, items: Int32Array.from(lists.items, (at) => order[at]) };
  };
  return { above: sorted(segmentsFrom, segTo), below: sorted(segmentsTo, segFrom) };
}

/** Segments that cross one between two bends: the long line keeps straight, the other gives way. */
function crossedSegments({ layers, count, place, segFrom, above }) {
  const isCrossed = new Uint8Array(segFrom.length);
  for (let depth = 1; depth < layers.length; depth += 1) {
    const layer = layers[depth];
    let [left, next] = [0, 0];
    layer.forEach((vertex, at) => {
      const inner = vertex < count ? -1 : bendAbove(vertex, above, segFrom, count);
      if (inner < 0 && at < layer.length - 1) return;
      const right = inner < 0 ? layers[depth - 1].length - 1 : place[inner];
      for (; next <= at; next += 1) {
        for (let each = above.starts[layer[next]]; each < above.starts[layer[next] + 1]; each += 1) {
          const end = place[segFrom[above.items[each]]];
          if (end < left || end > right) isCrossed[above.items[each]] = 1;
        }
      }
      left = right;
    });
  }
  return isCrossed;
}

function bendAbove(vertex, above, segFrom, count) {
  const start = above.starts[vertex];
  if (start === above.starts[vertex + 1]) return -1;
  const end = segFrom[above.items[start]];
  return end >= count ? end : -1;
}

/** Join each vertex with a middle neighbour in the layer before; returns the first vertex of each one's block. */
function joined({ layers, size, place, segFrom, segTo, above, below, isCrossed }, isDown, isLeft) {
  const root = Int32Array.from({ length: size }, (_, vertex) => vertex);
  const isTaken = new Uint8Array(size);
  const [lists, ends] = isDown ? [above, segFrom] : [below, segTo];
  for (let step = 1; step < layers.length; step += 1) {
    const layer = layers[isDown ? step : layers.length - 1 - step];
    let limit = isLeft ? -1 : Infinity;
    for (let at = 0; at < layer.length; at += 1) {
      const vertex = layer[isLeft ? at : layer.length - 1 - at];
      const [start, end] = [lists.starts[vertex], lists.starts[vertex + 1]];
      if (start === end) continue;
      for (const segment of middleSegments(lists, ends, start, end, isLeft)) {
        const other = ends[segment];
        if (isTaken[other] || isCrossed[segment] || (isLeft ? place[other] <= limit : place[other] >= limit)) continue;
        isTaken[other] = 1;
        root[vertex] = root[other];
        limit = place[other];
        break;
      }
    }
  }
  return root;
}

/**
 * The segments to a vertex's middle neighbours. A neighbour that is itself an end, such as a constant, counts only where there
 * is no other: with the constants always on one side of its trunk, a whole net would drift aside layer by layer.
 */
function middleSegments({ starts, items }, ends, start, end, isLeft) {
  let segments = items.subarray(start, end);
  if (segments.length > 1) {
    const trunk = segments.filter((segment) => starts[ends[segment]] < starts[ends[segment] + 1]);
    if (trunk.length) segments = trunk;
  }
  const [low, high] = [segments[(segments.length - 1) >> 1], segments[segments.length >> 1]];
  return isLeft ? [low, high] : [high, low];
}

/** Push the blocks together, each as near to its neighbours as their widths allow. */
function pushed({ size, pairs: { left, right, distance } }, root, isLeft) {
  const nearer = (isLeft ? left : right).map((vertex) => root[vertex]);
  const farther = (isLeft ? right : left).map((vertex) => root[vertex]);
  const leaving = new Lists(size, nearer);
  const missing = new Int32Array(size);
  for (const block of farther) missing[block] += 1;
  const order = [];
  for (let vertex = 0; vertex < size; vertex += 1) if (root[vertex] === vertex && !missing[vertex]) order.push(vertex);
  const at = new Float64Array(size);
  for (let step = 0; step < order.length; step += 1) {
    const from = order[step];
    for (let item = leaving.starts[from]; item < leaving.starts[from + 1]; item += 1) {
      const pair = leaving.items[item];
      const block = farther[pair];
      at[block] = Math.max(at[block], at[from] + distance[pair]);
      missing[block] -= 1;
      if (!missing[block]) order.push(block);
    }
  }
  for (let step = order.length - 1; step >= 0; step -= 1) {
    const block = order[step];
    let room = Infinity;
    for (let item = leaving.starts[block]; item < leaving.starts[block + 1]; item += 1) {
      room = Math.min(room, at[farther[leaving.items[item]]] - distance[leaving.items[item]]);
    }
    if (room < Infinity) at[block] = Math.max(at[block], room);
  }
  return Float64Array.from(root, (block) => (isLeft ? at[block] : -at[block]));
}

/** Shift the four results onto the narrowest, and take the mean of the middle two for each vertex. */
function middle(results, size) {
  for (const result of results) {
    result.low = result.x.reduce((low, each) => Math.min(low, each), Infinity);
    result.high = result.x.reduce((high, each) => Math.max(high, each), -Infinity);
  }
  const narrowest = results.reduce((one, other) => (other.high - other.low < one.high - one.low ? other : one));
  const shifts = results.map(({ isLeft, low, high }) => (isLeft ? narrowest.low - low : narrowest.high - high));
  const [one, two, three, four] = results.map(({ x }) => x);
  const centre = new Float64Array(size);
  for (let vertex = 0; vertex < size; vertex += 1) {
    const a = one[vertex] + shifts[0];
    const b = two[vertex] + shifts[1];
    const c = three[vertex] + shifts[2];
    const d = four[vertex] + shifts[3];
    const sum = a + b + c + d;
    centre[vertex] = (sum - Math.max(a, b, c, d) - Math.min(a, b, c, d)) / 2;
  }
  return centre;
}
