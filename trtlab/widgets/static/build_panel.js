/**
 * The page side of trtlab.widgets.BuildPanel. CONTRACT.md says what the kernel sends and what this sends back.
 *
 * The page keeps nothing that matters: all comes from two synced traits and the log messages, so that a reload or a
 * second view shows the same.
 */

import { KernelClock } from "./clock.js";
import { element } from "./dom.js";
import { EngineView } from "./engine_view.js";
import { blockDisabledControls } from "./field.js";
import { formatCount, plural } from "./format.js";
import { Header } from "./header.js";
import { keepKeysInside } from "./keyboard.js";
import { LogView } from "./log_view.js";
import { countProblems, PlanView } from "./plan_view.js";
import { ScriptView } from "./script_view.js";
import { StepList } from "./step_list.js";
import { StepRail } from "./step_rail.js";
import { Tabs } from "./tabs.js";
import { installTooltip } from "./tooltip.js";

const TICK_MS = 250;
const UNANSWERED_MS = 5000;
const UNANSWERED_TEXT =
  "The kernel has not answered for 5 s. It may be busy with another cell; " +
  "if it was restarted, run the cell of this panel again.";

/** Commands after which the kernel always changes the view. */
const ANSWERED_COMMANDS = new Set(["next", "run_all", "run_to", "rerun", "cancel", "select_model"]);
const RUN_COMMANDS = new Set(["next", "run_all", "run_to", "rerun"]);

const NO_BUTTON = { enabled: false, label: "", reason: "" };

const EMPTY_VIEW = {
  headline: { state: "waiting", text: "" },
  models: [],
  model: "",
  model_lines: [],
  flavour: "",
  busy: false,
  buttons: { next: NO_BUTTON, run_all: NO_BUTTON, cancel: NO_BUTTON },
  steps: [],
  progress: null,
  profiles: [],
  profiles_note: "",
  options: [],
  problems: [],
  output: { path: "", problem: "" },
  ask: null,
  log: { total: 0, first: 0, counts: {}, steps: [] },
};

class Panel {
  constructor(model) {
    this.model = model;
    this.clock = new KernelClock();
    this.view = EMPTY_VIEW;
    this.report = {};
    this.timer = 0;
    this.answerTimer = 0;
    this.frame = 0;
    const send = (message) => this.send(message);
    const show = (target) => this.show(target);
    this.header = new Header({ send, onShow: show }, this.clock);
    this.rail = new StepRail((step) => this.showStep(step), this.clock);
    this.plan = new PlanView(send);
    this.log = new LogView();
    this.steps = new StepList(
      {
        send,
        onFind: (name) => this.inLog(() => this.log.find(name)),
        onShowLog: ([first]) => this.inLog(() => this.log.goToSequence(first)),
      },
      this.clock,
    );
    this.engine = new EngineView();
    this.script = new ScriptView();
    this.tabs = this.makeTabs();
    this.node = element(
      "div",
      { class: "trtlab", role: "region", "aria-label": "TensorRT build" },
      this.header.node,
      this.rail.node,
      this.tabs.list,
      this.tabs.node,
    );
    blockDisabledControls(this.node);
    this.hideTooltip = installTooltip(this.node);
    this.releaseKeys = keepKeysInside(this.node);
  }

  makeTabs() {
    return new Tabs(
      [
        { name: "plan", title: "Plan", panel: this.plan.node },
        { name: "steps", title: "Steps", panel: this.steps.node },
        { name: "log", title: "Log", panel: this.log.node },
        { name: "engine", title: "Engine", panel: this.engine.node },
        { name: "script", title: "Python", panel: this.script.node },
      ],
      "Parts of the build",
    );
  }

  send(message) {
    this.model.send(message);
    if (RUN_COMMANDS.has(message.command) && this.tabs.selected === "plan") this.tabs.select("steps");
    if (!ANSWERED_COMMANDS.has(message.command)) return;
    clearTimeout(this.answerTimer);
    this.answerTimer = setTimeout(() => this.header.showHint(UNANSWERED_TEXT), UNANSWERED_MS);
  }

