// The page's one socket: `call` for everybody, and the word on whether the node is there.

import { Refusal, Socket } from "./socket.js";
import { connection } from "./state.js";

const BLINK_MS = 400;

/** @type {Socket} */
let socket;

/** Open the line.
 * @param {{opened: (first: boolean) => void, event: (name: string, data: any) => void}} listener */
export function connect(listener) {
  socket = new Socket(`ws://${location.host}/socket`, {
    opened: (first) => {
      connection.value = "open";
      listener.opened(first);
    },
    // A blink is no news: the banner waits a moment.
    lost: () => setTimeout(sayLost, BLINK_MS),
    event: listener.event,
  });
}

/** Ask the node. @param {string} name @param {object} [args] @returns {Promise<any>} */
export const call = (name, args) => socket.call(name, args);

export const tryNow = () => socket.tryNow();

/** A sentence for whatever a call threw. A bug of ours is not dressed up as the node's word. */
export function sentence(error) {
  if (error instanceof Refusal) return error.message;
  console.error(error);
  return "Something in this window failed. Reloading it may help; your drafts are kept.";
}

/** No node at all, or one that was started anew and does not know this page's cookie? */
async function sayLost() {
  if (socket.isOpen) return;
  const known = await isKnown();
  if (!socket.isOpen) connection.value = known ? "lost" : "refused";
}

async function isKnown() {
  try {
    const answer = await fetch("/", { cache: "no-store" });
    return answer.status !== 401 && answer.status !== 403;
  } catch {
    return true; // nobody there at all
  }
}
