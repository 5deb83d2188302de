// A dialog over the page. The browser keeps the focus in it and gives it back to the caller.

import { html, useLayoutEffect, useRef } from "../html.js";
import { dialog } from "../state.js";
import { Icon } from "./small.js";

/** @param {{title: string, children: any, wide?: boolean}} props */
export function Dialog({ title, children, wide = false }) {
  const element = useRef(null);
  useLayoutEffect(() => element.current.showModal(), []);
  return html`
    <dialog ref=${element} class=${wide ? "wide" : ""} aria-labelledby="dialog-title"
      onClose=${() => (dialog.value = null)}>
      <div class="bar">
        <h2 id="dialog-title">${title}</h2>
        <span class="gap" />
        <button type="button" class="plain" aria-label="Close" onClick=${closeDialog}>
          <${Icon} name="x" />
        </button>
      </div>
      <div class="inside">${children}</div>
    </dialog>
  `;
}

/** Close whatever dialog is open; its caller has the focus again. */
export function closeDialog() {
  document.querySelector("dialog[open]")?.close();
}
