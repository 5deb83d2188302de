// The thread on screen: an unbroken stretch of its posts, read in pages and kept up to date.

import { call, sentence } from "./calls.js";
import { calmly } from "./board.js";
import { landing, open } from "./state.js";

const PAGE = 200;
const NEAR = 3;

/** Open a thread, at a post or where reading stopped. Opened already, it only moves there.
 * @param {string} id @param {string | null} post */
export async function openThread(id, post) {
  if (open.value?.id !== id) {
    open.value = blank(id);
  } else if (open.value.posts && (!post || has(post))) {
    if (post) land(post, true);
    return;
  }
  await guarded(id, async () => {
    const page = await firstPage(id, post);
    if (open.value?.id !== id) return;
    put(page, page.posts);
    open.value = { ...open.value, rule: open.value.rule ?? ruleOf(page) };
    landFirst(page, post);
  });
}

export function closeThread() {
  open.value = null;
}

/** The page of posts before the first one shown. */
export async function older() {
  const { id, posts, moreBefore } = open.value ?? {};
  if (!moreBefore) return;
  await guarded(id, async () => {
    const page = await call("read", { thread: id, limit: PAGE, before: posts[0].id });
    if (open.value?.posts?.[0]?.id !== posts[0].id) return;
    put({ ...page, more_after: open.value.moreAfter }, [...page.posts, ...open.value.posts]);
  });
}

/** The page of posts after the last one shown. */
export async function newer() {
  const { id, posts, moreAfter } = open.value ?? {};
  if (!moreAfter) return;
  await guarded(id, () => append(id, posts));
}

/** Show the last post, reading the last page when there is a gap before it. */
export async function toEnd() {
  const { id, moreAfter } = open.value ?? {};
  if (!id) return;
  await guarded(id, async () => {
    if (moreAfter) {
      const page = await call("read", { thread: id, limit: PAGE, last: true });
      if (open.value?.id !== id) return;
      put(page, page.posts);
    }
    land("end");
  });
}

/** Bring the stretch up to date after posts came: what is new at its end, or all of it when
 * something belongs in the middle. */
export async function catchUp() {
  const { id, posts, moreAfter } = open.value ?? {};
  if (!posts || (moreAfter && posts.length)) return refreshHead();
  await append(id, posts);
  if (!isWhole()) await reread();
}
export const catchUpLater = calmly(catchUp);

/** Read one post again: it was edited, deleted, reacted to, or more machines hold it.
 * @param {string} post */
export async function refreshPost(post) {
  const { id } = open.value ?? {};
  if (!id || !has(post)) return;
  const page = await call("read", { thread: id, around: post, limit: NEAR });
  if (open.value?.id !== id) return;
  const fresh = new Map(page.posts.map((one) => [one.id, one]));
  const posts = open.value.posts.map((old) => keep(old, fresh.get(old.id) ?? old));
  open.value = { ...open.value, head: page.thread, posts };
}

/** Read the whole stretch again, in pages from its first post. */
export async function reread() {
  const { id, posts } = open.value ?? {};
  if (!posts?.length) return;
  const wanted = posts.length;
  let page = await call("read", { thread: id, limit: PAGE, around: posts[0].id });
  const before = page.more_before;
  let all = page.posts;
  const reached = () => all.length >= wanted && (all.some((p) => p.id === posts.at(-1).id));
  while (page.more_after && !(reached() && open.value?.moreAfter)) {
    page = await call("read", { thread: id, limit: PAGE, after: all.at(-1).id });
    if (!page.posts.length) break;
    all = [...all, ...page.posts];
  }
  if (open.value?.id === id) put({ ...page, more_before: before }, all);
}

/** The posts that came were looked at. */
export function seeArrived() {
  if (open.value?.arrived.length) open.value = { ...open.value, arrived: [] };
}

/** A post by somebody else came: the pill counts it until it is seen. @param {string} post */
export function noteArrived(post) {
  if (!open.value || open.value.arrived.includes(post)) return;
  open.value = { ...open.value, arrived: [...open.value.arrived, post] };
}

/** Ask the thread's scroller to go somewhere. @param {string} to @param {boolean} [focus] */
export function land(to, focus = false) {
  landing.value = { to, turn: landing.value.turn + 1, focus };
}

/** A post that is loaded, or undefined. @param {string | null} id */
export const postById = (id) => open.value?.posts?.find((post) => post.id === id);

const has = (post) => postById(post) !== undefined;

function blank(id) {
  return {
    id,
    head: null,
    posts: null,
    moreBefore: false,
    moreAfter: false,
    rule: null,
    arrived: [],
    problem: "",
  };
}

async function firstPage(id, post) {
  if (post) return call("read", { thread: id, limit: PAGE, around: post });
  const page = await call("read", { thread: id, limit: PAGE });
  const { first_unread: unread } = page.thread;
  if (unread && !page.posts.some((one) => one.id === unread)) {
    return call("read", { thread: id, limit: PAGE, around: unread });
  }
  if (unread || !page.more_after || isArticle(page)) return page;
  return call("read", { thread: id, limit: PAGE, last: true });
}

/** A thread brought in, in which nobody here wrote: it is read from its start. */
const isArticle = (page) => page.posts.every((post) => post.source);

/** Where "last read" is drawn: before the first unread post, unless that is the very first. */
function ruleOf(page) {
  const unread = page.thread.first_unread;
  return unread && unread !== page.thread.id ? unread : null;
}

function landFirst(page, post) {
  const { first_unread: unread, id } = page.thread;
  if (post) land(post, true);
  else if (unread) land(unread === id ? "start" : "rule");
  else land(isArticle(page) ? "start" : "end");
}

async function append(id, posts) {
  const last = posts.at(-1);
  const page = await call("read", { thread: id, limit: PAGE, ...(last && { after: last.id }) });
  if (open.value?.id !== id || open.value.posts.at(-1)?.id !== last?.id) return;
  put({ ...page, more_before: open.value.moreBefore }, [...open.value.posts, ...page.posts]);
}

async function refreshHead() {
  const { id, posts } = open.value ?? {};
  if (!posts?.length) return;
  const page = await call("read", { thread: id, around: posts[0].id, limit: NEAR });
  if (open.value?.id === id) open.value = { ...open.value, head: page.thread };
}

/** Whether the stretch runs to the last post without a gap in its numbers. */
function isWhole() {
  const { head, posts, moreAfter } = open.value ?? {};
  if (!posts?.length) return true;
  const unbroken = posts.at(-1).number - posts[0].number === posts.length - 1;
  return unbroken && (moreAfter || posts.at(-1).number === head.total);
}

function put(page, posts) {
  const old = new Map((open.value.posts ?? []).map((post) => [post.id, post]));
  open.value = {
    ...open.value,
    head: page.thread,
    posts: posts.map((post) => keep(old.get(post.id), post)),
    moreBefore: page.more_before,
    moreAfter: page.more_after,
    problem: "",
  };
}

/** The old object when nothing changed, so that its view is not drawn again. */
function keep(old, fresh) {
  return old && JSON.stringify(old) === JSON.stringify(fresh) ? old : fresh;
}

async function guarded(id, work) {
  try {
    await work();
  } catch (error) {
    if (open.value?.id === id) open.value = { ...open.value, problem: sentence(error) };
  }
}
