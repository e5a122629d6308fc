/** The part of the plane that is in sight: `scale` pixels for one unit, the unit's origin at `left`, `top` in pixels. */

const SMALLEST_SCALE = 0.0001;
const LARGEST_SCALE = 4;
const FIT_MARGIN = 24;
const FIT_SIDE = 52; // the overview lies over the right side
/** Below this scale no name can be read. */
const READABLE_SCALE = 0.5;

export class Viewport {
  constructor() {
    Object.assign(this, { scale: 1, left: 0, top: 0, width: 1, height: 1 });
  }

  toScreen(x, y) {
    return [x * this.scale + this.left, y * this.scale + this.top];
  }

  toPlane(x, y) {
    return [(x - this.left) / this.scale, (y - this.top) / this.scale];
  }

  move(x, y) {
    this.left += x;
    this.top += y;
  }

  /** Zoom so that the point `x`, `y` in pixels stays where it is. */
  zoom(factor, x = this.width / 2, y = this.height / 2) {
    const scale = Math.min(LARGEST_SCALE, Math.max(SMALLEST_SCALE, this.scale * factor));
    this.left = x - ((x - this.left) * scale) / this.scale;
    this.top = y - ((y - this.top) * scale) / this.scale;
    this.scale = scale;
  }

  /** Show all of `extent`. */
  fit({ left, right, top, bottom }) {
    const across = (this.width - 2 * FIT_SIDE) / Math.max(1, right - left);
    const down = (this.height - 2 * FIT_MARGIN) / Math.max(1, bottom - top);
    this.scale = Math.min(1, Math.max(SMALLEST_SCALE, Math.min(across, down)));
    this.centre((left + right) / 2, (top + bottom) / 2);
  }

  /** Show all where it can be read, else the beginning, large enough to be read; `x` is what the beginning is centred on. */
  begin(extent, x) {
    this.fit(extent);
    if (this.scale >= READABLE_SCALE) return;
    this.scale = 0.8;
    this.left = this.width / 2 - x * this.scale;
    this.top = FIT_MARGIN - extent.top * this.scale;
  }

  centre(x, y) {
    this.left = this.width / 2 - x * this.scale;
    this.top = this.height / 2 - y * this.scale;
  }

  /** Centre on a point, large enough to be read. */
  showPoint(x, y) {
    this.scale = Math.min(1.2, Math.max(0.8, this.scale));
    this.centre(x, y);
  }

  holds(x, y, margin = 40) {
    const [screenX, screenY] = this.toScreen(x, y);
    return screenX > margin && screenX < this.width - margin && screenY > margin && screenY < this.height - margin;
  }
}
