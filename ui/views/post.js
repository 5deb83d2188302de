// One post of a thread, in each of its states: shown, being edited, going away, deleted.

import { html, useState } from "../html.js";
import { Prose } from "../elements/prose.js";
import { Icon, Nick, When } from "../elements/small.js";
import * as routes from "../routes.js";
import * as posts from "../posts.js";
import { deleting, drafts, editing, me } from "../state.js";
import { postById } from "../thread.js";
import { count, mentions } from "../words.js";
import { Composer } from "./composer.js";
import { Conflict, Emojis, Origin, Reactions } from "./post_parts.js";

/** @param {{post: any, thread: string, target: boolean}} props `target`: the address names it */
export function Post({ post, thread, target }) {
  const forMe = !post.mine && !post.deleted && mentions(post.text, me.value?.name);
  const names = `n-${post.id} w-${post.id}`;
  return html`
    <article id=${`p-${post.id}`} class=${forMe ? "mention" : ""} tabindex="-1"
      data-target=${target} style=${{ containIntrinsicSize: `auto ${roughHeight(post)}px` }}
      aria-labelledby=${names} data-post=${post.id} data-number=${post.number}>
      <${Body} post=${post} thread=${thread} />
    </article>
  `;
}

/** How high it will be, for the scroll bar before it was ever drawn. */
function roughHeight({ text }) {
  const lines = text.split("\n").reduce((sum, line) => sum + Math.ceil(line.length / 85), 0);
  return 60 + Math.min(lines, 400) * 22;
}

function Body({ post, thread }) {
  const [picking, setPicking] = useState(false);
  if (post.deleted) {
    return html`<${Head} post=${post} thread=${thread} />
      <p class="stub muted">This post was deleted.</p>`;
  }
  if (deleting.value.has(post.id)) {
    return html`<${Head} post=${post} thread=${thread} />
      <p class="stub" role="status">Deleting this post…
        <button type="button" class="word" onClick=${() => posts.undoDelete(post)}>undo</button></p>`;
  }
  if (post.mine && (editing.value.has(post.id) || drafts.value.has(`e/${post.id}`))) {
    return html`<${Head} post=${post} thread=${thread} /><${Editor} post=${post} />`;
  }
  const pick = () => setPicking(!picking);
  return html`
    <${Head} post=${post} thread=${thread}><${Actions} post=${post} pick=${pick} picking=${picking} /><//>
    ${picking && html`<${Emojis} post=${post} done=${() => setPicking(false)} />`}
    ${post.conflict ? html`<${Conflict} post=${post} />` : html`<${Prose} made=${post.html} />`}
    <${Reactions} post=${post} />
    <${Origin} post=${post} />
  `;
}

const Head = ({ post, thread, children }) => html`
  <header>
    <${Nick} person=${posts.authorOf(post)} id=${`n-${post.id}`} />
    <${When} ms=${post.source?.time ?? post.time} hours id=${`w-${post.id}`} />
    <a class="number" href=${routes.thread(thread, post.id)}>#${post.number}</a>
    <${Answers} post=${post} thread=${thread} />
    ${post.edited && !post.deleted && html`<span class="mark" title="The author changed it">edited</span>`}
    <${Delivered} post=${post} />
    ${children}
  </header>
`;

/** Which post this one answers. */
function Answers({ post, thread }) {
  if (!post.re || post.re === thread) return null;
  const answered = postById(post.re);
  const whom = answered ? `#${answered.number} ${posts.authorOf(answered).name}` : "an earlier post";
  return html`<a class="re" href=${routes.thread(thread, post.re)} title="What this answers">
    <${Icon} name="corner-down-right" /><span class="offstage">Answers </span>${whom}</a>`;
}

/** Whether an own post has left this machine. */
function Delivered({ post }) {
  if (!post.mine || post.deleted || post.source) return null;
  return post.delivered > 0
    ? html`<span class="mark">on ${count(post.delivered + 1, "machine", "machines")}</span>`
    : html`<span class="mark pending" title="No other machine has it yet. It goes out by itself.">
        <span aria-hidden="true">●</span> waiting for a peer</span>`;
}

function Actions({ post, pick, picking }) {
  const what = `post ${post.number}`;
  return html`
    <span class="actions">
      <button type="button" aria-label=${`Reply to ${what}`} onClick=${() => posts.replyTo(post)}>reply</button>
      <button type="button" aria-label=${`Quote ${what}`} onMouseDown=${keepSelection}
        onClick=${() => posts.quote(post)}>quote</button>
      <button type="button" aria-label=${`React to ${what}`} aria-expanded=${picking} onClick=${pick}>react</button>
      ${post.mine && html`
        ${!post.source && html`<button type="button" aria-label=${`Edit ${what}`}
          onClick=${() => posts.startEdit(post)}>edit</button>`}
        <button type="button" aria-label=${`Delete ${what}`} onClick=${() => posts.askDelete(post)}>delete</button>
      `}
    </span>
  `;
}

/** Pressing a button would drop the selection that is to be quoted. */
const keepSelection = (event) => event.preventDefault();

const Editor = ({ post }) => html`
  <${Composer} place=${`e/${post.id}`} label=${`Edit post ${post.number}`} send="Save" focus
    initial=${{ title: post.title ?? "", text: post.text }}
    titleLabel=${post.number === 1 ? "Title" : undefined}
    submit=${(typed) => posts.sendEdit(post, typed)} cancel=${() => posts.stopEdit(post)} />
`;
