/** Above the graph: where it is (scopes, groups), what is shown of it, and the buttons that move it. */

import { button, element, setAttribute, setHidden, setText } from "./dom.js";
import { plural, shortenMiddle } from "./format.js";

const LONGEST_TITLE = 28;
const CRUMBS_AT_ENDS = 2;

export class GraphBar {
  /** @param {{onScope(scope: number): void, onGroup(group: number): void, onOpen(scope: number): void, onAll(): void,
   *   onZoom(factor: number): void, onFit(): void, onFold(isFolded: boolean): void}} actions */
  constructor(actions) {
    this.actions = actions;
    this.crumbs = element("nav", { class: "trtlab-graph-crumbs", "aria-label": "Where this is in the model" });
    this.inside = element("span", { class: "trtlab-graph-inside" });
    this.note = element("span", { class: "trtlab-muted trtlab-graph-note" });
    const all = () => actions.onAll();
    this.all = button("Show all", { kind: "quiet", hidden: true, on: { click: all } });
    const foldTip = "One box for each group of names (F folds one)";
    this.fold = button("Fold all", { kind: "quiet", "data-tip": foldTip, on: { click: () => actions.onFold(true) } });
    this.unfold = button("Unfold all", { kind: "quiet", on: { click: () => actions.onFold(false) } });
    const zoom = (label, name, factor) =>
      button(label, { kind: "quiet", "aria-label": name, "data-tip": name, on: { click: () => actions.onZoom(factor) } });
    this.node = element(
      "div",
      { class: "trtlab-graph-bar" },
      this.crumbs,
      this.inside,
      this.note,
      this.all,
      element("span", { class: "trtlab-spring" }),
      this.fold,
      this.unfold,
      zoom("−", "Zoom out (−)", 1 / 1.4),
      zoom("+", "Zoom in (+)", 1.4),
      button("Fit", { kind: "quiet", "data-tip": "Show the whole graph (0)", on: { click: () => actions.onFit() } }),
    );
  }

  /** @param {import("./graph_scene.js").GraphScene} scene @param {number} node the node in focus, or -1 */
  update(scene, node) {
    const { model } = scene;
    this.showCrumbs(scene, node);
    const inside = node >= 0 ? (model.inside.get(node) ?? []) : [];
    this.inside.replaceChildren(
      ...inside.map((scope) => this.link(`Open ${model.scopes[scope].title}`, () => this.actions.onOpen(scope))),
    );
    const total = model.members.of(scene.scope).reduce((count, vertex) => count + (model.isNode(vertex) ? 1 : 0), 0);
    const around = scene.around;
    const boxes = plural(scene.boxes.count, "box", "boxes");
    const shown = scene.folded.size && scene.boxes.count < total ? `${boxes} for ${plural(total, "node")}` : plural(total, "node");
    const words = around ? `${plural(around.steps, "step")} around ${plural(around.count, "node")}: ${boxes}` : shown;
    setText(this.note, model.vertexCount ? words : "");
    setHidden(this.crumbs, !model.vertexCount);
    setHidden(this.all, !around);
    const hasGroups = model.groups.some((group) => group.scope === scene.scope);
    setHidden(this.fold, !hasGroups);
    setHidden(this.unfold, !hasGroups);
  }

  showCrumbs(scene, node) {
    const { model } = scene;
    const scopes = model.scopePath(scene.scope);
    const groups = node >= 0 ? model.groupPath(model.nodeGroup[node]) : [];
    const parts = endsOf(scopes, CRUMBS_AT_ENDS).map((scope) => {
      if (scope === null) return element("span", { text: "…" });
      if (scope === scene.scope) return element("strong", { ...shortTitle(scopeTitle(model, scope)), "aria-current": "true" });
      return this.link(scopeTitle(model, scope), () => this.actions.onScope(scope));
    });
    for (const group of endsOf(groups, CRUMBS_AT_ENDS)) {
      if (group === null) parts.push(element("span", { text: "…" }));
      else parts.push(this.link(model.groups[group].title, () => this.actions.onGroup(group), `Fold ${model.groups[group].title}`));
    }
    const nodes = parts.flatMap((part, at) => (at ? [element("span", { text: "›", "aria-hidden": "true" }), part] : [part]));
    this.crumbs.replaceChildren(...nodes);
  }

  link(title, onClick, tip = "") {
    const node = element("button", { type: "button", class: "trtlab-button trtlab-link", ...shortTitle(title), on: { click: onClick } });
    if (tip) setAttribute(node, "data-tip", shortenMiddle(tip, 200));
    return node;
  }
}

function shortTitle(title) {
  return { text: shortenMiddle(title, LONGEST_TITLE), title: title.length > LONGEST_TITLE ? shortenMiddle(title, 400) : null };
}

function scopeTitle(model, scope) {
  return model.scopes[scope].title || (scope === 0 ? "main graph" : model.scopes[scope].path) || `scope ${scope}`;
}

/** Both ends of a long list, with null for what is left out between them. */
function endsOf(list, ends) {
  return list.length <= 2 * ends + 1 ? list : [...list.slice(0, ends), null, ...list.slice(-ends)];
}
