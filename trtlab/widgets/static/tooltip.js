/**
 * One tooltip for a whole panel, shown on hover and on keyboard focus for whatever has `data-tip`.
 *
 * `title` is not enough: it does not appear on keyboard focus. A popover lies in the browser's top layer, where the
 * scrolling boxes that JupyterLab puts around an output can't cut it off.
 */

import { element, setText } from "./dom.js";

const GAP = 6;

/** @param {HTMLElement} root */
export function installTooltip(root) {
  // Hidden from screen readers: they get the same text through aria-describedby, and would read it twice.
  const tip = element("div", { class: "trtlab-tip", popover: "manual", "aria-hidden": "true" });
  root.append(tip);
  let owner = null;

  const hide = () => {
    owner = null;
    if (tip.matches(":popover-open")) tip.hidePopover();
  };
  const show = (target) => {
    const text = target?.dataset.tip;
    if (!text || !tip.showPopover) return;
    owner = target;
    setText(tip, text);
    if (!tip.matches(":popover-open")) tip.showPopover();
    place(tip, target.getBoundingClientRect());
  };
  const ownerOf = (event) => (event.target instanceof Element ? event.target.closest("[data-tip]") : null);

  root.addEventListener("pointerover", (event) => {
    const target = ownerOf(event);
    if (target !== owner) target ? show(target) : hide();
  });
  root.addEventListener("pointerleave", hide);
  root.addEventListener("focusin", (event) => {
    const target = ownerOf(event);
    if (target && event.target.matches(":focus-visible")) show(target);
  });
  root.addEventListener("focusout", hide);
  root.addEventListener("scroll", hide, true);
  root.addEventListener("keydown", (event) => {
    if (event.key === "Escape") hide();
  });
  return hide;
}

function place(tip, target) {
  const size = tip.getBoundingClientRect();
  const below = target.bottom + GAP;
  const fitsBelow = below + size.height < window.innerHeight;
  const left = Math.min(Math.max(GAP, target.left), Math.max(GAP, window.innerWidth - size.width - GAP));
  tip.style.left = `${left}px`;
  tip.style.top = `${fitsBelow ? below : Math.max(GAP, target.top - GAP - size.height)}px`;
}
