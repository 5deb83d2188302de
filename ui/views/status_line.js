// The line at the bottom, after an IRC client's: clock, name, peers, how far the copies agree.

import { html } from "../html.js";
import * as routes from "../routes.js";
import { connection, dialog, importing, me, minute, status } from "../state.js";
import { linked, paths, progress, syncWord } from "../status.js";
import { hour, number } from "../words.js";

export function StatusLine() {
  const { peers, sync, nick } = status.value;
  const count = linked(peers).length;
  const found = paths(peers);
  return html`
    <footer>
      <span aria-hidden="true">[${hour(minute.value)}]</span>
      <button type="button" title="Change your name"
        onClick=${() => (dialog.value = { name: "name" })}>[<span
        class=${`n${me.value?.colour ?? 1}`}>${me.value?.name || nick}</span>]</button>
      <a href=${routes.peers()}>[peers <span class=${count ? "good" : "quiet"}>${number(count)}</span>${
        found && `: ${found}`}]</a>
      <${Sync} sync=${sync} />
      <span class="offstage" role="status" aria-live="polite">${spoken(sync)}</span>
    </footer>
  `;
}

/** Read aloud when the word changes, and not with every number. */
function spoken(sync) {
  if (connection.value !== "open") return "The node stopped";
  return sync.state === "syncing" ? "syncing" : syncWord(sync).text;
}

function Sync({ sync }) {
  if (connection.value !== "open") return html`<span class="bad">[no node]</span>`;
  if (importing.value) return html`<span class="busy">[importing ${progress(importing.value)}]</span>`;
  const { text, tone } = syncWord(sync);
  return html`<span class=${tone} title=${sync.problem}>[${text}]</span>`;
}
