"""What faces read: views of the board, found by ids or their beginnings."""

from __future__ import annotations

from dataclasses import dataclass
from sqlite3 import Connection

from trayapp.events import ReadMarkMoved
from trayapp.forum.views import Draft, Person, SearchHit, SubnetView, ThreadPage, ThreadView
from trayapp.node.node import Node
from trayapp.store import board, page, places
from trayapp.store import drafts as drafts_of
from trayapp.store import people as people_of
from trayapp.store import search as index
from trayapp.store.operations import Sought, resolve
from trayapp.store.page import Stretch

MOST_AT_ONCE = 500


async def subnets(node: Node) -> list[SubnetView]:
    """All subnets, by title."""
    return await node.database.read(lambda conn: board.subnets(conn, node.identity.key))


async def threads(
    node: Node, subnet: str | None, limit: int, before: str | None
) -> tuple[list[ThreadView], bool]:
    """Threads of a subnet or of all, the one written in last first; whether there are more."""

    def look(conn: Connection) -> tuple[list[ThreadView], bool]:
        where = None if subnet is None else resolve(conn, subnet, Sought.SUBNET)
        last = None if before is None else resolve(conn, before, Sought.THREAD)
        return board.threads(conn, where, limit=_few(limit), before=last)

    return await node.database.read(look)


async def thread_id(node: Node, prefix: str) -> bytes:
    """The thread that an id or its beginning names."""
    return await node.database.read(lambda conn: resolve(conn, prefix, Sought.THREAD))


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which posts of a thread: the first ones, or those by one of these; posts by id or prefix."""

    limit: int = 200
    after: str | None = None
    before: str | None = None
    around: str | None = None
    last: bool = False


async def thread(node: Node, prefix: str, wanted: Wanted) -> ThreadPage:
    """A stretch of a thread's posts; what had to be rendered is kept for the next reader."""
    me = node.identity.key
    fresh: dict[int, str] = {}

    def look(conn: Connection) -> ThreadPage:
        which = resolve(conn, prefix, Sought.THREAD)

        def post(text: str | None) -> bytes | None:
            return None if text is None else resolve(conn, text, Sought.POST)

        stretch = Stretch(
            limit=_few(wanted.limit),
            after=post(wanted.after),
            before=post(wanted.before),
            around=post(wanted.around),
            last=wanted.last,
        )
        return page.thread_page(conn, me, which, stretch, fresh)

    shown = await node.database.read(look)
    if fresh:
        await node.database.write(lambda conn: page.keep_html(conn, fresh))
    return shown


async def search(node: Node, words: str, limit: int) -> list[SearchHit]:
    """The newest posts that hold all the words, also those that came in just now."""
    while await node.database.write(index.index_pending):
        pass
    return await node.database.read(lambda conn: index.search(conn, words, _few(limit)))


async def people(node: Node) -> list[Person]:
    """Everybody who said anything, by name."""
    return await node.database.read(people_of.people)


async def find_imported(node: Node, site: str, post: str) -> tuple[bytes, bytes]:
    """Where a post of another forum stands here: its id and its thread's."""
    return await node.database.read(lambda conn: board.find_imported(conn, site, post))


async def mark_read(node: Node, thread: str, post: str) -> None:
    """Note that a thread was read up to a post."""
    me = node.identity.key

    def move(conn: Connection) -> bytes | None:
        where = resolve(conn, thread, Sought.THREAD)
        moved = places.mark_read(conn, me, where, resolve(conn, post, Sought.POST))
        return where if moved else None

    if (moved := await node.database.write(move)) is not None:
        node.bus.emit(ReadMarkMoved(moved))


async def save_draft(node: Node, place: str, title: str, text: str) -> None:
    """Keep text being typed, or forget it when it is empty."""
    draft = Draft(place, title, text, node.now_ms())
    await node.database.write(lambda conn: drafts_of.save_draft(conn, draft))


async def drafts(node: Node) -> list[Draft]:
    """Everything that is being typed, the latest first."""
    return await node.database.read(drafts_of.drafts)


def _few(limit: int) -> int:
    return max(1, min(limit, MOST_AT_ONCE))
