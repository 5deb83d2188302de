// The lists: subnets, threads, hits, people and the status, read from the node and read again.

import { call, sentence } from "./calls.js";
import { list, people, status, subnets } from "./state.js";

const PAGE = 50;

/** Several events in a row make one reading: at once, then at most twice a second.
 * @param {() => Promise<void>} read @returns {() => void} */
export function calmly(read) {
  let timer = 0;
  let last = 0;
  return () => {
    if (timer) return;
    const pause = Math.max(30, last + 500 - Date.now());
    timer = setTimeout(async () => {
      timer = 0;
      last = Date.now();
      await read().catch(() => {}); // a lost node is told by the banner
    }, pause);
  };
}

export async function readStatus() {
  status.value = { ...status.value, ...(await call("status")) };
}

export async function readSubnets() {
  subnets.value = (await call("subnets")).subnets;
}

export async function readPeople() {
  people.value = (await call("people")).people;
}

export const statusLater = calmly(readStatus);
export const subnetsLater = calmly(readSubnets);
export const peopleLater = calmly(readPeople);
export const listLater = calmly(readList);

/** Show a list in the middle pane; the one that is there already is only brought up to date.
 * @param {import("./state.js").Place} place */
export async function showList(place) {
  if (!samePlace(list.value.place, place)) {
    list.value = { place, rows: null, more: false, problem: "" };
  }
  await readList();
}

/** Read the list again from its top. Rows further down that were loaded stay. */
export async function readList() {
  const { place } = list.value;
  try {
    const fresh = await page(place, null);
    if (!samePlace(list.value.place, place)) return; // somebody went on meanwhile
    const { rows, more } = keepLower(fresh, list.value);
    list.value = { place, rows, more, problem: "" };
  } catch (error) {
    if (samePlace(list.value.place, place)) {
      list.value = { ...list.value, problem: sentence(error) };
    }
  }
}

/** Add the next page of threads at the bottom. */
export async function moreRows() {
  const { place, rows, more } = list.value;
  if (!more || !rows?.length) return;
  const next = await page(place, rows.at(-1).id);
  if (!samePlace(list.value.place, place)) return;
  const held = new Set(list.value.rows.map((row) => row.id));
  const added = next.rows.filter((row) => !held.has(row.id));
  list.value = { ...list.value, rows: [...list.value.rows, ...added], more: next.more };
}

/** The thread after (or before) one in the list; with `unreadOnly` the next that has news.
 * @param {string | null} id @param {1 | -1} step @param {boolean} [unreadOnly] */
export function neighbour(id, step, unreadOnly = false) {
  const rows = (list.value.rows ?? []).filter((row) => "replies" in row);
  const start = rows.findIndex((row) => row.id === id);
  const ahead = rows.slice(start + 1);
  if (!unreadOnly) return start < 0 ? rows[0] : rows[start + step];
  return [...ahead, ...rows.slice(0, Math.max(start, 0))].find((row) => row.unread > 0);
}

export function samePlace(a, b) {
  return a.kind === b.kind && a.id === b.id && a.words === b.words;
}

async function page(place, before) {
  if (place.kind === "search") {
    if (!place.words.trim()) return { rows: [], more: false };
    return { rows: (await call("search", { words: place.words, limit: PAGE })).hits, more: false };
  }
  const args = { limit: PAGE };
  if (place.kind === "subnet") args.subnet = place.id;
  if (before) args.before = before;
  const answer = await call("threads", args);
  return { rows: answer.threads, more: answer.more };
}

/** A fresh first page, and below it what had been loaded further down. */
function keepLower(fresh, old) {
  if (!old.rows || old.rows.length <= fresh.rows.length || !fresh.more) return fresh;
  const held = new Set(fresh.rows.map((row) => row.id));
  const lower = old.rows.slice(fresh.rows.length).filter((row) => !held.has(row.id));
  return { rows: [...fresh.rows, ...lower], more: old.more };
}
