/** A diagnosis: what happened, where, why, what to do, and more for who wants it. Always in this order. */

import { button, element, KeyedList, sameValue, setAttribute, setHidden, setSentence, setText } from "./dom.js";
import { CodeBlock, copyButton } from "./export.js";
import { formatCount } from "./format.js";
import { StateBadge } from "./states.js";

const PREVIEW_LENGTH = 200;

/** The labels of a card in English; a panel in another language brings its own. */
export const CARD_WORDS = {
  where: "Where",
  why: "Why",
  do: "Do this",
  more: "More",
  find: "Find in log",
  copy_name: "Copy name",
  copy: "Copy",
  copied: "✓ Copied",
  not_copied: "Not copied",
  other_way: "1 other way",
  other_ways: "{} other ways",
  line: "line {}",
  lines: "lines {} to {}",
  show_lines: "Show in log",
};

/** A name that a text quotes, so that it can be looked for in the log. */
function quotedName(text) {
  return /'([^']{2,})'|"([^"]{2,})"|`([^`]{2,})`/.exec(text)?.slice(1).find(Boolean) ?? "";
}

/** A way out: text, and code to copy where there is some. */
class Remedy {
  constructor(words) {
    this.text = element("p", {});
    this.code = new CodeBlock(words);
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
function placeList(parent, onFind, words) {
  return new KeyedList(parent, {
    key: (text) => text,
    create: (text) => {
      const name = quotedName(text);
      const sentence = element("span");
      setSentence(sentence, text);
      const node = element("li", {}, sentence);
      if (name) {
        const find = button(words.find, { kind: "link", title: `${words.find}: ${name}`, on: { click: () => onFind(name) } });
        const copy = copyButton(words.copy_name, () => name, { kind: "link", title: `${words.copy_name}: ${name}` }, words);
        node.append(" ", find, " ", copy);
      }
      return { node };
    },
  });
}

/** What a folded part holds, in one line. */
function previewOf({ text, items, links }) {
  return text ?? (items ?? []).map((item) => item.text).concat(links ?? []).join(" · ");
}

/** A folded part: a text, a list of points each with a note, or links. */
function moreContent({ text, items = [], links = [] }) {
  if (text) return [text];
  const points = items.map((item) =>
    element("li", {}, element("div", { text: item.text }), item.note ? element("div", { class: "trtlab-muted", text: item.note }) : null),
  );
  // Only addresses of the catalog get here, and only https ones are links.
  const addresses = links
    .filter((url) => /^https:/.test(url))
    .map((url) => element("li", {}, element("a", { href: url, target: "_blank", rel: "noopener noreferrer", text: url })));
  return [element(items.length ? "ol" : "ul", { class: items.length ? "trtlab-points" : "" }, ...points, ...addresses)];
}

function detailsList(parent) {
  return new KeyedList(parent, {
    key: (item, index) => `${index} ${item.title}`,
    create: (item) => {
      const body = element("div", { class: "trtlab-more-text" });
      const preview = element("span", { class: "trtlab-preview" });
      const summary = element("summary", {}, element("span", { text: item.title }), preview);
      let shown = null;
      const update = (next) => {
        if (sameValue(next, shown)) return;
        shown = next;
        setText(preview, previewOf(next).slice(0, PREVIEW_LENGTH));
        body.replaceChildren(...moreContent(next));
      };
      return { node: element("details", { open: Boolean(item.open) }, summary, body), update };
    },
  });
}

export class DiagnosisCard {
  /**
   * @param {{onFind: (name: string) => void, onLines?: (card: object) => void}} actions
   * @param {object} [words] the labels in the panel's language
   */
  constructor({ onFind, onLines = () => {} }, words = CARD_WORDS) {
    this.words = words;
    this.badge = new StateBadge();
    this.title = element("strong", { class: "trtlab-card-title" });
    this.code = element("span", { class: "trtlab-card-code" });
    const head = element("div", { class: "trtlab-card-head" }, this.badge.node, this.title, this.code);
    this.placeBox = element("ul", { class: "trtlab-places" });
    this.places = placeList(this.placeBox, onFind, words);
    this.linesText = element("span");
    const showLines = button(words.show_lines, { kind: "link", on: { click: () => onLines(this.card) } });
    this.lines = element("div", { class: "trtlab-card-lines" }, this.linesText, " ", showLines);
    this.where = section(words.where, this.placeBox, this.lines);
    this.whyText = element("p", {});
    this.why = section(words.why, this.whyText);
    this.best = new Remedy(words);
    this.others = element("div", {});
    this.otherList = new KeyedList(this.others, {
      key: (_remedy, index) => String(index),
      create: () => new Remedy(words),
    });
    this.othersSummary = element("summary", {});
    this.othersBox = element("details", {}, this.othersSummary, this.others);
    this.todo = section(words.do, this.best.node, this.othersBox);
    const more = element("div", {});
    this.moreList = detailsList(more);
    this.more = section(words.more, more);
    this.node = element("article", { class: "trtlab-card" }, head, this.where, this.why, this.todo, this.more);
  }

  update(card) {
    this.card = card;
    setAttribute(this.node, "data-state", card.state);
    this.badge.update(card.state, card.state_word);
    setSentence(this.title, card.title);
    setText(this.code, [card.code, card.id].filter(Boolean).join(" · "));
    this.places.update([...new Set(card.where)]);
    setHidden(this.placeBox, card.where.length === 0);
    this.updateLines(card.lines);
    setHidden(this.where, card.where.length === 0 && !card.lines);
    setSentence(this.whyText, card.why);
    setHidden(this.why, !card.why);
    const [best, ...others] = card.do;
    setHidden(this.todo, !best);
    if (best) this.best.update(best);
    this.otherList.update(others);
    const counted = others.length === 1 ? this.words.other_way : this.words.other_ways;
    setText(this.othersSummary, counted.replace("{}", formatCount(others.length)));
    setHidden(this.othersBox, others.length === 0);
    this.moreList.update(card.more);
    setHidden(this.more, card.more.length === 0);
  }

  updateLines(lines) {
    setHidden(this.lines, !lines);
    if (!lines) return;
    const [first, last] = lines.map(formatCount);
    const text = first === last ? this.words.line : this.words.lines;
    setText(this.linesText, text.replace("{}", first).replace("{}", last));
  }
}
