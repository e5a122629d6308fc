/**
 * Keeps one input in step with the kernel without ever taking text away from the person who types.
 *
 * The view is replaced up to ten times a second. A value from the kernel is written into the input unless it has
 * focus and holds text that was not sent, or was just sent and the kernel has not answered yet, or was refused here.
 */

import { element, sameValue, setAttribute, setText, uniqueIdentifier } from "./dom.js";

const ANSWER_WAIT_MS = 2000;

export class Field {
  /**
   * @param {HTMLInputElement|HTMLSelectElement} input
   * @param {{write: (value: any) => void, send: () => boolean}} options `write` shows a value of the kernel;
   *   `send` sends what was typed and returns false if it can't be sent.
   */
  constructor(input, { write, send }) {
    this.input = input;
    this.write = write;
    this.value = undefined;
    this.isDirty = false;
    this.holdUntil = 0;
    input.addEventListener("input", () => {
      this.isDirty = true;
    });
    input.addEventListener("change", () => {
      this.isDirty = false;
      this.holdUntil = send() ? performance.now() + ANSWER_WAIT_MS : Infinity;
    });
    input.addEventListener("blur", () => {
      this.isDirty = false;
    });
  }

  /** Show what the kernel says now. */
  receive(value) {
    const isNews = !sameValue(value, this.value);
    const isTyping = this.isDirty && this.input.matches(":focus");
    if (isTyping || (!isNews && performance.now() < this.holdUntil)) return;
    if (isNews || this.holdUntil) this.write(value);
    this.value = value;
    this.holdUntil = 0;
  }
}

/**
 * Enable a control, or disable it with a reason in its tooltip. A disabled control stays in the tab order, for
 * otherwise nobody who uses the keyboard could find out why; `blockDisabledControls` keeps it from acting.
 *
 * @param {HTMLElement} control
 * @param {{enabled: boolean, reason?: string}} availability
 * @param {string} [help] the tooltip while it is enabled
 */
export function setAvailability(control, { enabled, reason = "" }, help = "") {
  setAttribute(control, "aria-disabled", enabled ? null : "true");
  setAttribute(control, "data-tip", (enabled ? help : reason || "Not available now.") || null);
  if (control.matches("input:is([type=text], [type=number])")) control.readOnly = !enabled;
}

/** A button whose reason for being disabled is read aloud with it and shown on hover and focus. */
export class AvailableButton {
  /** @param {HTMLElement} node a button @param {string} [help] what it does, its tooltip while it is enabled */
  constructor(node, help = "") {
    this.button = node;
    this.help = help;
    this.reason = element("span", { class: "trtlab-only-read", id: uniqueIdentifier("reason") });
    this.node = element("span", { class: "trtlab-button-place" }, node, this.reason);
    setAttribute(node, "aria-describedby", this.reason.id);
  }

  /** @param {{enabled: boolean, label?: string, reason?: string}} state */
  update(state) {
    if (state.label) setText(this.button, state.label);
    setAvailability(this.button, state, this.help);
    setText(this.reason, state.enabled ? this.help : state.reason);
  }
}

/** Keep controls with aria-disabled from acting, for pointer and keyboard alike, while they can still have focus. */
export function blockDisabledControls(root) {
  const block = (event) => {
    const control = event.target instanceof Element ? event.target.closest("[aria-disabled=true]") : null;
    if (!control || event.key === "Tab" || event.key === "Escape") return;
    event.preventDefault();
    event.stopPropagation();
    if (event.type === "mousedown") control.focus();
  };
  for (const name of ["mousedown", "click", "keydown", "beforeinput"]) root.addEventListener(name, block, true);
}
