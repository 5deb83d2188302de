// Short notices in the corner.

import { html } from "../html.js";
import { Icon } from "../elements/small.js";
import { toasts } from "../state.js";
import { dismiss } from "../toasts.js";

export const Toasts = () => html`
  <div class="toasts">
    ${toasts.value.map(({ id, text, tone }) => html`
      <div key=${id} class=${`toast ${tone}`} role=${tone === "error" ? "alert" : "status"}>
        <${Icon} name=${tone === "error" ? "circle-alert" : "check"} />
        <span>${text}</span>
        <button type="button" class="plain" aria-label="Dismiss" onClick=${() => dismiss(id)}>
          <${Icon} name="x" />
        </button>
      </div>
    `)}
  </div>
`;
