// The one line to the node: calls with their answers, numbered events, and coming back by itself.

const RETRY_MS = [300, 700, 1500, 3000, 5000];
const GONE = "The node does not answer. Nothing you typed is lost.";

/** What the node (or its absence) said no with. `code` is stable, `message` is for a person. */
export class Refusal extends Error {
  /** @param {string} code @param {string} message */
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

export class Socket {
  /**
   * @param {string} url of the node's socket
   * @param {{opened: (first: boolean) => void, lost: () => void,
   *   event: (name: string, data: any) => void}} listener
   */
  constructor(url, listener) {
    this._url = url;
    this._listener = listener;
    this._waiting = new Map();
    this._callId = 0;
    this._seq = null;
    this._failures = 0;
    this._opened = 0;
    this._timer = 0;
    this._connect();
  }

  get isOpen() {
    return this._ws.readyState === WebSocket.OPEN;
  }

  /** Ask the node for something.
   * @param {string} name @param {object} [args] @returns {Promise<any>}
   * @throws {Refusal} the node's own sentence, or `node_gone` */
  call(name, args = {}) {
    if (!this.isOpen) {
      return Promise.reject(new Refusal("node_gone", GONE));
    }
    const id = ++this._callId;
    this._ws.send(JSON.stringify({ id, call: name, args }));
    return new Promise((resolve, reject) => this._waiting.set(id, { resolve, reject }));
  }

  /** Try at once instead of at the next moment of the back-off. */
  tryNow() {
    if (this._ws.readyState === WebSocket.CLOSED) this._connect();
  }

  _connect() {
    clearTimeout(this._timer);
    this._ws = new WebSocket(this._url);
    this._ws.onopen = () => this._open();
    this._ws.onmessage = (message) => this._receive(JSON.parse(message.data));
    this._ws.onclose = () => this._lose();
  }

  _open() {
    this._failures = 0;
    // Events since the last one seen come again, so that a lost line loses nothing.
    this._ws.send(JSON.stringify({ since: this._seq }));
    this._listener.opened(this._opened++ === 0);
  }

  _receive(message) {
    if ("event" in message) {
      this._seq = message.seq;
      this._listener.event(message.event, message.data);
      return;
    }
    const waiting = this._waiting.get(message.id);
    if (!waiting) return;
    this._waiting.delete(message.id);
    if (message.error) waiting.reject(new Refusal(message.error.code, message.error.message));
    else waiting.resolve(message.result);
  }

  _lose() {
    const waiting = [...this._waiting.values()];
    this._waiting.clear();
    for (const { reject } of waiting) reject(new Refusal("node_gone", GONE));
    const pause = RETRY_MS[Math.min(this._failures++, RETRY_MS.length - 1)];
    this._timer = setTimeout(() => this._connect(), pause);
    this._listener.lost();
  }
}
