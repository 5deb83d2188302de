// The first screen: no forum here yet. Start one, or join one, and what that means.

import { html, useEffect, useRef, useState } from "../html.js";
import { readStatus } from "../board.js";
import { call, sentence } from "../calls.js";
import { Icon } from "../elements/small.js";
import { status } from "../state.js";

const CHECK_MS = 250;

export function First() {
  const [nick, setNick] = useState("");
  return html`
    <main class="first" tabindex="-1">
      <h1 class="brand"><b>##</b>brothernet</h1>
      <p class="lead">A forum that lives on its members' machines. No account, no server in the middle.</p>
      <label class="field nickname">Your name
        <input id="nick" autocomplete="nickname" maxlength="40" value=${nick} autofocus
          placeholder=${status.value.nick} onInput=${(event) => setNick(event.currentTarget.value)} />
        <span class="hint">Shown beside what you write. You can change it later.</span>
      </label>
      <div class="doors">
        <${Start} nick=${nick} />
        <${Join} nick=${nick} />
      </div>
      <${Meaning} />
    </main>
  `;
}

function Start({ nick }) {
  const [name, setName] = useState("");
  const { problem, busy, run } = useTry();
  const submit = (event) => {
    event.preventDefault();
    run(() => call("create", { name: name.trim(), ...named(nick) }));
  };
  return html`
    <form class="door" onSubmit=${submit} aria-labelledby="start">
      <h2 id="start">Start a forum</h2>
      <p>A new one, empty, yours. Then invite people with a link.</p>
      <label class="field">Name of the forum
        <input value=${name} maxlength="40" required placeholder="Allotment society"
          onInput=${(event) => setName(event.currentTarget.value)} />
      </label>
      <${Failed} text=${problem} />
      <button class="button" disabled=${busy || !name.trim()}>Start a forum</button>
    </form>
  `;
}

function Join({ nick }) {
  const [link, setLink] = useState("");
  const found = useCheck(link);
  const { problem, busy, run } = useTry();
  const submit = (event) => {
    event.preventDefault();
    run(() => call("join", { link: link.trim(), ...named(nick) }));
  };
  return html`
    <form class="door" onSubmit=${submit} aria-labelledby="join">
      <h2 id="join">Join a forum</h2>
      <p>Somebody sent you a link that begins with <code>brothernet://join</code></p>
      <label class="field">Invite link
        <input class="mono" value=${link} required spellcheck=${false} autocomplete="off"
          placeholder="brothernet://join#…" onInput=${(event) => setLink(event.currentTarget.value)} />
      </label>
      <div aria-live="polite">
        ${found.name && html`<p class="found"><${Icon} name="check" /> This link opens <strong>${found.name}</strong></p>`}
        <${Failed} text=${problem || found.problem} />
      </div>
      <button class="button" disabled=${busy || !found.name}>
        ${found.name ? `Join ${found.name}` : "Join a forum"}
      </button>
    </form>
  `;
}

const Failed = ({ text }) =>
  text ? html`<p class="failed" role="alert"><${Icon} name="circle-alert" /> ${text}</p>` : null;

const Meaning = () => html`
  <section class="meaning" aria-labelledby="meaning">
    <h2 id="meaning">What joining means</h2>
    <ul>
      <li>Every member's machine keeps a readable copy of everything that is posted, and so does the
        rented machine, if the forum has one.</li>
      <li>Deleting a post is a request to all of them. What somebody has read or copied stays so.</li>
      <li>Whoever has the invite link can join and read everything. Give it to people you mean.</li>
      <li>What you write is signed by this machine, so nobody can write in your name.</li>
    </ul>
  </section>
`;

const named = (nick) => (nick.trim() ? { nick: nick.trim() } : {});

/** The name of the forum behind a link, asked for as it is pasted. Nothing is joined by that. */
function useCheck(link) {
  const [found, setFound] = useState({ name: "", problem: "" });
  const newest = useRef("");
  useEffect(() => {
    const asked = link.trim();
    newest.current = asked;
    setFound({ name: "", problem: "" });
    if (!asked) return undefined;
    const timer = setTimeout(async () => {
      let answer;
      try {
        answer = { name: (await call("check_link", { link: asked })).name, problem: "" };
      } catch (error) {
        answer = { name: "", problem: sentence(error) };
      }
      if (newest.current === asked) setFound(answer);
    }, CHECK_MS);
    return () => clearTimeout(timer);
  }, [link]);
  return found;
}

/** Do something once at a time and keep the sentence when it is refused. */
function useTry() {
  const [state, setState] = useState({ problem: "", busy: false });
  const run = async (work) => {
    setState({ problem: "", busy: true });
    try {
      await work();
      await readStatus();
    } catch (error) {
      setState({ problem: sentence(error), busy: false });
    }
  };
  return { ...state, run };
}
