/** The states that a step, a headline or a card can be in. Each has an icon and a word: colour never stands alone. */

import { element, setAttribute, setText } from "./dom.js";

export const STATES = {
  waiting: { icon: "○", word: "waiting" },
  running: { icon: "◐", word: "running" },
  done: { icon: "✓", word: "done" },
  failed: { icon: "✕", word: "failed" },
  cancelled: { icon: "⊘", word: "cancelled" },
  skipped: { icon: "–", word: "skipped" },
  cached: { icon: "↺", word: "from cache" },
  error: { icon: "✕", word: "error" },
  warning: { icon: "▲", word: "warning" },
  info: { icon: "i", word: "note" },
  harmless: { icon: "✓", word: "harmless" },
  consequence: { icon: "↳", word: "follows from it" },
};

/** The look of a step: what came out of the cache is done too, but was not done now. */
export function stepLook(step) {
  return step.from_cache && step.state === "done" ? "cached" : step.state;
}

/** An icon with its word. */
export class StateBadge {
  constructor({ withWord = true } = {}) {
    this.icon = element("span", { class: "trtlab-icon", "aria-hidden": "true" });
    this.word = element("span", { class: withWord ? "trtlab-state-word" : "trtlab-only-read" });
    this.node = element("span", { class: "trtlab-state" }, this.icon, this.word);
  }

  /** @param {string} state a key of STATES; any other is shown as waiting @param {string} [word] in another language */
  update(state, word = "") {
    const name = Object.hasOwn(STATES, state) ? state : "waiting";
    setAttribute(this.node, "data-state", name);
    setText(this.icon, STATES[name].icon);
    setText(this.word, word || STATES[name].word);
  }
}
