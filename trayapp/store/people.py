"""How authors are called, on this machine's copy of their profiles."""

from __future__ import annotations

import sqlite3

from trayapp.forum import identity
from trayapp.forum.bodies import Editable, Imported
from trayapp.forum.views import Person


class People:
    """Looks names up, each author once: make one for each reading."""

    def __init__(self, conn: sqlite3.Connection) -> None:
        self._conn = conn
        self._by_number: dict[int, Person] = {}

    def numbered(self, a: int) -> Person:
        """The author with this number in `key`."""
        person = self._by_number.get(a)
        if person is None:
            device, name = self._conn.execute(
                "SELECT k.pk, p.name FROM key k LEFT JOIN person p ON p.a = k.a WHERE k.a = ?", (a,)
            ).fetchone()
            person = self._by_number[a] = called(device, name)
        return person

    def wrote(self, a: int, body: Editable | None) -> str:
        """The name to show over a post: an import keeps the name it was written under."""
        return body.source.author if isinstance(body, Imported) else self.numbered(a).name


def called(device: bytes, name: str | None) -> Person:
    """A person with this profile name, or without one: then the short form of the key."""
    return Person(
        device,
        name or identity.short_form(device)[:9],
        identity.tag(device),
        identity.colour(device),
    )


def person(conn: sqlite3.Connection, device: bytes) -> Person:
    """Who a device is, also one that said nothing yet."""
    row = conn.execute(
        "SELECT p.name FROM key k JOIN person p ON p.a = k.a WHERE k.pk = ?", (device,)
    ).fetchone()
    return called(device, None if row is None else row[0])


def people(conn: sqlite3.Connection) -> list[Person]:
    """Everybody who said anything here, and this machine's person, by name."""
    rows = conn.execute("SELECT k.pk, p.name FROM key k LEFT JOIN person p ON p.a = k.a")
    found = [called(device, name) for device, name in rows]
    return sorted(found, key=lambda one: (one.name.casefold(), one.device))
