/** What is known of the nodes, counted for each group and each scope: what is folded away or held inside must not hide it. */

import { NODE_STATES, isProblem } from "./graph_looks.js";

export class GraphStates {
  /** @param {import("./graph_model.js").GraphModel} model @param {number[]} [states] one for each node, as in the trait `status` */
  constructor(model, states = []) {
    this.model = model;
    this.states = states;
    this.countScopes();
    this.countGroups();
  }

  /** A node's state; what is not known is not looked at. */
  of(node) {
    return NODE_STATES[this.states[node]] ? this.states[node] : 0;
  }

  /** How many nodes of a group, its inner groups too, are in each state; of what they hold only the problems. */
  inGroup(group) {
    return this.groups[group];
  }

  /** How many nodes are in each state in what a node holds. */
  inside(node) {
    const counts = new Int32Array(NODE_STATES.length);
    for (const scope of this.model.inside.get(node) ?? []) addCounts(counts, this.scopes[scope]);
    return counts;
  }

  countScopes() {
    const { model } = this;
    this.scopes = Array.from(model.scopes, () => new Int32Array(NODE_STATES.length));
    for (let node = 0; node < model.count; node += 1) this.scopes[model.vertexScope[node]][this.of(node)] += 1;
    // The contract lists an outer scope first; one that comes later could close a circle.
    for (let scope = model.scopes.length - 1; scope > 0; scope -= 1) {
      const { parent } = model.scopes[scope];
      if (parent >= 0 && parent < scope) addCounts(this.scopes[parent], this.scopes[scope]);
    }
  }

  countGroups() {
    const { model } = this;
    this.groups = Array.from(model.groups, () => new Int32Array(NODE_STATES.length));
    for (let node = 0; node < model.count; node += 1) {
      const counts = this.groups[model.nodeGroup[node]];
      if (!counts) continue;
      counts[this.of(node)] += 1;
      if (model.inside.has(node)) addCounts(counts, this.inside(node).map((count, state) => (isProblem(state) ? count : 0)));
    }
    for (let group = model.groups.length - 1; group >= 0; group -= 1) {
      const parent = model.groupParent[group];
      if (parent >= 0) addCounts(this.groups[parent], this.groups[group]);
    }
  }
}

function addCounts(counts, more) {
  for (let state = 0; state < counts.length; state += 1) counts[state] += more[state];
}
