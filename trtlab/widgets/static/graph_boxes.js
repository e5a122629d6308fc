/** One box of the graph, drawn with its words, its state, its value and its layer. Boxes are drawn about their centre. */

import { shortenMiddle, threeDigits } from "./format.js";
import { BOX_GROUP, BOX_NODE, BOX_TERMINAL } from "./graph_folding.js";
import { NODE_STATES, isProblem } from "./graph_looks.js";
import { BOX_GAP } from "./graph_placement.js";
import { BOX_HEIGHT, OPENER_WIDTH } from "./graph_scene.js";

const HALF_BOX = BOX_HEIGHT / 2;
const BOX_FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif";
const TITLE_SIZE = 12;
const TITLE_FONT = `600 ${TITLE_SIZE}px ${BOX_FONT}`;
export const NAME_FONT = `11px ${BOX_FONT}`;
const TAG_FONT = `600 10px ${BOX_FONT}`;
const BADGE_RADIUS = 7;
const TITLE_LETTER_WIDTH = 7.3;
const NAME_LETTER_WIDTH = 5.7;
const TAG_LETTER_WIDTH = 5.7;

/**
 * @param {CanvasRenderingContext2D} pen or a saved picture's that draws the same
 * @param {{withName: boolean, titleSize: number}} detail without names there is room for a larger operator
 */
export function drawBox(pen, scene, box, palette, { withName, titleSize }) {
  const [x, y] = scene.centre(box);
  const width = scene.widths[box];
  const look = lookOf(scene, box, palette);
  outlineBox(pen, scene, box, x, y, width, look);
  drawMarks(pen, scene, box, x, y, width, palette);
  if (withName) drawLines(pen, scene, box, x, y, width, palette, look);
  else drawTitle(pen, scene, box, x, y, width, palette, look, titleSize);
  if (withName) {
    drawOpener(pen, scene, box, x + width / 2, y, look);
    drawTag(pen, scene, box, x, y, palette);
  }
}

function drawLines(pen, scene, box, x, y, width, palette, look) {
  const [title, name] = linesOf(scene, box);
  const kind = scene.boxes.kind[box];
  const hasBadge = scene.boxState[box] > 0 && kind !== BOX_TERMINAL;
  const inset = kind === BOX_TERMINAL ? 18 : 10;
  const left = x - width / 2 + inset;
  const room = width - inset - 8 - (scene.isHolder(box) || kind === BOX_GROUP ? OPENER_WIDTH - 8 : 0);
  if (hasBadge) drawBadge(pen, left + BADGE_RADIUS - 2, y - 8, NODE_STATES[scene.boxState[box]], palette);
  const titleLeft = left + (hasBadge ? 2 * BADGE_RADIUS + 2 : 0);
  pen.fillStyle = look.text;
  pen.textAlign = "left";
  pen.font = TITLE_FONT;
  const titleRoom = room - (titleLeft - left);
  pen.fillText(fitted(title, titleRoom, TITLE_LETTER_WIDTH), titleLeft, y - 4, titleRoom);
  pen.font = NAME_FONT;
  pen.fillStyle = look.quiet;
  pen.fillText(fitted(name, room, NAME_LETTER_WIDTH), left, y + 12, room);
}

/** From farther away: the operator alone in letters that can still be read, and what is wrong; what is right needs no room. */
function drawTitle(pen, scene, box, x, y, width, palette, look, size) {
  const state = scene.boxMark[box];
  const isBad = isProblem(state);
  if (isBad) {
    drawBadge(pen, x - width / 2 + BADGE_RADIUS + 3, y, NODE_STATES[state], palette);
  } else if (state > 0) {
    pen.fillStyle = palette[NODE_STATES[state].colour];
    pen.fillRect(x - width / 2 + 1, y - HALF_BOX + 4, 4, BOX_HEIGHT - 8);
  }
  const left = x - width / 2 + (isBad ? 2 * BADGE_RADIUS + 5 : 9);
  pen.fillStyle = look.text;
  pen.textAlign = "left";
  pen.font = `600 ${size}px ${BOX_FONT}`;
  const letter = (TITLE_LETTER_WIDTH * size) / TITLE_SIZE;
  pen.fillText(fitted(linesOf(scene, box)[0], x + width / 2 - left - 4, letter), left, y + size / 3);
}

