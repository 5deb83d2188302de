// Copying a text, also where the browser keeps its clipboard from pages.

import { toast } from "../toasts.js";

/** @param {string} text @param {string} said what a person reads then */
export async function copy(text, said) {
  if ((await byPermission(text)) || bySelection(text)) toast(said, "done");
  else toast("This window may not copy. Select the text and copy it by hand.");
}

async function byPermission(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}

function bySelection(text) {
  const field = document.createElement("textarea");
  field.value = text;
  field.className = "offstage";
  (document.querySelector("dialog[open]") ?? document.body).append(field);
  field.select();
  const done = document.execCommand("copy");
  field.remove();
  return done;
}
