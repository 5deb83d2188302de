// The main pane while a thread is begun.

import { html } from "../html.js";
import { call } from "../calls.js";
import { draftAt, forget, type } from "../drafts.js";
import { Icon } from "../elements/small.js";
import * as routes from "../routes.js";
import { route, subnets } from "../state.js";
import { Composer } from "./composer.js";

export function NewThread() {
  const { subnet } = route.value;
  const submit = async ({ title, text }) => {
    const made = await call("publish_thread", { subnet, title: title.trim(), text });
    location.hash = routes.thread(made.thread);
  };
  return html`
    <div class="bar">
      <a class="back" href=${routes.subnet(subnet)} aria-label="Back to the threads"><${Icon} name="arrow-left" /></a>
      <h1>New thread</h1>
      <span class="gap" />
      <${Where} subnet=${subnet} />
    </div>
    <div class="page compose">
      <${Composer} place=${`s/${subnet}`} label="The opening post" titleLabel="Title" focus
        placeholder="What is it about?" send="Post the thread" submit=${submit}
        cancel=${() => (location.hash = routes.subnet(subnet))} />
    </div>
  `;
}

/** Which subnet it goes to; what is typed goes along. */
function Where({ subnet }) {
  const move = (event) => {
    const to = event.currentTarget.value;
    const { title, text } = draftAt(`s/${subnet}`);
    if (title || text) type(`s/${to}`, { title, text });
    forget(`s/${subnet}`);
    location.replace(routes.compose(to));
  };
  return html`
    <label class="where mono muted">in
      <select value=${subnet} onChange=${move}>
        ${(subnets.value ?? []).map(({ id, title }) => html`<option key=${id} value=${id}>#${title}</option>`)}
      </select>
    </label>
  `;
}