function lookOf(scene, box, palette) {
  const kind = scene.boxes.kind[box];
  const state = scene.boxState[box];
  const look = { fill: palette.box, stroke: palette.line, width: 1, text: palette.text, quiet: palette.muted, dash: [] };
  if (kind === BOX_GROUP) look.fill = palette.group;
  if (kind === BOX_TERMINAL) Object.assign(look, { fill: palette.terminal, stroke: palette.sky });
  if (isProblem(state)) {
    const colour = NODE_STATES[state].colour;
    Object.assign(look, { fill: palette.tints[colour], stroke: palette[colour], width: 2.5 });
    if (NODE_STATES[state].shape === "dashed") look.dash = [5, 3];
  }
  const hue = scene.layerHue(box);
  if (hue && !isProblem(state)) Object.assign(look, { fill: palette.tints[hue], stroke: palette[hue], width: 2 });
  if (scene.overlay && !Number.isNaN(scene.boxValue[box])) {
    const step = scene.scaleStep(scene.boxValue[box]);
    Object.assign(look, { fill: palette.scale[step], text: palette.onScale[step], quiet: palette.onScale[step] });
  }
  return look;
}

function outlineBox(pen, scene, box, x, y, width, look) {
  const kind = scene.boxes.kind[box];
  const radius = kind === BOX_TERMINAL ? HALF_BOX : 5;
  pen.strokeStyle = look.stroke;
  pen.lineWidth = look.width;
  pen.fillStyle = look.fill;
  if (kind === BOX_GROUP) {
    pen.beginPath();
    pen.roundRect(x - width / 2 + 5, y - HALF_BOX + 5, width, BOX_HEIGHT, radius);
    pen.fill();
    pen.stroke();
  }
  pen.setLineDash(look.dash);
  pen.beginPath();
  pen.roundRect(x - width / 2, y - HALF_BOX, width, BOX_HEIGHT, radius);
  pen.fill();
  pen.stroke();
  pen.setLineDash([]);
}

/** Rings around what is found, selected, focused, or on the path. */
function drawMarks(pen, scene, box, x, y, width, palette) {
  const ring = (gap, colour, thickness, dash = []) => {
    pen.setLineDash(dash);
    pen.strokeStyle = colour;
    pen.lineWidth = thickness;
    pen.beginPath();
    pen.roundRect(x - width / 2 - gap, y - HALF_BOX - gap, width + 2 * gap, BOX_HEIGHT + 2 * gap, 5 + gap);
    pen.stroke();
    pen.setLineDash([]);
  };
  if (scene.matchedBoxes.has(box)) ring(3, palette.orange, 2, [2, 2]);
  if (scene.pathBoxes.has(box)) ring(3, palette.blue, 3);
  if (scene.litLayer >= 0 && scene.boxLayer[box] === scene.litLayer) ring(2, palette.text, 2);
  if (scene.selectedBoxes.has(box)) ring(5, palette.accent, 3);
  if (scene.focus === box) ring(9, palette.accent, 1.5, [4, 3]);
}

function linesOf(scene, box) {
  const { title, name } = scene.labels(box);
  const ref = scene.boxes.ref[box];
  if (scene.boxes.kind[box] === BOX_GROUP) return [title, [name, ...problemCounts(scene.states.inGroup(ref))].join("  ")];
  const inside = scene.isHolder(box) ? problemCounts(scene.states.inside(ref)) : [];
  return [title, inside.length ? `inside: ${inside.join("  ")}` : name];
}

function problemCounts(counts) {
  return NODE_STATES.flatMap(({ sign }, state) => (isProblem(state) && counts[state] ? [`${sign} ${counts[state]}`] : []));
}

