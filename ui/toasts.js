// Short notices: what went wrong, what was copied. They leave by themselves; errors stay longer.

import { toasts } from "./state.js";

let lastId = 0;

/** @param {string} text a sentence @param {"error" | "done"} [tone] */
export function toast(text, tone = "error") {
  if (toasts.value.some((one) => one.text === text)) return;
  const id = ++lastId;
  toasts.value = [...toasts.value, { id, text, tone }];
  setTimeout(() => dismiss(id), tone === "error" ? 10_000 : 3_000);
}

/** @param {number} id */
export function dismiss(id) {
  toasts.value = toasts.value.filter((one) => one.id !== id);
}
