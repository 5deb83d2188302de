// The middle pane: the threads of a subnet, all threads by activity, or the hits of a search.

import { html } from "../html.js";
import { moreRows, readList } from "../board.js";
import { sentence } from "../calls.js";
import { Empty, Icon, Key, Marked, Problem, Skeleton, When } from "../elements/small.js";
import * as routes from "../routes.js";
import { dialog, drafts, list, open, route, status, subnets } from "../state.js";
import { progress } from "../status.js";
import { toast } from "../toasts.js";
import { count } from "../words.js";

export function Threads() {
  const { place } = list.value;
  return html`
    <section class="list" aria-label=${place.kind === "search" ? "Search" : "Threads"} tabindex="-1">
      <${Bar} place=${place} />
      <div class="rows" data-scroll="list">${rows(place)}</div>
    </section>
  `;
}

function Bar({ place }) {
  const where = place.kind === "subnet" ? place.id : subnets.value?.[0]?.id;
  return html`
    <div class="bar">
      <a class="back" href=${routes.home()} aria-label="Back to the subnets"><${Icon} name="arrow-left" /></a>
      <h1>${heading(place)}</h1>
      ${place.kind === "subnet" && html`<${Change} id=${place.id} />`}
      <span class="gap" />
      ${place.kind !== "search" && where && html`
        <a class="button" href=${routes.compose(where)}>New thread <${Key}>c<//></a>
      `}
    </div>
  `;
}

/** Who made a subnet may give it another title. */
function Change({ id }) {
  const subnet = subnets.value?.find((one) => one.id === id);
  if (!subnet?.mine) return null;
  return html`<button type="button" class="plain" aria-label=${`Change #${subnet.title}`} title="Change"
    onClick=${() => (dialog.value = { name: "rename", subnet })}><${Icon} name="pencil" /></button>`;
}

function heading(place) {
  if (place.kind === "recent") return "Recent";
  if (place.kind === "search") return "Search";
  const subnet = subnets.value?.find(({ id }) => id === place.id);
  return subnet ? `#${subnet.title}` : "…";
}

function rows(place) {
  const { rows: all, more, problem } = list.value;
  if (problem && !all) return html`<${Problem} text=${problem} again=${readList} />`;
  if (!all) return html`<${Skeleton} rows=${6} what="the threads" />`;
  const shown = place.kind === "search"
    ? all.map((hit) => html`<${Hit} key=${hit.id} hit=${hit} />`)
    : all.map((row) => html`<${Row} key=${row.id} thread=${row} recent=${place.kind === "recent"} />`);
  return html`
    ${problem && html`<${Problem} text=${problem} again=${readList} />`}
    <${Taking} />
    ${place.kind === "subnet" && html`<${About} id=${place.id} />`}
    ${place.kind === "search" && all.length > 0 && html`
      <p class="note muted">${count(all.length, "post", "posts")} here, newest first</p>
    `}
    ${shown}
    ${all.length === 0 && html`<${Nothing} place=${place} />`}
    ${more && html`<button type="button" class="more"
      onClick=${() => moreRows().catch((error) => toast(sentence(error)))}>Older threads…</button>`}
  `;
}

/** While the forum comes in one can read what is there already. */
function Taking() {
  const { sync } = status.value;
  if (sync.state !== "syncing" || sync.total < 200) return null;
  return html`
    <div class="taking" data-state="syncing">
      <progress max=${sync.total} value=${sync.done} aria-label="Posts taken over" />
      <span class="mono muted">${progress(sync)}</span>
    </div>
  `;
}

/** What the subnet is for, and a thread begun in it. */
function About({ id }) {
  const subnet = subnets.value?.find((one) => one.id === id);
  const draft = drafts.value.get(`s/${id}`);
  const begun = draft && (draft.title || draft.text) && route.value.name !== "compose";
  return html`
    ${subnet?.text && html`<p class="note muted about">${subnet.text}</p>`}
    ${begun && html`
      <a class="t draft" href=${routes.compose(id)}>${draft.title || "A thread without a title"}
        <span class="meta mono">not posted yet</span>
      </a>
    `}
  `;
}

function Row({ thread, recent }) {
  const current = open.value?.id === thread.id;
  const unread = thread.unread > 0;
  return html`
    <a class=${`t${unread ? " unread" : ""}`} href=${routes.thread(thread.id)} data-row=${thread.id}
      aria-current=${current ? "true" : undefined}>
      <span class="title">${thread.title}</span>
      <span class="meta mono">
        <span class="who">${who(thread, recent)}</span>
        ${unread && html`<span class="n" aria-label=${`${thread.unread} unread`}>${thread.unread}</span>`}
      </span>
    </a>
  `;
}

/** `#bakery · ada, bo · 14 replies · 12:41` */
function who(thread, recent) {
  const first = thread.source_author ?? thread.author.name;
  const people = thread.last_author && thread.last_author !== first ? `${first}, ${thread.last_author}` : first;
  const subnet = recent ? subnets.value?.find(({ id }) => id === thread.subnet)?.title : null;
  return html`
    <span class="names">${subnet && `#${subnet} · `}${people}</span>
    <span class="rest">${thread.replies > 0 ? ` · ${count(thread.replies, "reply", "replies")}` : ""} · <${When}
      ms=${thread.last} /></span>
  `;
}

const Hit = ({ hit }) => html`
  <a class="t hit" href=${routes.thread(hit.thread, hit.id)} data-row=${hit.id}
    aria-current=${route.value.post === hit.id ? "true" : undefined}>
    <span class="title">${hit.title}</span>
    <span class="snippet"><${Marked} text=${hit.snippet} /></span>
    <span class="meta mono"><span class="who"><span class="names">${hit.author}</span>
      <span class="rest"> · <${When} ms=${hit.time} /></span></span></span>
  </a>
`;

function Nothing({ place }) {
  if (place.kind === "search") return html`<${NoHits} words=${place.words} />`;
  if (status.value.sync.state === "syncing") {
    return html`<${Empty} title="The forum is coming in. Threads appear here as they arrive." />`;
  }
  if (place.kind === "recent") {
    return html`<${Empty} title="No threads yet.">
      ${subnets.value?.[0] && html`<a href=${routes.compose(subnets.value[0].id)}>Start the first thread</a>`}
    <//>`;
  }
  return html`<${Empty} title="Nobody has written here yet.">
    <a href=${routes.compose(place.id)}>Start the first thread</a>
  <//>`;
}

const NoHits = ({ words }) =>
  words.trim()
    ? html`<${Empty} title=${`Nothing found for “${words.trim()}”.`}>
        <p class="muted">Only the posts that this machine holds are searched. Fewer or shorter words find more.</p>
      <//>`
    : html`<${Empty} title="Type a word or two.">
        <p class="muted">All the words must occur in a post. The search runs on this machine alone.</p>
      <//>`;
