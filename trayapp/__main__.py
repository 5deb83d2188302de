"""One executable, many faces: picks one by its argument and imports only that one.

    brothernet [--data DIR] [--json] COMMAND …

Without a command it is the tray, with the node and a window. `--help` tells the rest.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

from cyclopts import App, CycloptsError, Parameter

from trayapp import __version__
from trayapp.desktop import paths
from trayapp.errors import TrayAppError
from trayapp.faces.terminal import DONE, REFUSED, STDIN, USAGE, Terminal, as_typed, refuse

_SAYING, _READING = "trayapp.faces.cli.saying", "trayapp.faces.cli.reading"
_COPIES = "Every member's machine keeps a readable copy of all that is said in it."
_DELETED = "It is gone here at once; the other machines are asked to do the same."
_GROUND = "It stays in the foreground; SIGTERM or Ctrl+C ends it."
# Where each command lies, and what the list of commands says of it without loading it.
_COMMANDS = {
    "create": (
        f"{_SAYING}:create",
        'Start a forum on this machine, with a first subnet "General".',
    ),
    "join": (f"{_SAYING}:join", "Join the forum that a friend's link leads to.\n\n" + _COPIES),
    "invite": (
        f"{_READING}:invite",
        "Print a link that lets a friend in.\n\nWhoever has it can join.",
    ),
    "status": (f"{_READING}:status", "Show how this machine is doing: forum, copies, peers."),
    "subnets": (f"{_READING}:subnets", "List the parts of the forum."),
    "threads": (f"{_READING}:threads", "List threads, the last one written in first."),
    "read": (f"{_READING}:read", "Show a thread with all its posts."),
    "search": (f"{_READING}:search", "Find posts that hold all the words, the newest first."),
    "subnet": (f"{_SAYING}:subnet", "Start a subnet, a part of the forum."),
    "post": (f"{_SAYING}:post", "Start a thread in a subnet, or reply in a thread."),
    "edit": (f"{_SAYING}:edit", "Replace the text of a post or subnet of yours."),
    "delete": (f"{_SAYING}:delete", "Delete a post of yours.\n\n" + _DELETED),
    "react": (f"{_SAYING}:react", "Give a post an emoji."),
    "headless": ("trayapp.faces.headless:headless", "Run a node without a screen.\n\n" + _GROUND),
}
# Arguments for which `-` is standard input; everywhere else it is a word like any other.
_TYPED = ("text", "link")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the program; returns its exit code: 0, 1 refused, 2 wrong usage, 3 no forum yet."""
    words = [STDIN if word == "-" else word for word in (sys.argv[1:] if argv is None else argv)]
    try:
        code = _app().meta(words, exit_on_error=False, print_error=True)
    except CycloptsError:
        return USAGE
    except TrayAppError as error:
        return refuse(error)
    return code if isinstance(code, int) else DONE


def _app() -> App:
    app = App(
        name="brothernet",
        help="A forum that lives in your tray. Without a command: the tray and a window.",
        version=__version__,
        result_action="return_value",
    )
    for at, (name, (place, help_)) in enumerate(_COMMANDS.items()):
        app.command(place, name=name, help=help_, sort_key=at)
    app.command(_peers())
    bring_in = App(name="import", help="Bring another forum's posts in.")
    discourse = f"{_SAYING}:import_discourse"
    bring_in.command(discourse, name="discourse", help="A Discourse forum, from an archive.")
    app.command(bring_in)
    app.command(_window, name="window")
    app.default(_tray)

    @app.meta.default
    def launch(
        *words: Annotated[str, Parameter(show=False, allow_leading_hyphen=True)],
        data: Path | None = None,
        json: Annotated[bool, Parameter(negative="")] = False,
    ) -> Any:
        """Take what every command knows.

        Parameters
        ----------
        data
            The data directory; each holds one forum.
        json
            Print one JSON object on one line.
        """
        command, bound, injected = app.parse_args(words, exit_on_error=False, print_error=True)
        for name, value in bound.arguments.items():
            if name not in _TYPED:
                bound.arguments[name] = as_typed(value)
        terminal = {"terminal": Terminal(paths.data_dir(as_typed(data)), json)}
        return command(*bound.args, **bound.kwargs, **(terminal if injected else {}))

    return app


def _peers() -> App:
    peers = App(name="peers", help="List, add or remove machines that keep this forum.")
    peers.default(_list_peers)
    add, remove = f"{_SAYING}:add_peer", f"{_SAYING}:remove_peer"
    peers.command(add, name="add", help="Dial an address from now on.")
    peers.command(remove, name="remove", help="Stop dialling an address that was added.")
    return peers


def _list_peers(*, terminal: Annotated[Terminal, Parameter(parse=False)]) -> int:
    """List the machines that keep this forum, as far as this one knows them."""
    from trayapp.faces.cli.reading import peers

    return peers(terminal=terminal)


def _window(
    page: str = "",
    /,
    *,
    print_url: Annotated[bool, Parameter(negative="")] = False,
    no_browser: Annotated[bool, Parameter(negative="", show=False)] = False,
    terminal: Annotated[Terminal, Parameter(parse=False)],
) -> int:
    """Open a window on the node that runs.

    Parameters
    ----------
    page
        Where to begin, /t/THREAD say.
    print_url
        Print an address that opens the page in a browser, once and within a minute, instead.
    no_browser
        Where there is no web view, say so by the exit code instead of opening the browser.
    """
    if print_url:
        from trayapp.faces.cli.reading import print_page_address

        return print_page_address(terminal, page)
    from trayapp.faces import window

    return window.run(terminal.data_dir, page, browser=not no_browser)


def _tray(*, terminal: Annotated[Terminal, Parameter(parse=False)]) -> int:
    """Show the tray icon and a window, and keep the forum; a second start brings them forward."""
    code = _bring_forward(terminal)
    if code is None:
        from trayapp.faces import tray

        code = tray.run(terminal.data_dir)
        if code == REFUSED:
            # Of two starts at the same moment, a double click say, one finds the other only now.
            found = _bring_forward(terminal)
            code = REFUSED if found is None else found
    return code


def _bring_forward(terminal: Terminal) -> int | None:
    """Show the node that runs, and return the exit code; None where none runs."""
    from trayapp.api.instance import Running, bring_forward

    match asyncio.run(bring_forward(terminal.data_dir)):
        case Running.SHOWN:
            return DONE
        case Running.WITHOUT_WINDOW:
            return _window(terminal=terminal)
        case Running.NOBODY:
            return None


if __name__ == "__main__":
    sys.exit(main())
