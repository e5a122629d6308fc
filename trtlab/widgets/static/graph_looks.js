/** How the states of nodes look: each has a colour, a shape with a sign in it, and a word. */

import { setAttribute } from "./dom.js";

/**
 * In the order of the trait `status`. `brief` is said where there is no room for the word, `state` is the panels' name for
 * it, `colour` a key of the palette.
 */
export const NODE_STATES = [
  { word: "not looked at", state: "waiting", colour: "muted", shape: "", sign: "" },
  { word: "supported", state: "done", colour: "green", shape: "circle", sign: "✓" },
  { word: "refused by the parser", brief: "parser", state: "error", colour: "vermillion", shape: "octagon", sign: "✕" },
  { word: "refused by the builder", brief: "builder", state: "error", colour: "purple", shape: "diamond", sign: "✕" },
  { word: "could not be judged", brief: "not judged", state: "warning", colour: "orange", shape: "dashed", sign: "?" },
];
export const REFUSED_BY_PARSER = 2;

/** From bad to good: what a folded group shows of all that is in it. */
const WORST_FIRST = [2, 3, 4, 0, 1];

/** @param {number[]|Int32Array} counts how many nodes are in each state */
export function worstState(counts) {
  return WORST_FIRST.find((state) => counts[state] > 0) ?? 0;
}

export function isProblem(state) {
  return state >= REFUSED_BY_PARSER;
}

/** Colours of fused layers: neighbours differ, and each layer is outlined and named besides. */
export const LAYER_HUES = ["blue", "orange", "green", "purple", "sky", "vermillion"];
export const SCALE_STEPS = 24;

const PALETTE_VARIABLES = {
  surface: "--trtlab-surface",
  text: "--trtlab-text",
  line: "--trtlab-strong-line",
  accent: "--trtlab-accent",
  blue: "--trtlab-blue",
  green: "--trtlab-green",
  vermillion: "--trtlab-vermillion",
  orange: "--trtlab-orange",
  purple: "--trtlab-purple",
  sky: "--trtlab-sky",
};
// Cividis (Nunez, Anderton and Renslow 2018) at five places: dark to light, the same to every kind of colour vision.
const CIVIDIS = [
  [0, 34, 78],
  [65, 77, 107],
  [124, 123, 120],
  [185, 172, 112],
  [254, 232, 56],
];

/** The theme's colours as plain `rgb()`, for a canvas and a saved picture know no variables. */
export function readPalette(node) {
  const probe = document.createElement("span");
  node.append(probe);
  const parts = {};
  for (const [name, variable] of Object.entries(PALETTE_VARIABLES)) {
    setAttribute(probe, "style", `color: var(${variable})`);
    parts[name] = (getComputedStyle(probe).color.match(/[\d.]+/g) ?? [0, 0, 0]).map(Number);
  }
  probe.remove();
  return paletteOf(parts);
}

/** @param {Record<string, number[]>} parts red, green, blue, and opacity where there is one */
export function paletteOf(parts) {
  const surface = parts.surface.slice(0, 3);
  const over = (colour, share) => surface.map((ground, at) => Math.round(ground + (colour[at] - ground) * share));
  const solid = (colour) => over(colour, colour[3] ?? 1);
  const palette = { isDark: luminance(surface) < 0.4 };
  for (const name of Object.keys(PALETTE_VARIABLES)) palette[name] = rgbText(solid(parts[name]));
  const text = solid(parts.text);
  palette.muted = rgbText(over(text, palette.isDark ? 0.68 : 0.66));
  palette.edge = rgbText(over(text, 0.42));
  palette.faint = rgbText(over(text, 0.16));
  palette.box = rgbText(over(text, 0.04));
  palette.group = rgbText(over(text, 0.11));
  palette.terminal = rgbText(over(parts.sky, 0.12));
  palette.tints = Object.fromEntries(Object.keys(PALETTE_VARIABLES).map((name) => [name, rgbText(over(parts[name], 0.2))]));
  palette.blocks = Object.fromEntries(Object.keys(PALETTE_VARIABLES).map((name) => [name, rgbText(over(parts[name], 0.75))]));
  palette.block = rgbText(over(text, 0.3));
  palette.scale = Array.from({ length: SCALE_STEPS }, (_, step) => rgbText(scaleColour(step / (SCALE_STEPS - 1))));
  palette.onScale = palette.scale.map((_, step) => (luminance(scaleColour(step / (SCALE_STEPS - 1))) > 0.36 ? "#111" : "#fff"));
  return palette;
}

function scaleColour(share) {
  const at = Math.min(CIVIDIS.length - 2, Math.floor(share * (CIVIDIS.length - 1)));
  const rest = share * (CIVIDIS.length - 1) - at;
  return CIVIDIS[at].map((part, each) => Math.round(part + (CIVIDIS[at + 1][each] - part) * rest));
}

function rgbText(parts) {
  return `rgb(${parts.join(", ")})`;
}

function luminance(parts) {
  return (0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]) / 255;
}
