// What hangs on a post: reactions, where an imported one came from, versions that disagree.

import { html, useEffect, useState } from "../html.js";
import { call } from "../calls.js";
import { Prose } from "../elements/prose.js";
import { Icon, When } from "../elements/small.js";
import { keepVersion, react } from "../posts.js";
import { hour, number } from "../words.js";

const OFFERED = ["👍", "❤️", "🎉", "🚀", "👀", "👏", "🤔", "👎"];

/** What other forums call them. */
const EMOJI = {
  "+1": "👍",
  "-1": "👎",
  clap: "👏",
  eyes: "👀",
  heart: "❤️",
  rocket: "🚀",
  tada: "🎉",
  thinking: "🤔",
};

/** The emoji to choose from. @param {{post: any, done: () => void}} props */
export const Emojis = ({ post, done }) => html`
  <div class="emojis" role="group" aria-label="Choose a reaction">
    ${OFFERED.map((emoji) => {
      const mine = post.reactions.some((one) => one.emoji === emoji && one.mine);
      const choose = () => {
        done();
        react(post, emoji, !mine);
      };
      return html`<button type="button" key=${emoji} class="chip" aria-pressed=${mine}
        onClick=${choose}>${emoji}</button>`;
    })}
  </div>
`;

/** What was given so far; a click adds one's own or takes it back. @param {{post: any}} props */
export function Reactions({ post }) {
  if (!post.reactions.length) return null;
  return html`
    <div class="reactions" role="group" aria-label="Reactions">
      ${post.reactions.map(({ emoji, count, mine }) => html`
        <button type="button" key=${emoji} class="chip" aria-pressed=${mine}
          onClick=${() => react(post, emoji, !mine)}>${emoji} <span class="mono">${number(count)}</span></button>
      `)}
    </div>
  `;
}

/** Where an imported post comes from, who brought it, and what it was given there. */
export function Origin({ post }) {
  if (!post.source) return null;
  const { site, url, counts } = post.source;
  const given = Object.entries(counts ?? {});
  return html`
    <p class="origin mono muted">imported from ${
      url ? html`<a href=${url} target="_blank" rel="noopener noreferrer">${site}</a>` : site
    } by ${post.author.name}${given.map(([name, times]) => html`
      <span class="given" title=${`${name}, given there`}> · ${EMOJI[name] ?? name} ${number(times)}</span>
    `)}</p>
  `;
}

/** A post edited in two places: both versions, until the author keeps one. */
export const Conflict = ({ post }) => html`
  <div class="conflict" data-state="conflict">
    <p class="mono"><${Icon} name="git-fork" /> Edited in two places at once. ${
      post.mine ? "Keep the version you mean; the other goes." : "Both are shown until the author keeps one."
    }</p>
    ${post.versions.map((version, i) => html`
      <${Version} key=${version.id} post=${post} version=${version} made=${i === 0 ? post.html : ""} />
    `)}
  </div>
`;

function Version({ post, version, made }) {
  const [shown, setShown] = useState(made);
  useEffect(() => {
    if (made) return;
    call("preview", { text: version.text }).then((answer) => setShown(answer.html), () => {});
  }, [version.id]);
  return html`
    <section class="version" aria-label=${`The version of ${hour(version.time)}`}>
      <p class="row"><${When} ms=${version.time} hours />
        ${post.mine && html`<button type="button" class="word"
          onClick=${() => keepVersion(post, version)}>keep this one</button>`}</p>
      ${version.title && version.title !== post.title && html`<p><strong>${version.title}</strong></p>`}
      <${Prose} made=${shown} />
    </section>
  `;
}
