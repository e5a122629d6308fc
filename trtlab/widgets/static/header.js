/** The panel's head: does it build, on what, what runs now, and the buttons. */

import {
  button,
  element,
  KeyedList,
  NameText,
  sameValue,
  setAttribute,
  setHidden,
  setSentence,
  setText,
  textList,
  uniqueIdentifier,
} from "./dom.js";
import { AvailableButton } from "./field.js";
import { formatCount, formatElapsed } from "./format.js";
import { ModelPicker } from "./model_picker.js";
import { countProblems } from "./plan_view.js";
import { StateBadge } from "./states.js";

/** A builder that gives no sign for so long is worth a word; TensorRT's can be silent for minutes. */
const SILENT_SECONDS = 12;

/** The one line that answers the panel's question, with a button that leads to the reason. */
class Headline {
  constructor(onShow) {
    this.badge = new StateBadge();
    this.text = element("span", { class: "trtlab-headline-text" });
    this.show = button("", { kind: "quiet", on: { click: () => onShow(this.target) } });
    this.flavour = element("span", { class: "trtlab-flavour" });
    const words = element(
      "div",
      { class: "trtlab-headline-words", role: "status", "aria-live": "polite" },
      this.badge.node,
      this.text,
    );
    this.node = element("div", { class: "trtlab-headline" }, words, this.show, this.flavour);
  }

  update(view, hasEngine) {
    const { headline, flavour, busy } = view;
    setAttribute(this.node, "data-state", headline.state);
    this.badge.update(headline.state);
    setSentence(this.text, headline.text);
    setText(this.flavour, flavour);
    const [label, target] =
      headline.state === "failed"
        ? ["Show why", "failed"]
        : countProblems(view) && !busy
          ? ["Show problems", "plan"]
          : headline.state === "done" && hasEngine
            ? ["Show engine", "engine"]
            : ["", ""];
    this.target = target;
    setText(this.show, label);
    setHidden(this.show, !label);
  }
}

/** What runs now and for how long. Its place is kept while nothing runs; a question or a hint stands there then. */
class ProgressLine {
  constructor(clock) {
    this.clock = clock;
    this.badge = new StateBadge({ withWord: false });
    this.badge.update("running");
    this.phase = new NameText();
    this.step = element("strong", {});
    this.count = element("span", { class: "trtlab-progress-count" });
    this.time = element("span", { class: "trtlab-progress-time" });
    this.fill = element("div", { class: "trtlab-progress-fill" });
    this.bar = element(
      "div",
      { class: "trtlab-progress-bar", role: "progressbar", "aria-label": "Progress" },
      this.fill,
    );
    this.silence = element("div", { class: "trtlab-silence" });
    const words = element("div", { class: "trtlab-progress-words" }, this.badge.node, this.step, this.count, this.time);
    const phase = element("div", { class: "trtlab-progress-phase" }, this.phase.node);
    this.node = element("div", { class: "trtlab-progress" }, words, this.bar, phase, this.silence);
  }

  update(progress, steps) {
    this.progress = progress;
    if (!progress) return;
    const { step, phase, done, total } = progress;
    setText(this.step, steps.find((entry) => entry.name === step)?.title ?? step);
    this.phase.update(phase);
    const isKnown = total > 0;
    setText(this.count, isKnown ? `${formatCount(done)} of ${formatCount(total)}` : "");
    setAttribute(this.bar, "aria-valuemin", isKnown ? "0" : null);
    setAttribute(this.bar, "aria-valuemax", isKnown ? total : null);
    setAttribute(this.bar, "aria-valuenow", isKnown ? done : null);
    setAttribute(this.bar, "data-open-ended", !isKnown);
    const width = isKnown ? `${(100 * Math.min(done, total)) / total}%` : "";
    if (this.fill.style.width !== width) this.fill.style.width = width;
    this.tick();
  }

