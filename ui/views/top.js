// The bar on top: the name of the forum, the search, the keys.

import { html, useEffect, useRef, useState } from "../html.js";
import { Icon } from "../elements/small.js";
import * as routes from "../routes.js";
import { dialog, network, route } from "../state.js";

const PAUSE_MS = 150;

export const Top = () => html`
  <header class="top">
    <a class="brand" href=${routes.home()} title="Brothernet"><b>##</b>brothernet</a>
    <span class="forum mono muted">${network.value.name}</span>
    <${Search} />
    <span class="gap" />
    <button type="button" class="plain keys" aria-label="Keys" title="Keys (?)"
      onClick=${() => (dialog.value = { name: "keys" })}><${Icon} name="keyboard" /></button>
  </header>
`;

/** Hits appear while one types; the address follows, so that Back leads out of the search. */
function Search() {
  const current = route.value.name === "search" ? route.value.words : "";
  const [words, setWords] = useState(current);
  const timer = useRef(0);
  useEffect(() => {
    if (route.value.name !== "search") setWords("");
    else if (document.activeElement?.id !== "search") setWords(current);
  }, [route.value]);
  const go = (typed) => {
    clearTimeout(timer.current);
    const address = routes.search(typed);
    if (route.value.name === "search") location.replace(address);
    else location.hash = address;
  };
  const typed = (event) => {
    const { value } = event.currentTarget;
    setWords(value);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => go(value), PAUSE_MS);
  };
  const submit = (event) => {
    event.preventDefault();
    go(words);
  };
  return html`
    <form class="search" role="search" onSubmit=${submit}>
      <${Icon} name="search" />
      <input id="search" type="search" autocomplete="off" spellcheck=${false}
        aria-label="Search posts" placeholder="Search posts" value=${words}
        onInput=${typed} onFocus=${() => route.value.name === "search" || words === "" || go(words)} />
      <kbd aria-hidden="true">/</kbd>
    </form>
  `;
}
