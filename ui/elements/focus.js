// Where the keyboard goes: into a composer, along rows and posts, from pane to pane.

/** Put the cursor into the composer of a place, behind what is there. @param {string} place */
export function focusComposer(place) {
  const text = document.querySelector(`[data-composer="${place}"] textarea`);
  text?.focus({ preventScroll: true });
  text?.setSelectionRange(text.value.length, text.value.length);
}

/** The rows of the list, or the posts of the thread: whichever pane one is in.
 * @returns {HTMLElement[]} */
export function rowsHere() {
  const list = document.querySelector(".list");
  const posts = [...document.querySelectorAll("main article")];
  const inList = list?.contains(document.activeElement) && isShown(list);
  return inList || posts.length === 0 ? [...document.querySelectorAll(".list a.t")] : posts;
}

/** Go to the next row, or the one before. @param {1 | -1} step */
export function step(step) {
  const rows = rowsHere();
  const at = rows.indexOf(document.activeElement?.closest?.("a.t, article"));
  focusRow(rows[at < 0 ? firstInView(rows) : Math.min(rows.length - 1, Math.max(0, at + step))]);
}

/** The first or the last row. @param {"first" | "last"} which */
export function toRow(which) {
  focusRow(rowsHere().at(which === "first" ? 0 : -1));
}

/** The post one is at, by its id: the one with the focus, or the first in view. */
export function postHere() {
  const here = document.activeElement?.closest?.("article");
  if (here) return here.dataset.post;
  const posts = [...document.querySelectorAll("main article")];
  return posts[firstInView(posts)]?.dataset.post;
}

/** Go round the panes that are shown. @param {1 | -1} step */
export function nextPane(step) {
  const panes = [...document.querySelectorAll(".shell > nav, .shell > .list, .shell > main")];
  const shown = panes.filter(isShown);
  const at = shown.findIndex((pane) => pane.contains(document.activeElement));
  shown[(at + step + shown.length) % shown.length]?.focus();
}

function focusRow(row) {
  row?.focus({ preventScroll: true });
  row?.scrollIntoView({ block: "nearest" });
}

function firstInView(rows) {
  const pane = rows[0]?.closest("[data-scroll]")?.getBoundingClientRect();
  const at = rows.findIndex((row) => row.getBoundingClientRect().top >= (pane?.top ?? 0) - 1);
  return Math.max(0, at);
}

const isShown = (element) => element.getClientRects().length > 0;
