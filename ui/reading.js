// What counts as read: a post that was on screen for a second in a window a person looks at.

const LOOK_MS = 1000;

/** Watches the posts in a scroller; tells the last one that was looked at. */
export class Reading {
  /** @param {HTMLElement} scroller @param {(post: {id: string, number: number}) => void} read */
  constructor(scroller, read) {
    this._read = read;
    this._shown = new Map();
    // Half of it, or as much of a long one as fills half the pane.
    const steps = Array.from({ length: 21 }, (_, i) => i / 20);
    this._observer = new IntersectionObserver((entries) => entries.forEach((e) => this._see(e)), {
      root: scroller,
      threshold: steps,
    });
    this._again = () => this._restart();
    addEventListener("focus", this._again);
    document.addEventListener("visibilitychange", this._again);
  }

  /** Take in posts that are new in the scroller. @param {HTMLElement} scroller */
  watch(scroller) {
    for (const article of scroller.querySelectorAll("article[data-post]:not([data-watched])")) {
      article.dataset.watched = "";
      this._observer.observe(article);
    }
  }

  stop() {
    this._observer.disconnect();
    for (const timer of this._shown.values()) clearTimeout(timer);
    removeEventListener("focus", this._again);
    document.removeEventListener("visibilitychange", this._again);
  }

  _see({ target, intersectionRatio, intersectionRect, rootBounds }) {
    const enough =
      intersectionRatio >= 0.5 || intersectionRect.height >= (rootBounds?.height ?? Infinity) / 2;
    if (enough && !this._shown.has(target)) this._shown.set(target, this._timer(target));
    if (!enough) {
      clearTimeout(this._shown.get(target));
      this._shown.delete(target);
    }
  }

  _restart() {
    for (const [target, timer] of this._shown) {
      clearTimeout(timer);
      this._shown.set(target, this._timer(target));
    }
  }

  _timer(target) {
    return setTimeout(() => {
      if (document.hidden || !document.hasFocus()) return;
      this._read({ id: target.dataset.post, number: Number(target.dataset.number) });
    }, LOOK_MS);
  }
}
