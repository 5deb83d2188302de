"""Commands that say or change something: create, join, post, edit, delete, react, import …"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, TypeAlias

from cyclopts import Parameter

from trayapp.api.client import Client
from trayapp.errors import NodeUnreachable, TrayAppError
from trayapp.faces.cli import tables
from trayapp.faces.cli.asking import Result, ask, talk, typed
from trayapp.faces.cli.reading import show_peers
from trayapp.faces.terminal import USAGE, Terminal, refuse

Asked: TypeAlias = Annotated[Terminal, Parameter(parse=False)]


def create(
    name: str, /, *, nick: Annotated[str | None, Parameter(name="--as")] = None, terminal: Asked
) -> int:
    """Start a forum on this machine, with a first subnet "General".

    Parameters
    ----------
    name
        What the forum is called.
    nick
        How you want to be called in it.
    """
    return ask(terminal, "create", _entered, name=name, nick=nick)


def join(
    link: str, /, *, nick: Annotated[str | None, Parameter(name="--as")] = None, terminal: Asked
) -> int:
    """Join the forum that a friend's link leads to.

    Every member's machine keeps a readable copy of all that is said in it.

    Parameters
    ----------
    link
        Begins with brothernet://join#; - reads it from standard input.
    nick
        How you want to be called in it.
    """
    return _say(terminal, "join", "link", link, show=_entered, nick=nick)


def subnet(title: str, /, *, text: str = "", terminal: Asked) -> int:
    """Start a subnet, a part of the forum.

    Parameters
    ----------
    title
        What it is called.
    text
        What it is for; - reads it from standard input.
    """
    return _say(terminal, "publish_subnet", "text", text, title=title)


def post(
    text: str,
    /,
    *,
    subnet: str | None = None,
    title: str | None = None,
    thread: str | None = None,
    re: str | None = None,
    terminal: Asked,
) -> int:
    """Start a thread in a subnet, or reply in a thread.

    Parameters
    ----------
    text
        The post, in Markdown; - reads it from standard input.
    subnet
        Where the new thread begins: a subnet's id.
    title
        What the new thread is called.
    thread
        The thread to reply in: its id.
    re
        The post that is answered: its id.
    """
    new = subnet is not None and title is not None and thread is None and re is None
    reply = thread is not None and subnet is None and title is None
    if not new and not reply:
        print(
            "Say either --subnet ID --title TITLE for a new thread, or --thread ID for a reply.",
            file=sys.stderr,
        )
        return USAGE
    if new:
        return _say(terminal, "publish_thread", "text", text, subnet=subnet, title=title)
    return _say(terminal, "publish_reply", "text", text, thread=thread, re=re)


def edit(post: str, text: str, /, *, title: str | None = None, terminal: Asked) -> int:
    """Replace the text of a post or subnet of yours. Every earlier version is replaced too.

    Parameters
    ----------
    post
        Its id.
    text
        The new text; - reads it from standard input.
    title
        A new title, for a thread or a subnet.
    """
    return _say(terminal, "edit", "text", text, post=post, title=title)


def delete(post: str, /, *, terminal: Asked) -> int:
    """Delete a post of yours: here at once, elsewhere as soon as the machines hear of it.

    Parameters
    ----------
    post
        Its id.
    """
    return ask(terminal, "delete", _said, post=post)


def react(post: str, emoji: str, /, *, off: bool = False, terminal: Asked) -> int:
    """Give a post an emoji.

    Parameters
    ----------
    post
        Its id.
    emoji
        One emoji.
    off
        Take it back.
    """
    return ask(terminal, "react", _said, post=post, emoji=emoji, on=not off)


def add_peer(address: str, /, *, terminal: Asked) -> int:
    """Dial this address from now on, in every run.

    Parameters
    ----------
    address
        wss://HOST:PORT#KEY, HOST:PORT or HOST.
    """
    return ask(terminal, "add_peer", show_peers, address=address)


def remove_peer(address: str, /, *, terminal: Asked) -> int:
    """Stop dialling an address that was added.

    Parameters
    ----------
    address
        As it was added, with or without its key.
    """
    return ask(terminal, "remove_peer", show_peers, address=address)


def import_discourse(path: Path, /, *, site: str | None = None, terminal: Asked) -> int:
    """Bring the posts of a Discourse forum in. Done twice it changes nothing.

    Parameters
    ----------
    path
        A folder, .tar.xz, .tar.gz or .zip of post JSON.
    site
        The forum's address: links to the original posts lead there.
    """

    # The node does not work in this command's folder.
    place = str(path.absolute())

    async def conversation(client: Client) -> Result:
        bar = asyncio.get_running_loop().create_task(_draw_bar(client))
        try:
            return await client.call("import_discourse", path=place, site=site)
        finally:
            bar.cancel()
            await asyncio.wait([bar])
            if sys.stderr.isatty():
                print(file=sys.stderr)

    return talk(terminal, conversation, _imported)


async def _draw_bar(client: Client) -> None:
    """Show how far the import is, where somebody sees it."""
    if not sys.stderr.isatty():
        return
    try:
        async for _, event, data in client.events():
            if event == "import_progress":
                print("\r" + tables.bar(data["done"], data["total"]), end="", file=sys.stderr)
                sys.stderr.flush()
    except NodeUnreachable:
        return  # the call itself says so


def _entered(result: Result) -> str:
    name = tables.bold(tables.clean(result["network"]["name"]))
    return f"{name} is open on this machine."


def _said(result: Result) -> str:
    return str(result["id"])


def _say(
    terminal: Terminal,
    call: str,
    name: str,
    words: str,
    /,
    *,
    show: Callable[[Result], str] = _said,
    **args: Any,
) -> int:
    """Make a call one argument of which may come from standard input."""
    try:
        args[name] = typed(words)
    except TrayAppError as error:
        return refuse(error)
    return ask(terminal, call, show, **args)


def _imported(result: Result) -> str:
    lines = [f"{result['read']} read, {result['written']} written, {result['skipped']} skipped"]
    lines += [f"  {count} {tables.clean(why)}" for why, count in result["reasons"].items()]
    return "\n".join(lines)
