from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest

from tests.faces.cli.conftest import Shell
from trayapp.errors import InvalidBody
from trayapp.faces.cli.asking import ask, talk, typed
from trayapp.faces.terminal import STDIN, Terminal

pytestmark = pytest.mark.network


def test_a_result_is_printed_for_a_person_or_as_one_line_of_json(shell: Shell):
    shell.capture.readouterr()

    assert ask(Terminal(shell.data), "preview", lambda r: f"<{r['html']}>", text="a\nb") == 0
    assert ask(Terminal(shell.data, json=True), "preview", str, text="ü\nb") == 0

    *person, machine = shell.capture.readouterr().out.splitlines()
    assert person == ["<<p>a", "b</p>", ">"]
    assert json.loads(machine) == {"html": "<p>ü\nb</p>\n"}
    assert machine.isascii()


def test_a_terminal_without_a_letter_shows_a_mark_in_its_place(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
):
    small = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", small)

    assert ask(Terminal(shell.data), "preview", lambda r: str(r["html"]), text="Grüße") == 0

    small.flush()
    assert small.buffer.getvalue() == b"<p>Gr??e</p>\n\n"


def test_a_command_that_starts_no_node_says_that_none_runs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    code = talk(Terminal(tmp_path), lambda client: client.call("status"), str, start=False)

    out, err = capsys.readouterr()
    assert (code, out) == (1, "")
    assert err.startswith(f"No node runs for {tmp_path}. Start one with")


def test_text_is_the_argument_or_standard_input(monkeypatch: pytest.MonkeyPatch):
    def stdin(content: bytes) -> None:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))

    assert typed("-x") == "-x"
    stdin(b"one\ntwo\r\n")
    assert typed(STDIN) == "one\ntwo"
    stdin(b"\xff")
    with pytest.raises(InvalidBody, match="UTF-8"):
        typed(STDIN)
