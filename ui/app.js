// Where the page begins: the line to the node, the address, and what an event sets in motion.

import { effect, html, render, untracked } from "./html.js";
import * as board from "./board.js";
import { call, connect, sentence } from "./calls.js";
import { loadDrafts, saveAll } from "./drafts.js";
import { guardLinks } from "./elements/prose.js";
import { loadIcons } from "./elements/small.js";
import { listenToKeys } from "./keys.js";
import { deleteNow } from "./posts.js";
import { parse, thread as threadRoute } from "./routes.js";
import * as state from "./state.js";
import * as thread from "./thread.js";
import { toast } from "./toasts.js";
import { Shell } from "./views/shell.js";

function start() {
  render(html`<${Shell} />`, document.getElementById("page"));
  addEventListener("hashchange", () => (state.route.value = parse(location.hash)));
  addEventListener("pagehide", () => {
    saveAll();
    deleteNow();
  });
  for (const name of ["focus", "blur"]) addEventListener(name, tellOnScreen);
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) saveAll();
    tellOnScreen();
  });
  loadIcons(document);
  guardLinks(document);
  listenToKeys(document);
  keepTime();
  connect({ opened, event });
  effect(() => void enter(state.networkId.value));
  effect(() => void follow(state.route.value, state.networkId.value));
  effect(() => void (document.title = title()));
}

/** The line stands: for the first time, or again after a break in which anything may have changed. */
async function opened(first) {
  try {
    const known = state.networkId.value;
    await board.readStatus();
    if (first || !known) return; // a forum that comes into sight is entered by itself
    await Promise.all([readAll(), loadDrafts()]);
    follow(state.route.value, known); // it may have failed meanwhile
    tellOnScreen();
  } catch (error) {
    toast(sentence(error));
  }
}

/** There is a forum: at the start, or since it was started or joined just now. */
function enter(network) {
  if (!network) return;
  untracked(() => Promise.all([readAll(), loadDrafts()])).catch((error) => toast(sentence(error)));
}

function readAll() {
  const reading = [board.readSubnets(), board.readPeople()];
  if (state.list.value.rows) reading.push(board.readList());
  if (state.open.value?.posts) reading.push(thread.reread());
  return Promise.all(reading);
}

/** Bring the panes to where the address points. */
function follow(route, network) {
  if (!network) return;
  untracked(() => PANES[route.name](route)).catch((error) => toast(sentence(error)));
}

const PANES = {
  home: () => showList({ kind: "recent" }),
  recent: () => showList({ kind: "recent" }),
  subnet: ({ subnet }) => showList({ kind: "subnet", id: subnet }),
  compose: ({ subnet }) => showList({ kind: "subnet", id: subnet }),
  search: ({ words }) => showList({ kind: "search", words }),
  peers: async () => leaveThread(),
  async imported({ site, post }) {
    const found = await call("find_imported", { site, post });
    location.replace(threadRoute(found.thread, found.id));
  },
  async thread(route) {
    const before = state.list.value;
    await thread.openThread(route.thread, route.post);
    tellOnScreen();
    const { subnet } = state.open.value?.head ?? {};
    const { place } = before;
    const strange = place.kind === "subnet" && subnet && place.id !== subnet;
    if (before.rows === null && subnet) await board.showList({ kind: "subnet", id: subnet });
    else if (strange) await board.showList({ kind: "subnet", id: subnet });
  },
};

async function showList(place) {
  leaveThread();
  await board.showList(place);
}

function leaveThread() {
  thread.closeThread();
  tellOnScreen();
}

/** Notices are not raised for what a person is looking at. */
function tellOnScreen() {
  if (state.connection.value !== "open") return;
  const looking = !document.hidden && document.hasFocus();
  const shown = looking ? (state.open.value?.id ?? null) : null;
  call("on_screen", { thread: shown }).catch(() => {});
}

const everythingLater = board.calmly(async () => {
  await Promise.all([board.readStatus(), readAll()]);
});

function event(name, data) {
  (EVENTS[name] ?? (() => {}))(data);
}

const EVENTS = {
  missed: everythingLater,
  board_changed: everythingLater,
  forum_opened: board.statusLater,
  subnet_changed: board.subnetsLater,
  thread_changed() {
    board.subnetsLater();
    board.listLater();
  },
  reply_arrived(data) {
    board.subnetsLater();
    board.listLater();
    if (data.thread !== state.open.value?.id) return;
    if (!data.by_me) thread.noteArrived(data.post);
    thread.catchUpLater();
  },
  post_changed(data) {
    if (data.thread === state.open.value?.id) thread.refreshPost(data.post).catch(() => {});
  },
  person_changed() {
    everythingLater();
    board.peopleLater();
  },
  read_mark_moved() {
    board.subnetsLater();
    board.listLater();
  },
  peers_changed: board.statusLater,
  status_changed(data) {
    if (data.status) state.status.value = { ...state.status.value, ...data.status };
    else board.statusLater();
  },
  import_progress: (data) => (state.importing.value = data.done < data.total ? data : null),
  show_page(data) {
    // The address is there already (nothing else moves a page to where it is): go to the post.
    if (`#${data.path}` === location.hash && state.route.value.post) {
      thread.land(state.route.value.post, true);
    }
  },
};

function title() {
  const { unread, open, network } = state;
  const parts = [open.value?.head?.title, network.value?.name, "Brothernet"].filter(Boolean);
  return `${unread.value ? `(${unread.value}) ` : ""}${parts.slice(0, 2).join(" · ")}`;
}

function keepTime() {
  const tick = () => {
    state.minute.value = Date.now();
    setTimeout(tick, 60_000 - (Date.now() % 60_000));
  };
  setTimeout(tick, 60_000 - (Date.now() % 60_000));
}

start();
