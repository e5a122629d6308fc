/**
 * The second way to place vertices across the page, for graphs so entangled that straight blocks would take many times the
 * room: each layer stands where its neighbours' mean lies, as far as the widths allow, sweeping down and up.
 */

const RELAXING_SWEEPS = 8;

/** @param {(one: number, other: number) => number} apart the least distance of two neighbours in a layer */
export function relaxedAcross({ layers, size, segFrom, segTo, above, below }, apart) {
  const x = new Float64Array(size);
  for (const layer of layers) {
    for (let at = 1; at < layer.length; at += 1) x[layer[at]] = x[layer[at - 1]] + apart(layer[at - 1], layer[at]);
    const middle = x[layer[layer.length - 1]] / 2;
    for (const vertex of layer) x[vertex] -= middle;
  }
  for (let sweep = 0; sweep < RELAXING_SWEEPS; sweep += 1) {
    const isDown = sweep % 2 === 0;
    const [lists, ends] = isDown ? [above, segFrom] : [below, segTo];
    for (let step = 0; step < layers.length; step += 1) {
      relaxLayer(layers[isDown ? step : layers.length - 1 - step], x, lists, ends, apart);
    }
  }
  return x;
}

function relaxLayer(layer, x, { starts, items }, ends, apart) {
  const wanted = Float64Array.from(layer, (vertex) => {
    const [start, end] = [starts[vertex], starts[vertex + 1]];
    if (start === end) return x[vertex];
    let sum = 0;
    for (let at = start; at < end; at += 1) sum += x[ends[items[at]]];
    return sum / (end - start);
  });
  // Pushed apart to the right and to the left; the mean of both keeps the distances, and is fair to all.
  const right = wanted.slice();
  const left = wanted.slice();
  for (let at = 1; at < layer.length; at += 1) {
    right[at] = Math.max(right[at], right[at - 1] + apart(layer[at - 1], layer[at]));
    const other = layer.length - 1 - at;
    left[other] = Math.min(left[other], left[other + 1] - apart(layer[other], layer[other + 1]));
  }
  layer.forEach((vertex, at) => (x[vertex] = (right[at] + left[at]) / 2));
}
