/** Tabs after the ARIA pattern: arrow keys move, one tab stop, every panel stays in the page and keeps its state. */

import { element, setAttribute, setHidden, setText, uniqueIdentifier } from "./dom.js";

export class Tabs {
  /** @param {{name: string, title: string, panel: HTMLElement}[]} pages */
  constructor(pages, label) {
    this.pages = new Map(pages.map((page) => [page.name, this.makePage(page)]));
    this.list = element("div", { class: "trtlab-tabs", role: "tablist", "aria-label": label });
    this.list.append(...[...this.pages.values()].map((page) => page.tab));
    this.list.addEventListener("keydown", (event) => this.moveFocus(event));
    this.node = element("div", { class: "trtlab-pages" }, ...[...this.pages.values()].map((page) => page.panel));
    this.selected = "";
    this.select(pages[0].name);
  }

  makePage({ name, title, panel }) {
    const [tabIdentifier, panelIdentifier] = [uniqueIdentifier("tab"), uniqueIdentifier("panel")];
    const note = element("span", { class: "trtlab-tab-note" });
    const tab = element(
      "button",
      {
        type: "button",
        role: "tab",
        class: "trtlab-tab",
        id: tabIdentifier,
        "aria-controls": panelIdentifier,
        "data-tab": name,
        on: { click: () => this.select(name) },
      },
      element("span", { text: title }),
      note,
    );
    for (const [key, value] of Object.entries({
      id: panelIdentifier,
      role: "tabpanel",
      "aria-labelledby": tabIdentifier,
    })) {
      setAttribute(panel, key, value);
    }
    return { tab, panel, note };
  }

  /** Show the page `name`. */
  select(name) {
    this.selected = name;
    for (const [other, { tab, panel }] of this.pages) {
      setAttribute(tab, "aria-selected", String(other === name));
      setAttribute(tab, "tabindex", other === name ? "0" : "-1");
      setHidden(panel, other !== name);
    }
  }

  /** A short text beside a tab's title; `state` gives it a colour, so the text has to say it as well. */
  setNote(name, text, state = "") {
    const { note } = this.pages.get(name);
    setText(note, text);
    setAttribute(note, "data-state", state || null);
  }

  moveFocus(event) {
    const names = [...this.pages.keys()];
    const current = names.indexOf(this.selected);
    const target = { ArrowRight: current + 1, ArrowLeft: current - 1, Home: 0, End: names.length - 1 }[event.key];
    if (target === undefined) return;
    event.preventDefault();
    this.select(names[(target + names.length) % names.length]);
    this.pages.get(this.selected).tab.focus();
  }
}