  tick() {
    if (!this.progress) return;
    setText(this.time, formatElapsed(this.clock.since(this.progress.started)));
    const silent = Math.floor(this.clock.since(this.progress.last_sign));
    const age = silent < 60 ? `${silent} s` : formatElapsed(silent);
    const text = `No sign for ${age}; the builder can be silent for minutes.`;
    setText(this.silence, silent < SILENT_SECONDS ? "" : text);
  }
}

/** A question from the kernel. It waits in the progress line's place, and takes no focus away from who types. */
class QuestionBar {
  constructor(send) {
    this.text = element("p", {});
    this.answered = null;
    const answer = (yes) => () => {
      this.answered = this.ask;
      setHidden(this.node, true);
      send({ command: "answer", id: this.ask.id, yes });
    };
    this.yes = button("", { kind: "primary", on: { click: answer(true) } });
    this.no = button("", { on: { click: answer(false) } });
    const icon = element("span", { class: "trtlab-icon", "aria-hidden": "true", text: "?" });
    const answers = element("div", { class: "trtlab-buttons" }, this.yes, this.no);
    this.node = element("div", { class: "trtlab-question", role: "alert", hidden: true }, icon, this.text, answers);
  }

  update(ask) {
    this.ask = ask;
    if (ask) {
      setSentence(this.text, ask.text);
      setText(this.yes, ask.yes);
      setText(this.no, ask.no);
    }
    // An answered question stays away until another is asked, or the same one again.
    if (!sameValue(ask, this.answered)) this.answered = null;
    setHidden(this.node, !ask || this.answered !== null);
  }
}

const COMMANDS = [
  ["run_all", "primary", "Run all"],
  ["next", "plain", "Next"],
  ["cancel", "plain", "Cancel"],
];

export class Header {
  /** @param {{send: (message: object) => void, onShow: (target: string) => void}} actions @param {object} clock */
  constructor({ send, onShow }, clock) {
    this.headline = new Headline(onShow);
    this.picker = new ModelPicker(send);
    this.buttons = new Map(
      COMMANDS.map(([command, kind, label]) => {
        const node = button(label, { kind, "data-command": command, on: { click: () => send({ command }) } });
        return [command, new AvailableButton(node)];
      }),
    );
    const buttons = element("div", { class: "trtlab-buttons" }, ...[...this.buttons.values()].map(({ node }) => node));
    this.modelBox = element("ul", { class: "trtlab-model-lines" });
    this.modelLines = textList(this.modelBox, "li");
    this.progress = new ProgressLine(clock);
    this.question = new QuestionBar(send);
    this.hint = element("p", { class: "trtlab-hint" });
    this.slot = element("div", { class: "trtlab-slot" }, this.progress.node, this.question.node, this.hint);
    // Beside each other where there is room: what is built, and what is being done with it.
    const what = element("div", { class: "trtlab-what" }, this.picker.node, this.modelBox);
    const doing = element("div", { class: "trtlab-doing" }, buttons, this.slot);
    this.node = element("header", { class: "trtlab-header" }, this.headline.node, what, doing);
  }

  update(view, hasEngine) {
    this.headline.update(view, hasEngine);
    this.picker.update(view);
    for (const [command, part] of this.buttons) part.update(view.buttons[command]);
    this.modelLines.update(view.model_lines);
    setHidden(this.modelBox, view.model_lines.length === 0);
    this.question.update(view.ask);
    this.progress.update(view.progress, view.steps);
    setHidden(this.progress.node, !view.progress || !this.question.node.hidden);
    this.view = view;
    this.showHint("");
  }

  /** What to do next, or `text` in its place. A button's reason is said here too: nobody should have to look for it. */
  showHint(text) {
    const { progress, busy, buttons } = this.view;
    const { next } = buttons;
    const hint = text || (next.enabled || busy ? "" : next.reason);
    setText(this.hint, hint);
    setHidden(this.hint, !this.question.node.hidden || Boolean(progress) || !hint);
  }

  tick() {
    this.progress.tick();
  }
}
