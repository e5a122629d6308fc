/** The picture as SVG: a pen that writes what it is told, so that a saved picture is drawn by the same code as the page's. */

import { LETTERS_IN_SVG, escapeXml } from "./graph_xml.js";

const DECIMALS = 1;

function rounded(number) {
  return String(Number(number.toFixed(DECIMALS)));
}

/** The part of CanvasRenderingContext2D that the graph is drawn with. */
export class SvgPen {
  constructor() {
    this.parts = [];
    this.path = [];
    this.dash = [];
    this.open = [0];
    Object.assign(this, { fillStyle: "#000", strokeStyle: "#000", lineWidth: 1, font: "", textAlign: "left", globalAlpha: 1 });
  }

  save() {
    this.open.push(0);
  }

  restore() {
    this.parts.push("</g>".repeat(this.open.pop()));
  }

  group(transform) {
    this.parts.push(`<g transform="${transform}">`);
    this.open[this.open.length - 1] += 1;
  }

  translate(x, y) {
    this.group(`translate(${rounded(x)} ${rounded(y)})`);
  }

  scale(x, y) {
    this.group(`scale(${x} ${y})`);
  }

  setLineDash(dash) {
    this.dash = dash;
  }

  beginPath() {
    this.path = [];
  }

  moveTo(x, y) {
    this.path.push(`M${rounded(x)} ${rounded(y)}`);
  }

  lineTo(x, y) {
    this.path.push(`L${rounded(x)} ${rounded(y)}`);
  }

  bezierCurveTo(...points) {
    this.path.push(`C${points.map(rounded).join(" ")}`);
  }

  closePath() {
    this.path.push("Z");
  }

  rect(x, y, width, height) {
    this.path.push(`M${rounded(x)} ${rounded(y)}h${rounded(width)}v${rounded(height)}h${rounded(-width)}Z`);
  }

  roundRect(x, y, width, height, radius) {
    const bend = Math.min(radius, width / 2, height / 2);
    const [across, down] = [rounded(width - 2 * bend), rounded(height - 2 * bend)];
    const corner = (right, below) => `a${rounded(bend)} ${rounded(bend)} 0 0 1 ${rounded(right)} ${rounded(below)}`;
    this.path.push(
      `M${rounded(x + bend)} ${rounded(y)}h${across}${corner(bend, bend)}v${down}${corner(-bend, bend)}` +
        `h-${across}${corner(-bend, -bend)}v-${down}${corner(bend, -bend)}Z`,
    );
  }

  /** Only whole circles are drawn. */
  arc(x, y, radius) {
    const half = (across) => `a${rounded(radius)} ${rounded(radius)} 0 1 1 ${rounded(across)} 0`;
    this.path.push(`M${rounded(x - radius)} ${rounded(y)}${half(2 * radius)}${half(-2 * radius)}Z`);
  }

  get opacity() {
    return this.globalAlpha < 1 ? ` opacity="${this.globalAlpha}"` : "";
  }

  fill() {
    if (this.path.length) this.parts.push(`<path d="${this.path.join("")}" fill="${this.fillStyle}"${this.opacity}/>`);
  }

  stroke() {
    if (!this.path.length) return;
    const dash = this.dash.length ? ` stroke-dasharray="${this.dash.map(rounded).join(" ")}"` : "";
    const line = `fill="none" stroke="${this.strokeStyle}" stroke-width="${Number(this.lineWidth.toFixed(2))}"`;
    this.parts.push(`<path d="${this.path.join("")}" ${line}${dash}${this.opacity}/>`);
  }

  fillRect(x, y, width, height) {
    const size = `x="${rounded(x)}" y="${rounded(y)}" width="${rounded(width)}" height="${rounded(height)}"`;
    this.parts.push(`<rect ${size} fill="${this.fillStyle}"${this.opacity}/>`);
  }

  fillText(text, x, y) {
    const [, weight = "400", size = "12", family = "sans-serif"] = /^(?:(\d+) )?([\d.]+)px (.*)$/.exec(this.font) ?? [];
    const anchor = this.textAlign === "center" ? "middle" : "start";
    this.parts.push(
      `<text x="${rounded(x)}" y="${rounded(y)}" font-family="${escapeXml(family)}" font-size="${size}" font-weight="${weight}" ` +
        `text-anchor="${anchor}" fill="${this.fillStyle}"${this.opacity}>${escapeXml(text.slice(0, LETTERS_IN_SVG))}</text>`,
    );
  }

  /** @returns {string} a document that stands alone */
  document(width, height, title, ground) {
    return (
      `<svg xmlns="http://www.w3.org/2000/svg" width="${rounded(width)}" height="${rounded(height)}" ` +
      `viewBox="0 0 ${rounded(width)} ${rounded(height)}" role="img"><title>${escapeXml(title)}</title>` +
      `<rect width="100%" height="100%" fill="${ground}"/>${this.parts.join("")}</svg>`
    );
  }
}
