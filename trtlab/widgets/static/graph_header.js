/** The graph panel's head: does TensorRT take the model, what is asked now, and the buttons. */

import { button, element, KeyedList, setAttribute, setHidden, setSentence, setText, textList, uniqueIdentifier } from "./dom.js";
import { AvailableButton, Field } from "./field.js";
import { formatElapsed } from "./format.js";
import { StateBadge } from "./states.js";

const GRAPH_ELAPSED_MS = 250;
const CHECK_HELP = {
  quick: "Ask TensorRT's parser about every node; answers at once",
  full: "Ask the builder too: finds nodes that parse and then stop the build. Takes as long as a build",
  cancel: "Stop what runs",
  netron: "The whole model in Netron, in a tab of its own",
};

export class GraphHeader {
  /** @param {{send(message: object): void, onNetron(): void}} actions */
  constructor({ send, onNetron }) {
    this.badge = new StateBadge();
    this.text = element("span", { class: "trtlab-headline-text" });
    this.flavour = element("span", { class: "trtlab-flavour" });
    const words = element("div", { class: "trtlab-headline-words", role: "status", "aria-live": "polite" }, this.badge.node, this.text);
    this.headline = element("div", { class: "trtlab-headline" }, words, this.flavour);
    this.makePicker(send);
    this.makeButtons(send, onNetron);
    this.box = element("ul", { class: "trtlab-model-lines" });
    this.lines = textList(this.box, "li");
    this.progress = element("span", { class: "trtlab-muted" });
    this.elapsed = element("span", { class: "trtlab-muted trtlab-graph-elapsed" });
    this.note = element("p", { class: "trtlab-notice", role: "alert", hidden: true });
    const doing = element("div", { class: "trtlab-graph-doing" }, this.progress, this.elapsed);
    const what = element("div", { class: "trtlab-what" }, this.picker, this.box);
    this.node = element(
      "header",
      { class: "trtlab-header" },
      this.headline,
      what,
      element("div", { class: "trtlab-doing" }, this.buttonRow, doing),
      this.note,
    );
    this.timer = 0;
  }

  makePicker(send) {
    this.select = element("select", { class: "trtlab-input trtlab-model", id: uniqueIdentifier("model") });
    this.select.append(element("option", { value: "", text: "Choose a model" }));
    this.models = new KeyedList(element("optgroup", { label: "Models" }), {
      key: (model) => model.value,
      create: ({ value }) => {
        const node = element("option", { value });
        return { node, update: (model) => setText(node, model.label) };
      },
    });
    this.select.append(this.models.parent);
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
    this.picker = element("div", { class: "trtlab-picker" }, label, this.select);
  }

  makeButtons(send, onNetron) {
    const actions = {
      quick: () => send({ command: "survey", depth: "quick" }),
      full: () => send({ command: "survey", depth: "full" }),
      cancel: () => send({ command: "cancel" }),
      netron: onNetron,
    };
    this.buttons = new Map(
      Object.entries(actions).map(([name, act]) => {
        const kind = { full: "primary", netron: "quiet" }[name] ?? "plain";
        const node = button("", { kind, "data-command": name, on: { click: act } });
        return [name, new AvailableButton(node, CHECK_HELP[name])];
      }),
    );
    this.buttonRow = element("div", { class: "trtlab-buttons" }, ...[...this.buttons.values()].map(({ node }) => node));
  }

  update(view) {
    const { headline } = view;
    setAttribute(this.headline, "data-state", headline.state);
    this.badge.update(headline.state);
    setSentence(this.text, headline.text);
    setText(this.flavour, view.flavour);
    const before = this.models.parts.size;
    this.models.update(view.models);
    if (this.models.parts.size !== before) this.field.value = undefined;
    this.field.receive(view.model);
    setAttribute(this.select, "data-wanted", view.model === "");
    setAttribute(this.select, "title", view.models.find((entry) => entry.value === view.model)?.label ?? null);
    for (const [name, part] of this.buttons) part.update(view.buttons[name]);
    this.lines.update(view.model_lines);
    setSentence(this.progress, view.progress);
    setSentence(this.note, view.note);
    setHidden(this.note, !view.note || view.note.split("\n")[0] === headline.text);
    this.keepTime(view.started);
  }

  /** A timer only while something runs. The clocks of kernel and browser may differ, so it counts from now. */
  keepTime(started) {
    if (started === this.started) return;
    this.started = started;
    clearInterval(this.timer);
    setText(this.elapsed, "");
    if (!started) return;
    const begin = performance.now();
    this.timer = setInterval(() => setText(this.elapsed, formatElapsed((performance.now() - begin) / 1000)), GRAPH_ELAPSED_MS);
  }

  destroy() {
    clearInterval(this.timer);
  }
}
