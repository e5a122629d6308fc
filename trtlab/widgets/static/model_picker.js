/** Choosing a model. */

import { element, KeyedList, setAttribute, setText, uniqueIdentifier } from "./dom.js";
import { Field } from "./field.js";

export class ModelPicker {
  constructor(send) {
    this.select = element("select", { class: "trtlab-input trtlab-model", id: uniqueIdentifier("model") });
    this.select.append(element("option", { value: "", text: "Choose a model" }));
    this.options = new KeyedList(element("optgroup", { label: "Models" }), {
      key: (model) => model.value,
      create: ({ value }) => {
        const node = element("option", { value });
        return { node, update: (model) => setText(node, model.label) };
      },
    });
    this.select.append(this.options.parent);
    this.field = new Field(this.select, {
      write: (value) => {
        this.select.value = value;
      },
      send: () => {
        send({ command: "select_model", value: this.select.value });
        return true;
      },
    });
    const label = element("label", { for: this.select.id, class: "trtlab-model-label", text: "Model" });
    this.node = element("div", { class: "trtlab-picker" }, label, this.select);
  }

  update({ models, model }) {
    const before = this.options.parts.size;
    this.options.update(models);
    setAttribute(this.select, "data-wanted", model === "");
    // A value can only be selected once its entry is there.
    if (this.options.parts.size !== before) this.field.value = undefined;
    this.field.receive(model);
    setAttribute(this.select, "title", models.find((entry) => entry.value === model)?.label ?? null);
  }
}
