"""The one list of what a face may ask: call name → what the node does.

Each call takes its arguments by name, checked against the types written here; its result is a
JSON object. Ids may be given by their first eight digits or more.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

import msgspec

from trayapp.api import json_shapes as shapes
from trayapp.api.json_shapes import Json
from trayapp.errors import TrayAppError
from trayapp.forum import prose
from trayapp.forum.network import read_invite
from trayapp.node import addressing, founding, importing, publishing, pulse, reading
from trayapp.node.audience import Visitor
from trayapp.node.node import Node
from trayapp.node.publishing import Said
from trayapp.node.reading import Wanted


class BadCall(TrayAppError):
    """No such call, or arguments that it does not take."""

    code = "bad_call"


@dataclass(frozen=True, slots=True)
class House:
    """What a call has to hand: the node, who asks, and the server itself."""

    node: Node
    visitor: Visitor
    page_address: Callable[[str], str]
    stop: Callable[[], None]


async def answer(house: House, call: str, args: Json) -> Json:
    """Make a call.

    Raises:
        TrayAppError: it is refused; BadCall when it was none.
    """
    function = CALLS.get(call)
    if function is None:
        raise BadCall(f"There is no call {call!r}.")
    checked = _checked(call, function, args)
    if function not in _WITHOUT_FORUM:
        _ = house.node.network  # raises NoForum
    return await function(house, **checked)


# --- this machine ---


async def status(house: House) -> Json:
    return shapes.status(await pulse.status(house.node))


async def create(house: House, name: str, nick: str | None = None) -> Json:
    return _entered(house, await founding.create(house.node, name, nick))


async def join(house: House, link: str, nick: str | None = None) -> Json:
    return _entered(house, await founding.join(house.node, link, nick))


async def check_link(_house: House, link: str) -> Json:
    return {"name": read_invite(link).network.name}


async def invite(house: House, bare: bool = False) -> Json:
    return {"link": await addressing.invite(house.node, bare=bare)}


async def stop(house: House) -> Json:
    house.stop()
    return {}


# --- reading ---


async def subnets(house: House) -> Json:
    return {"subnets": [shapes.subnet(s) for s in await reading.subnets(house.node)]}


async def threads(
    house: House, subnet: str | None = None, limit: int = 50, before: str | None = None
) -> Json:
    found, more = await reading.threads(house.node, subnet, limit, before)
    return {"threads": [shapes.thread(t) for t in found], "more": more}


async def read(  # noqa: PLR0913 - the arguments of the call, by name
    house: House,
    thread: str,
    limit: int = 200,
    after: str | None = None,
    before: str | None = None,
    around: str | None = None,
    last: bool = False,
) -> Json:
    wanted = Wanted(limit=limit, after=after, before=before, around=around, last=last)
    return shapes.page(await reading.thread(house.node, thread, wanted))


async def search(house: House, words: str, limit: int = 20) -> Json:
    return {"hits": [shapes.hit(h) for h in await reading.search(house.node, words, limit)]}


async def people(house: House) -> Json:
    return {"people": [shapes.person(p) for p in await reading.people(house.node)]}


async def find_imported(house: House, site: str, post: str) -> Json:
    found = await reading.find_imported(house.node, site, post)
    return {"id": found[0].hex(), "thread": found[1].hex()}


async def preview(_house: House, text: str) -> Json:
    return {"html": prose.render(text)}


async def mark_read(house: House, thread: str, post: str) -> Json:
    await reading.mark_read(house.node, thread, post)
    return {}


# --- saying ---


async def set_profile(house: House, name: str, bio: str = "") -> Json:
    return _said(await publishing.set_profile(house.node, name, bio))


async def publish_subnet(house: House, title: str, text: str = "") -> Json:
    return _said(await publishing.publish_subnet(house.node, title, text))


async def publish_thread(house: House, subnet: str, title: str, text: str) -> Json:
    return _said(await publishing.publish_thread(house.node, subnet, title, text))


async def publish_reply(house: House, thread: str, text: str, re: str | None = None) -> Json:
    return _said(await publishing.publish_reply(house.node, thread, text, re))


async def edit(house: House, post: str, text: str, title: str | None = None) -> Json:
    return _said(await publishing.edit(house.node, post, text, title))


async def delete(house: House, post: str) -> Json:
    return _said(await publishing.delete(house.node, post))


async def react(house: House, post: str, emoji: str, on: bool = True) -> Json:
    return _said(await publishing.react(house.node, post, emoji, on))


async def import_discourse(house: House, path: str, site: str | None = None) -> Json:
    report = await importing.import_discourse(
        house.node, Path(path), site, given_up=lambda: house.visitor.left
    )
    return {
        "read": report.read,
        "written": report.written,
        "skipped": report.skipped,
        "reasons": dict(report.reasons),
    }


async def save_draft(house: House, place: str, text: str, title: str = "") -> Json:
    await reading.save_draft(house.node, place, title, text)
    return {}


async def drafts(house: House) -> Json:
    return {"drafts": [shapes.draft(d) for d in await reading.drafts(house.node)]}


# --- machines ---


async def peers(house: House) -> Json:
    return {"peers": [shapes.peer(p) for p in await pulse.peers(house.node)]}


async def add_peer(house: House, address: str) -> Json:
    await addressing.add_peer(house.node, address)
    return await peers(house)


async def remove_peer(house: House, address: str) -> Json:
    await addressing.remove_peer(house.node, address)
    return await peers(house)


# --- windows ---


async def on_screen(house: House, thread: str | None = None) -> Json:
    house.visitor.thread = None if thread is None else await reading.thread_id(house.node, thread)
    return {}


async def open_page(house: House, path: str = "") -> Json:
    return {"url": house.page_address(path)}


async def show_page(house: House, path: str = "") -> Json:
    house.node.show_page(path)
    audience = house.node.audience
    return {"shown": audience.has_window or audience.opens_windows}


async def attach_window(house: House) -> Json:
    return {"path": house.node.audience.attach(house.visitor), "seq": house.node.bus.last}


_WITHOUT_FORUM = (
    status, create, join, check_link, open_page, show_page, attach_window, on_screen, preview, stop
)  # fmt: skip
_WITH_FORUM = (
    invite, set_profile, subnets, threads, read, search, publish_subnet, publish_thread,
    publish_reply, edit, delete, react, people, peers, add_peer, remove_peer, mark_read, save_draft,
    drafts, find_imported, import_discourse
)  # fmt: skip
Call: TypeAlias = Callable[..., Awaitable[Json]]
CALLS: dict[str, Call] = {call.__name__: call for call in (*_WITHOUT_FORUM, *_WITH_FORUM)}


def _checked(name: str, call: Call, args: Json) -> dict[str, Any]:
    """The arguments, each of the type the call takes.

    Raises:
        BadCall: one is missing, of another type, or not known.
    """
    try:
        given = msgspec.convert(args, _arguments(call))
    except msgspec.ValidationError as error:
        raise BadCall(f"{name}: {error}.") from error
    return {field: getattr(given, field) for field in args}


@cache
def _arguments(call: Call) -> type[msgspec.Struct]:
    """The arguments of a call as a type that can be checked."""
    fields: list[Any] = []
    for parameter in list(inspect.signature(call, eval_str=True).parameters.values())[1:]:
        if parameter.default is inspect.Parameter.empty:
            fields.append((parameter.name, parameter.annotation))
        else:
            fields.append((parameter.name, parameter.annotation, parameter.default))
    return msgspec.defstruct(call.__name__, fields, kw_only=True, forbid_unknown_fields=True)


def _entered(house: House, entered: Any) -> Json:
    return {
        "device": house.node.identity.key.hex(),
        "network": shapes.network(entered.id, entered.name),
    }


def _said(said: Said) -> Json:
    result = {"id": said.id.hex()}
    return result if said.thread is None else result | {"thread": said.thread.hex()}
