/** Numbers as people read them: three significant digits and a unit, the same rules as trtlab/_format.py. */

const BINARY_UNITS = ["B", "KiB", "MiB", "GiB", "TiB"];
const KIBI = 1024;

/** Three significant digits without an exponent: 0.0123, 1.23, 12.3, 123, 12300. */
export function threeDigits(value) {
  if (value === 0) return "0";
  let magnitude = Math.abs(value);
  if (magnitude >= 100) return value.toFixed(0);
  let decimals = 2;
  while (magnitude < 1 && decimals < 9) {
    magnitude *= 10;
    decimals += 1;
  }
  if (magnitude >= 10) decimals -= 1;
  return value.toFixed(decimals);
}

/** A size in B, KiB, MiB, GiB or TiB. */
export function formatBytes(count) {
  let value = count;
  let unit = 0;
  while (Math.abs(value) >= KIBI && unit < BINARY_UNITS.length - 1) {
    value /= KIBI;
    unit += 1;
  }
  return unit === 0 ? `${count} B` : `${threeDigits(value)} ${BINARY_UNITS[unit]}`;
}

/** A duration in ms, s or minutes. */
export function formatSeconds(seconds) {
  if (seconds < 1) return `${threeDigits(Math.max(0, seconds) * 1000)} ms`;
  if (seconds < 60) return `${threeDigits(seconds)} s`;
  return minutesAndSeconds(Math.round(seconds));
}

/**
 * A duration that is still growing. It has one decimal at most and never starts in milliseconds: digits that change
 * faster than they can be read only draw the eye.
 */
export function formatElapsed(seconds) {
  return seconds < 60 ? `${Math.max(0, seconds).toFixed(1)} s` : minutesAndSeconds(Math.floor(seconds));
}

function minutesAndSeconds(whole) {
  return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, "0")} s`;
}

/** 12345 as 12,345. */
export function formatCount(count) {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ",");
}

/** `1 line`, `3 lines`. */
export function plural(count, singular, several = `${singular}s`) {
  return `${formatCount(count)} ${count === 1 ? singular : several}`;
}

/** The middle cut out of a text longer than `limit`. */
export function shortenMiddle(text, limit) {
  if (text.length <= limit) return text;
  const head = Math.floor((limit - 1) / 2);
  return `${text.slice(0, head)}…${text.slice(text.length - (limit - 1 - head))}`;
}

const SIZE_FACTORS = {
  "": 1,
  b: 1,
  k: KIBI,
  kib: KIBI,
  m: KIBI ** 2,
  mib: KIBI ** 2,
  g: KIBI ** 3,
  gib: KIBI ** 3,
  t: KIBI ** 4,
  tib: KIBI ** 4,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
};

/**
 * Read `1 GiB`, `512m`, `1.5 gb` or `4096` as a number of bytes.
 *
 * @param {string} text
 * @returns {number|null} null when it is not a size
 */
export function parseBytes(text) {
  const match = /^\s*(\d+(?:\.\d+)?)\s*([a-z]*)\s*$/i.exec(text);
  const factor = match ? SIZE_FACTORS[match[2].toLowerCase()] : undefined;
  return factor === undefined ? null : Math.round(Number(match[1]) * factor);
}

/** A size so that `parseBytes` reads back the same number: in an input a rounded value would change what was set. */
export function exactBytes(count) {
  const rounded = formatBytes(count)
    .replace(/(\.\d*?)0+(?= )/, "$1")
    .replace(/\.(?= )/, "");
  return parseBytes(rounded) === count ? rounded : `${count} B`;
}

/** A local clock time with milliseconds, for a log line. */
export function formatClock(epochSeconds) {
  const date = new Date(epochSeconds * 1000);
  const two = (number) => String(number).padStart(2, "0");
  const milliseconds = String(date.getMilliseconds()).padStart(3, "0");
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${milliseconds}`;
}

/** Rows as CSV (RFC 4180). A leading = + - @ is quoted with an apostrophe, for spreadsheets run it as a formula. */
export function toCsv(rows) {
  const cell = (value) => {
    const text = String(value ?? "");
    const safe = /^[=+\-@\t\r]/.test(text) && !/^-?\d+(\.\d+)?$/.test(text) ? `'${text}` : text;
    return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
  };
  return rows.map((row) => row.map(cell).join(",")).join("\r\n") + "\r\n";
}
