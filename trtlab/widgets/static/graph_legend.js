/** What colours, shapes and outlines mean, drawn below the graph, so that a saved picture says it too. */

import { formatCount, shortenMiddle, threeDigits } from "./format.js";
import { NAME_FONT, drawBadge } from "./graph_boxes.js";
import { NODE_STATES } from "./graph_looks.js";

const ENTRY_LINE = 22;
const ENTRY_GAP = 18;
const ENTRY_LETTER = 5.9;
const SCALE_WIDTH = 120;

/** The legend's entries: `{width, text, draw(pen, x, y)}`. Only what the picture holds is explained. */
function entriesOf(scene, palette) {
  const entries = [];
  const counts = new Array(NODE_STATES.length).fill(0);
  for (let node = 0; node < scene.model.count; node += 1) counts[scene.states.of(node)] += 1;
  const isJudged = counts.some((count, state) => state > 0 && count > 0);
  NODE_STATES.forEach((state, number) => {
    if (!isJudged || !counts[number]) return;
    const text = `${state.word}: ${formatCount(counts[number])}`;
    entries.push({
      text,
      width: 20 + text.length * ENTRY_LETTER,
      draw: (pen, x, y) => {
        if (number > 0) drawBadge(pen, x + 8, y, state, palette);
        else emptyBox(pen, x, y, palette.box, palette.line);
        legendWords(pen, palette, text, x + 20, y);
      },
    });
  });
  if (scene.overlay) entries.push(scaleEntry(scene.overlay, palette));
  if (scene.layers.length) entries.push(layersEntry(scene, palette));
  return entries;
}

function scaleEntry({ name, unit, source, low, high }, palette) {
  const lowText = `${shortenMiddle(name, 60)}: ${threeDigits(low)}`;
  const highText = `${threeDigits(high)} ${unit} · ${source ? shortenMiddle(source, 80) : "measured here"}`;
  const left = lowText.length * ENTRY_LETTER + 6;
  const draw = (pen, x, y) => {
    legendWords(pen, palette, lowText, x, y);
    palette.scale.forEach((colour, step) => {
      pen.fillStyle = colour;
      pen.fillRect(x + left + (step * SCALE_WIDTH) / palette.scale.length, y - 6, SCALE_WIDTH / palette.scale.length + 0.5, 12);
    });
    legendWords(pen, palette, highText, x + left + SCALE_WIDTH + 6, y);
  };
  return { text: `${lowText} to ${highText}`, width: left + SCALE_WIDTH + 6 + highText.length * ENTRY_LETTER, draw };
}

function layersEntry({ layers, engineSource }, palette) {
  const fused = layers.filter((layer) => layer.nodes.length > 1).length;
  const source = engineSource ? `, ${shortenMiddle(engineSource, 60)}` : "";
  const text = `one colour, joined: fused to one layer (${fused} of ${layers.length} layers${source})`;
  const draw = (pen, x, y) => {
    emptyBox(pen, x, y, palette.tints.blue, palette.blue);
    legendWords(pen, palette, text, x + 20, y);
  };
  return { text, width: 20 + text.length * ENTRY_LETTER, draw };
}

function emptyBox(pen, x, y, fill, stroke) {
  pen.fillStyle = fill;
  pen.strokeStyle = stroke;
  pen.lineWidth = 1.5;
  pen.beginPath();
  pen.roundRect(x, y - 6, 15, 12, 3);
  pen.fill();
  pen.stroke();
}

function legendWords(pen, palette, text, x, y) {
  pen.font = NAME_FONT;
  pen.textAlign = "left";
  pen.fillStyle = palette.text;
  pen.fillText(text, x, y + 4);
}

/** The legend in lines no wider than `width`; `height` is 0 where there is nothing to explain. */
export function legendOf(scene, palette, width) {
  const entries = entriesOf(scene, palette);
  const placed = [];
  let [x, line] = [ENTRY_GAP / 2, 0];
  for (const entry of entries) {
    if (x > ENTRY_GAP / 2 && x + entry.width > width) [x, line] = [ENTRY_GAP / 2, line + 1];
    placed.push({ entry, x, y: line * ENTRY_LINE + ENTRY_LINE / 2 + 1 });
    x += entry.width + ENTRY_GAP;
  }
  return {
    height: entries.length ? (line + 1) * ENTRY_LINE + 2 : 0,
    text: entries.map((entry) => entry.text).join("; "),
    draw: (pen) => placed.forEach(({ entry, x: left, y }) => entry.draw(pen, left, y)),
  };
}
