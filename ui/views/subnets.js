// The left pane: recent, the subnets with what is unread, this machine's peers.

import { html } from "../html.js";
import { Icon, Skeleton } from "../elements/small.js";
import * as routes from "../routes.js";
import { dialog, list, network, route, status, subnets } from "../state.js";
import { linked } from "../status.js";
import { count } from "../words.js";

export function Subnets() {
  const { place } = list.value;
  const inList = route.value.name !== "peers";
  const here = (kind, id) => inList && place.kind === kind && place.id === id;
  const peers = linked(status.value.peers).length;
  return html`
    <nav aria-label="Subnets" tabindex="-1">
      <h1 class="here">${network.value.name}</h1>
      <${Line} href=${routes.recent()} icon="activity" current=${here("recent")}>Recent<//>
      <h2>Subnets</h2>
      ${(subnets.value ?? []).map((subnet) => html`
        <${Line} key=${subnet.id} href=${routes.subnet(subnet.id)} icon="hash"
          current=${here("subnet", subnet.id)} unread=${subnet.unread}>${subnet.title}<//>
      `)}
      ${subnets.value === null && html`<${Skeleton} rows=${3} what="the subnets" />`}
      ${subnets.value?.length === 0 && html`<p class="note muted">No subnet yet.</p>`}
      <button type="button" class="line" onClick=${() => (dialog.value = { name: "subnet" })}>
        <${Icon} name="plus" /> New subnet
      </button>
      <h2>This machine</h2>
      <${Line} href=${routes.peers()} icon="users" current=${route.value.name === "peers"}
        quiet=${peers}>
Peers<//>
    </nav>
  `;
}

const Line = ({ href, icon, current, unread = 0, quiet = 0, children }) => html`
  <a class="line" href=${href} aria-current=${current ? "page" : undefined}>
    <${Icon} name=${icon} /><span class="name">${children}</span>
    ${unread > 0 && html`
      <span class="n" aria-label=${count(unread, "unread thread", "unread threads")}>${unread}</span>
    `}
    ${quiet > 0 && html`<span class="n quiet" aria-label=${`${quiet} linked`}>${quiet}</span>`}
  </a>
`;
