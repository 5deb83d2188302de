"""A node that serves its api on a free port, for tests that knock at it."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.node.nodes import open_node
from trayapp.api import token
from trayapp.api.client import Client
from trayapp.api.server import ApiServer
from trayapp.api.token import Doorplate
from trayapp.node import founding
from trayapp.node.node import Node
from trayapp.store.database import DirectoryLock

TOKEN = "the token"


@dataclass
class Serving:
    """What stands while the block runs."""

    node: Node
    server: ApiServer
    folder: Path

    def client(self):
        return Client.connect(self.folder)


@asynccontextmanager
async def serving(folder: Path, forum: str | None = "Allotments") -> AsyncIterator[Serving]:
    """A node with its api, a page of three files, and a forum unless told otherwise."""
    ui = folder / "ui"
    (ui / "views").mkdir(parents=True)
    (ui / "index.html").write_text("<!doctype html><title>Brothernet</title>", encoding="utf-8")
    (ui / "app.js").write_text("export {}", encoding="utf-8")
    (ui / "views" / "thread.js").write_text("export {}", encoding="utf-8")
    (ui / "package.json").write_text("{}", encoding="utf-8")
    (folder / "icon.png").write_bytes(b"\x89PNG")
    data = folder / "data"
    async with open_node(data) as node:
        if forum is not None:
            await founding.create(node, forum, "ann")
        with DirectoryLock(data):
            server = ApiServer(node, TOKEN, ui=ui, icon=folder / "icon.png")
            await server.listen()
            token.write(data, Doorplate(server.url, TOKEN, os.getpid()))
            async with server:
                yield Serving(node, server, data)
