// The dialogs: a new subnet, one's name, deleting, the keys.

import { html, useState } from "../html.js";
import { readStatus, readSubnets } from "../board.js";
import { call, sentence } from "../calls.js";
import { closeDialog, Dialog } from "../elements/dialog.js";
import { HELP } from "../keys.js";
import { deleteSoon } from "../posts.js";
import * as routes from "../routes.js";
import { dialog, me, singleKeys } from "../state.js";
import { Composer } from "./composer.js";

export function Dialogs() {
  const wanted = dialog.value;
  if (!wanted) return null;
  const View = VIEWS[wanted.name];
  return html`<${View} key=${wanted.name} ...${wanted} />`;
}

function NewSubnet() {
  const submit = async ({ title, text }) => {
    const made = await call("publish_subnet", { title: title.trim(), text });
    await readSubnets();
    closeDialog();
    location.hash = routes.subnet(made.id);
  };
  return html`
    <${Dialog} title="New subnet">
      <p class="muted">A part of the forum with threads of its own. Everybody in the forum sees it.</p>
      <${Composer} place="new" label="What it is for" titleLabel="Title of the subnet" focus
        placeholder="What it is for (may stay empty)" textNeeded=${false} send="Make the subnet"
        submit=${submit} />
    <//>
  `;
}

/** Change the title or the text of an own subnet: a category brought in has but a number. */
function ChangeSubnet({ subnet }) {
  const submit = async ({ title, text }) => {
    await call("edit", { post: subnet.id, title: title.trim(), text });
    await readSubnets();
    closeDialog();
  };
  return html`
    <${Dialog} title=${`Change #${subnet.title}`}>
      <${Composer} place=${`e/${subnet.id}`} label="What it is for" titleLabel="Title of the subnet"
        focus initial=${{ title: subnet.title, text: subnet.text }} textNeeded=${false} send="Save"
        submit=${submit} cancel=${closeDialog} />
    <//>
  `;
}

function Name() {
  const [name, setName] = useState(me.value?.name ?? "");
  const [problem, setProblem] = useState("");
  const submit = async (event) => {
    event.preventDefault();
    try {
      await call("set_profile", { name: name.trim() });
      await readStatus();
      closeDialog();
    } catch (error) {
      setProblem(sentence(error));
    }
  };
  return html`
    <${Dialog} title="Your name">
      <form class="stack" onSubmit=${submit}>
        <label class="field">Shown beside everything you wrote and write
          <input maxlength="40" required autofocus value=${name}
            onInput=${(event) => setName(event.currentTarget.value)} />
        </label>
        ${problem && html`<p class="failed" role="alert">${problem}</p>`}
        <div class="row"><button class="button" disabled=${!name.trim()}>Take this name</button></div>
      </form>
    <//>
  `;
}

const Delete = ({ post }) => html`
  <${Dialog} title=${`Delete post #${post.number}?`}>
    <p>Every member's machine has a copy. Deleting is a request to all of them to erase it: machines
      that are off do so when they are back, and what somebody has read or copied stays so.</p>
    <p>You can undo it for five seconds; after that it is final. ${post.number === 1 && "The replies to it stay."}</p>
    <div class="row">
      <button type="button" class="button danger" onClick=${() => deleteSoon(post)}>Delete</button>
      <button type="button" class="word" autofocus onClick=${closeDialog}>keep it</button>
    </div>
  <//>
`;

const Keys = () => html`
  <${Dialog} title="Keys" wide>
    <dl class="keymap">
      ${HELP.map(([keys, what]) => html`<div key=${keys}>
        <dt>${keys.split(" ").map((key) => html`<kbd key=${key}>${key}</kbd> `)}</dt><dd>${what}</dd>
      </div>`)}
    </dl>
    <label class="tick"><input type="checkbox" checked=${singleKeys.value}
      onChange=${(event) => (singleKeys.value = event.currentTarget.checked)} />
      Keys of one letter (until this window closes)</label>
  <//>
`;

const VIEWS = { subnet: NewSubnet, rename: ChangeSubnet, name: Name, delete: Delete, keys: Keys };
