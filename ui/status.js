// How the node is doing, in the words of the status line. Pure: status in, words out.

import { number } from "./words.js";

/** How a peer was found, in a word of the status line. */
const PATHS = { tailnet: "tail", file: "added", inbound: "came" };

/** The peers that a link stands to. @param {object[]} peers */
export const linked = (peers) =>
  (peers ?? []).filter(({ state }) => state === "connected" || state === "syncing");

/** `lan 3, tail 2`: how the linked peers were found. @param {object[]} peers */
export function paths(peers) {
  const seen = new Map();
  for (const { path } of linked(peers)) seen.set(path, (seen.get(path) ?? 0) + 1);
  return [...seen].map(([path, times]) => `${PATHS[path] ?? path} ${times}`).join(", ");
}

/** The word (or sentence) for the state of syncing, and how it is meant.
 * @param {{state: string, done: number, total: number, problem: string}} sync
 * @returns {{text: string, tone: "good" | "busy" | "quiet" | "bad"}} */
export function syncWord(sync) {
  switch (sync.state) {
    case "synced":
      return { text: "in sync", tone: "good" };
    case "syncing":
      return { text: `syncing ${progress(sync)}`.trim(), tone: "busy" };
    case "connecting":
      return { text: "connecting", tone: "busy" };
    case "attention":
      return { text: sync.problem || "needs attention", tone: "bad" };
    default:
      return { text: "offline", tone: "quiet" };
  }
}

/** `412 / 1,280`, or nothing before a total is known. */
export const progress = ({ done, total }) =>
  total > 0 ? `${number(done)} / ${number(total)}` : "";
