/** The controls above the log: which lines to show, what to look for, and taking the log out. */

import { button, element, KeyedList, setAttribute, setHidden, setText } from "./dom.js";
import { copyButton } from "./export.js";
import { formatCount } from "./format.js";

/** The severities as the reader meets them; the order is by weight. */
export const SEVERITIES = {
  error: { icon: "✕", word: "error", title: "Errors" },
  warning: { icon: "▲", word: "warning", title: "Warnings" },
  info: { icon: "·", word: "info", title: "Info" },
  verbose: { icon: "…", word: "verbose", title: "Verbose" },
  output: { icon: "›", word: "output", title: "Output" },
};

/** A row of buttons, each of which shows or hides the lines of one severity. */
class SeverityFilter {
  constructor(onToggle) {
    this.parts = new Map();
    this.node = element("div", { class: "trtlab-severities", role: "group", "aria-label": "Show lines by severity" });
    for (const [severity, { icon, title }] of Object.entries(SEVERITIES)) {
      const count = element("span", { class: "trtlab-count", text: "0" });
      const toggle = element(
        "button",
        {
          type: "button",
          class: "trtlab-toggle",
          "aria-pressed": "true",
          "data-severity": severity,
          title: `Show or hide: ${title.toLowerCase()}`,
          on: { click: () => onToggle(severity) },
        },
        element("span", { class: "trtlab-icon", "aria-hidden": "true", text: icon }),
        element("span", { text: title }),
        count,
      );
      this.parts.set(severity, { toggle, count });
      this.node.append(toggle);
    }
  }

  update(hidden, counts) {
    for (const [severity, { toggle, count }] of this.parts) {
      setAttribute(toggle, "aria-pressed", String(!hidden.has(severity)));
      setText(count, formatCount(counts.get(severity) ?? 0));
    }
  }
}

/** The search box with its count, previous and next. */
class LogSearch {
  constructor({ onSearch, onMove, onOnlyMatches }) {
    this.input = element("input", {
      type: "search",
      class: "trtlab-input",
      placeholder: "Find in the log",
      "aria-label": "Find in the log",
      title: "Enter: next line found. Shift+Enter: previous. Escape: clear.",
      spellcheck: "false",
    });
    this.count = element("span", { class: "trtlab-match-count", role: "status" });
    this.previous = button("↑", {
      kind: "quiet",
      "aria-label": "Previous line found",
      on: { click: () => onMove(-1) },
    });
    this.next = button("↓", { kind: "quiet", "aria-label": "Next line found", on: { click: () => onMove(1) } });
    this.only = element("input", { type: "checkbox", on: { change: () => onOnlyMatches(this.only.checked) } });
    const onlyLabel = element("label", { class: "trtlab-check" }, this.only, "Only these lines");
    this.node = element("div", { class: "trtlab-search" }, this.input, this.count, this.previous, this.next, onlyLabel);
    this.input.addEventListener("input", () => onSearch(this.input.value));
    this.input.addEventListener("keydown", (event) => {
      if (event.key === "Enter") onMove(event.shiftKey ? -1 : 1);
      if (event.key !== "Escape") return;
      this.input.value = "";
      onSearch("");
    });
  }

  update(current, total) {
    const text =
      this.input.value === "" ? "" : total === 0 ? "none" : `${formatCount(current)} of ${formatCount(total)}`;
    setText(this.count, text);
  }
}

export class LogToolbar {
  /**
   * @param {{onToggleSeverity: (severity: string) => void, onStep: (step: string) => void,
   *   onSearch: (text: string) => void, onMove: (direction: number) => void, onOnlyMatches: (only: boolean) => void,
   *   shownText: () => string, onSave: () => void}} actions
   */
  constructor(actions) {
    this.severities = new SeverityFilter(actions.onToggleSeverity);
    this.step = element("select", {
      class: "trtlab-input",
      "aria-label": "Show lines of one step",
      on: { change: () => actions.onStep(this.step.value) },
    });
    this.step.append(element("option", { value: "", text: "All steps" }));
    const options = element("optgroup", { label: "One step" });
    this.step.append(options);
    this.stepOptions = new KeyedList(options, {
      key: (step) => step,
      create: (step) => ({ node: element("option", { value: step, text: step }) }),
    });
    this.search = new LogSearch(actions);
    const exports = element(
      "div",
      { class: "trtlab-actions" },
      copyButton("Copy shown", actions.shownText, { title: "Copy the lines that the filters let through" }),
      button("Save", {
        kind: "quiet",
        title: "Save the lines that the filters let through as a text file",
        on: { click: actions.onSave },
      }),
    );
    this.node = element("div", { class: "trtlab-toolbar" }, this.severities.node, this.step, this.search.node, exports);
  }

  /**
   * @param {{filter: object, counts: Map<string, number>, steps: Set<string>, current: number, found: number}} state
   *   `current`: which of the `found` lines is in sight, from 1
   */
  update({ filter, counts, steps, current, found }) {
    this.severities.update(filter.hidden, counts);
    this.stepOptions.update([...steps]);
    setHidden(this.step, steps.size === 0);
    if (this.step.value !== filter.step) this.step.value = filter.step;
    this.search.update(current, found);
  }
}
