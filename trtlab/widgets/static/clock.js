/** Elapsed time of what runs in the kernel, though the clocks of kernel and browser may differ by minutes. */

export class KernelClock {
  constructor() {
    /** Seconds to add to the browser's clock to get the kernel's. */
    this.offset = 0;
    this.isMeasured = false;
    this.newest = -Infinity;
  }

  /**
   * Learn from a view: a time in it that is new when the view arrives as a change was written a moment ago. A view that
   * was found on loading the page may be minutes old; it only says that the kernel's clock is at least there.
   *
   * @param {{steps: {started: number|null}[], progress: {started: number, last_sign: number}|null}} view
   * @param {boolean} isFresh whether it came as a change just now
   */
  learn(view, isFresh) {
    const times = [view.progress?.started, view.progress?.last_sign, ...view.steps.map((step) => step.started)];
    const newest = Math.max(...times.filter((time) => typeof time === "number"));
    if (newest <= this.newest) return;
    this.newest = newest;
    const offset = newest - Date.now() / 1000;
    // Messages are only ever late, so the largest offset seen is the nearest to the truth.
    this.offset = isFresh && !this.isMeasured ? offset : Math.max(this.offset, offset);
    this.isMeasured ||= isFresh;
  }

  /** Seconds since `started`, a time of the kernel. */
  since(started) {
    return Math.max(0, Date.now() / 1000 + this.offset - started);
  }
}
