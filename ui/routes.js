// Where one is, as the part of the address after `#`. Pure: text to route and back.

/**
 * @typedef {{name: "home"} | {name: "recent"} | {name: "peers"}
 *   | {name: "subnet", subnet: string} | {name: "compose", subnet: string}
 *   | {name: "thread", thread: string, post: string | null}
 *   | {name: "search", words: string} | {name: "imported", site: string, post: string}} Route
 */

/** The route a fragment stands for; home for one that stands for none.
 * @param {string} hash @returns {Route} */
export function parse(hash) {
  const parts = hash.replace(/^#?\/?/, "").split("/").map(decode);
  const [first, second, third, fourth] = parts;
  switch (first) {
    case "recent":
      return { name: "recent" };
    case "peers":
      return { name: "peers" };
    case "s":
      if (!second) return { name: "home" };
      return { name: third === "new" ? "compose" : "subnet", subnet: second };
    case "t":
      if (!second) return { name: "home" };
      return { name: "thread", thread: second, post: third === "p" && fourth ? fourth : null };
    case "search":
      return { name: "search", words: parts.slice(1).join("/") };
    case "i":
      return { name: "imported", site: second ?? "", post: parts.slice(2).join("/") };
    default:
      return { name: "home" };
  }
}

export const home = () => "#/";
export const recent = () => "#/recent";
export const peers = () => "#/peers";
/** @param {string} id */
export const subnet = (id) => `#/s/${id}`;
/** @param {string} id */
export const compose = (id) => `#/s/${id}/new`;
/** @param {string} id @param {string | null} [post] */
export const thread = (id, post = null) => (post ? `#/t/${id}/p/${post}` : `#/t/${id}`);
/** @param {string} words */
export const search = (words) => `#/search/${encodeURIComponent(words)}`;

function decode(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part; // a lone % in an address typed by hand
  }
}
