"""A node as the page sees it, for states that a real one shows too seldom or too briefly.

It serves the real page with the real headers and answers the calls from a small board in memory.
Tests change that board, its status and its answers, say events, and let it die and come back.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from inspect import isawaitable
from types import TracebackType
from typing import Any, Self

from aiohttp import WSMsgType, web

from tests.needs import ROOT
from trayapp.api.server import CONTENT_SECURITY_POLICY
from trayapp.forum import prose

UI = ROOT / "ui"
_TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}

Json = dict[str, Any]


class Refused(Exception):
    """What the node says no with."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def id_of(name: str) -> str:
    """An id of 64 hex digits for a name that a test gives."""
    return hashlib.sha256(name.encode()).hexdigest()


def person(name: str, colour: int = 1) -> Json:
    """Somebody, with a key of their own."""
    device = id_of(f"device/{name}/{colour}")
    return {"device": device, "name": name, "tag": device[:4], "colour": colour}


ME = person("cy", 3)
ADA = person("ada", 1)


class FakeBoard:
    """Subnets, threads and posts as JSON, and the calls on them."""

    def __init__(self) -> None:
        self.subnets: list[Json] = []
        self.heads: dict[str, Json] = {}
        self.posts: dict[str, list[Json]] = {}
        self.people: list[Json] = [ADA, ME]
        self.drafts: dict[str, Json] = {}
        self.read_marks: dict[str, str] = {}
        self.status: Json = {
            "device": ME["device"],
            "nick": ME["name"],
            "short": "ABCD-EFGH-IJKL-MNOP-QRST-UVWX-YZ23-4567",
            "network": {"id": id_of("network"), "name": "Allotment"},
            "operations": 12,
            "digest": {"0": "00", "1": "11"},
            "peers": [],
            "sync": {"state": "synced", "done": 0, "total": 0, "problem": ""},
            "listening": ["wss://192.168.1.7:47311#" + "ab" * 32],
            "me": ME,
        }

    def add_subnet(self, title: str, text: str = "") -> str:
        """A new subnet; returns its id."""
        subnet = id_of(f"subnet/{title}")
        self.subnets.append(
            {"id": subnet, "title": title, "text": text, "threads": 0, "unread": 0, "mine": True}
        )
        return subnet

    def add_thread(self, subnet: str, title: str, text: str, author: Json = ADA) -> str:
        """A new thread with its opening post; returns its id."""
        thread = id_of(f"thread/{title}")
        self.heads[thread] = {"id": thread, "subnet": subnet, "title": title}
        self.posts[thread] = []
        self.add_post(thread, text, author, post=thread, title=title)
        return thread

    def add_post(self, thread: str, text: str, author: Json = ADA, **more: Any) -> str:
        """Another post; `more` are fields of it. Returns its id."""
        number = len(self.posts[thread]) + 1
        post = more.pop("post", None) or id_of(f"post/{thread}/{number}")
        self.posts[thread].append(
            {
                "id": post,
                "number": number,
                "re": None,
                "author": author,
                "mine": author is ME,
                "time": int(time.time() * 1000) - 1000 * (1000 - number),
                "text": text,
                "title": None,
                "html": prose.render(text),
                "edited": False,
                "deleted": False,
                "conflict": False,
                "versions": [],
                "source": None,
                "reactions": [],
                "delivered": 0,
                "read": author is ME,
            }
            | more
        )
        return str(post)

    def post(self, wanted: str) -> Json:
        """A post, to be looked at or changed."""
        for posts in self.posts.values():
            for post in posts:
                if post["id"] == wanted:
                    return post
        raise Refused("not_found", "There is no such post here.")

    def call_status(self) -> Json:
        return self.status

    def call_subnets(self) -> Json:
        return {"subnets": self.subnets}

    def call_people(self) -> Json:
        return {"people": self.people}

    def call_drafts(self) -> Json:
        return {"drafts": list(self.drafts.values())}

    def call_save_draft(self, place: str, text: str, title: str = "") -> Json:
        self.drafts.pop(place, None)
        if title or text:
            now = int(time.time() * 1000)
            self.drafts[place] = {"place": place, "title": title, "text": text, "saved": now}
        return {}

    def call_threads(
        self, subnet: str | None = None, limit: int = 50, before: str | None = None
    ) -> Json:
        rows = [self._row(t) for t in self.heads if subnet in (None, self.heads[t]["subnet"])]
        rows.sort(key=lambda row: -row["last"])
        start = 1 + [row["id"] for row in rows].index(before) if before else 0
        return {"threads": rows[start : start + limit], "more": len(rows) > start + limit}

    def call_read(
        self,
        thread: str,
        limit: int = 200,
        after: str | None = None,
        before: str | None = None,
        around: str | None = None,
        last: bool = False,
    ) -> Json:
        if thread not in self.posts:
            raise Refused("not_found", f"There is no thread {thread[:16]} here.")
        posts = self.posts[thread]
        place = {post["id"]: i for i, post in enumerate(posts)}
        start = 0
        if after:
            start = place[after] + 1
        elif before:
            start, limit = max(0, place[before] - limit), min(limit, place[before])
        elif around:
            start = max(0, place[around] - limit // 2)
        elif last:
            start = max(0, len(posts) - limit)
        shown = posts[start : start + limit]
        unread = next((post["id"] for post in posts if not post["read"]), None)
        subnet = next(s for s in self.subnets if s["id"] == self.heads[thread]["subnet"])
        counts = {"total": len(posts), "first_unread": unread, "subnet_title": subnet["title"]}
        return {
            "thread": self.heads[thread] | counts,
            "posts": shown,
            "more_before": start > 0,
            "more_after": start + len(shown) < len(posts),
        }

    def call_publish_reply(self, thread: str, text: str, re: str | None = None) -> Json:
        return {"id": self.add_post(thread, text, ME, re=re), "thread": thread}

    def call_edit(self, post: str, text: str, title: str | None = None) -> Json:
        changed = {"text": text, "html": prose.render(text), "edited": True}
        self.post(post).update(changed | {"conflict": False, "versions": []})
        return {"id": id_of(f"edit/{post}/{text}")}

    def call_delete(self, post: str) -> Json:
        self.post(post).update(deleted=True, text="", html="")
        return {"id": id_of(f"delete/{post}")}

    def call_mark_read(self, thread: str, post: str) -> Json:
        self.read_marks[thread] = post
        for one in self.posts[thread][: self.post(post)["number"]]:
            one["read"] = True
        return {}

    def call_on_screen(self, thread: str | None = None) -> Json:
        return {}

    def call_preview(self, text: str) -> Json:
        return {"html": prose.render(text)}

    def call_invite(self, bare: bool = False) -> Json:
        return {"link": "brothernet://join#" + ("bare" if bare else "with-addresses")}

    def call_check_link(self, link: str) -> Json:
        if not link.startswith("brothernet://join#"):
            raise Refused("invalid_invite", "This is no invite link to a forum.")
        return {"name": "Allotment"}

    def _row(self, thread: str) -> Json:
        posts = self.posts[thread]
        return self.heads[thread] | {
            "author": posts[0]["author"],
            "source_author": None,
            "replies": len(posts) - 1,
            "unread": sum(not post["read"] for post in posts),
            "last": posts[-1]["time"],
            "last_author": posts[-1]["author"]["name"],
            "created": posts[0]["time"],
        }


class FakeNode:
    """`async with FakeNode() as node`: the board behind an address on loopback."""

    def __init__(self) -> None:
        self.board = FakeBoard()
        self.answers: dict[str, Callable[..., Any]] = {}
        """Calls a test answers itself, at once or by a coroutine."""
        self.called: list[tuple[str, Json]] = []
        self.knows_the_page = True
        self.began: list[int | None] = []
        """The `since` of each socket, in order."""
        self._seq = 1000
        self._port = 0
        self._sockets: set[web.WebSocketResponse] = set()
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stop()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    async def start(self) -> None:
        """Serve; on the same port as before when it was stopped."""
        application = web.Application()
        application.router.add_get("/socket", self._talk)
        application.router.add_get("/{path:.*}", self._file)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port, reuse_address=True).start()
        self._port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Die, as a node does that was killed."""
        for socket in list(self._sockets):
            await socket.close()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def say(self, event: str, **data: Any) -> None:
        """Tell every page of an event."""
        self._seq += 1
        for socket in list(self._sockets):
            await socket.send_json({"seq": self._seq, "event": event, "data": data})

    async def arrive(self, thread: str, text: str, author: Json = ADA, **more: Any) -> str:
        """A post comes from another machine."""
        post = self.board.add_post(thread, text, author, **more)
        subnet = self.board.heads[thread]["subnet"]
        await self.say("reply_arrived", post=post, thread=thread, subnet=subnet, by_me=author is ME)
        return post

    async def change_status(self, **changes: Any) -> None:
        """The status is another from now on."""
        self.board.status = self.board.status | changes
        await self.say("status_changed", status=self.board.status)

    def calls(self, name: str) -> list[Json]:
        """The arguments of every call of this name."""
        return [args for called, args in self.called if called == name]

    async def _file(self, request: web.Request) -> web.StreamResponse:
        if not self.knows_the_page:
            return web.Response(status=401)
        path = UI / (request.match_info["path"] or "index.html")
        if not path.is_file():
            return web.Response(status=404)
        headers = {"Content-Security-Policy": CONTENT_SECURITY_POLICY, "Cache-Control": "no-store"}
        if path.suffix in _TYPES:
            headers["Content-Type"] = _TYPES[path.suffix]
        return web.FileResponse(path, headers=headers)

    async def _talk(self, request: web.Request) -> web.StreamResponse:
        if not self.knows_the_page:
            return web.Response(status=401)
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self._sockets.add(socket)
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                await self._hear(socket, message.json())
        self._sockets.discard(socket)
        return socket

    async def _hear(self, socket: web.WebSocketResponse, said: Json) -> None:
        if "since" in said:
            self.began.append(said["since"])
            return
        name, args = said["call"], said["args"]
        self.called.append((name, args))
        answer = self.answers.get(name) or getattr(self.board, f"call_{name}")
        try:
            result = answer(**args)
            result = await result if isawaitable(result) else result
            await socket.send_json({"id": said["id"], "result": result})
        except Refused as refusal:
            error = {"code": refusal.code, "message": str(refusal)}
            await socket.send_json({"id": said["id"], "error": error})