  /** Take over the traits; `isFresh` when they came as a change just now. */
  read(isFresh) {
    clearTimeout(this.answerTimer);
    this.view = { ...EMPTY_VIEW, ...this.model.get("view") };
    this.view.buttons = { ...EMPTY_VIEW.buttons, ...this.view.buttons };
    this.report = this.model.get("engine_report") ?? {};
    this.clock.learn(this.view, isFresh);
    // Several changes before the next frame are drawn once.
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      this.draw();
    });
  }

  draw() {
    const { view, report } = this;
    this.header.update(view, Boolean(report.engine));
    this.rail.update(view.steps);
    this.plan.update(view);
    this.steps.update(view);
    this.engine.update(report);
    this.script.update(report.script ?? "");
    this.updateNotes();
    this.keepTime();
  }

  updateNotes() {
    const { steps, log } = this.view;
    const { tabs } = this;
    const problems = countProblems(this.view);
    tabs.setNote("plan", problems ? `✕ ${plural(problems, "problem")}` : "", "failed");
    const over = steps.filter((step) => ["done", "skipped"].includes(step.state)).length;
    const hasFailed = steps.some((step) => step.state === "failed");
    tabs.setNote(
      "steps",
      steps.length ? (hasFailed ? "✕ failed" : `${over} of ${steps.length}`) : "",
      hasFailed ? "failed" : "",
    );
    const errors = log.counts?.error ?? 0;
    const kept = log.total - log.first;
    tabs.setNote(
      "log",
      errors ? `✕ ${plural(errors, "error")}` : kept > 0 ? formatCount(kept) : "",
      errors ? "failed" : "",
    );
    tabs.setNote("engine", this.report.engine?.text ?? "");
  }

  /** A timer only while something runs. */
  keepTime() {
    const isRunning = Boolean(this.view.progress) || this.view.steps.some((step) => step.state === "running");
    if (isRunning && !this.timer) {
      this.timer = setInterval(() => {
        for (const part of [this.header, this.rail, this.steps]) part.tick();
      }, TICK_MS);
    } else if (!isRunning && this.timer) {
      clearInterval(this.timer);
      this.timer = 0;
    }
  }

  receive(message) {
    clearTimeout(this.answerTimer);
    if (message?.type === "log") this.log.add(message.records);
    else if (message?.type === "log_reset") this.log.reset();
  }

  /** What the headline's button leads to. */
  show(target) {
    const failed = this.view.steps.find((step) => step.state === "failed");
    if (target === "failed") this.showStep(failed?.name ?? "");
    else this.tabs.select(target);
  }

  showStep(step) {
    this.tabs.select("steps");
    this.steps.show(step);
  }

  inLog(action) {
    this.tabs.select("log");
    action();
  }

  /** Show first what matters first: the plan before a run, the steps after. */
  selectFirstTab() {
    // A model is loaded as soon as it is chosen, which is no run yet.
    const isUnderWay = this.view.steps.some(({ name, state }) => !(state === "waiting" || (name === "load" && state !== "failed")));
    if (isUnderWay) this.tabs.select("steps");
  }

  destroy() {
    clearInterval(this.timer);
    clearTimeout(this.answerTimer);
    cancelAnimationFrame(this.frame);
    this.hideTooltip();
    this.releaseKeys();
    this.log.destroy();
    this.engine.destroy();
    this.node.remove();
  }
}

function render({ model, el }) {
  const panel = new Panel(model);
  const onChange = () => panel.read(true);
  const onMessage = (message) => panel.receive(message);
  model.on("change:view", onChange);
  model.on("change:engine_report", onChange);
  model.on("msg:custom", onMessage);
  panel.read(false);
  panel.draw();
  panel.selectFirstTab();
  el.append(panel.node);
  model.send({ command: "log_request", after: -1 });
  return () => {
    model.off("change:view", onChange);
    model.off("change:engine_report", onChange);
    model.off("msg:custom", onMessage);
    panel.destroy();
  };
}

export default { render };
