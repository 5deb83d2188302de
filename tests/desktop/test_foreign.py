"""What a packed executable may not hand on to the browser."""

from __future__ import annotations

import sys

import pytest

from trayapp.desktop.foreign import forget_packing


def test_a_foreign_program_does_not_learn_where_our_libraries_lie(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    environment = {"HOME": "/home/ann", "LD_LIBRARY_PATH": "/tmp/_MEIx", "_PYI_ARCHIVE_FILE": "x"}

    forget_packing(environment)

    assert environment == {"HOME": "/home/ann"}


def test_a_library_path_of_the_person_comes_back(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    environment = {"LD_LIBRARY_PATH": "/tmp/_MEIx", "LD_LIBRARY_PATH_ORIG": "/opt/lib"}

    forget_packing(environment)

    assert environment == {"LD_LIBRARY_PATH": "/opt/lib"}


def test_outside_a_packed_executable_the_library_path_is_the_persons_own():
    environment = {"LD_LIBRARY_PATH": "/opt/lib"}

    forget_packing(environment)

    assert environment == {"LD_LIBRARY_PATH": "/opt/lib"}
