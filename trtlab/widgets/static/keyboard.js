/** Keys pressed inside a panel belong to the panel, not to the notebook around it. */

const SUPPRESS = "data-lm-suppress-shortcuts";

/**
 * In JupyterLab's command mode a plain key pressed on a focused button or list would reach the notebook: "d d" there
 * deletes the cell. JupyterLab looks for this attribute before it handles a key. It listens on the document in the
 * capture phase, so the attribute is set on window before that, and left out for Ctrl and Cmd: saving still works.
 *
 * @param {HTMLElement} root
 * @returns {() => void} stops it
 */
export function keepKeysInside(root) {
  const beforeNotebook = (event) => {
    if (root.contains(event.target)) root.toggleAttribute(SUPPRESS, !(event.ctrlKey || event.metaKey));
  };
  // The classic notebook listens on the document when the event bubbles up.
  root.addEventListener("keydown", (event) => {
    if (!event.ctrlKey && !event.metaKey) event.stopPropagation();
  });
  window.addEventListener("keydown", beforeNotebook, true);
  return () => window.removeEventListener("keydown", beforeNotebook, true);
}
