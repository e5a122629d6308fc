/** The graph panel's head: does TensorRT take the model, what is asked now, and the buttons. */

import { button, element, setAttribute, setHidden, setSentence, setText, textList } from "./dom.js";
import { AvailableButton } from "./field.js";
import { formatElapsed } from "./format.js";
import { ModelPicker } from "./model_picker.js";
import { StateBadge } from "./states.js";

const GRAPH_ELAPSED_MS = 250;
const CHECK_HELP = {
  quick: "Ask TensorRT's parser about every node; answers at once",
  full: "Ask the builder too: finds nodes that parse and then stop the build. Takes as long as a build",
  cancel: "Stop what runs",
  netron: "The whole model in Netron, in a tab of its own",
};

export class GraphHeader {
  /** @param {{send(message: object): void, onNetron(): void}} actions @param {import("./clock.js").KernelClock} clock */
  constructor({ send, onNetron }, clock) {
    this.clock = clock;
    this.badge = new StateBadge();
    this.text = element("span", { class: "trtlab-headline-text" });
    this.flavour = element("span", { class: "trtlab-flavour" });
    const words = element("div", { class: "trtlab-headline-words", role: "status", "aria-live": "polite" }, this.badge.node, this.text);
    this.headline = element("div", { class: "trtlab-headline" }, words, this.flavour);
    this.picker = new ModelPicker(send);
    this.makeButtons(send, onNetron);
    this.box = element("ul", { class: "trtlab-model-lines" });
    this.lines = textList(this.box, "li");
    this.progress = element("span", { class: "trtlab-muted" });
    this.elapsed = element("span", { class: "trtlab-muted trtlab-graph-elapsed" });
    this.note = element("p", { class: "trtlab-notice", "data-state": "warning", role: "alert", hidden: true });
    const doing = element("div", { class: "trtlab-graph-doing" }, this.progress, this.elapsed);
    const what = element("div", { class: "trtlab-what" }, this.picker.node, this.box);
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
    this.picker.update(view);
    for (const [name, part] of this.buttons) part.update(view.buttons[name]);
    this.lines.update(view.model_lines);
    setSentence(this.progress, view.progress);
    setSentence(this.note, view.note);
    setHidden(this.note, !view.note || view.note.split("\n")[0] === headline.text);
    this.keepTime(view.started);
  }

  /** A timer only while something runs. */
  keepTime(started) {
    if (started === this.started) return;
    this.started = started;
    clearInterval(this.timer);
    setText(this.elapsed, "");
    if (!started) return;
    const tick = () => setText(this.elapsed, formatElapsed(this.clock.since(started)));
    tick();
    this.timer = setInterval(tick, GRAPH_ELAPSED_MS);
  }

  destroy() {
    clearInterval(this.timer);
  }
}
