// The one place that takes HTML, and only what the node made (forum/prose.py: one sanitiser for
// every face). Also the guard that keeps every link from leading this window away.

import { html, useEffect, useRef } from "../html.js";

const OUTSIDE = new Set(["http:", "https:", "mailto:"]);

/** A post as the node rendered it. @param {{made: string}} props */
export function Prose({ made }) {
  const element = useRef(null);
  useEffect(() => letKeysScroll(element.current), [made]);
  return html`<div ref=${element} class="prose" dangerouslySetInnerHTML=${{ __html: made }} />`;
}

/** What is wider than the post can be scrolled by keyboard only when it can have the focus. */
function letKeysScroll(prose) {
  for (const wide of prose.querySelectorAll("pre, table")) {
    if (wide.scrollWidth > wide.clientWidth || wide.scrollHeight > wide.clientHeight) {
      wide.tabIndex = 0;
    }
  }
}

/** Open foreign links outside, whatever the link itself says. @param {Document} page */
export function guardLinks(page) {
  // In the capture phase, so that nothing between can hide a click from it.
  for (const name of ["click", "auxclick"]) page.addEventListener(name, guard, true);
  // A file dropped on the page would replace it.
  for (const name of ["dragover", "drop"]) page.addEventListener(name, refuse);
}

/** @param {MouseEvent} event */
function guard(event) {
  const link = event.target instanceof Element ? event.target.closest("a[href]") : null;
  if (!link) return;
  const url = new URL(link.href, location.href);
  if (url.origin === location.origin) {
    if (url.pathname !== location.pathname) event.preventDefault(); // no page of ours
  } else if (OUTSIDE.has(url.protocol)) {
    // What happens by default now is a new window, which the system's browser takes (a web view
    // ignores window.open, but not this).
    link.target = "_blank";
    link.rel = "noopener noreferrer";
  } else {
    event.preventDefault();
  }
}

/** @param {DragEvent} event */
function refuse(event) {
  if (event.dataTransfer?.types.includes("Files")) event.preventDefault();
}
