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
from trayapp.faces.terminal import DONE, STDIN, USAGE, Terminal, refuse

_SAYING, _READING = "trayapp.faces.cli.saying", "trayapp.faces.cli.reading"
_COMMANDS = {
    "headless": "trayapp.faces.headless:headless",
    "create": f"{_SAYING}:create",
    "join": f"{_SAYING}:join",
    "invite": f"{_READING}:invite",
    "status": f"{_READING}:status",
    "subnets": f"{_READING}:subnets",
    "threads": f"{_READING}:threads",
    "read": f"{_READING}:read",
    "search": f"{_READING}:search",
    "subnet": f"{_SAYING}:subnet",
    "post": f"{_SAYING}:post",
    "edit": f"{_SAYING}:edit",
    "delete": f"{_SAYING}:delete",
    "react": f"{_SAYING}:react",
}


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
    for name, place in _COMMANDS.items():
        app.command(place, name=name)
    app.command(_peers())
    bring_in = App(name="import", help="Bring another forum's posts in.")
    bring_in.command(f"{_SAYING}:import_discourse", name="discourse")
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
        terminal = {"terminal": Terminal(paths.data_dir(data), json)}
        return command(*bound.args, **bound.kwargs, **(terminal if injected else {}))

    return app


def _peers() -> App:
    peers = App(name="peers", help="List, add or remove machines that keep this forum.")
    peers.default(_list_peers)
    peers.command(f"{_SAYING}:add_peer", name="add")
    peers.command(f"{_SAYING}:remove_peer", name="remove")
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
    terminal: Annotated[Terminal, Parameter(parse=False)],
) -> int:
    """Open a window on the node that runs.

    Parameters
    ----------
    page
        Where to begin, /t/THREAD say.
    print_url
        Print an address that opens the page in a browser, once and within a minute, instead.
    """
    if print_url:
        from trayapp.faces.cli.reading import print_page_address

        return print_page_address(terminal, page)
    from trayapp.faces import window

    return window.run(terminal.data_dir, page)


def _tray(*, terminal: Annotated[Terminal, Parameter(parse=False)]) -> int:
    """Show the tray icon and a window, and keep the forum; a second start brings them forward."""
    from trayapp.api.instance import Running, bring_forward

    match asyncio.run(bring_forward(terminal.data_dir)):
        case Running.SHOWN:
            return DONE
        case Running.WITHOUT_WINDOW:
            return _window(terminal=terminal)
        case Running.NOBODY:
            from trayapp.faces import tray

            return tray.run(terminal.data_dir)


if __name__ == "__main__":
    sys.exit(main())
