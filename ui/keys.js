// The keyboard: what each key does. Letters do nothing while one types, and can be switched off.

import { neighbour } from "./board.js";
import { copy } from "./elements/clipboard.js";
import { closeDialog } from "./elements/dialog.js";
import { nextPane, postHere, step, toRow } from "./elements/focus.js";
import * as posts from "./posts.js";
import * as routes from "./routes.js";
import { dialog, list, open, singleKeys, subnets } from "./state.js";
import { land, postById, seeArrived, toEnd } from "./thread.js";

/** For the help: keys, and what they do. */
export const HELP = [
  ["j k", "next, previous row or post"],
  ["o Enter", "open"],
  ["u", "back to the list"],
  ["n", "next thread with something unread"],
  ["Shift+J Shift+K", "next, previous thread"],
  ["c", "new thread"],
  ["r", "reply to the post one is at"],
  ["q", "quote it, or what is selected in it"],
  ["e", "edit it, if it is yours"],
  ["l", "copy a link to it"],
  [".", "show new posts"],
  ["Home End", "first, last"],
  ["g r", "recent threads"],
  ["g p", "peers"],
  ["/ Ctrl+K", "search"],
  ["F6", "from pane to pane"],
  ["Ctrl+Enter", "send"],
  ["Ctrl+Shift+P", "preview"],
  ["Esc", "close, keeping the draft"],
  ["?", "these keys"],
];

const LETTERS = {
  j: () => step(1),
  k: () => step(-1),
  o: () => document.activeElement?.closest?.("a.t")?.click(),
  u: back,
  n: () => openRow(neighbour(open.value?.id ?? null, 1, true)),
  J: () => openRow(neighbour(open.value?.id ?? null, 1)),
  K: () => openRow(neighbour(open.value?.id ?? null, -1)),
  c: newThread,
  r: withPost((post) => posts.replyTo(post)),
  q: withPost((post) => posts.quote(post)),
  e: withPost((post) => post.mine && !post.source && posts.startEdit(post)),
  l: withPost(copyLink),
  ".": showNew,
  "/": search,
  "?": () => (dialog.value = { name: "keys" }),
};

const AFTER_G = {
  r: () => (location.hash = routes.recent()),
  p: () => (location.hash = routes.peers()),
};

let prefix = "";

/** @param {Document} page */
export function listenToKeys(page) {
  page.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.altKey) return;
    const act = shortcut(event) ?? letter(event);
    if (!act) return;
    event.preventDefault();
    act();
  });
}

/** Keys that hold everywhere, in a field too. */
function shortcut(event) {
  if (event.key === "Escape" && !document.querySelector("dialog[open]")) {
    return () => document.activeElement?.blur(); // what is typed is a draft already
  }
  if (event.key === "F6") return () => nextPane(event.shiftKey ? -1 : 1);
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") return search;
  return null;
}

function letter(event) {
  if (event.ctrlKey || event.metaKey || isTyping(event.target)) return null;
  if (document.querySelector("dialog[open]")) return null;
  if (event.key === "Home" && open.value) return first;
  if (event.key === "End" && open.value) return last;
  if (!singleKeys.value) return event.key === "?" ? LETTERS["?"] : null;
  const table = prefix === "g" ? AFTER_G : LETTERS;
  prefix = prefix === "" && event.key === "g" ? "g" : "";
  return Object.hasOwn(table, event.key) ? table[event.key] : null;
}

const isTyping = (target) =>
  target instanceof Element && target.closest("input, textarea, select, [contenteditable]") !== null;

function back() {
  const { place } = list.value;
  if (place.kind === "subnet") location.hash = routes.subnet(place.id);
  else if (place.kind === "search") location.hash = routes.search(place.words);
  else location.hash = routes.recent();
}

function openRow(row) {
  if (row) location.hash = routes.thread(row.id);
}

function newThread() {
  const { place } = list.value;
  const subnet = place.kind === "subnet" ? place.id : subnets.value?.[0]?.id;
  if (subnet) location.hash = routes.compose(subnet);
}

function withPost(act) {
  return () => {
    const post = open.value && postById(postHere());
    if (post && !post.deleted) act(post);
  };
}

function copyLink(post) {
  const link = `[${open.value.head.title} #${post.number}](${routes.thread(open.value.id, post.id)})`;
  copy(link, `Copied a link to #${post.number}, to paste into a post.`);
}

function showNew() {
  const [post] = open.value?.arrived ?? [];
  if (!post) return;
  land(post, true);
  seeArrived();
}

function first() {
  if (open.value.moreBefore) location.hash = routes.thread(open.value.id, open.value.id);
  else toRow("first");
}

async function last() {
  await toEnd();
  requestAnimationFrame(() => toRow("last"));
}

function search() {
  closeDialog();
  if (!document.getElementById("search")?.getClientRects().length) location.hash = routes.search("");
  requestAnimationFrame(() => document.getElementById("search")?.focus());
}
