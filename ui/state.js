// The one state: signals that views read and the rooms beside this one write. No logic here.

import { computed, signal } from "./html.js";
import { parse } from "./routes.js";

/** How the line to the node is: `connecting`, `open`, `lost` (no node), `refused` (it does not
 * know this page any more). */
export const connection = signal("connecting");

/** What the call `status` gave last; null before the first answer. */
export const status = signal(null);

/** @type {import("./html.js").Signal<import("./routes.js").Route>} */
export const route = signal(parse(location.hash));

/** The subnets, or null before the first answer. */
export const subnets = signal(null);

/** Everybody with a name here: `{device, name, tag, colour}`. */
export const people = signal([]);

/**
 * What the middle pane lists, and what it holds so far.
 * @typedef {{kind: "recent"} | {kind: "subnet", id: string} | {kind: "search", words: string}} Place
 * @type {{value: {place: Place, rows: object[] | null, more: boolean, problem: string}}}
 */
export const list = signal({ place: { kind: "recent" }, rows: null, more: false, problem: "" });

/**
 * The thread on screen, or null.
 * `posts` is an unbroken stretch of it; `rule` is the first post that was unread when it was opened;
 * `arrived` are posts by others that came since and were not looked at.
 * @type {{value: null | {id: string, head: any, posts: any[] | null, moreBefore: boolean,
 *   moreAfter: boolean, rule: string | null, arrived: string[], problem: string}}}
 */
export const open = signal(null);

/** Where the thread's scroller shall go next: a post's id, `rule` or `end`; `turn` tells two alike
 * wishes apart. */
export const landing = signal({ to: "", turn: 0, focus: false });

/** Text being typed, by place: `t/ID`, `s/ID`, `e/ID`, `new`. Values are never edited in place. */
export const drafts = signal(new Map());

/** Posts whose editor is open. */
export const editing = signal(new Set());

/** Deletes that wait for a change of mind: post id to the moment they are sent. */
export const deleting = signal(new Map());

/** Short notices at the bottom: `{id, text, tone}`. */
export const toasts = signal([]);

/** Which dialog is open, with what it needs: `{name, …}` or null. */
export const dialog = signal(null);

/** How far an import has come: `{done, total}`, or null. */
export const importing = signal(null);

/** The clock of the status line; moves each minute. */
export const minute = signal(Date.now());

/** Keys of one letter may be switched off (WCAG 2.1.4). */
export const singleKeys = signal(true);

export const network = computed(() => status.value?.network ?? null);
/** Only that: the status comes ten times a second while syncing, and the forum stays the same. */
export const networkId = computed(() => network.value?.id ?? null);
export const me = computed(() => status.value?.me ?? null);
export const unread = computed(() => (subnets.value ?? []).reduce((sum, s) => sum + s.unread, 0));

/** Names that more than one machine goes by: their tags are shown. */
export const sharedNames = computed(() => {
  const seen = new Map();
  for (const { name } of people.value) {
    const key = name.toLowerCase();
    seen.set(key, (seen.get(key) ?? 0) + 1);
  }
  return new Set([...seen].filter(([, times]) => times > 1).map(([name]) => name));
});
