/** The steps of a build: state, time and result of each in one line, with details and diagnoses beneath. */

import {
  button,
  element,
  KeyedList,
  setAttribute,
  setHidden,
  setSentence,
  setText,
  textList,
  uniqueIdentifier,
} from "./dom.js";
import { DiagnosisCard } from "./diagnosis_card.js";
import { AvailableButton } from "./field.js";
import { formatElapsed, formatSeconds } from "./format.js";
import { StateBadge, stepLook } from "./states.js";

/** A step's time: measured when it is over, growing while it runs. */
export function stepTime(step, clock) {
  if (step.state === "running" && typeof step.started === "number") return formatElapsed(clock.since(step.started));
  return typeof step.seconds === "number" ? formatSeconds(step.seconds) : "";
}

/**
 * @typedef {{send: (message: object) => void, onFind: (name: string) => void,
 *   onShowLog: (range: [number, number]) => void}} StepActions
 */

class StepRow {
  /** @param {object} step @param {StepActions} actions @param {object} clock */
  constructor(step, actions, clock) {
    this.clock = clock;
    this.isOpen = false;
    this.badge = new StateBadge();
    this.title = element("span", { class: "trtlab-step-title" });
    this.line = element("div", { class: "trtlab-step-line" });
    this.time = element("span", { class: "trtlab-step-time" });
    this.body = element("div", { class: "trtlab-step-body", id: uniqueIdentifier("step"), hidden: true });
    this.chevron = element("span", { class: "trtlab-chevron", "aria-hidden": "true", text: "›" });
    this.opener = element(
      "button",
      {
        type: "button",
        class: "trtlab-step-opener",
        "aria-expanded": "false",
        "aria-controls": this.body.id,
        on: { click: () => this.open(!this.isOpen) },
      },
      this.chevron,
      this.badge.node,
      this.title,
    );
    this.makeButtons(step, actions);
    const head = element("div", { class: "trtlab-step-head" }, this.opener, this.line, this.time, this.buttons);
    this.makeBody(actions);
    this.cardBox = element("div", { class: "trtlab-cards" });
    this.cards = new KeyedList(this.cardBox, {
      key: (card, index) => `${index} ${card.id}`,
      create: () => new DiagnosisCard(actions),
    });
    this.node = element("li", { class: "trtlab-step", "data-step": step.name }, head, this.body, this.cardBox);
  }

  makeButtons(step, { send }) {
    this.runTo = button("Run up to here", {
      kind: "quiet",
      on: { click: () => send({ command: "run_to", step: step.name }) },
    });
    const rerun = button("Rerun from here", {
      kind: "quiet",
      on: { click: () => send({ command: "rerun", step: step.name }) },
    });
    this.rerun = new AvailableButton(rerun);
    this.buttons = element("div", { class: "trtlab-step-buttons" }, this.runTo, this.rerun.node);
  }

  makeBody({ onShowLog }) {
    this.explain = element("p", { class: "trtlab-muted" });
    const details = element("ul", { class: "trtlab-step-details" });
    this.details = textList(details, "li");
    this.showLog = button("Show its log lines", { kind: "quiet", on: { click: () => onShowLog(this.step.log_range) } });
    this.body.append(this.explain, details, this.showLog);
  }

  open(isOpen) {
    this.isOpen = isOpen;
    setAttribute(this.opener, "aria-expanded", String(isOpen));
    setHidden(this.body, !isOpen);
  }

  update(step, isBusy) {
    this.step = step;
    const look = stepLook(step);
    setAttribute(this.node, "data-state", look);
    this.badge.update(look);
    setText(this.title, step.title);
    setAttribute(this.opener, "data-tip", step.explain || null);
    setText(this.explain, step.explain);
    setSentence(this.line, step.line, 36);
    this.details.update(step.details);
    setHidden(this.showLog, !step.log_range);
    this.cards.update(step.cards);
    setHidden(this.cardBox, step.cards.length === 0);
    // A step that has not run yet can be run up to, one that has can be run again: never both, so the place is kept.
    const isOver = ["done", "failed", "cancelled"].includes(step.state);
    setHidden(this.runTo, isOver || step.state === "running" || isBusy);
    setHidden(this.rerun.node, !isOver);
    this.rerun.update(step.rerun);
    this.tick();
  }

  /** Update the time alone. */
  tick() {
    setText(this.time, stepTime(this.step, this.clock));
  }
}

export class StepList {
  /** @param {StepActions} actions @param {object} clock */
  constructor(actions, clock) {
    this.list = element("ol", { class: "trtlab-steps" });
    this.empty = element("p", {
      class: "trtlab-empty",
      text: "Once a model is chosen: the steps from its file to a built engine, each with its time and its result.",
    });
    this.node = element("div", {}, this.empty, this.list);
    this.rows = new KeyedList(this.list, {
      key: (step) => step.name,
      create: (step) => {
        const row = new StepRow(step, actions, clock);
        return { node: row.node, row, update: (next) => row.update(next, this.isBusy) };
      },
    });
  }

  update({ steps, busy, model }) {
    this.isBusy = busy || model === "";
    setHidden(this.empty, steps.length > 0);
    this.rows.update(steps);
  }

  tick() {
    for (const { row } of this.rows.parts.values()) if (row.step.state === "running") row.tick();
  }

  /** Bring a step into sight and give it the focus. */
  show(name) {
    const row = this.rows.get(name)?.row;
    if (!row) return;
    row.node.scrollIntoView({ block: "nearest" });
    row.opener.focus({ preventScroll: true });
  }
}
