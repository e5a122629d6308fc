/** What the graph shows, as a picture to keep: its own background, its legend, and nothing that refers to another file. */

import { element } from "./dom.js";
import { drawScene } from "./graph_drawing.js";
import { SvgPen } from "./graph_export.js";
import { legendOf } from "./graph_legend.js";
import { Viewport } from "./graph_viewport.js";

/** A picture with more boxes, or longer, is not looked at: then it holds the part in sight. */
const WHOLE_PICTURE_BOXES = 1500;
export const STILL_PICTURE_BOXES = 150;
const LONGEST_PICTURE_SIDE = 16_000;
const PICTURE_MARGIN = 30;
const NARROWEST_PICTURE = 420;
const LONGEST_PNG_SIDE = 8192; // pixels; browsers draw no larger canvas everywhere

/** @returns {string} */
export function svgPicture(scene, view, palette, mostBoxes = WHOLE_PICTURE_BOXES) {
  const picture = pictureFrame(scene, view, palette, mostBoxes);
  const pen = new SvgPen();
  drawPicture(pen, scene, picture, palette);
  return pen.document(picture.width, picture.height, scene.model.title, palette.surface);
}

/** @returns {Promise<Blob>} */
export function pngPicture(scene, view, palette, scale) {
  const picture = pictureFrame(scene, view, palette);
  const factor = Math.min(scale, LONGEST_PNG_SIDE / picture.width, LONGEST_PNG_SIDE / picture.height);
  const canvas = element("canvas", { width: Math.ceil(picture.width * factor), height: Math.ceil(picture.height * factor) });
  const pen = canvas.getContext("2d");
  pen.scale(factor, factor);
  pen.fillStyle = palette.surface;
  pen.fillRect(0, 0, picture.width, picture.height);
  drawPicture(pen, scene, picture, palette);
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("The browser made no picture."))), "image/png");
  });
}

function pictureFrame(scene, seen, palette, mostBoxes = WHOLE_PICTURE_BOXES) {
  const view = new Viewport();
  Object.assign(view, seen);
  const { left, right, top, bottom } = scene.extent;
  if (scene.boxes.count <= mostBoxes && Math.max(right - left, bottom - top) <= LONGEST_PICTURE_SIDE) {
    view.scale = 1;
    view.width = Math.max(NARROWEST_PICTURE, right - left + 2 * PICTURE_MARGIN);
    view.height = bottom - top + 2 * PICTURE_MARGIN;
    view.centre((left + right) / 2, (top + bottom) / 2);
  }
  const legend = legendOf(scene, palette, view.width);
  return { view, legend, width: view.width, height: view.height + legend.height };
}

function drawPicture(pen, scene, { view, legend }, palette) {
  drawScene(pen, scene, view, palette);
  pen.save();
  pen.translate(0, view.height);
  legend.draw(pen);
  pen.restore();
}
