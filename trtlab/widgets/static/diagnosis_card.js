/** A diagnosis: what happened, where, why, what to do, and more for who wants it. Always in this order. */

import { button, element, KeyedList, setAttribute, setHidden, setSentence, setText } from "./dom.js";
import { CodeBlock, copyButton } from "./export.js";
import { plural } from "./format.js";
import { StateBadge } from "./states.js";

const PREVIEW_LENGTH = 200;

/** A name that a text quotes, so that it can be looked for in the log. */
function quotedName(text) {
  return /'([^']{2,})'|"([^"]{2,})"|`([^`]{2,})`/.exec(text)?.slice(1).find(Boolean) ?? "";
}

/** A way out: text, and code to copy where there is some. */
class Remedy {
  constructor() {
    this.text = element("p", {});
    this.code = new CodeBlock();
    this.node = element("div", { class: "trtlab-remedy" }, this.text, this.code.node);
  }

  update({ text, code }) {
    setText(this.text, text);
    setHidden(this.text, !text);
    this.code.update(code ?? "");
    setHidden(this.code.node, !code);
  }
}

/** A line under its heading; the part is hidden when there is nothing to say. */
function section(title, ...content) {
  return element(
    "div",
    { class: "trtlab-card-part" },
    element("div", { class: "trtlab-card-label", text: title }),
    element("div", { class: "trtlab-card-body" }, ...content),
  );
}

/** Where it happened: each place is text, and a button that finds it in the log where a name is quoted. */
function placeList(parent, onFind) {
  return new KeyedList(parent, {
    key: (text) => text,
    create: (text) => {
      const name = quotedName(text);
      const words = element("span");
      setSentence(words, text);
      const node = element("li", {}, words);
      if (name) {
        const find = button("Find in log", {
          kind: "link",
          title: `Find ${name} in the log`,
          on: { click: () => onFind(name) },
        });
        node.append(
          " ",
          find,
          " ",
          copyButton("Copy name", () => name, { kind: "link", title: `Copy ${name}` }),
        );
      }
      return { node };
    },
  });
}

function detailsList(parent) {
  return new KeyedList(parent, {
    key: (item, index) => `${index} ${item.title}`,
    create: (item) => {
      const text = element("div", { class: "trtlab-more-text" });
      // Several may have the same title; how each begins tells them apart before they are opened.
      const preview = element("span", { class: "trtlab-preview" });
      const summary = element("summary", {}, element("span", { text: item.title }), preview);
      const update = (next) => {
        setText(preview, next.text.slice(0, PREVIEW_LENGTH));
        setText(text, next.text);
      };
      return { node: element("details", {}, summary, text), update };
    },
  });
}

export class DiagnosisCard {
  /** @param {{onFind: (name: string) => void}} actions */
  constructor({ onFind }) {
    this.badge = new StateBadge();
    this.title = element("strong", { class: "trtlab-card-title" });
    this.code = element("span", { class: "trtlab-card-code" });
    const head = element("div", { class: "trtlab-card-head" }, this.badge.node, this.title, this.code);
    const places = element("ul", { class: "trtlab-places" });
    this.places = placeList(places, onFind);
    this.where = section("Where", places);
    this.whyText = element("p", {});
    this.why = section("Why", this.whyText);
    this.best = new Remedy();
    this.others = element("div", {});
    this.otherList = new KeyedList(this.others, { key: (_remedy, index) => String(index), create: () => new Remedy() });
    this.othersSummary = element("summary", {});
    this.othersBox = element("details", {}, this.othersSummary, this.others);
    this.todo = section("Do this", this.best.node, this.othersBox);
    const more = element("div", {});
    this.moreList = detailsList(more);
    this.more = section("More", more);
    this.node = element("article", { class: "trtlab-card" }, head, this.where, this.why, this.todo, this.more);
  }

  update(card) {
    setAttribute(this.node, "data-state", card.state);
    this.badge.update(card.state);
    setSentence(this.title, card.title);
    setText(this.code, [card.code, card.id].filter(Boolean).join(" · "));
    this.places.update([...new Set(card.where)]);
    setHidden(this.where, card.where.length === 0);
    setSentence(this.whyText, card.why);
    setHidden(this.why, !card.why);
    const [best, ...others] = card.do;
    setHidden(this.todo, !best);
    if (best) this.best.update(best);
    this.otherList.update(others);
    setText(this.othersSummary, plural(others.length, "other way", "other ways"));
    setHidden(this.othersBox, others.length === 0);
    this.moreList.update(card.more);
    setHidden(this.more, card.more.length === 0);
  }
}
