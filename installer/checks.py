"""What `test` checks, in order: format, lint, types, contracts, tests. All are run, whatever fails.

pytest comes last, so that its last line is the last line of the run.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from installer.machine import Machine, say

SOURCES = ("trayapp", "installer", "tests")


def commands(pytest_arguments: Sequence[str] = ()) -> list[tuple[str, tuple[str, ...]]]:
    """Each check: what it is called, and a program of the virtual environment with arguments."""
    return [
        ("Format", ("ruff", "format", "--check", *SOURCES)),
        ("Lint", ("ruff", "check", *SOURCES)),
        ("Types", ("mypy",)),
        ("Contracts", ("lint-imports", "--no-logo", "--no-cache")),
        ("Tests", ("pytest", *pytest_arguments)),
    ]


def check(machine: Machine, pytest_arguments: Sequence[str] = ()) -> int:
    """Run every check; return 0 when all passed, else 1 after naming those that failed."""
    failed = []
    for name, (program, *arguments) in commands(pytest_arguments):
        say(f"{name}: {' '.join((program, *arguments))}")
        if not machine.does(machine.script(program), *arguments):
            failed.append(name)
    if failed:
        print("\nFailed: " + ", ".join(failed), file=sys.stderr, flush=True)
    return 1 if failed else 0