/**
 * Cut a text to about a width; a canvas squeezes what is still too wide. Letters are taken as equally wide, for measuring
 * thousands of names takes longer than drawing them.
 */
function fitted(text, width, letter) {
  return shortenMiddle(text, Math.max(3, Math.floor(width / letter)));
}

/** A state's shape with its sign. */
export function drawBadge(pen, x, y, state, palette) {
  const colour = palette[state.colour];
  const isFilled = state.shape !== "dashed";
  shapePath(pen, state.shape, x, y, BADGE_RADIUS);
  pen.lineWidth = 1.5;
  pen.fillStyle = isFilled ? colour : palette.surface;
  pen.strokeStyle = isFilled ? palette.surface : colour;
  if (!isFilled) pen.setLineDash([2.5, 1.5]);
  pen.fill();
  pen.stroke();
  pen.setLineDash([]);
  pen.fillStyle = isFilled ? palette.surface : colour;
  pen.font = `700 9.5px ${BOX_FONT}`;
  pen.textAlign = "center";
  pen.fillText(state.sign, x, y + 3.4);
}

/** A circle, an octagon or a diamond: told apart without their colours. */
export function shapePath(pen, shape, x, y, radius) {
  pen.beginPath();
  if (shape === "octagon" || shape === "diamond") {
    const corners = shape === "octagon" ? 8 : 4;
    const size = shape === "octagon" ? radius * 1.08 : radius * 1.25;
    for (let corner = 0; corner < corners; corner += 1) {
      const angle = (2 * Math.PI * (corner + (corners === 8 ? 0.5 : 0))) / corners;
      pen[corner ? "lineTo" : "moveTo"](x + size * Math.cos(angle), y + size * Math.sin(angle));
    }
    pen.closePath();
  } else {
    pen.arc(x, y, radius, 0, 2 * Math.PI);
  }
}

/** The sign that a box opens: + for a folded group, an arrow for what a node holds. */
function drawOpener(pen, scene, box, right, y, look) {
  const isGroup = scene.boxes.kind[box] === BOX_GROUP;
  if (!isGroup && !scene.isHolder(box)) return;
  pen.fillStyle = look.text;
  pen.textAlign = "center";
  pen.font = `600 15px ${BOX_FONT}`;
  pen.fillText(isGroup ? "+" : "⤵", right - OPENER_WIDTH / 2, y + 5);
}

/** Below a box: the word of its problem, and the overlay's value. */
function drawTag(pen, scene, box, x, y, palette) {
  const state = NODE_STATES[scene.boxState[box]];
  const isNode = scene.boxes.kind[box] === BOX_NODE;
  const problem = isNode && isProblem(scene.boxState[box]);
  const textWith = (word) => [problem && `${state.sign} ${word}`, valueText(scene, box)].filter(Boolean).join(" · ");
  const widthOf = (words) => words.length * TAG_LETTER_WIDTH + 12;
  // A neighbour may have a tag too.
  const text = widthOf(textWith(state.word)) > scene.widths[box] + BOX_GAP ? textWith(state.brief) : textWith(state.word);
  if (!text) return;
  const width = widthOf(text);
  const top = y + HALF_BOX + 3;
  pen.fillStyle = problem ? palette[state.colour] : palette.text;
  pen.beginPath();
  pen.roundRect(x - width / 2, top, width, 15, 7.5);
  pen.fill();
  pen.fillStyle = palette.surface;
  pen.font = TAG_FONT;
  pen.textAlign = "center";
  pen.fillText(text, x, top + 11);
}

/** `1.23 ms`; for a folded group `up to 1.23 ms`; "" where there is no value. */
export function valueText(scene, box) {
  const value = scene.overlay ? scene.boxValue[box] : NaN;
  if (Number.isNaN(value)) return "";
  const number = `${threeDigits(value)} ${scene.overlay.unit}`.trim();
  return scene.boxes.kind[box] === BOX_GROUP ? `up to ${number}` : number;
}
