/** How much memory the engine takes, part by part, as bars of one scale with the figure at each. */

import { element, KeyedList, setHidden, setText } from "./dom.js";
import { formatBytes } from "./format.js";

/** Parts may contain each other (scratch lies within activation memory), so they stand side by side, not in a stack. */
export class MemoryView {
  constructor() {
    const list = element("div", { class: "trtlab-memory", role: "list" });
    this.node = element(
      "section",
      { class: "trtlab-section", "aria-label": "Memory" },
      element("div", { class: "trtlab-section-head" }, element("h4", { text: "Memory" })),
      list,
    );
    this.parts = new KeyedList(list, {
      key: (part, index) => `${index} ${part.label}`,
      create: () => {
        const label = element("span", { class: "trtlab-memory-label" });
        const bar = element("div", { class: "trtlab-memory-bar" });
        const figure = element("span", { class: "trtlab-memory-figure" });
        const note = element("div", { class: "trtlab-memory-note trtlab-muted" });
        const track = element("div", { class: "trtlab-memory-track", "aria-hidden": "true" }, bar);
        const node = element("div", { class: "trtlab-memory-part", role: "listitem" }, label, track, figure, note);
        const update = (part) => {
          setText(label, part.label);
          setText(figure, part.text || formatBytes(part.bytes));
          setText(note, part.note);
          const width = `${this.largest ? (100 * part.bytes) / this.largest : 0}%`;
          if (bar.style.width !== width) bar.style.width = width;
        };
        return { node, update };
      },
    });
  }

  /** @param {{label: string, bytes: number, text: string, note: string}[]} memory */
  update(memory) {
    this.largest = Math.max(0, ...memory.map((part) => part.bytes));
    this.parts.update(memory);
    setHidden(this.node, memory.length === 0);
  }
}
