// What views are written with: Preact, htm and signals, under one roof.

import { h } from "./vendor/preact.js";
import htm from "./vendor/htm.js";

export { Fragment, render } from "./vendor/preact.js";
export {
  useEffect,
  useLayoutEffect,
  useRef,
  useState,
} from "./vendor/hooks.js";
export { batch, computed, effect, signal, untracked } from "./vendor/signals.js";

/** Tagged template: `html\`<p>${text}</p>\`` makes a Preact element; text stays text. */
export const html = htm.bind(h);
