// What a person does to a post: answer, quote, edit, delete with a change of mind, react, choose.

import { call, sentence } from "./calls.js";
import { draftAt, forget, type } from "./drafts.js";
import { closeDialog } from "./elements/dialog.js";
import { focusComposer } from "./elements/focus.js";
import * as routes from "./routes.js";
import { deleting, dialog, editing, open } from "./state.js";
import { catchUp, land, refreshPost, toEnd } from "./thread.js";
import { toast } from "./toasts.js";
import { colourOf } from "./words.js";

const UNDO_MS = 5_000;
const QUOTE_CHARS = 1_500;

/** Who wrote a post: the person elsewhere for an imported one. */
export function authorOf(post) {
  if (!post.source) return post.author;
  return { name: post.source.author, colour: colourOf(post.source.author) };
}

/** Send a reply and go to it. @param {string} thread @param {{title: string, text: string}} typed */
export async function sendReply(thread, { title: re, text }) {
  const made = await call("publish_reply", { thread, text, ...(re && { re }) });
  if (open.value?.id !== thread) return;
  if (open.value.moreAfter) await toEnd();
  else await catchUp();
  land(made.id);
}

/** Begin an answer to one post. */
export function replyTo(post) {
  type(`t/${open.value.id}`, { title: post.number === 1 ? "" : post.id });
  focusComposer(`t/${open.value.id}`);
}

/** Put a post, or what is selected in it, into the composer as a quote. */
export function quote(post) {
  const place = `t/${open.value.id}`;
  const { text } = draftAt(place);
  const quoted = quotation(post, selectedIn(post) || post.text);
  type(place, { title: post.id, text: text ? `${text.trimEnd()}\n\n${quoted}` : quoted });
  requestAnimationFrame(() => focusComposer(place));
}

function quotation(post, text) {
  const cut = text.length > QUOTE_CHARS ? `${text.slice(0, QUOTE_CHARS).trimEnd()} …` : text;
  const from = `[${authorOf(post).name} #${post.number}](${routes.thread(open.value.id, post.id)})`;
  return [from, "", ...cut.trim().split("\n")].map((line) => `> ${line}`.trimEnd()).join("\n") + "\n\n";
}

function selectedIn(post) {
  const selection = getSelection();
  const article = document.getElementById(`p-${post.id}`);
  const inside = article?.contains(selection.anchorNode) && article.contains(selection.focusNode);
  return inside ? selection.toString() : "";
}

export function startEdit(post) {
  editing.value = new Set(editing.value).add(post.id);
}

export function stopEdit(post) {
  const rest = new Set(editing.value);
  rest.delete(post.id);
  editing.value = rest;
}

/** Send a changed text. @param {any} post @param {{title: string, text: string}} typed */
export async function sendEdit(post, { title, text }) {
  const args = { post: post.id, text, ...(post.number === 1 && { title: title.trim() }) };
  await call("edit", args);
  stopEdit(post);
  await refreshPost(post.id);
}

/** Choose one of the versions of a post that was edited in two places. */
export async function keepVersion(post, version) {
  const title = post.number === 1 ? { title: version.title ?? post.title } : {};
  try {
    await call("edit", { post: post.id, text: version.text, ...title });
    await refreshPost(post.id);
  } catch (error) {
    toast(sentence(error));
  }
}

export function askDelete(post) {
  dialog.value = { name: "delete", post };
}

/** Delete in a moment, unless undone. @param {any} post */
export function deleteSoon(post) {
  closeDialog();
  const timer = setTimeout(() => sendDelete(post.id), UNDO_MS);
  deleting.value = new Map(deleting.value).set(post.id, timer);
}

export function undoDelete(post) {
  clearTimeout(deleting.value.get(post.id));
  endDelete(post.id);
}

/** The page goes away: what was confirmed is sent now. */
export function deleteNow() {
  for (const [id, timer] of deleting.value) {
    clearTimeout(timer);
    sendDelete(id);
  }
}

async function sendDelete(id) {
  try {
    await call("delete", { post: id });
    forget(`e/${id}`);
    await refreshPost(id);
  } catch (error) {
    toast(`Not deleted. ${sentence(error)}`);
  }
  endDelete(id);
}

function endDelete(id) {
  const rest = new Map(deleting.value);
  rest.delete(id);
  deleting.value = rest;
}

/** @param {any} post @param {string} emoji @param {boolean} on */
export async function react(post, emoji, on) {
  try {
    await call("react", { post: post.id, emoji, on });
    await refreshPost(post.id);
  } catch (error) {
    toast(sentence(error));
  }
}
