"""Commands that show something: status, subnets, threads, a thread, search, peers, invite."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from cyclopts import Parameter
from cyclopts.validators import Number

from trayapp.api.client import Client
from trayapp.faces.cli.asking import Result, ask, talk
from trayapp.faces.cli.tables import bold, clean, dim, short, table, when
from trayapp.faces.terminal import Terminal

Asked: TypeAlias = Annotated[Terminal, Parameter(parse=False)]
_Limit: TypeAlias = Annotated[int, Parameter(validator=Number(gte=1))]

_PAGE = 200
_MARKS = str.maketrans("", "", "\x02\x03")


def status(*, terminal: Asked) -> int:
    """Show how this machine is doing: forum, copies, peers."""
    return ask(terminal, "status", _show_status)


def invite(*, bare: Annotated[bool, Parameter(negative="")] = False, terminal: Asked) -> int:
    """Print a link that lets a friend in. Whoever has it can join.

    Parameters
    ----------
    bare
        Without this machine's addresses.
    """
    return ask(terminal, "invite", lambda result: str(result["link"]), bare=bare)


def subnets(*, terminal: Asked) -> int:
    """List the parts of the forum."""
    return ask(terminal, "subnets", _show_subnets)


def threads(subnet: str | None = None, /, *, limit: _Limit | None = None, terminal: Asked) -> int:
    """List threads, the last one written in first.

    Parameters
    ----------
    subnet
        Only of this subnet: its id.
    limit
        At most so many; without it, all.
    """

    async def all_of_them(client: Client) -> Result:
        found: list[Result] = []
        before, more = None, True
        while more and (limit is None or len(found) < limit):
            few = _PAGE if limit is None else min(_PAGE, limit - len(found))
            page = await client.call("threads", subnet=subnet, limit=few, before=before)
            found += page["threads"]
            more = page["more"] and bool(page["threads"])
            before = found[-1]["id"] if found else None
        return {"threads": found, "more": more}

    return talk(terminal, all_of_them, _show_threads)


def read(thread: str, /, *, terminal: Asked) -> int:
    """Show a thread with all its posts.

    Parameters
    ----------
    thread
        Its id.
    """

    async def whole(client: Client) -> Result:
        page = await client.call("read", thread=thread, limit=_PAGE)
        posts = list(page["posts"])
        while page["more_after"] and page["posts"]:
            after = page["posts"][-1]["id"]
            page = await client.call("read", thread=thread, limit=_PAGE, after=after)
            posts += page["posts"]
        return {"thread": page["thread"], "posts": posts}

    return talk(terminal, whole, _show_thread)


def search(*words: str, limit: _Limit = 20, terminal: Asked) -> int:
    """Find posts that hold all the words, the newest first.

    Parameters
    ----------
    words
        The last one may be the beginning of a word.
    limit
        At most so many.
    """

    async def plain(client: Client) -> Result:
        found = await client.call("search", words=" ".join(words), limit=limit)
        return {
            "hits": [hit | {"snippet": hit["snippet"].translate(_MARKS)} for hit in found["hits"]]
        }

    return talk(terminal, plain, _show_hits)


def peers(*, terminal: Asked) -> int:
    """List the machines that keep this forum, as far as this one knows them."""
    return ask(terminal, "peers", show_peers)


def show_peers(result: Result) -> str:
    """The machines in columns."""
    rows = [
        (
            peer["name"] or "?",
            peer["address"],
            peer["path"],
            peer["state"],
            peer["behind"],
            "" if peer["latency_ms"] is None else f"{peer['latency_ms']} ms",
            peer["problem"],
        )
        for peer in result["peers"]
    ]
    heads = ("NAME", "ADDRESS", "FOUND BY", "STATE", "BEHIND", "ANSWERS IN", "")
    return table(heads, rows, "No other machine is known yet.")


def print_page_address(terminal: Terminal, page: str) -> int:
    """Print a one-time address of the page of the node that runs."""

    async def address(client: Client) -> Result:
        return await client.call("open_page", path=page or "/")

    return talk(terminal, address, lambda result: str(result["url"]), start=False)


def _show_status(result: Result) -> str:
    forum, sync = result["network"], result["sync"]
    progress = f" {sync['done']} of {sync['total']}" if sync["state"] == "syncing" else ""
    linked = sum(peer["state"] in ("connected", "syncing") for peer in result["peers"])
    lines = [
        ("Forum", bold(clean(forum["name"])) if forum else "none yet: create or join one"),
        ("You", clean(result["nick"])),
        ("Machine", result["short"]),
        ("Copies", clean(f"{sync['state']}{progress} {sync['problem']}")),
        ("Machines", f"{linked} linked, {len(result['peers'])} known"),
        ("Operations", str(result["operations"])),
        ("Listening", "  ".join(result["listening"]) or "no"),
    ]
    return "\n".join(f"{dim(head.ljust(10))}  {value}" for head, value in lines)


def _show_subnets(result: Result) -> str:
    rows = [(short(s["id"]), s["title"], s["threads"], s["unread"]) for s in result["subnets"]]
    return table(("ID", "SUBNET", "THREADS", "UNREAD"), rows, "No subnets yet.")


def _show_threads(result: Result) -> str:
    rows = [
        (
            short(t["id"]),
            t["title"],
            t["source_author"] or t["author"]["name"],
            t["replies"],
            t["unread"],
            when(t["last"]),
        )
        for t in result["threads"]
    ]
    heads = ("ID", "THREAD", "BY", "REPLIES", "UNREAD", "LAST POST")
    return table(heads, rows, "No threads yet.")


def _show_thread(result: Result) -> str:
    thread = result["thread"]
    heading = f"{bold(clean(thread['title']))}  {dim(clean(thread['subnet_title']))}"
    return "\n\n".join([heading, *map(_show_post, result["posts"])])


def _show_post(post: Result) -> str:
    source, marks = post["source"], []
    author = f"{source['author']} on {source['site']}" if source else post["author"]["name"]
    if post["edited"]:
        marks.append("edited")
    if post["conflict"]:
        marks.append(f"{len(post['versions'])} versions at once")
    reactions = "  ".join(f"{r['emoji']} {r['count']}" for r in post["reactions"])
    about = [when(post["time"]), short(post["id"]), *marks]
    head = f"{bold(clean(author))}  {dim('  '.join(about))}"
    text = dim("deleted") if post["deleted"] else clean(post["text"], lines=True)
    return "\n".join(line for line in (head, text, clean(reactions)) if line)


def _show_hits(result: Result) -> str:
    entries = [
        f"{bold(clean(hit['title']))}  "
        f"{dim(clean(hit['author']) + '  ' + when(hit['time']) + '  ' + short(hit['id']))}\n"
        f"  {clean(hit['snippet'])}"
        for hit in result["hits"]
    ]
    return "\n".join(entries) or "Nothing found."
