/**
 * Small helpers to build and update DOM nodes in place.
 *
 * Nothing here parses HTML: text that comes from a model or a log reaches the page through textContent and attributes
 * only, so that it can never become markup.
 */

import { shortenMiddle } from "./format.js";

let lastIdentifier = 0;

/**
 * A page may hold several views, and a notebook several panels: identifiers must differ between all of them.
 *
 * @param {string} purpose
 */
export function uniqueIdentifier(purpose) {
  lastIdentifier += 1;
  return `trtlab-${purpose}-${Date.now().toString(36)}-${lastIdentifier}`;
}

/**
 * Build an element. `text` sets textContent, `on` adds listeners, everything else is an attribute.
 *
 * @param {string} tag
 * @param {Record<string, any>} [properties]
 * @param {...(Node|string|null)} children
 */
export function element(tag, properties = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name === "text") {
      node.textContent = value;
    } else if (name === "on") {
      for (const [event, listener] of Object.entries(value)) node.addEventListener(event, listener);
    } else {
      setAttribute(node, name, value);
    }
  }
  node.append(...children.filter((child) => child !== null));
  return node;
}

/** Set text only where it differs: an unchanged text node keeps the reader's selection and costs no layout. */
export function setText(node, text) {
  const wanted = text ?? "";
  if (node.textContent !== wanted) node.textContent = wanted;
}

/** Set an attribute only where it differs; null and false remove it, true sets it empty. */
export function setAttribute(node, name, value) {
  if (value === null || value === undefined || value === false) {
    if (node.hasAttribute(name)) node.removeAttribute(name);
    return;
  }
  const wanted = value === true ? "" : String(value);
  if (node.getAttribute(name) !== wanted) node.setAttribute(name, wanted);
}

/** Show or hide a node. */
export function setHidden(node, hidden) {
  if (node.hidden !== Boolean(hidden)) node.hidden = Boolean(hidden);
}

/**
 * A list of children that follows a list of items. Children are kept by key and updated in place, so that focus,
 * typed text and open details survive a new list; a child is moved only when its place changes.
 */
export class KeyedList {
  /**
   * @param {HTMLElement} parent
   * @param {{key: (item: any, index: number) => string, create: (item: any) => {node: HTMLElement,
   *   update?: (item: any, index: number) => void}}} options
   */
  constructor(parent, { key, create }) {
    this.parent = parent;
    this.key = key;
    this.create = create;
    this.parts = new Map();
  }

  /** @param {any[]} items */
  update(items) {
    const keys = items.map(this.key);
    const wanted = new Set(keys);
    for (const [key, part] of this.parts) {
      if (wanted.has(key)) continue;
      part.node.remove();
      this.parts.delete(key);
    }
    let place = this.parent.firstChild;
    items.forEach((item, index) => {
      let part = this.parts.get(keys[index]);
      if (!part) {
        part = this.create(item);
        this.parts.set(keys[index], part);
      }
      if (part.node === place) place = place.nextSibling;
      else this.parent.insertBefore(part.node, place);
      part.update?.(item, index);
    });
  }

  /** The part made for `key`, if it is there. */
  get(key) {
    return this.parts.get(key);
  }
}

/** A list of plain lines of text, each in its own `tag`. */
export function textList(parent, tag, properties = {}) {
  return new KeyedList(parent, {
    key: (_text, index) => String(index),
    create: () => {
      const node = element(tag, properties);
      return { node, update: (text) => setText(node, text) };
    },
  });
}

/** Two equal JSON values? Used to leave alone what did not change. */
export function sameValue(first, second) {
  return first === second || JSON.stringify(first) === JSON.stringify(second);
}

const LONGEST_WORD = 48;

/**
 * Show a sentence that may hold a name of hundreds of characters: such a word is cut in its middle, and the whole text
 * is in the tooltip.
 */
export function setSentence(node, text, longestWord = LONGEST_WORD) {
  const shown = (text ?? "").replace(/\S+/g, (word) => shortenMiddle(word, longestWord));
  setText(node, shown);
  setAttribute(node, "title", shown === text ? null : text);
}

const NAME_TAIL_LENGTH = 16;

/**
 * A long name on one line, cut in its middle as far as the place is too narrow: the head shrinks, the tail stays,
 * for the ends of ONNX names are what tells them apart. Selecting copies the whole; the tooltip shows the whole.
 */
export class NameText {
  constructor() {
    this.head = element("span", { class: "trtlab-name-head" });
    this.tail = element("span", { class: "trtlab-name-tail" });
    this.node = element("span", { class: "trtlab-name" }, this.head, this.tail);
  }

  /** @param {string} name */
  update(name) {
    const isLong = name.length > 2 * NAME_TAIL_LENGTH;
    setText(this.head, isLong ? name.slice(0, -NAME_TAIL_LENGTH) : name);
    setText(this.tail, isLong ? name.slice(-NAME_TAIL_LENGTH) : "");
    setAttribute(this.node, "title", name);
    this.node.classList.toggle("trtlab-name-long", isLong);
  }
}

/** A push button; `kind` is primary, plain or quiet. */
export function button(label, { kind = "plain", on = {}, ...attributes } = {}) {
  return element("button", { type: "button", class: `trtlab-button trtlab-${kind}`, text: label, on, ...attributes });
}
