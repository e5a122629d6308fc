/** Text that may stand in XML: names come from a model and are never markup. */

export const LETTERS_IN_SVG = 400;

const ENTITIES = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };
// XML 1.0 forbids these even as entities: one of them in a name would make the whole picture unreadable.
const CONTROLS = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g;
const HALF_LETTERS = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

export function escapeXml(text) {
  return String(text)
    .replace(CONTROLS, "\ufffd")
    .replace(HALF_LETTERS, "\ufffd")
    .replace(/[&<>"']/g, (letter) => ENTITIES[letter]);
}
