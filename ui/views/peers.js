// The page of the peers: who is linked and how, adding an address, inviting people.

import { html, useEffect, useState } from "../html.js";
import { readStatus } from "../board.js";
import { call, sentence } from "../calls.js";
import { copy } from "../elements/clipboard.js";
import { Empty, Icon } from "../elements/small.js";
import * as routes from "../routes.js";
import { dialog, me, minute, network, status } from "../state.js";
import { toast } from "../toasts.js";
import { ago, number } from "../words.js";

const PATHS = {
  lan: "this network",
  tailnet: "tailnet",
  bootstrap: "bootstrap list",
  file: "typed in here",
  invite: "invite link",
  inbound: "came to us",
};

export function Peers() {
  const { peers } = status.value;
  return html`
    <div class="bar">
      <a class="back" href=${routes.home()} aria-label="Back to the subnets"><${Icon} name="arrow-left" /></a>
      <h1>Peers</h1>
      <span class="gap" />
      <span class="mono muted aside">${network.value.name}</span>
    </div>
    <div class="page">
      ${peers.length ? html`<${Table} peers=${peers} />` : html`<${Alone} />`}
      <${Invite} />
      <${Add} />
      <${ThisMachine} />
    </div>
  `;
}

const Alone = () => html`
  <${Empty} title="Only you so far.">
    <p class="muted">Machines on the same network find each other by themselves within seconds.
      Send somebody the link below; until then everything you write is kept here.</p>
  <//>
`;

const Table = ({ peers }) => html`
  <table class="peers">
    <caption class="offstage">Machines that keep this forum</caption>
    <thead><tr>
      <th scope="col">Name</th><th scope="col">Address</th><th scope="col">Found by</th>
      <th scope="col">State</th><th scope="col" class="number">Behind</th>
      <th scope="col" class="number">Latency</th><th><span class="offstage">Actions</span></th>
    </tr></thead>
    <tbody>${peers.map((peer) => html`<${Row} key=${`${peer.device}${peer.address}`} peer=${peer} />`)}</tbody>
  </table>
`;

function Row({ peer }) {
  const { name, device, address, path, state, behind, latency_ms: latency } = peer;
  const [host, key] = address.split("#");
  return html`
    <tr data-state=${state}>
      <td data-label="Name" class="nickname">${name || (device ? device.slice(0, 8) : "not met yet")}</td>
      <td data-label="Address" class="mono" title=${key ? `key ${key}` : undefined}>${host.replace("wss://", "")}</td>
      <td data-label="Found by">${PATHS[path] ?? path}</td>
      <td data-label="State"><div><${State} peer=${peer} /></div></td>
      <td data-label="Behind" class="mono number">${behind ? number(behind) : "–"}</td>
      <td data-label="Latency" class="mono number">${latency === null ? "–" : `${number(latency)} ms`}</td>
      <td>${path === "file" && html`<button type="button" class="word"
        aria-label=${`Remove ${address}`} onClick=${() => remove(address)}>remove</button>`}</td>
    </tr>
  `;
}

function State({ peer }) {
  const { state, problem, last_seen: seen } = peer;
  return html`
    <span class=${`state ${state}`}>${state}</span>
    ${problem && html`<span class="why">${problem}</span>`}
    ${state === "unreachable" && seen && html`<span class="why">seen ${ago(seen, minute.value)}</span>`}
  `;
}

function Invite() {
  const [bare, setBare] = useState(false);
  const [link, setLink] = useState("");
  const [problem, setProblem] = useState("");
  useEffect(() => {
    let stale = false;
    call("invite", { bare }).then(
      (answer) => stale || setLink(answer.link),
      (error) => stale || setProblem(sentence(error)),
    );
    return () => (stale = true);
  }, [bare]);
  return html`
    <section class="card" aria-labelledby="invite">
      <h2 id="invite">Invite somebody</h2>
      <p>Whoever has this link can join ${network.value.name} and read everything in it. It does not expire.</p>
      <div class="row">
        <input class="mono grow" readonly aria-label="Invite link" value=${link}
          onFocus=${(event) => event.currentTarget.select()} />
        <button type="button" class="button" disabled=${!link}
          onClick=${() => copy(link, "The invite link is copied.")}><${Icon} name="copy" /> Copy</button>
      </div>
      <label class="tick"><input type="checkbox" checked=${bare}
        onChange=${(event) => setBare(event.currentTarget.checked)} />
        Without this machine's addresses (for people on the same network)</label>
      ${problem && html`<p class="failed" role="alert">${problem}</p>`}
    </section>
  `;
}

function Add() {
  const [address, setAddress] = useState("");
  const [problem, setProblem] = useState("");
  const submit = async (event) => {
    event.preventDefault();
    try {
      await call("add_peer", { address: address.trim() });
      setAddress("");
      setProblem("");
      await readStatus();
    } catch (error) {
      setProblem(sentence(error));
    }
  };
  return html`
    <section class="card" aria-labelledby="add">
      <h2 id="add">Add an address</h2>
      <p>For a machine that is not found by itself: <code>host</code>, <code>host:port</code> or a
        whole <code>wss://…</code> address from its Peers page.</p>
      <form class="row" onSubmit=${submit}>
        <input class="mono grow" aria-label="Address of a machine" value=${address} required
          spellcheck=${false} autocomplete="off" placeholder="192.168.1.20"
          onInput=${(event) => setAddress(event.currentTarget.value)} />
        <button class="button" disabled=${!address.trim()}>Add</button>
      </form>
      ${problem && html`<p class="failed" role="alert">${problem}</p>`}
    </section>
  `;
}

async function remove(address) {
  try {
    await call("remove_peer", { address });
    await readStatus();
  } catch (error) {
    toast(sentence(error));
  }
}

function ThisMachine() {
  const { short, device, listening, operations } = status.value;
  return html`
    <section class="card" aria-labelledby="this">
      <h2 id="this">This machine</h2>
      <dl class="facts">
        <dt>Your name</dt>
        <dd>${me.value?.name} <button type="button" class="word"
          onClick=${() => (dialog.value = { name: "name" })}>change</button></dd>
        <dt>Its key</dt><dd class="mono">${short ?? device.slice(0, 16)}</dd>
        <dt>Listens at</dt>
        <dd class="mono">${listening.length
          ? listening.map((one) => html`<${Listening} key=${one} address=${one} />`)
          : "nowhere: other machines cannot call this one"}</dd>
        <dt>Holds</dt><dd class="mono">${number(operations)} signed entries</dd>
      </dl>
    </section>
  `;
}

const Listening = ({ address }) => html`
  <div class="address"><span>${address}</span>
    <button type="button" class="plain" aria-label=${`Copy ${address}`}
      onClick=${() => copy(address, "The address is copied.")}><${Icon} name="copy" /></button></div>
`;
