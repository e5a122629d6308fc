/** Cards one below the other, with a word where there are none. */

import { element, KeyedList, setHidden, setText } from "./dom.js";
import { CARD_WORDS, DiagnosisCard } from "./diagnosis_card.js";

export class CardStack {
  /** @param {{onFind(name: string): void}} actions */
  constructor({ onFind }) {
    this.box = element("div", { class: "trtlab-cards trtlab-card-stack" });
    this.cards = new KeyedList(this.box, {
      key: (_card, index) => String(index),
      create: () => {
        const card = new DiagnosisCard({ onFind }, { ...CARD_WORDS, find: "Show in the graph" });
        return { node: card.node, update: (values) => card.update(values) };
      },
    });
    this.empty = element("p", { class: "trtlab-empty" });
    this.node = element("div", {}, this.box, this.empty);
  }

  /** @param {object[]} cards @param {string} emptyText */
  update(cards, emptyText) {
    this.cards.update(cards);
    setText(this.empty, emptyText);
    setHidden(this.empty, cards.length > 0);
    setHidden(this.box, cards.length === 0);
  }
}
