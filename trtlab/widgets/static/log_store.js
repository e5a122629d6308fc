/** The log's records and the rows they make under the present filter. Plain data; it knows nothing of the page. */

export const LOG_CAPACITY = 20_000;

/** Longer messages (a list of all layers has hundreds of lines) are folded to their first lines. */
const FOLD_ABOVE_LINES = 8;
const FOLDED_LINES = 5;

/** A row that stands for the folded rest of a message. */
export const FOLD_ROW = -1;

/**
 * @typedef {{sequence: number, time: number, severity: string, step: string, source: string, message: string,
 *   lines: string[]}} LogRecord
 */

/** @returns {LogRecord} */
function recordFrom([sequence, time, severity, step, source, message]) {
  const text = String(message);
  return {
    sequence,
    time,
    severity,
    step,
    source,
    message: text,
    lines: text.includes("\n") ? text.split(/\r?\n/) : [text],
  };
}

/** internal_error counts as an error: nobody looks for one without the other. */
export function severityGroup(severity) {
  return severity === "internal_error" ? "error" : severity;
}

/** The newest records, by ascending sequence number, each once. */
export class LogStore {
  constructor(capacity = LOG_CAPACITY) {
    this.capacity = capacity;
    this.reset();
  }

  reset() {
    /** @type {LogRecord[]} */
    this.records = [];
    this.counts = new Map();
    this.steps = new Set();
  }

  get lastSequence() {
    return this.records.length ? this.records[this.records.length - 1].sequence : -1;
  }

  /**
   * Add a batch from the kernel. Batches overlap when another view asks for the whole log, and an older batch may
   * arrive after a newer one when this view asks while a run goes on.
   *
   * @param {any[][]} batch
   * @returns {{added: LogRecord[], dropped: LogRecord[], isReordered: boolean}} isReordered: the added ones don't
   *   all stand at the end
   */
  add(batch) {
    const last = this.lastSequence;
    const isAppended = batch.length > 0 && batch[0][0] > last;
    const known = isAppended ? null : new Set(this.records.map((record) => record.sequence));
    const added = (known ? batch.filter((raw) => !known.has(raw[0])) : batch).map(recordFrom);
    const isReordered = added.length > 0 && added[0].sequence < last;
    for (const record of added) {
      this.records.push(record);
      this.count(record, 1);
      if (record.step) this.steps.add(record.step);
    }
    if (isReordered) this.records.sort((first, second) => first.sequence - second.sequence);
    const dropped = this.records.splice(0, Math.max(0, this.records.length - this.capacity));
    for (const record of dropped) this.count(record, -1);
    return { added, dropped, isReordered };
  }

  count(record, difference) {
    const group = severityGroup(record.severity);
    this.counts.set(group, (this.counts.get(group) ?? 0) + difference);
  }
}

/** The rows of the records that pass the filter, one per line, and which of them hold the search text. */
export class LogRows {
  constructor() {
    /** @type {{hidden: Set<string>, step: string, needle: string, onlyMatches: boolean}} */
    this.filter = { hidden: new Set(), step: "", needle: "", onlyMatches: false };
    this.unfolded = new Set();
    this.clear();
  }

  clear() {
    this.rowRecords = [];
    this.rowLines = [];
    /** Row numbers, ascending. */
    this.matches = [];
    this.recordCount = 0;
  }

  get length() {
    return this.rowRecords.length;
  }

  /** Whether the filter hides anything at all. */
  get isFiltered() {
    const { hidden, step, needle, onlyMatches } = this.filter;
    return hidden.size > 0 || step !== "" || (onlyMatches && needle !== "");
  }

  /** @param {LogRecord} record */
  passes(record, isFound) {
    const { hidden, step, needle, onlyMatches } = this.filter;
    if (hidden.has(severityGroup(record.severity)) || (step && record.step !== step)) return false;
    return !onlyMatches || !needle || isFound;
  }

  /** Whether the search text is in the message. Its lower case is kept: a search looks at all of them on each key. */
  holdsNeedle(record) {
    if (!this.filter.needle) return false;
    record.lower ??= record.message.toLowerCase();
    return record.lower.includes(this.filter.needle);
  }

  /** @param {LogRecord[]} records */
  rebuild(records) {
    this.clear();
    this.append(records);
  }

  /** @param {LogRecord[]} records newer than all that are here */
  append(records) {
    for (const record of records) {
      const isFound = this.holdsNeedle(record);
      if (!this.passes(record, isFound)) continue;
      this.recordCount += 1;
      const shown = this.isFolded(record, isFound) ? FOLDED_LINES : record.lines.length;
      for (let line = 0; line < shown; line += 1) this.push(record, line, isFound);
      if (shown < record.lines.length) this.push(record, FOLD_ROW, false);
    }
  }

  push(record, line, isFound) {
    if (isFound && (record.lines.length === 1 || record.lines[line].toLowerCase().includes(this.filter.needle))) {
      this.matches.push(this.length);
    }
    this.rowRecords.push(record);
    this.rowLines.push(line);
  }

  /** A search unfolds what it finds something in. */
  isFolded(record, isFound) {
    return record.lines.length > FOLD_ABOVE_LINES && !isFound && !this.unfolded.has(record.sequence);
  }

  /** How many lines are folded away behind this record's fold row. */
  foldedCount(record) {
    return record.lines.length - FOLDED_LINES;
  }

  /**
   * Forget the rows of records that left the store.
   *
   * @param {LogRecord[]} dropped the oldest ones
   * @returns {number} how many rows left at the front
   */
  drop(dropped) {
    if (!dropped.length) return 0;
    const lastDropped = dropped[dropped.length - 1].sequence;
    let rows = 0;
    while (rows < this.length && this.rowRecords[rows].sequence <= lastDropped) {
      if (this.rowLines[rows] === 0) this.recordCount -= 1;
      rows += 1;
    }
    this.rowRecords.splice(0, rows);
    this.rowLines.splice(0, rows);
    if (rows) this.matches = this.matches.map((row) => row - rows).filter((row) => row >= 0);
    return rows;
  }

  /** The records that pass, each once. */
  records() {
    return this.rowRecords.filter((_record, row) => this.rowLines[row] === 0);
  }

  /** The row where the record numbered `sequence` or the next one after it begins, -1 if there is none. */
  rowOfSequence(sequence) {
    return this.rowRecords.findIndex((record) => record.sequence >= sequence);
  }
}
