/** All steps in one strip that stays in sight on every tab: how far it is, and where it stopped. */

import { element, KeyedList, setAttribute, setHidden, setText } from "./dom.js";
import { StateBadge, stepLook } from "./states.js";
import { stepTime } from "./step_list.js";

export class StepRail {
  /** @param {(step: string) => void} onShow @param {object} clock */
  constructor(onShow, clock) {
    this.clock = clock;
    this.node = element("ol", { class: "trtlab-rail", "aria-label": "Steps of the build" });
    this.items = new KeyedList(this.node, { key: (step) => step.name, create: (step) => this.makeItem(step, onShow) });
  }

  makeItem({ name }, onShow) {
    const badge = new StateBadge({ withWord: false });
    const title = element("span", { class: "trtlab-rail-title" });
    const time = element("span", { class: "trtlab-rail-time" });
    const opener = element(
      "button",
      { type: "button", class: "trtlab-rail-step", on: { click: () => onShow(name) } },
      badge.node,
      title,
      time,
    );
    const node = element("li", { "data-step": name }, opener);
    const part = { node, time, step: null };
    part.update = (step) => {
      part.step = step;
      badge.update(stepLook(step));
      setAttribute(node, "data-state", stepLook(step));
      setAttribute(opener, "data-tip", step.explain || null);
      setText(title, step.title);
      this.tickItem(part);
    };
    return part;
  }

  tickItem({ time, step }) {
    setText(time, stepTime(step, this.clock));
  }

  update(steps) {
    setHidden(this.node, steps.length === 0);
    this.items.update(steps);
  }

  tick() {
    for (const part of this.items.parts.values()) if (part.step.state === "running") this.tickItem(part);
  }
}
