"""Set Brothernet up from a checkout, run it, test it, pack it: one command each.

    python3 installer/dev.py run        set up, then start Brothernet
    python3 installer/dev.py test       set up, then check everything, as CI does
    python3 installer/dev.py setup      set up only: afterwards .venv/bin/brothernet runs
    python3 installer/dev.py package    set up, then make the one-file executable
    python3 installer/dev.py lock       write installer/locks/ anew from pyproject.toml

Needs Python 3.11 and nothing else: the standard library, on Linux, macOS and Windows. What is
up to date is skipped, so a second run starts at once. The steps themselves are in `steps.py`.
"""

from __future__ import annotations

import argparse
import os
import sys

# This file alone may meet an older Python, so it is written for one.
if sys.version_info < (3, 11):  # noqa: UP036
    sys.exit(f"Brothernet needs Python 3.11 or newer, and this is {sys.version.split()[0]}.")

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))  # noqa: PTH100, PTH120

from installer import checks, start, steps
from installer.machine import Machine


def main(argv: list[str] | None = None) -> int:
    """Do one command; return its exit code."""
    wanted = _parser().parse_args(argv)
    machine = Machine.here()
    try:
        return _do(wanted, machine)
    except steps.StepFailed as failed:
        print(f"\nStopped: {failed}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _do(wanted: argparse.Namespace, machine: Machine) -> int:
    steps.set_up(machine, development=wanted.command in ("test", "package", "lock"))
    if wanted.command == "run":
        return start.start(machine, wanted.data, wanted.headless, wanted.rest)
    if wanted.command == "test":
        return checks.check(machine, wanted.rest)
    if wanted.command == "package":
        return steps.pack(machine)
    if wanted.command == "lock":
        return steps.lock(machine)
    print(f"Ready: {machine.script('brothernet')}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python3 installer/dev.py", description="Set up, run, test and pack Brothernet."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("setup", help="virtual environment, packages and the page's modules")
    run = commands.add_parser("run", help="set up, then start Brothernet")
    run.add_argument("--data", metavar="DIR", help="another data directory than the usual one")
    run.add_argument("--headless", action="store_true", help="no tray, also where it could be")
    run.add_argument("rest", nargs="*", metavar="-- ARGUMENT", help="handed to brothernet")
    test = commands.add_parser("test", help="set up, then format, lint, types, contracts, tests")
    test.add_argument("rest", nargs="*", metavar="-- ARGUMENT", help="handed to pytest")
    commands.add_parser("package", help="set up, then make the one-file executable")
    commands.add_parser("lock", help="write installer/locks/ anew from pyproject.toml")
    return parser


if __name__ == "__main__":
    sys.exit(main())
