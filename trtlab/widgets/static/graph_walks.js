/** Walks over a graph: what is around a node, a shortest path, and the nodes that a text finds. */

const LONGEST_SEARCHED = 2000; // characters of a name that a pattern looks at

/** The vertices at most `steps` edges away from `vertices`, these too. */
export function verticesAround(model, vertices, steps) {
  const around = new Set(vertices);
  let rim = [...around];
  for (let step = 0; step < steps && rim.length; step += 1) {
    const next = [];
    for (const vertex of rim) {
      for (const other of neighboursOf(model, vertex)) {
        if (around.has(other)) continue;
        around.add(other);
        next.push(other);
      }
    }
    rim = next;
  }
  return around;
}

function neighboursOf(model, vertex) {
  const after = Array.from(model.leaving.of(vertex), (edge) => model.edgeTo[edge]);
  return after.concat(Array.from(model.entering.of(vertex), (edge) => model.edgeFrom[edge]));
}

/** A shortest path along the edges, or against all of them; [] where there is none. */
export function shortestPath(model, from, to) {
  const forward = wayAlong(model, from, to);
  return forward.length ? forward : wayAlong(model, to, from).reverse();
}

function wayAlong(model, from, to) {
  const before = new Map([[from, -1]]);
  let rim = [from];
  while (rim.length && !before.has(to)) {
    const next = [];
    for (const vertex of rim) {
      for (const edge of model.leaving.of(vertex)) {
        const other = model.edgeTo[edge];
        if (before.has(other)) continue;
        before.set(other, vertex);
        next.push(other);
      }
    }
    rim = next;
  }
  if (!before.has(to)) return [];
  const path = [];
  for (let vertex = to; vertex >= 0; vertex = before.get(vertex)) path.push(vertex);
  return path.reverse();
}

/** The numbers of the nodes whose name or operator, or one of whose tensors, holds the text; `/.../` is a pattern. */
export function nodesFound(model, text) {
  const holds = matcher(text);
  if (!holds) return [];
  const isHit = new Uint8Array(model.vertexCount);
  const operatorHits = model.operators.map(holds);
  for (let node = 0; node < model.count; node += 1) {
    if (operatorHits[model.nodeOperator[node]] || holds(model.names[node])) isHit[node] = 1;
  }
  const tensorHits = model.tensors.map(holds);
  for (let edge = 0; edge < model.edgeFrom.length; edge += 1) {
    if (model.edgeFrom[edge] < 0 || !tensorHits[model.edgeTensor[edge]]) continue;
    isHit[model.edgeFrom[edge]] = 1;
    isHit[model.edgeTo[edge]] = 1;
  }
  const found = [];
  for (let node = 0; node < model.count; node += 1) if (isHit[node]) found.push(node);
  return found;
}

function matcher(text) {
  const pattern = /^\/(.+)\/$/.exec(text.trim());
  if (pattern) {
    try {
      const expression = new RegExp(pattern[1], "i");
      return (name) => expression.test(name.slice(0, LONGEST_SEARCHED));
    } catch {
      return null; // not a pattern yet: it is being typed
    }
  }
  const wanted = text.trim().toLowerCase();
  return wanted ? (name) => name.toLowerCase().includes(wanted) : null;
}
