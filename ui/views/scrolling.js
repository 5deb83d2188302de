// Going to a post, and staying at it while posts come above and below.

/** What was at the top of the pane before posts changed, and where it stood. */
const places = new WeakMap();

/** Go to a post, the rule, the start or the end. Called when the wish changes.
 * @param {HTMLElement} scroller @param {{to: string, turn: number, focus: boolean}} wish */
export function landOn(scroller, { to, focus }) {
  if (!to) return;
  if (to === "start") scroller.scrollTop = 0;
  else if (to === "end") goTo(scroller, () => scroller.querySelector("article:last-of-type"), "end", focus);
  else goTo(scroller, () => document.getElementById(to === "rule" ? "rule" : `p-${to}`), "start", focus);
}

/** Bring an element into view, twice: the first jump renders what lies between (`content-visibility`),
 * and WebKit lands beside it until it knows the heights. */
function goTo(scroller, find, wanted, focus = false) {
  const jump = () => {
    // What is higher than the pane is read from its start.
    const block = find()?.offsetHeight > scroller.clientHeight ? "start" : wanted;
    find()?.scrollIntoView({ block });
  };
  jump();
  if (focus) find()?.focus({ preventScroll: true });
  requestAnimationFrame(() =>
    requestAnimationFrame(() => {
      jump();
      notePlace(scroller);
    }),
  );
}

/** After the posts changed: put what was at the top of the pane back to where it stood.
 * @param {HTMLElement} scroller */
export function keepPlace(scroller) {
  const place = places.get(scroller);
  if (place?.element.isConnected) {
    const moved = place.element.getBoundingClientRect().top - place.top;
    if (Math.abs(moved) >= 1) scroller.scrollTop += moved;
  }
  if (place) return undefined;
  // The first time: from now on, note the place whenever it settles.
  const note = () => notePlace(scroller);
  scroller.addEventListener("scroll", note, { passive: true });
  notePlace(scroller);
  return undefined;
}

function notePlace(scroller) {
  const { top } = scroller.getBoundingClientRect();
  const articles = scroller.querySelectorAll("article[data-post]");
  const element = firstBelow(articles, top);
  if (element) places.set(scroller, { element, top: element.getBoundingClientRect().top });
}

/** The first post whose lower edge is below a line; they lie in order, so halving finds it. */
function firstBelow(articles, line) {
  let low = 0;
  let high = articles.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (articles[middle].getBoundingClientRect().bottom > line) high = middle;
    else low = middle + 1;
  }
  return articles[low];
}

/** Do something when an element comes near the visible part of its scroller.
 * @param {HTMLElement} element @param {HTMLElement} scroller @param {() => void} load
 * @returns {() => void} stop */
export function whenNear(element, scroller, load) {
  const observer = new IntersectionObserver(
    (entries) => entries.some((entry) => entry.isIntersecting) && load(),
    { root: scroller, rootMargin: "800px 0px" },
  );
  observer.observe(element);
  return () => observer.disconnect();
}
