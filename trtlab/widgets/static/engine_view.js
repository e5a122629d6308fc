/** What was built: the engine file, what TensorRT warned about, its memory and its layers. */

import { element, KeyedList, NameText, sameValue, setHidden, setText } from "./dom.js";
import { copyButton } from "./export.js";
import { formatBytes, formatCount } from "./format.js";
import { LayerTable } from "./layer_table.js";
import { MemoryView } from "./memory_view.js";
import { StateBadge } from "./states.js";

/** The warnings and errors of the log, equal ones counted. */
class WarningList {
  constructor() {
    const list = element("ul", { class: "trtlab-warnings" });
    this.node = element(
      "section",
      { class: "trtlab-section", "aria-label": "Warnings" },
      element("div", { class: "trtlab-section-head" }, element("h4", { text: "TensorRT warned" })),
      list,
    );
    this.items = new KeyedList(list, {
      key: (warning, index) => String(index),
      create: () => {
        const badge = new StateBadge();
        const count = element("span", { class: "trtlab-muted" });
        const text = element("span", { class: "trtlab-warning-text" });
        const update = (warning) => {
          badge.update(warning.severity);
          setText(count, warning.count > 1 ? `${formatCount(warning.count)} times` : "");
          setText(text, warning.text);
        };
        return { node: element("li", {}, badge.node, text, count), update };
      },
    });
  }

  update(warnings) {
    this.items.update(warnings);
    setHidden(this.node, warnings.length === 0);
  }
}

export class EngineView {
  constructor() {
    this.empty = element(
      "div",
      { class: "trtlab-empty" },
      element("p", {
        text:
          "Once the engine is built: its size, its memory part by part, and its layers, " +
          "each with the ONNX nodes that TensorRT fused into it.",
      }),
    );
    this.badge = new StateBadge();
    this.headline = element("strong", {});
    this.path = new NameText();
    this.size = element("span", { class: "trtlab-muted" });
    const copy = copyButton("Copy path", () => this.report.engine?.path ?? "");
    this.file = element("div", { class: "trtlab-engine-file" }, this.path.node, this.size, copy);
    const top = element("div", { class: "trtlab-engine-top" }, this.badge.node, this.headline);
    this.warnings = new WarningList();
    this.memory = new MemoryView();
    this.layers = new LayerTable();
    this.body = element("div", {}, top, this.file, this.warnings.node, this.memory.node, this.layers.node);
    this.node = element("div", { class: "trtlab-engine" }, this.empty, this.body);
  }

  /** @param {object} report {} until a build is done */
  update(report) {
    if (sameValue(report, this.report)) return;
    this.report = report;
    const hasEngine = Boolean(report.engine);
    setHidden(this.empty, hasEngine);
    setHidden(this.body, !hasEngine);
    if (!hasEngine) return;
    this.badge.update(report.from_cache ? "cached" : "done");
    setText(this.headline, report.headline ?? "");
    this.path.update(report.engine.path ?? "");
    setHidden(this.file, !report.engine.path);
    setText(this.size, report.engine.text || formatBytes(report.engine.bytes ?? 0));
    this.warnings.update(report.warnings ?? []);
    this.memory.update(report.memory ?? []);
    this.layers.update(report.layers ?? { source: "", rows: [] });
  }

  destroy() {
    this.layers.destroy();
  }
}
