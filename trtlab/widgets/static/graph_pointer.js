/** The mouse and the finger on the graph: drag moves, Shift and drag selects, a click chooses, the wheel scrolls or zooms. */

const CLICK_PIXELS = 4;
const WHEEL_ZOOM = 0.0022;
const LINE_PIXELS = 16;

export class GraphPointer {
  /**
   * @param {HTMLElement} surface
   * @param {{onMove(x: number, y: number): void, onZoom(factor: number, x: number, y: number): void,
   *   onClick(x: number, y: number, isMore: boolean): void, onHover(x: number|null, y: number, event: PointerEvent|null): void,
   *   onBand(band: number[]|null, isDone: boolean): void, ownsWheel(): boolean, onRefusedWheel(): void}} actions
   */
  constructor(surface, actions) {
    Object.assign(this, { surface, actions, drag: null });
    surface.addEventListener("pointerdown", (event) => this.begin(event));
    surface.addEventListener("pointermove", (event) => this.move(event));
    surface.addEventListener("pointerup", (event) => this.end(event));
    surface.addEventListener("pointercancel", () => this.cancel());
    surface.addEventListener("pointerleave", () => actions.onHover(null, 0, null));
    surface.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
  }

  place(event) {
    const box = this.surface.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  begin(event) {
    if (event.button !== 0 && event.button !== 1) return;
    const [x, y] = this.place(event);
    this.drag = { startX: x, startY: y, x, y, isBand: event.shiftKey, hasMoved: false };
    this.surface.setPointerCapture(event.pointerId);
  }

  move(event) {
    const [x, y] = this.place(event);
    const { drag } = this;
    if (!drag) {
      this.actions.onHover(x, y, event);
      return;
    }
    drag.hasMoved ||= Math.hypot(x - drag.startX, y - drag.startY) > CLICK_PIXELS;
    if (!drag.hasMoved) return;
    this.actions.onHover(null, 0, null);
    if (drag.isBand) this.actions.onBand([drag.startX, drag.startY, x, y], false);
    else this.actions.onMove(x - drag.x, y - drag.y);
    [drag.x, drag.y] = [x, y];
  }

  end(event) {
    const { drag } = this;
    this.drag = null;
    if (!drag) return;
    const [x, y] = this.place(event);
    if (!drag.hasMoved) this.actions.onClick(x, y, event.shiftKey);
    else if (drag.isBand) this.actions.onBand([drag.startX, drag.startY, x, y], true);
  }

  cancel() {
    if (this.drag?.isBand) this.actions.onBand(null, true);
    this.drag = null;
  }

  /** A page must stay scrollable with the pointer on the graph: the wheel is the graph's only with Ctrl, or with the focus. */
  wheel(event) {
    const isZoom = event.ctrlKey || event.metaKey;
    if (!isZoom && !this.actions.ownsWheel()) {
      this.actions.onRefusedWheel();
      return;
    }
    event.preventDefault();
    event.stopPropagation();
    const unit = event.deltaMode === 1 ? LINE_PIXELS : 1;
    if (isZoom) this.actions.onZoom(Math.exp(-event.deltaY * unit * WHEEL_ZOOM), ...this.place(event));
    else if (event.shiftKey && !event.deltaX) this.actions.onMove(-event.deltaY * unit, 0);
    else this.actions.onMove(-event.deltaX * unit, -event.deltaY * unit);
  }
}
