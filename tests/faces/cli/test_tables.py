from __future__ import annotations

import sys

import pytest

from trayapp.faces.cli import tables


def test_columns_stand_under_their_heads_and_numbers_to_the_right():
    shown = tables.table(("ID", "NAME", "COUNT"), [("a", "Boat trip", 7), ("b", "x", 12)], "none")

    assert shown.splitlines() == [
        "ID  NAME       COUNT",
        "a   Boat trip      7",
        "b   x             12",
    ]
    assert tables.table(("ID",), [], "none") == "none"


def test_wide_letters_and_combining_marks_keep_the_columns():
    rows = [("日本", "x"), ("e\u0301", "y"), ("abcd", "z")]

    lines = tables.table(("A", "B"), rows, "").splitlines()

    assert lines[1:] == ["日本  x", "e\u0301     y", "abcd  z"]


def test_control_characters_and_line_breaks_are_taken_out():
    assert tables.clean("a\x1b[31m\n\tb\x00\u200f") == "a[31m b"
    assert tables.clean("a\r\nb\x07", lines=True) == "a\nb"


def test_a_bar_shows_how_far_it_is():
    assert tables.bar(50, 100, width=10) == "[#####.....] 50 of 100"
    assert tables.bar(200, 100, width=4) == "[####] 200 of 100"
    assert tables.bar(7, 0) == "7"


def test_colour_is_for_terminals_alone(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert tables.bold("x") == "x"

    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    assert tables.bold("x") == "\x1b[1mx\x1b[0m"
    assert tables.dim("x") == "\x1b[2mx\x1b[0m"
    monkeypatch.setenv("NO_COLOR", "1")
    assert tables.bold("x") == "x"


def test_ids_are_shortened_to_what_a_command_takes():
    assert tables.short("0123456789abcdef") == "0123456789"
    assert len(tables.when(1_800_000_000_000)) == len("2027-01-15 08:00")
