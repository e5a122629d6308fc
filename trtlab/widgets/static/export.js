/** Taking things out of a panel: to the clipboard, or into a file. */

import { button, element, setText } from "./dom.js";

const CONFIRM_MS = 1500;

/**
 * @param {string} text
 * @returns {Promise<boolean>} whether it is on the clipboard
 */
export async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // Over plain http from another machine there is no clipboard interface; the old way still works there.
    const area = element("textarea", { style: "position:fixed;opacity:0", "aria-hidden": "true" });
    const focused = document.activeElement;
    area.value = text;
    document.body.append(area);
    area.select();
    const isCopied = document.execCommand("copy");
    area.remove();
    focused?.focus?.();
    return isCopied;
  }
}

/** Let the browser save `text` as a file. */
export function saveText(name, text, type = "text/plain") {
  const url = URL.createObjectURL(new Blob([text], { type: `${type};charset=utf-8` }));
  const link = element("a", { href: url, download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

const COPY_WORDS = { copy: "Copy", copied: "✓ Copied", not_copied: "Not copied" };

/**
 * A button that copies, and says for a moment that it did. Its width is kept: the label is swapped inside it.
 *
 * @param {string} label
 * @param {() => string} text
 * @param {object} [properties] attributes of the button
 * @param {object} [words] what it says then, in the panel's language
 */
export function copyButton(label, text, properties = {}, words = COPY_WORDS) {
  const node = button(label, { kind: "quiet", ...properties });
  let timer = 0;
  node.addEventListener("click", async () => {
    node.style.minWidth = `${node.offsetWidth}px`;
    setText(node, (await copyText(text())) ? words.copied : words.not_copied);
    clearTimeout(timer);
    timer = setTimeout(() => setText(node, label), CONFIRM_MS);
  });
  return node;
}

/** A piece of code with its copy button. */
export class CodeBlock {
  /** @param {object} [words] the button's, in the panel's language */
  constructor(words = COPY_WORDS) {
    this.code = element("code");
    this.pre = element("pre", { class: "trtlab-code", tabindex: "0" }, this.code);
    this.node = element(
      "div",
      { class: "trtlab-code-block" },
      this.pre,
      copyButton(words.copy, () => this.code.textContent, {}, words),
    );
  }

  /** @param {string} text */
  update(text) {
    setText(this.code, text);
  }
}
