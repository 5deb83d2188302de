// The whole window: bar, banner, three panes, status line; one pane of it where there is no room.

import { html } from "../html.js";
import { connection, network, route, status } from "../state.js";
import { Banner } from "./banner.js";
import { Dialogs } from "./dialogs.js";
import { First } from "./first.js";
import { NewThread } from "./new_thread.js";
import { Peers } from "./peers.js";
import { StatusLine } from "./status_line.js";
import { Subnets } from "./subnets.js";
import { Thread } from "./thread.js";
import { Threads } from "./threads.js";
import { Toasts } from "./toasts.js";
import { Top } from "./top.js";

/** Which pane a narrow window shows. */
const PANE = {
  home: "nav",
  recent: "list",
  subnet: "list",
  search: "list",
  thread: "main",
  imported: "main",
  compose: "main",
  peers: "main",
};

export function Shell() {
  if (!status.value) return html`<${Banner} /><${Waiting} />`;
  if (!network.value) return html`<${Banner} /><${First} /><${Dialogs} /><${Toasts} />`;
  const { name } = route.value;
  return html`
    <div class="shell" data-pane=${PANE[name]} data-view=${name}>
      <${Top} />
      <${Banner} />
      <${Subnets} />
      ${name !== "peers" && html`<${Threads} />`}
      <main aria-label=${MAIN[name] ?? "Thread"} tabindex="-1">${main(name)}</main>
      <${StatusLine} />
    </div>
    <${Dialogs} />
    <${Toasts} />
  `;
}

const MAIN = { peers: "Peers", compose: "New thread" };

function main(name) {
  if (name === "peers") return html`<${Peers} />`;
  if (name === "compose") return html`<${NewThread} key=${route.value.subnet} />`;
  if (name === "thread") return html`<${Thread} key=${route.value.thread} />`;
  return html`<${NothingOpen} />`;
}

const NothingOpen = () => html`
  <div class="nothing">
    <p class="brand" aria-hidden="true"><b>##</b></p>
    <p>Open a thread to read it here.</p>
    <p class="mono muted">j k move · Enter opens · n next unread · ? all keys</p>
  </div>
`;

const Waiting = () =>
  connection.value === "connecting"
    ? html`<p class="waiting mono muted" role="status">Looking for the node on this machine…</p>`
    : null;
