/**
 * The graph as the kernel sends it, in columns, made ready for walking.
 *
 * A *vertex* is a node (its number) or a terminal (the number of nodes plus the terminal's place). What comes from a model
 * is not trusted: an edge, a scope or a group that points nowhere, or in a circle, is left out here once and for all.
 */

/** Lists of different lengths in one array: the items of list `i` are `items[starts[i]]` to `items[starts[i + 1] - 1]`. */
export class Lists {
  /** Put each item `0, 1, ...` into the list that `keys` names for it, in order; a negative key leaves it out. */
  constructor(count, keys) {
    this.starts = new Int32Array(count + 1);
    for (const key of keys) if (key >= 0) this.starts[key + 1] += 1;
    for (let list = 0; list < count; list += 1) this.starts[list + 1] += this.starts[list];
    this.items = new Int32Array(this.starts[count]);
    const next = this.starts.slice(0, count);
    for (let item = 0; item < keys.length; item += 1) {
      const key = keys[item];
      if (key < 0) continue;
      this.items[next[key]] = item;
      next[key] += 1;
    }
  }

  /** @param {number} list @returns {Int32Array} */
  of(list) {
    return this.items.subarray(this.starts[list], this.starts[list + 1]);
  }

  length(list) {
    return this.starts[list + 1] - this.starts[list];
  }
}

const MAIN_SCOPE = { path: "", title: "main graph", kind: "graph", parent: -1, holder: -1 };

export class GraphModel {
  /** @param {object} graph the trait `graph`; `{}` for none */
  constructor(graph) {
    const nodes = graph.nodes ?? {};
    this.id = graph.id ?? "";
    this.title = graph.title ?? "";
    this.names = nodes.name ?? [];
    this.count = this.names.length;
    this.terminals = graph.terminals ?? [];
    this.vertexCount = this.count + this.terminals.length;
    this.scopes = graph.scopes?.length ? graph.scopes : [MAIN_SCOPE];
    this.operators = graph.operators ?? [];
    this.tensors = graph.tensors ?? [];
    this.index = nodes.index ?? [];
    this.nodeOperator = nodes.operator ?? [];
    this.readScopes(nodes.scope ?? [], graph.inside ?? []);
    this.readGroups(graph.groups ?? [], nodes.group ?? []);
    this.readEdges(graph.edges ?? {});
  }

  readScopes(nodeScope, inside) {
    const known = (scope) => (scope >= 0 && scope < this.scopes.length ? scope : 0);
    this.vertexScope = new Int32Array(this.vertexCount);
    for (let node = 0; node < this.count; node += 1) this.vertexScope[node] = known(nodeScope[node]);
    this.terminals.forEach((terminal, place) => {
      this.vertexScope[this.count + place] = known(terminal.scope);
    });
    this.members = new Lists(this.scopes.length, this.vertexScope);
    this.inside = new Map();
    for (const [node, scope] of inside) {
      if (node < 0 || node >= this.count || !this.scopes[scope]) continue;
      if (!this.inside.has(node)) this.inside.set(node, []);
      this.inside.get(node).push(scope);
    }
  }

  readGroups(groups, nodeGroup) {
    this.groups = groups;
    this.groupParent = Int32Array.from(groups, (group, own) => this.trustedParent(groups, group, own));
    this.groupDepth = new Int32Array(groups.length);
    for (let group = 0; group < groups.length; group += 1) {
      const parent = this.groupParent[group];
      this.groupDepth[group] = parent < 0 ? 0 : this.groupDepth[parent] + 1;
    }
    this.nodeGroup = new Int32Array(this.count).fill(-1);
    this.groupSize = new Int32Array(groups.length);
    for (let node = 0; node < this.count; node += 1) {
      const group = nodeGroup[node] ?? -1;
      if (!groups[group] || groups[group].scope !== this.vertexScope[node]) continue;
      this.nodeGroup[node] = group;
      this.groupSize[group] += 1;
    }
    this.groupNodes = new Lists(groups.length, this.nodeGroup);
    this.groupChildren = new Lists(groups.length, this.groupParent);
    for (let group = groups.length - 1; group >= 0; group -= 1) {
      const parent = this.groupParent[group];
      if (parent >= 0) this.groupSize[parent] += this.groupSize[group];
    }
  }

  /** The contract lists outer groups first; a parent that comes later could close a circle. */
  trustedParent(groups, group, own) {
    const { parent } = group;
    return parent >= 0 && parent < own && groups[parent].scope === group.scope ? parent : -1;
  }

  readEdges(edges) {
    const [sources, targets] = [edges.from ?? [], edges.to ?? []];
    const vertex = (end) => (end >= 0 ? (end < this.count ? end : -1) : this.terminals[-1 - end] ? this.count - 1 - end : -1);
    this.edgeFrom = new Int32Array(sources.length).fill(-1);
    this.edgeTo = new Int32Array(sources.length).fill(-1);
    this.edgeTensor = edges.tensor ?? [];
    for (let edge = 0; edge < sources.length; edge += 1) {
      const [from, to] = [vertex(sources[edge]), vertex(targets[edge] ?? this.count)];
      if (from < 0 || to < 0 || this.vertexScope[from] !== this.vertexScope[to]) continue;
      this.edgeFrom[edge] = from;
      this.edgeTo[edge] = to;
    }
    this.leaving = new Lists(this.vertexCount, this.edgeFrom);
    this.entering = new Lists(this.vertexCount, this.edgeTo);
  }

  isNode(vertex) {
    return vertex < this.count;
  }

  operator(node) {
    return this.operators[this.nodeOperator[node]] ?? "";
  }

  /** A node's name, or its place in the file where it has none. */
  name(node) {
    return this.names[node] || `#${this.index[node] ?? node}`;
  }

  /** The last part of a name: the parts before it are its groups. */
  shortName(node) {
    const name = this.name(node);
    const tail = name.slice(name.lastIndexOf("/") + 1) || name;
    if (tail !== name || this.nodeGroup[node] < 0) return tail;
    return name.slice(name.lastIndexOf(".") + 1) || name;
  }

  /** The groups that hold a node or a group, outermost first. */
  groupPath(group) {
    const path = [];
    for (let each = group; each >= 0; each = this.groupParent[each]) path.push(each);
    return path.reverse();
  }

  /** All nodes in a group, those of its inner groups too. */
  nodesInGroup(group) {
    const nodes = [];
    const waiting = [group];
    while (waiting.length) {
      const each = waiting.pop();
      for (const node of this.groupNodes.of(each)) nodes.push(node);
      for (const child of this.groupChildren.of(each)) waiting.push(child);
    }
    return nodes.sort((one, other) => one - other);
  }

  /** The scopes from the main graph down to `scope`. A function stands alone: several nodes may call it. */
  scopePath(scope) {
    const path = [];
    const seen = new Set();
    for (let each = scope; this.scopes[each] && !seen.has(each); each = this.scopes[each].parent) {
      seen.add(each);
      path.push(each);
    }
    return path.reverse();
  }
}
