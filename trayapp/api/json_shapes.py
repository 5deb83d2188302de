"""Views, status and events as JSON values: ids in hex, times in milliseconds.

The shapes are the contract of the page and of `--json`; a test holds each of them.
"""

from __future__ import annotations

import re
from dataclasses import fields
from typing import Any, TypeAlias

from trayapp.events import Event, StatusChanged
from trayapp.forum.bodies import Source
from trayapp.forum.identity import colour, short_form, tag
from trayapp.forum.views import (
    Draft,
    Person,
    PostView,
    SearchHit,
    SubnetView,
    ThreadPage,
    ThreadView,
    Version,
)
from trayapp.status import PeerStatus, Status, SyncStatus

Json: TypeAlias = dict[str, Any]

MISSED = "missed"
"""The name of the event that says: some were missed, read everything again."""


def event_name(event: Event | None) -> str:
    """`ReplyArrived` → `reply_arrived`; None is the word that some were missed."""
    if event is None:
        return MISSED
    return re.sub(r"(?<!^)([A-Z])", r"_\1", type(event).__name__).lower()


def event_data(event: Event | None) -> Json:
    """What an event carries."""
    if event is None:
        return {}
    if isinstance(event, StatusChanged):
        return {"status": status(event.status)}
    return {field.name: _plain(getattr(event, field.name)) for field in fields(event)}


def status(now: Status) -> Json:
    """How the node is doing."""
    forum = None if now.network is None else network(now.network, now.network_name)
    return {
        "device": now.device.hex(),
        "nick": now.nick,
        "short": short_form(now.device),
        "network": forum,
        "operations": now.operations,
        "digest": {str(log): digest.hex() for log, digest in enumerate(now.digests)},
        "peers": [peer(p) for p in now.peers],
        "sync": sync(now.sync),
        "listening": list(now.listening),
        "me": person(Person(now.device, now.nick, tag(now.device), colour(now.device))),
    }


def network(id_: bytes, name: str) -> Json:
    """A forum, by its network id."""
    return {"id": id_.hex(), "name": name}


def sync(now: SyncStatus) -> Json:
    """How far the copies agree."""
    return {
        "state": now.state.value,
        "done": now.done,
        "total": now.total,
        "problem": now.problem,
    }


def peer(now: PeerStatus) -> Json:
    """One peer, linked or known by its address."""
    return {
        "device": None if now.device is None else now.device.hex(),
        "name": now.name,
        "address": now.address,
        "path": now.path.value,
        "state": now.state,
        "behind": now.behind,
        "latency_ms": now.latency_ms,
        "last_seen": now.last_seen,
        "problem": now.problem,
    }


def person(who: Person) -> Json:
    """An author as others see them."""
    return {"device": who.device.hex(), "name": who.name, "tag": who.tag, "colour": who.colour}


def subnet(view: SubnetView) -> Json:
    """One line of the list of subnets."""
    return {
        "id": view.id.hex(),
        "title": view.title,
        "text": view.text,
        "threads": view.threads,
        "unread": view.unread,
        "mine": view.mine,
    }


def thread(view: ThreadView) -> Json:
    """One line of a list of threads."""
    return {
        "id": view.id.hex(),
        "subnet": view.subnet.hex(),
        "title": view.title,
        "author": person(view.author),
        "source_author": view.source_author,
        "replies": view.replies,
        "unread": view.unread,
        "last": view.last,
        "last_author": view.last_author,
        "created": view.created,
    }


def page(view: ThreadPage) -> Json:
    """A thread and a stretch of its posts; what lies outside shows in the posts' numbers."""
    first = view.posts[0].number if view.posts else 1
    last = view.posts[-1].number if view.posts else view.total
    return {
        "thread": {
            "id": view.id.hex(),
            "subnet": view.subnet.hex(),
            "subnet_title": view.subnet_title,
            "title": view.title,
            "total": view.total,
            "first_unread": _plain(view.first_unread),
        },
        "posts": [post(p) for p in view.posts],
        "more_before": first > 1,
        "more_after": last < view.total,
    }


def post(view: PostView) -> Json:
    """One post of a thread."""
    return {
        "id": view.id.hex(),
        "number": view.number,
        "re": _plain(view.re),
        "author": person(view.author),
        "mine": view.mine,
        "time": view.time,
        "text": view.text,
        "title": view.title,
        "html": view.html,
        "edited": view.edited,
        "deleted": view.deleted,
        "conflict": bool(view.conflict),
        "versions": [_version(v) for v in view.conflict],
        "source": None if view.source is None else _source(view.source),
        "reactions": [{"emoji": r.emoji, "count": r.count, "mine": r.mine} for r in view.reactions],
        "delivered": view.delivered,
        "read": view.read,
    }


def hit(found: SearchHit) -> Json:
    """One post that holds the words."""
    return {
        "id": found.id.hex(),
        "thread": found.thread.hex(),
        "title": found.title,
        "author": found.author,
        "time": found.time,
        "snippet": found.snippet,
    }


def draft(kept: Draft) -> Json:
    """Text being typed."""
    return {"place": kept.place, "title": kept.title, "text": kept.text, "saved": kept.saved}


def _version(version: Version) -> Json:
    return {
        "id": version.id.hex(),
        "title": version.title,
        "text": version.text,
        "time": version.time,
    }


def _source(source: Source) -> Json:
    return {
        "site": source.site,
        "post": source.post,
        "version": source.version,
        "author": source.author,
        "time": source.time,
        "url": source.url,
        "counts": dict(source.counts),
    }


def _plain(value: object) -> object:
    return value.hex() if isinstance(value, bytes) else value
