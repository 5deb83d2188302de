// Where text is typed: a reply, a new thread, an edit, a subnet. The text is a draft at once.

import { html, useEffect, useLayoutEffect, useRef, useState } from "../html.js";
import { call, sentence } from "../calls.js";
import { copy } from "../elements/clipboard.js";
import { Prose } from "../elements/prose.js";
import { Icon } from "../elements/small.js";
import { draftAt, forget, type } from "../drafts.js";
import { drafts } from "../state.js";
import { bytesOf, hour, number } from "../words.js";

const PREVIEW_MS = 250;
const TEXT_BYTES = 131_072;
const TITLE_CHARS = 200;

/**
 * @param {{place: string, label: string, send: string, submit: (typed: {title: string,
 *   text: string}) => Promise<void>, initial?: {title: string, text: string},
 *   titleLabel?: string, textNeeded?: boolean, placeholder?: string, cancel?: () => void,
 *   above?: any, focus?: boolean}} props
 *   `titleLabel` asks for a title too; `cancel` shows a way out that keeps nothing.
 */
export function Composer(props) {
  const { place, label, send, titleLabel, initial, placeholder, cancel, above, focus } = props;
  const typed = drafts.value.has(place) ? draftAt(place) : { saved: 0, ...(initial ?? draftAt(place)) };
  const [previewing, setPreviewing] = useState(false);
  const { problem, busy, submit } = useSubmit(props, typed);
  const change = (what) => type(place, { title: typed.title, text: typed.text, ...what });
  const tooLong = limits(typed, titleLabel);
  const keys = (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) submit(event);
    else if (event.key.toLowerCase() === "p" && event.ctrlKey && event.shiftKey) {
      event.preventDefault();
      setPreviewing(!previewing);
    }
  };
  const title = useRef(null);
  useEffect(() => void (focus && title.current?.focus()), []);
  return html`
    <form class="composer" aria-label=${label} onSubmit=${submit} onKeyDown=${keys}
      data-composer=${place}>
      ${above}
      ${titleLabel && html`<input class="title" aria-label=${titleLabel} placeholder=${titleLabel}
        ref=${title} value=${typed.title} onInput=${(e) => change({ title: e.currentTarget.value })} />`}
      <${Text} label=${label} value=${typed.text} placeholder=${placeholder}
        focus=${focus && !titleLabel} change=${(text) => change({ text })} />
      ${previewing && html`<${Preview} text=${typed.text} />`}
      <${Wrong} problem=${problem || tooLong} text=${problem ? typed.text : ""} />
      <div class="row">
        <button class="button" disabled=${busy || Boolean(tooLong)}>${send}</button>
        ${cancel && html`<button type="button" class="word" onClick=${() => abandon(place, cancel)}>cancel</button>`}
        <button type="button" class="word" aria-pressed=${previewing}
          onClick=${() => setPreviewing(!previewing)}>preview</button>
        <span class="hint mono muted">${saved(typed)}Ctrl+Enter · Markdown</span>
      </div>
    </form>
  `;
}

/** A text area as high as its text, up to what the style sheet allows. */
function Text({ label, value, placeholder, focus, change }) {
  const area = useRef(null);
  useLayoutEffect(() => {
    const { style } = area.current;
    style.height = "auto";
    style.height = `${area.current.scrollHeight + 2}px`;
  }, [value]);
  useEffect(() => void (focus && area.current.focus()), []);
  return html`<textarea ref=${area} rows="2" aria-label=${label} placeholder=${placeholder}
    value=${value} onInput=${(event) => change(event.currentTarget.value)} />`;
}

/** The post as it will look: the same HTML as a posted one. */
function Preview({ text }) {
  const [made, setMade] = useState("");
  useEffect(() => {
    let stale = false;
    const timer = setTimeout(async () => {
      const answer = await call("preview", { text }).catch(() => null);
      if (answer && !stale) setMade(answer.html);
    }, made ? PREVIEW_MS : 0);
    return () => {
      stale = true;
      clearTimeout(timer);
    };
  }, [text]);
  return html`<div class="preview" role="region" aria-label="Preview">
    ${made ? html`<${Prose} made=${made} />` : html`<p class="muted">Nothing typed yet.</p>`}
  </div>`;
}

const Wrong = ({ problem, text }) =>
  problem
    ? html`<p class="failed" role="alert"><${Icon} name="circle-alert" /> <span>${problem}</span>
        ${text && html`<button type="button" class="word"
          onClick=${() => copy(text, "Your text is copied.")}>copy the text</button>`}</p>`
    : null;

/** Send what is typed, once; on success the draft is done with, else it stays where it is. */
function useSubmit({ place, submit: send, titleLabel, textNeeded = true }, typed) {
  const [state, setState] = useState({ problem: "", busy: false });
  const submit = async (event) => {
    event.preventDefault();
    if (state.busy || limits(typed, titleLabel)) return;
    const missing = lacks(typed, titleLabel, textNeeded);
    if (missing) {
      setState({ problem: missing, busy: false });
      return;
    }
    setState({ problem: "", busy: true });
    try {
      await send({ title: typed.title, text: typed.text });
      const now = drafts.value.get(place);
      // What was typed while it was on its way is the beginning of something new.
      if (now?.text === typed.text && now.title === typed.title) forget(place);
      setState({ problem: "", busy: false });
    } catch (error) {
      setState({ problem: sentence(error), busy: false });
    }
  };
  return { ...state, submit };
}

function lacks({ title, text }, titleLabel, textNeeded) {
  if (titleLabel && !title.trim()) return "A title is needed.";
  return textNeeded && !text.trim() ? "There is nothing to send yet." : "";
}

/** What is too long, with the numbers; empty when all fits. */
function limits({ title, text }, titleLabel) {
  const chars = titleLabel ? [...title].length : 0;
  if (chars > TITLE_CHARS) return `The title has ${chars} of at most ${TITLE_CHARS} characters.`;
  // A letter takes at most 3 bytes per UTF-16 unit: short texts need no counting.
  if (text.length * 3 <= TEXT_BYTES) return "";
  const bytes = bytesOf(text);
  if (bytes <= TEXT_BYTES) return "";
  return `The text has ${number(bytes)} of at most ${number(TEXT_BYTES)} bytes.`;
}

const saved = ({ text, saved: when, dirty }) =>
  when && text && !dirty ? `draft saved ${hour(when)} · ` : "";

function abandon(place, cancel) {
  forget(place);
  cancel();
}
