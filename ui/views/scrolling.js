// Going to a post, and staying at it while posts come above and below and heights become known.
//
// Web views differ in whether they hold the place by themselves (`overflow-anchor`), so the style
// sheet switches that off and it is done here, for all of them alike.

const TRIES = 4;

/** What is at the top of a pane: the element, where it stands, and how far the pane was scrolled. */
const places = new WeakMap();

/** Hold what is at the top of the pane in its place until `stop` is called.
 * @param {HTMLElement} scroller with one child that holds everything @returns {() => void} stop */
export function holdPlace(scroller) {
  const scrolled = () => restore(scroller, false);
  scroller.addEventListener("scroll", scrolled, { passive: true });
  const observer = new ResizeObserver((entries) =>
    restore(scroller, entries.some(({ target }) => target === scroller)),
  );
  observer.observe(scroller);
  observer.observe(scroller.firstElementChild);
  notePlace(scroller);
  return () => {
    observer.disconnect();
    scroller.removeEventListener("scroll", scrolled);
  };
}

/** Go to a post, the rule, the start or the end. Called when the wish changes.
 * @param {HTMLElement} scroller @param {{to: string, turn: number, focus: boolean}} wish */
export function landOn(scroller, { to, focus }) {
  if (!to) return;
  if (to === "start") scroller.scrollTop = 0;
  else if (to === "end") goTo(scroller, () => scroller.querySelector("article:last-of-type"), "end", focus);
  else goTo(scroller, () => document.getElementById(to === "rule" ? "rule" : `p-${to}`), "start", focus);
}

/** Bring an element into view, and again two frames later until it stays: each jump renders what
 * lies there (`content-visibility`), and a web view lands beside it until it knows the heights. */
function goTo(scroller, find, wanted, focus) {
  const jump = () => {
    // What is higher than the pane is read from its start.
    const block = find()?.offsetHeight > scroller.clientHeight ? "start" : wanted;
    find()?.scrollIntoView({ block });
    notePlace(scroller);
  };
  jump();
  if (focus) find()?.focus({ preventScroll: true });
  const hands = new AbortController(); // whoever takes hold of the pane goes where they like
  for (const name of ["wheel", "pointerdown", "keydown"]) {
    addEventListener(name, () => hands.abort(), { once: true, capture: true, signal: hands.signal });
  }
  scroller.ariaBusy = "true";
  settle(scroller, jump, hands, TRIES);
}

function settle(scroller, jump, hands, tries) {
  const before = scroller.scrollTop;
  requestAnimationFrame(() =>
    requestAnimationFrame(() => {
      if (!hands.signal.aborted) jump();
      const moved = Math.abs(scroller.scrollTop - before) >= 1;
      const more = !hands.signal.aborted && (tries === TRIES || (moved && tries > 0));
      if (more) return settle(scroller, jump, hands, tries - 1);
      hands.abort();
      scroller.ariaBusy = null;
      return undefined;
    }),
  );
}

/** Something moved: undo what did not come of scrolling, and note where one is now.
 * @param {HTMLElement} scroller @param {boolean} resized the pane itself, not what is in it */
function restore(scroller, resized) {
  const place = places.get(scroller);
  if (place?.element.isConnected) {
    const byHand = scroller.scrollTop - place.scrolled;
    const moved = topOf(place.element) - topOf(scroller) - place.top;
    if (resized && place.atEnd) scroller.scrollTop = scroller.scrollHeight;
    else if (Math.abs(moved + byHand) >= 1) scroller.scrollTop += moved + byHand;
  }
  notePlace(scroller);
}

function notePlace(scroller) {
  const line = topOf(scroller);
  const element = firstBelow(scroller.getElementsByTagName("article"), line);
  if (!element) return;
  const { scrollTop, scrollHeight, clientHeight } = scroller;
  places.set(scroller, {
    element,
    top: topOf(element) - line,
    scrolled: scrollTop,
    atEnd: scrollTop > 0 && scrollTop + clientHeight >= scrollHeight - 2,
  });
}

const topOf = (element) => element.getBoundingClientRect().top;

/** The first post whose lower edge is below a line; they lie in order, so halving finds it. */
function firstBelow(articles, line) {
  let low = 0;
  let high = articles.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (articles[middle].getBoundingClientRect().bottom > line + 1) high = middle;
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
