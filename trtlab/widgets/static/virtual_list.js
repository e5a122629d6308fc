/**
 * A list of any length of which only the rows in sight are in the page. Rows have one height, so that the place of
 * every row is known without measuring; this is what keeps 20,000 log lines as cheap as twenty.
 */

import { element } from "./dom.js";

const ROWS_AROUND = 6;

export class VirtualList {
  /**
   * @param {{rowHeight: number, createRow: () => HTMLElement, fillRow: (row: any, index: number) => void,
   *   onActivate?: (index: number) => void, onScroll?: () => void, attributes?: object}} options
   *   `onActivate` is called when a row is clicked, or reached with the arrow keys.
   */
  constructor({ rowHeight, createRow, fillRow, onActivate = () => {}, onScroll = () => {}, attributes = {} }) {
    Object.assign(this, { rowHeight, createRow, fillRow, onActivate, onScroll });
    this.count = 0;
    this.active = -1;
    this.pointedOut = -1;
    this.rows = new Map();
    this.spare = [];
    this.frame = 0;
    this.sizer = element("div", { class: "trtlab-virtual-sizer", role: "presentation" });
    this.node = element("div", { class: "trtlab-virtual", tabindex: "0", ...attributes }, this.sizer);
    this.node.addEventListener("scroll", () => {
      this.onScroll();
      this.draw();
    });
    this.node.addEventListener("keydown", (event) => this.moveActive(event));
    this.node.addEventListener("click", (event) => this.activateAt(event));
    this.observer = new ResizeObserver(() => {
      this.onScroll("resize");
      this.draw();
    });
    this.observer.observe(this.node);
  }

  /** Whether the last row is in sight. */
  get isAtEnd() {
    return this.node.scrollTop + this.node.clientHeight >= this.count * this.rowHeight - 1.5 * this.rowHeight;
  }

  /** Set how many rows there are. */
  setCount(count) {
    if (count !== this.count) {
      this.count = count;
      this.sizer.style.height = `${count * this.rowHeight}px`;
    }
    if (this.active >= count) this.active = -1;
  }

  /** `dropped` rows left at the front: what is in sight stays where it is. */
  shift(dropped) {
    this.active = this.active < dropped ? -1 : this.active - dropped;
    const moved = new Map();
    for (const [index, row] of this.rows) moved.set(index - dropped, row);
    this.rows = moved;
    this.node.scrollTop -= dropped * this.rowHeight;
  }

  /** Draw in the next frame; many calls in one frame draw once. */
  draw() {
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      this.drawNow();
    });
  }

  drawNow() {
    const height = this.node.clientHeight;
    if (height === 0) return;
    const first = Math.max(0, Math.floor(this.node.scrollTop / this.rowHeight) - ROWS_AROUND);
    const end = Math.min(this.count, first + Math.ceil(height / this.rowHeight) + 2 * ROWS_AROUND);
    for (const [index, row] of this.rows) {
      if (index >= first && index < end) continue;
      this.rows.delete(index);
      this.spare.push(row);
    }
    for (let index = first; index < end; index += 1) this.drawRow(index);
    for (const row of this.spare.splice(0)) row.remove();
  }

  drawRow(index) {
    let row = this.rows.get(index);
    if (!row) {
      row = this.spare.pop() ?? this.createRow();
      if (!row.isConnected) this.sizer.append(row);
      this.rows.set(index, row);
    }
    const top = `${index * this.rowHeight}px`;
    if (row.style.top !== top) row.style.top = top;
    row.classList.toggle("trtlab-active", index === this.active);
    this.fillRow(row, index);
  }

  scrollToEnd() {
    this.node.scrollTop = this.count * this.rowHeight;
  }

  /** Bring row `index` into sight, in the middle unless it is in sight already. */
  scrollToIndex(index) {
    this.pointedOut = index;
    const top = index * this.rowHeight;
    const isVisible =
      top >= this.node.scrollTop && top + this.rowHeight <= this.node.scrollTop + this.node.clientHeight;
    if (!isVisible) this.node.scrollTop = top - this.node.clientHeight / 2;
  }

  /** Mark row `index` (-1: none) and tell about it. */
  activate(index) {
    this.active = index;
    this.onActivate(index);
    this.draw();
  }

  /** Where the arrow keys begin: at the row that was pointed out last if it is in sight, else at the first in sight. */
  firstTarget() {
    const first = Math.ceil(this.node.scrollTop / this.rowHeight);
    const end = Math.floor((this.node.scrollTop + this.node.clientHeight) / this.rowHeight);
    return this.pointedOut >= first && this.pointedOut < end ? this.pointedOut : Math.min(first, this.count - 1);
  }

  moveActive(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step || event.altKey || this.count === 0) return;
    event.preventDefault();
    const target = this.active < 0 ? this.firstTarget() : Math.min(this.count - 1, Math.max(0, this.active + step));
    const top = target * this.rowHeight;
    const bottom = top + this.rowHeight - this.node.clientHeight;
    this.node.scrollTop = Math.min(top, Math.max(bottom, this.node.scrollTop));
    this.activate(target);
  }

  activateAt(event) {
    if (event.target.closest("button") || !document.getSelection().isCollapsed) return;
    for (const [index, row] of this.rows) {
      if (row.contains(event.target)) {
        this.activate(index === this.active ? -1 : index);
        return;
      }
    }
  }

  destroy() {
    this.observer.disconnect();
    cancelAnimationFrame(this.frame);
  }
}
