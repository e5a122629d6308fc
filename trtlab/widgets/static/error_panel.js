/**
 * The page side of trtlab.widgets.ErrorPanel. ERROR_CONTRACT.md says what the kernel sends and what this sends back.
 *
 * The log stays with the kernel; the page holds the lines around those in sight.
 */

import { CardGroups } from "./card_groups.js";
import { CatalogView } from "./catalog_view.js";
import { button, element, setAttribute, setHidden, setSentence, setText } from "./dom.js";
import { ErrorInput } from "./error_input.js";
import { CodeBlock, copyButton, saveText } from "./export.js";
import { formatCount, formatElapsed } from "./format.js";
import { keepKeysInside } from "./keyboard.js";
import { MarkedLog } from "./marked_log.js";
import { StateBadge } from "./states.js";
import { Tabs } from "./tabs.js";
import { installTooltip } from "./tooltip.js";

const ELAPSED_MS = 250;

class ErrorPage {
  constructor(model, words) {
    this.model = model;
    this.words = words;
    this.frame = 0;
    this.timer = 0;
    const send = (message, buffers) => model.send(message, undefined, buffers);
    this.makeHead(send);
    this.input = new ErrorInput(send, words);
    this.cards = new CardGroups({ onFind: (name) => this.inLog(() => this.log.find(name)), onLines: (card) => this.showLines(card) }, words);
    this.log = new MarkedLog({ send, onCard: (index) => this.showCard(index) }, words);
    this.catalog = new CatalogView(send, words);
    this.script = new CodeBlock(words);
    this.tabs = new Tabs(
      [
        { name: "cause", title: words.cause, panel: this.cards.node },
        { name: "log", title: words.log, panel: this.log.node },
        { name: "catalog", title: words.catalog, panel: this.catalog.node },
        { name: "script", title: words.as_python, panel: this.script.node },
      ],
      words.parts,
    );
    const region = { class: "trtlab trtlab-errors", role: "region", "aria-label": words.region, lang: words.lang };
    this.node = element("div", region, this.head, this.input.node, this.tabs.list, this.tabs.node);
    this.hideTooltip = installTooltip(this.node);
    this.releaseKeys = keepKeysInside(this.node);
  }

  makeHead(send) {
    this.badge = new StateBadge();
    this.headText = element("span", { class: "trtlab-headline-text" });
    this.elapsed = element("span", { class: "trtlab-muted" });
    const spoken = { class: "trtlab-headline-words", role: "status", "aria-live": "polite" };
    const line = element("div", spoken, this.badge.node, this.headText);
    this.cancel = button(this.words.cancel, { on: { click: () => send({ command: "cancel" }) } });
    const save = { kind: "quiet", title: this.words.save_help, on: { click: () => send({ command: "diagnoses" }) } };
    this.save = button(this.words.save, save);
    this.copy = copyButton(this.words.copy, () => this.cards.text(), { kind: "quiet" }, this.words);
    this.language = element("select", {
      class: "trtlab-input",
      "aria-label": this.words.language,
      on: { change: () => send({ command: "language", language: this.language.value }) },
    });
    for (const [value, text] of [["en", "English"], ["zh", "中文"]]) this.language.append(element("option", { value, text }));
    const tools = element("div", { class: "trtlab-error-tools" }, this.elapsed, this.cancel, this.copy, this.save, this.language);
    this.source = element("div", { class: "trtlab-muted trtlab-error-source" });
    this.headline = element("div", { class: "trtlab-headline" }, line, tools);
    this.head = element("header", { class: "trtlab-header trtlab-error-header" }, this.headline, this.source);
  }

  read() {
    // Several changes before the next frame are drawn once.
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      this.draw();
    });
  }

  draw() {
    const view = this.model.get("view");
    const { headline, cards, counts } = view;
    setAttribute(this.headline, "data-state", headline.state);
    this.badge.update(headline.state, headline.word);
    setSentence(this.headText, headline.text);
    setText(this.source, view.source);
    setHidden(this.source, !view.source);
    if (this.language.value !== view.language) this.language.value = view.language;
    this.input.update(view);
    this.cards.update(cards);
    this.log.update(view);
    this.catalog.update(view);
    this.script.update(view.python);
    for (const part of [this.copy, this.save]) setHidden(part, cards.length === 0);
    const causes = cards.filter((card) => card.group === "first").length;
    this.tabs.setNote("cause", causes > 1 ? formatCount(causes) : "", headline.state);
    const marked = Object.values(counts).reduce((sum, count) => sum + count, 0);
    this.tabs.setNote("log", marked ? formatCount(marked) : "");
    this.keepTime(view);
  }

  /** A timer only while something is read. */
  keepTime({ started }) {
    setHidden(this.cancel, !started);
    clearInterval(this.timer);
    this.timer = 0;
    setText(this.elapsed, "");
    if (!started) return;
    const begin = performance.now();
    this.timer = setInterval(() => setText(this.elapsed, formatElapsed((performance.now() - begin) / 1000)), ELAPSED_MS);
  }

  receive(message) {
    if (message?.type === "lines") this.log.receive(message);
    else if (message?.type === "diagnoses") saveText("diagnoses.json", message.text, "application/json");
  }

  inLog(action) {
    this.tabs.select("log");
    action();
  }

  showLines(card) {
    this.inLog(() => this.log.goToLine(card.lines[0], card.index));
  }

  showCard(index) {
    this.tabs.select("cause");
    this.cards.show(index);
  }

  destroy() {
    clearInterval(this.timer);
    cancelAnimationFrame(this.frame);
    this.hideTooltip();
    this.releaseKeys();
    this.log.destroy();
    this.catalog.destroy();
    this.node.remove();
  }
}

function render({ model, el }) {
  let page = null;
  let language = "";
  const open = () => {
    // Another language has other labels everywhere: the page is made anew, which keeps nothing that matters.
    const view = model.get("view");
    const tab = page?.tabs.selected;
    page?.destroy();
    language = view.language;
    page = new ErrorPage(model, { ...view.words, lang: language });
    el.append(page.node);
    if (tab) page.tabs.select(tab);
    page.draw();
  };
  const onChange = () => (model.get("view").language === language ? page.read() : open());
  const onMessage = (message) => page.receive(message);
  open();
  model.on("change:view", onChange);
  model.on("msg:custom", onMessage);
  return () => {
    model.off("change:view", onChange);
    model.off("msg:custom", onMessage);
    page.destroy();
  };
}

export default { render };
