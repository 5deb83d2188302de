// Across the whole window: the node is gone, or does not know this page any more.

import { html } from "../html.js";
import { tryNow } from "../calls.js";
import { Icon } from "../elements/small.js";
import { connection } from "../state.js";

export function Banner() {
  if (connection.value === "lost") {
    return html`
      <div class="banner" role="alert">
        <${Icon} name="triangle-alert" />
        <span>The node stopped. What you typed is kept.</span>
        <button type="button" class="plain" onClick=${tryNow}>Try again</button>
      </div>
    `;
  }
  if (connection.value === "refused") {
    return html`
      <div class="banner" role="alert">
        <${Icon} name="triangle-alert" />
        <span>Brothernet was started anew and does not know this window any more.
          Open the forum again from the tray, or with <code>brothernet window</code>.</span>
      </div>
    `;
  }
  return null;
}
