// The small words of the page: an icon, a nick, a time, a text with marks, rows still to come.

import { html } from "../html.js";
import { minute, sharedNames } from "../state.js";
import { shortDay, shortTime, wholeTime } from "../words.js";

/** One of lucide's icons (installer/vendor_ui.py lists them). @param {{name: string}} props */
export const Icon = ({ name }) => html`
  <svg class="icon" aria-hidden="true"><use href=${`#icon-${name}`} /></svg>
`;

/** Take all icons into the page, so that they are there when the node is not. @param {Document} page */
export async function loadIcons(page) {
  const text = await (await fetch("vendor/icons.svg")).text();
  const sprite = new DOMParser().parseFromString(text, "image/svg+xml").documentElement;
  sprite.setAttribute("class", "offstage");
  sprite.setAttribute("aria-hidden", "true");
  page.body.append(page.importNode(sprite, true));
}

/** A person's name; the tag of the key behind it where two people share the name.
 * @param {{person: {name: string, tag?: string, colour: number}, id?: string}} props */
export const Nick = ({ person, id }) => html`
  <span class=${`nick n${person.colour}`} id=${id}>${person.name}${
    person.tag && sharedNames.value.has(person.name.toLowerCase())
      ? html`<span class="tag" title="Two machines go by this name; this is of one's key">·${person.tag}</span>`
      : null
  }</span>
`;

/** A moment, short; the whole of it in the tooltip.
 * @param {{ms: number, hours?: boolean, id?: string}} props */
export const When = ({ ms, hours = false, id }) => html`
  <time id=${id} dateTime=${new Date(ms).toISOString()} title=${wholeTime(ms)}>${
    (hours ? shortTime : shortDay)(ms, minute.value)
  }</time>
`;

/** A key of the keyboard. */
export const Key = ({ children }) => html`<kbd aria-hidden="true">${children}</kbd>`;

/** A text of the search in which the node marked the words. @param {{text: string}} props */
export const Marked = ({ text }) =>
  text.split("\u0002").map((part, i) => {
    if (i === 0) return part;
    const [hit, ...rest] = part.split("\u0003");
    return [html`<mark>${hit}</mark>`, rest.join("")];
  });

/** Grey rows where something is being read; the style sheet shows them after a third of a second.
 * @param {{rows: number, what: string}} props */
export const Skeleton = ({ rows, what }) => html`
  <div class="skeleton" role="img" aria-label=${`Reading ${what}`}>
    ${Array.from({ length: rows }, (_, i) => html`<div key=${i} class="bone" />`)}
  </div>
`;

/** Nothing to show, and what to do about it.
 * @param {{title: string, children?: any}} props */
export const Empty = ({ title, children }) => html`
  <div class="empty" data-state="empty"><p class="what">${title}</p>${children}</div>
`;

/** What could not be read, with a way to try again. @param {{text: string, again: () => void}} props */
export const Problem = ({ text, again }) => html`
  <div class="problem" role="alert" data-state="error">
    <${Icon} name="circle-alert" /> <span>${text}</span>
    <button type="button" class="plain" onClick=${again}>Try again</button>
  </div>
`;
