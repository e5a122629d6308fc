/**
 * The second way to place vertices across the page, for graphs so entangled that straight blocks would take many times the
 * room: each layer stands where its neighbours' mean lies, as near as the widths allow, sweeping down and up.
 */

const RELAXING_SWEEPS = 8;
/** How much a segment pulls: long lines shall be straight before others. */
const PULLS = [1, 2, 8]; // between two boxes, at a bend, between two bends
/** What has no neighbour on that side gives way: if it pushed, the whole graph would drift aside layer by layer. */
const NO_PULL = 0.001;
/** For the same reason a neighbour that is itself an end, such as a constant, pulls less than the trunk does. */
const PULL_OF_AN_END = 0.05;

/** @param {(one: number, other: number) => number} apart the least distance of two neighbours in a layer */
export function relaxedAcross({ layers, size, count, segFrom, segTo, above, below }, apart) {
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
      const layer = layers[isDown ? step : layers.length - 1 - step];
      placeNear(layer, pulledTo(layer, x, lists, ends, count), apart, x);
    }
  }
  return x;
}

/** Where each vertex of a layer is pulled to, and how strongly. */
function pulledTo(layer, x, { starts, items }, ends, count) {
  const [places, pulls] = [new Float64Array(layer.length), new Float64Array(layer.length)];
  layer.forEach((vertex, at) => {
    let [sum, pull] = [0, 0];
    for (let item = starts[vertex]; item < starts[vertex + 1]; item += 1) {
      const other = ends[items[item]];
      const isEnd = starts[other] === starts[other + 1];
      const weight = PULLS[(vertex >= count ? 1 : 0) + (other >= count ? 1 : 0)] * (isEnd ? PULL_OF_AN_END : 1);
      sum += weight * x[other];
      pull += weight;
    }
    places[at] = pull ? sum / pull : x[vertex];
    pulls[at] = pull || NO_PULL;
  });
  return { places, pulls };
}

/**
 * Place a layer so that the squares of the distances to the wanted places, each times its pull, are least in sum, with all
 * vertices far enough apart: isotonic regression by pooling neighbours (Ayer and others 1955), in linear time.
 */
function placeNear(layer, { places, pulls }, apart, x) {
  const offsets = new Float64Array(layer.length);
  for (let at = 1; at < layer.length; at += 1) offsets[at] = offsets[at - 1] + apart(layer[at - 1], layer[at]);
  const [means, weights, lengths] = [[], [], []];
  for (let at = 0; at < layer.length; at += 1) {
    let [mean, weight, length] = [places[at] - offsets[at], pulls[at], 1];
    while (means.length && means[means.length - 1] > mean) {
      const [otherMean, otherWeight] = [means.pop(), weights.pop()];
      mean = (mean * weight + otherMean * otherWeight) / (weight + otherWeight);
      weight += otherWeight;
      length += lengths.pop();
    }
    means.push(mean);
    weights.push(weight);
    lengths.push(length);
  }
  let at = 0;
  means.forEach((mean, pool) => {
    for (let each = 0; each < lengths[pool]; each += 1, at += 1) x[layer[at]] = mean + offsets[at];
  });
}
