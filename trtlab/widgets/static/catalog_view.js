/** The whole catalog: search its pages, and read one. */

import { element, KeyedList, setAttribute, setHidden, setText } from "./dom.js";
import { DiagnosisCard } from "./diagnosis_card.js";
import { formatCount } from "./format.js";

const SEARCH_MS = 200;
const KINDS = ["", "diagnosis", "name", "error_code", "parser_code", "category", "cuda_error"];

class PageRow {
  constructor(onOpen, words) {
    this.words = words;
    this.title = element("span", { class: "trtlab-page-title" });
    this.code = element("span", { class: "trtlab-card-code" });
    this.kind = element("span", { class: "trtlab-muted trtlab-page-kind" });
    this.opener = element(
      "button",
      { type: "button", class: "trtlab-page-row", on: { click: () => onOpen(this.page.id) } },
      this.title,
      this.code,
      this.kind,
    );
    this.node = element("li", {}, this.opener);
  }

  update(page, isOpen) {
    this.page = page;
    setText(this.title, page.title);
    setText(this.code, page.number === null ? page.id : `${page.number} · ${page.id}`);
    setText(this.kind, this.words[`kind_${page.kind}`]);
    setAttribute(this.opener, "aria-current", isOpen ? "true" : null);
  }
}

export class CatalogView {
  /** @param {(message: object) => void} send @param {object} words */
  constructor(send, words) {
    this.send = send;
    this.words = words;
    this.timer = 0;
    this.search = element("input", {
      type: "search",
      class: "trtlab-input",
      placeholder: words.search_catalog,
      "aria-label": words.search_catalog,
      spellcheck: "false",
      on: {
        input: () => {
          clearTimeout(this.timer);
          this.timer = setTimeout(() => this.ask(), SEARCH_MS);
        },
      },
    });
    this.kind = element("select", { class: "trtlab-input", "aria-label": words.kind_all, on: { change: () => this.ask() } });
    for (const kind of KINDS) this.kind.append(element("option", { value: kind, text: words[`kind_${kind || "all"}`] }));
    this.count = element("span", { class: "trtlab-match-count", role: "status" });
    const searching = element("div", { class: "trtlab-search" }, this.search, this.count);
    const toolbar = element("div", { class: "trtlab-toolbar" }, this.kind, searching);
    const list = element("ul", { class: "trtlab-page-list" });
    this.rows = new KeyedList(list, {
      key: (page) => page.id,
      create: () => {
        const row = new PageRow((id) => this.open(id), words);
        return { node: row.node, update: (page) => row.update(page, page.id === this.openId) };
      },
    });
    this.nothing = element("p", { class: "trtlab-empty", text: words.no_pages });
    this.card = new DiagnosisCard({ onFind: () => {} }, words);
    this.leads = element("div", { class: "trtlab-leads" });
    this.reader = element("div", { class: "trtlab-page-reader" }, this.card.node, this.leads);
    const sides = element("div", { class: "trtlab-catalog" }, element("div", {}, list, this.nothing), this.reader);
    this.node = element("div", {}, toolbar, sides);
  }

  ask() {
    clearTimeout(this.timer);
    this.send({ command: "catalog", query: this.search.value, kind: this.kind.value });
  }

  open(id) {
    this.send({ command: "page", id });
  }

  update({ catalog, page }) {
    this.openId = page.id ?? "";
    this.rows.update(catalog.rows);
    setHidden(this.nothing, catalog.rows.length > 0);
    setText(this.count, this.words.pages.replace("{}", formatCount(catalog.total)));
    if (this.kind.value !== catalog.kind) this.kind.value = catalog.kind;
    if (!this.search.matches(":focus") && this.search.value !== catalog.query) this.search.value = catalog.query;
    setHidden(this.reader, !page.id);
    if (!page.id) return;
    this.card.update({ ...page, where: [], lines: null });
    const links = (page.leads_to ?? []).map(({ id, title }) =>
      element("button", { type: "button", class: "trtlab-button trtlab-link", text: title, on: { click: () => this.open(id) } }),
    );
    setHidden(this.leads, links.length === 0);
    this.leads.replaceChildren(element("span", { class: "trtlab-muted", text: `${this.words.leads_to}: ` }), ...links);
  }

  destroy() {
    clearTimeout(this.timer);
  }
}
