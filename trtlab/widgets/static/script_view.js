/** The same build in plain Python, to copy and go on with. */

import { button, element, setHidden } from "./dom.js";
import { CodeBlock, saveText } from "./export.js";

export class ScriptView {
  constructor() {
    this.empty = element("p", {
      class: "trtlab-empty",
      text: "Once the engine is built: the same build in plain Python, without this panel.",
    });
    this.block = new CodeBlock();
    const save = button("Save as build_engine.py", {
      kind: "quiet",
      on: { click: () => saveText("build_engine.py", this.block.code.textContent, "text/x-python") },
    });
    const note = element("p", { class: "trtlab-muted", text: "The same build in plain Python. It needs no notebook." });
    this.body = element(
      "div",
      {},
      element("div", { class: "trtlab-section-head" }, note, element("span", { class: "trtlab-spring" }), save),
      this.block.node,
    );
    this.node = element("div", { class: "trtlab-script" }, this.empty, this.body);
  }

  update(script) {
    setHidden(this.empty, Boolean(script));
    setHidden(this.body, !script);
    this.block.update(script);
  }
}
