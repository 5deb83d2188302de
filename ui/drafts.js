// Text being typed, kept on the node so that neither a crash nor a closed window loses it.
//
// A place is `t/ID` (a reply), `s/ID` (a new thread), `e/ID` (an edit) or `new` (a subnet). A reply
// has no title, so the title of its draft holds the id of the post it answers.

import { call } from "./calls.js";
import { drafts } from "./state.js";

const PAUSE_MS = 400;
const LONGEST_MS = 2000;
const EMPTY = Object.freeze({ title: "", text: "", saved: 0, dirty: false });

/** Places with a save to come: when it is due at the latest, and the timer. */
const due = new Map();

/** What was typed at a place. @param {string} place */
export const draftAt = (place) => drafts.value.get(place) ?? EMPTY;

/** Note what is typed; the node has it within two seconds, 0.4 after a pause.
 * @param {string} place @param {{title?: string, text?: string}} change */
export function type(place, change) {
  put(place, { ...draftAt(place), ...change, dirty: true });
  const latest = due.get(place)?.latest ?? Date.now() + LONGEST_MS;
  clearTimeout(due.get(place)?.timer);
  const pause = Math.max(0, Math.min(PAUSE_MS, latest - Date.now()));
  due.set(place, { latest, timer: setTimeout(() => save(place), pause) });
}

/** The text went out or was thrown away. @param {string} place */
export function forget(place) {
  const known = drafts.value.has(place);
  clearTimeout(due.get(place)?.timer);
  due.delete(place);
  const rest = new Map(drafts.value);
  rest.delete(place);
  drafts.value = rest;
  if (known) call("save_draft", { place, title: "", text: "" }).catch(() => {});
}

/** Save at once what waits for its pause: the page may be gone the next moment. */
export function saveAll() {
  for (const place of [...due.keys()]) save(place);
}

/** Take over what the node keeps. What was typed here and not saved yet is newer and stays. */
export async function loadDrafts() {
  const { drafts: kept } = await call("drafts");
  const merged = new Map(kept.map((draft) => [draft.place, { ...draft, dirty: false }]));
  for (const [place, draft] of drafts.value) {
    if (draft.dirty) merged.set(place, draft);
  }
  drafts.value = merged;
  for (const [place, draft] of merged) if (draft.dirty) save(place);
}

async function save(place) {
  clearTimeout(due.get(place)?.timer);
  due.delete(place);
  const { title, text } = draftAt(place);
  try {
    await call("save_draft", { place, title, text });
  } catch {
    return; // stays dirty: saved when the node is back
  }
  const now = draftAt(place);
  if (now.title === title && now.text === text && drafts.value.has(place)) {
    put(place, { ...now, saved: Date.now(), dirty: false });
  }
}

function put(place, draft) {
  drafts.value = new Map(drafts.value).set(place, draft);
}
