// The main pane with a thread: its posts, the rule where reading stopped, the composer.

import { Fragment, html, useEffect, useLayoutEffect, useRef } from "../html.js";
import { call } from "../calls.js";
import { draftAt, type } from "../drafts.js";
import { Icon, Problem, Skeleton } from "../elements/small.js";
import { authorOf, sendReply } from "../posts.js";
import { Reading } from "../reading.js";
import * as routes from "../routes.js";
import { landing, list, open, route } from "../state.js";
import { land, newer, older, openThread, postById, seeArrived } from "../thread.js";
import { count } from "../words.js";
import { Composer } from "./composer.js";
import { Post } from "./post.js";
import { holdPlace, landOn, whenNear } from "./scrolling.js";

export function Thread() {
  const shown = open.value;
  if (!shown) return null;
  const again = () => openThread(shown.id, route.value.post);
  return html`
    <${Bar} head=${shown.head} />
    ${shown.problem && html`<${Problem} text=${shown.problem} again=${again} />`}
    ${shown.posts
      ? html`<${Posts} shown=${shown} /><${Reply} thread=${shown.id} />`
      : !shown.problem && html`<${Skeleton} rows=${5} what="the thread" />`}
  `;
}

function Bar({ head }) {
  const back = list.value.place.kind === "subnet" ? routes.subnet(list.value.place.id) : routes.recent();
  return html`
    <div class="bar">
      <a class="back" href=${back} aria-label="Back to the threads"><${Icon} name="arrow-left" /></a>
      <h1 title=${head?.title}>${head?.title ?? "…"}</h1>
      <span class="gap" />
      ${head && html`<span class="mono muted aside"><a href=${routes.subnet(head.subnet)}>#${head.subnet_title} · </a>
        <span>${count(Math.max(0, head.total - 1), "reply", "replies")}</span></span>`}
    </div>
  `;
}

function Posts({ shown }) {
  const scroller = useRef(null);
  useReading(scroller, shown);
  useLayoutEffect(() => holdPlace(scroller.current), []);
  useLayoutEffect(() => landOn(scroller.current, landing.value), [landing.value]);
  const { posts, rule, moreBefore, moreAfter, head } = shown;
  return html`
    <div class="posts"><div class="scroll" ref=${scroller} data-scroll="thread"><div>
      ${moreBefore && html`<${More} key="older" load=${older} root=${scroller}
        text=${`${posts[0].number - 1} older`} />`}
      ${posts.map((post) => html`<${Fragment} key=${post.id}>
        ${post.id === rule && html`<div class="rule" role="separator" id="rule">last read</div>`}
        <${Post} post=${post} thread=${shown.id} target=${route.value.post === post.id} />
      <//>`)}
      ${moreAfter && html`<${More} key="newer" load=${newer} root=${scroller}
        text=${`${head.total - posts.at(-1).number} newer`} />`}
      ${head.total === 1 && html`<p class="note muted" data-state="empty">No replies yet.</p>`}
      </div></div><${Pill} />
    </div>
  `;
}

/** The next page, read when one comes near its edge; a button for whoever comes by keyboard. */
function More({ load, text, root }) {
  const button = useRef(null);
  useEffect(() => whenNear(button.current, root.current, load), [load, text]);
  return html`<button type="button" class="more" ref=${button} onClick=${load}>${text}…</button>`;
}

/** Posts that came below what is on screen. */
function Pill() {
  const { arrived, moreAfter } = open.value;
  const below = arrived.filter((id) => postById(id) || moreAfter);
  const show = () => {
    land(below[0]);
    seeArrived();
  };
  return html`
    <div class="pill" aria-live="polite">
      ${below.length > 0 && html`<button type="button" onClick=${show}>
        <${Icon} name="arrow-down" /> ${count(below.length, "new reply", "new replies")}</button>`}
    </div>
  `;
}

/** Mark posts read after a second on screen, and take them off the pill. */
function useReading(scroller, shown) {
  const watch = useRef(null);
  useEffect(() => {
    const reading = new Reading(scroller.current, (post) => readUpTo(shown.id, post));
    watch.current = reading;
    return () => reading.stop();
  }, []);
  useEffect(() => watch.current.watch(scroller.current), [shown.posts]);
}

const TOGETHER_MS = 50;

/** The furthest post that was looked at, and what of it is still to be told. */
let furthest = { thread: "", number: 0 };
let telling = 0;

function readUpTo(thread, { id, number }) {
  const post = postById(id);
  if (open.value?.id !== thread || !post) return;
  if (open.value.arrived.includes(id)) {
    const rest = open.value.arrived.filter((one) => (postById(one)?.number ?? Infinity) > number);
    open.value = { ...open.value, arrived: rest };
  }
  if (post.read || (furthest.thread === thread && furthest.number >= number)) return;
  furthest = { thread, number, id };
  // Posts that were on screen together are told together.
  telling ||= setTimeout(() => {
    telling = 0;
    const { thread: where, id: post } = furthest;
    call("mark_read", { thread: where, post }).catch(() => (furthest = { thread: "", number: 0 }));
  }, TOGETHER_MS);
}

function Reply({ thread }) {
  const place = `t/${thread}`;
  const answered = postById(draftAt(place).title);
  const above = answered && html`
    <p class="answering mono muted"><${Icon} name="corner-down-right" />
      replying to <a href=${routes.thread(thread, answered.id)}>#${answered.number} ${authorOf(answered).name}</a>
      <button type="button" class="plain" aria-label="Reply to the thread instead"
        onClick=${() => type(place, { title: "" })}><${Icon} name="x" /></button></p>`;
  return html`<${Composer} key=${place} place=${place} label="Your reply" send="Send"
    placeholder="Write a reply…" above=${above} submit=${(typed) => sendReply(thread, typed)} />`;
}
