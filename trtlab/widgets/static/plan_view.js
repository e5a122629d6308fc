/** The plan: shapes, options and where the engine goes. What is wrong with it stands at its top. */

import { element, setAttribute, setHidden, setText, textList, uniqueIdentifier } from "./dom.js";
import { Field, setAvailability } from "./field.js";
import { BUSY, OptionEditor } from "./option_editor.js";
import { ProfileEditor } from "./profile_editor.js";

const OUTPUT_HELP = "Where the engine file goes. Empty: it is only kept in trtlab's cache.";

/** The path of the engine file. */
class OutputEditor {
  constructor(send) {
    this.input = element("input", {
      type: "text",
      class: "trtlab-input",
      spellcheck: "false",
      autocomplete: "off",
      placeholder: "model.engine",
      id: uniqueIdentifier("output"),
    });
    this.remark = element("div", { class: "trtlab-remark", id: uniqueIdentifier("remark") });
    setAttribute(this.input, "aria-describedby", this.remark.id);
    this.field = new Field(this.input, {
      write: (path) => {
        this.input.value = path;
      },
      send: () => {
        send({ command: "set_output", path: this.input.value.trim() });
        return true;
      },
    });
    const row = element(
      "div",
      { class: "trtlab-option trtlab-option-wide" },
      element("label", { class: "trtlab-option-label", for: this.input.id, text: "Engine file" }),
      element("div", { class: "trtlab-option-control" }, this.input),
      this.remark,
    );
    const head = element("div", { class: "trtlab-section-head" }, element("h4", { text: "Output" }));
    const list = element("div", { class: "trtlab-options" }, row);
    this.node = element("section", { class: "trtlab-section", "aria-label": "Output" }, head, list);
  }

  update({ path, problem }, isBusy) {
    this.field.receive(path);
    setAvailability(this.input, isBusy ? BUSY : { enabled: true });
    setText(this.remark, problem ? `✕ ${problem}` : OUTPUT_HELP);
    this.remark.classList.toggle("trtlab-problem", Boolean(problem));
    setAttribute(this.input, "aria-invalid", problem ? "true" : null);
  }
}

/** How many things are wrong with the plan, wherever they are shown. */
export function countProblems({ problems, profiles, options, output }) {
  const places = [...profiles.flatMap((profile) => profile.rows), ...options, output];
  return problems.length + places.filter((place) => place.problem).length;
}

export class PlanView {
  /** @param {(message: object) => void} send */
  constructor(send) {
    this.problemList = element("ul", {});
    this.problems = textList(this.problemList, "li");
    this.problemBox = element(
      "div",
      { class: "trtlab-notice", "data-state": "failed", hidden: true },
      element("strong", { text: "✕ To put right before this plan can be built" }),
      this.problemList,
    );
    this.profiles = new ProfileEditor(send);
    this.options = new OptionEditor(send);
    this.output = new OutputEditor(send);
    this.node = element(
      "div",
      { class: "trtlab-plan" },
      this.problemBox,
      this.profiles.node,
      this.options.node,
      this.output.node,
    );
  }

  update(view) {
    setHidden(this.problemBox, view.problems.length === 0);
    this.problems.update(view.problems);
    this.profiles.update(view);
    this.options.update(view);
    this.output.update(view.output, view.busy);
    setHidden(this.output.node, view.model === "");
  }
}
