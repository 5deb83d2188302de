// Numbers, times and names as a person reads them. Pure; the language is English for now.

const LOCALE = "en-GB";
const DAY_MS = 86_400_000;

const numbers = new Intl.NumberFormat(LOCALE);
const hours = new Intl.DateTimeFormat(LOCALE, { hour: "2-digit", minute: "2-digit" });
const weekdays = new Intl.DateTimeFormat(LOCALE, { weekday: "short" });
const dates = new Intl.DateTimeFormat(LOCALE, { day: "numeric", month: "short" });
const oldDates = new Intl.DateTimeFormat(LOCALE, { day: "numeric", month: "short", year: "numeric" });
const wholes = new Intl.DateTimeFormat(LOCALE, { dateStyle: "full", timeStyle: "medium" });

/** @param {number} n */
export const number = (n) => numbers.format(n);

/** `1 reply`, `2 replies`. @param {number} n @param {string} one @param {string} many */
export const count = (n, one, many) => `${number(n)} ${n === 1 ? one : many}`;

/** @param {number} ms */
export const hour = (ms) => hours.format(ms);

/** The whole date, for a tooltip. @param {number} ms */
export const wholeTime = (ms) => wholes.format(ms);

/** A date as short as it can be and still be told: `12:41`, `Fri`, `3 Nov`, `3 Nov 2024`.
 * @param {number} ms @param {number} now */
export function shortDay(ms, now) {
  if (sameDay(ms, now)) return hours.format(ms);
  return earlierDay(ms, now);
}

/** The same with the hour: `12:41`, `Fri 09:12`, `3 Nov 09:12`, `3 Nov 2024`.
 * @param {number} ms @param {number} now */
export function shortTime(ms, now) {
  if (sameDay(ms, now)) return hours.format(ms);
  const day = earlierDay(ms, now);
  return sameYear(ms, now) ? `${day} ${hours.format(ms)}` : day;
}

function earlierDay(ms, now) {
  if (ms < now && now - ms < 6 * DAY_MS) return weekdays.format(ms);
  return (sameYear(ms, now) ? dates : oldDates).format(ms);
}

const sameDay = (a, b) => new Date(a).toDateString() === new Date(b).toDateString();
const sameYear = (a, b) => new Date(a).getFullYear() === new Date(b).getFullYear();

/** How long ago, in one word or two: `now`, `4 min ago`, `2 h ago`, then a date.
 * @param {number} ms @param {number} now */
export function ago(ms, now) {
  const minutes = Math.floor((now - ms) / 60_000);
  if (minutes < 1) return "now";
  if (minutes < 60) return `${minutes} min ago`;
  if (minutes < 24 * 60) return `${Math.floor(minutes / 60)} h ago`;
  return shortTime(ms, now);
}

/** One of the eight nick colours for a name that has no key: the same name, the same colour.
 * @param {string} name */
export function colourOf(name) {
  let sum = 0;
  for (const letter of name) sum = (sum * 31 + letter.codePointAt(0)) % 65_521;
  return (sum % 8) + 1;
}

/** Whether `@name` stands in the text as a whole word, in any case.
 * @param {string} text @param {string} name */
export function mentions(text, name) {
  if (!name) return false;
  const escaped = name.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  return new RegExp(`(?<![\\p{L}\\p{N}_])@${escaped}(?![\\p{L}\\p{N}_])`, "iu").test(text);
}

/** UTF-8 bytes of a text: what the limits count. @param {string} text */
export const bytesOf = (text) => new TextEncoder().encode(text).length;
