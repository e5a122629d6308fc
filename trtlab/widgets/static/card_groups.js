/** The cards of a log: causes open, what follows from them and what is harmless folded. */

import { element, KeyedList, setHidden, setText } from "./dom.js";
import { DiagnosisCard } from "./diagnosis_card.js";
import { formatCount } from "./format.js";

/** One card as text, for the clipboard. */
function cardText(card, words) {
  const remedies = card.do.map(({ text, code }) => `- ${text}${code ? `\n    ${code.replaceAll("\n", "\n    ")}` : ""}`);
  const parts = [
    `${card.title}${card.code ? ` (${card.code})` : ""} [${card.id}]`,
    card.where.length ? `${words.where}: ${card.where.join(", ")}` : "",
    card.why ? `${words.why}: ${card.why}` : "",
    remedies.length ? `${words.do}:\n${remedies.join("\n")}` : "",
  ];
  return parts.filter(Boolean).join("\n");
}

class Group {
  /** @param {string} title has {} for the count; "" for the group that is always open */
  constructor(title, actions, words) {
    this.title = title;
    this.box = element("div", { class: "trtlab-cards trtlab-error-cards" });
    this.list = new KeyedList(this.box, {
      key: (card) => `${card.index} ${card.id}`,
      create: () => new DiagnosisCard(actions, words),
    });
    this.summary = element("summary", {});
    this.node = title ? element("details", { class: "trtlab-error-fold" }, this.summary, this.box) : this.box;
  }

  update(cards) {
    this.cards = cards;
    this.list.update(cards);
    setText(this.summary, this.title.replace("{}", formatCount(cards.length)));
    setHidden(this.node, cards.length === 0);
  }

  show(index) {
    const card = this.cards.find((other) => other.index === index);
    if (!card) return;
    if (this.title) this.node.open = true;
    const { node } = this.list.get(`${card.index} ${card.id}`);
    node.tabIndex = -1;
    node.scrollIntoView({ block: "nearest" });
    node.focus({ preventScroll: true });
  }
}

export class CardGroups {
  /** @param {{onFind: (name: string) => void, onLines: (card: object) => void}} actions @param {object} words */
  constructor(actions, words) {
    this.words = words;
    this.groups = new Map([
      ["first", new Group("", actions, words)],
      ["consequence", new Group(words.folded_consequences, actions, words)],
      ["harmless", new Group(words.folded_harmless, actions, words)],
    ]);
    this.empty = element("p", { class: "trtlab-empty", text: words.cause_empty });
    this.node = element("div", {}, this.empty, ...[...this.groups.values()].map(({ node }) => node));
    this.cards = [];
  }

  update(cards) {
    this.cards = cards;
    setHidden(this.empty, cards.length > 0);
    for (const [name, group] of this.groups) group.update(cards.filter((card) => card.group === name));
  }

  show(index) {
    for (const group of this.groups.values()) group.show(index);
  }

  text() {
    return `${this.cards.map((card) => cardText(card, this.words)).join("\n\n")}\n`;
  }
}
