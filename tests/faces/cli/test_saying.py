from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

from tests.faces.cli.conftest import Shell
from tests.generated import posts, write_posts

pytestmark = pytest.mark.network


def _posts(shell: Shell, thread: str) -> list[dict]:
    return list(shell.asked("read", thread)["posts"])


def test_a_thread_a_reply_an_edit_and_a_reaction(shell: Shell):
    thread = shell.thread()
    reply = shell.asked("post", "--thread", thread[:8], "--re", thread[:9], "I am.")
    edited = shell.asked("edit", reply["id"], "I am in.")
    reacted = shell.asked("react", reply["id"][:8], "🚣")

    assert reply["thread"] == edited["thread"] == reacted["thread"] == thread
    first, second = _posts(shell, thread)
    assert (first["text"], second["text"], second["re"]) == ("Who is in?", "I am in.", thread)
    assert second["reactions"] == [{"emoji": "🚣", "count": 1, "mine": True}]

    shell.asked("react", reply["id"], "🚣", "--off")
    shell.asked("delete", reply["id"])
    _, gone = _posts(shell, thread)
    assert (gone["deleted"], gone["text"], gone["reactions"]) == (True, "", [])


def test_a_subnet_with_a_text_and_a_new_title_for_a_thread(shell: Shell):
    made = shell.asked("subnet", "Sheds", "--text", "Tools and keys")
    thread = shell.thread("Keys?")

    shell.asked("edit", thread, "Who has them?", "--title", "Keys!")

    [sheds] = [s for s in shell.asked("subnets")["subnets"] if s["id"] == made["id"]]
    assert (sheds["title"], sheds["text"]) == ("Sheds", "Tools and keys")
    assert shell.asked("read", thread)["thread"]["title"] == "Keys!"


def test_a_dash_reads_standard_input(shell: Shell, monkeypatch: pytest.MonkeyPatch):
    thread = shell.thread()
    typed = "Zwei Zeilen,\n\nmit Ümläuten. 🚣\n"
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(typed.encode())))

    shell.asked("post", "--thread", thread, "-")

    assert _posts(shell, thread)[1]["text"] == typed.removesuffix("\n")


def test_a_dash_is_a_word_like_any_other_where_no_text_is_typed(shell: Shell):
    thread = shell.thread()

    made = shell.asked("subnet", "-")
    shell.asked("react", thread, "-")
    found = shell.run("search", "-")

    [dash] = [s for s in shell.asked("subnets")["subnets"] if s["id"] == made["id"]]
    assert dash["title"] == "-"
    assert _posts(shell, thread)[0]["reactions"][0]["emoji"] == "-"
    assert (found.code, "stdin" in found.out) == (0, False)
    assert "no file or folder" in shell.run("import", "discourse", "-").err


def test_a_link_can_come_from_standard_input(shell: Shell, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"\xff\n")))
    assert "no text in UTF-8" in shell.run("join", "-").err

    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"brothernet://join#x\n")))
    assert "keeps 'Allotments' already" in shell.run("join", "-").err


@pytest.mark.parametrize(
    "words",
    [
        ["post", "--thread", "0" * 64, "bad \udcff"],
        ["create", "x\udcff"],
        ["import", "discourse", "/tmp/\udcff"],
        ["search", "\udcff"],
    ],
)
def test_an_argument_that_is_no_text_is_refused_with_a_sentence(shell: Shell, words: list[str]):
    refused = shell.run(*words)

    assert (refused.code, refused.out) == (1, "")
    assert refused.err == "This holds bytes that are no text in UTF-8.\n"


def test_standard_input_that_is_no_text_is_refused(shell: Shell, monkeypatch: pytest.MonkeyPatch):
    thread = shell.thread()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"\xff\xfe")))

    refused = shell.run("--json", "post", "--thread", thread, "-")

    assert (refused.code, refused.out) == (1, "")
    assert "no text in UTF-8" in refused.err


def test_a_text_may_begin_with_a_dash_behind_two(shell: Shell):
    thread = shell.thread()

    shell.asked("post", "--thread", thread, "--", "--json is an option")

    assert _posts(shell, thread)[1]["text"] == "--json is an option"


def test_a_person_is_told_the_new_id(shell: Shell):
    thread = shell.thread()

    said = shell.run("post", "--thread", thread, "Hello.")

    assert said.out.strip() == _posts(shell, thread)[1]["id"]


@pytest.mark.parametrize(
    "words",
    [
        ["post", "text"],
        ["post", "--subnet", "00000000", "text"],
        ["post", "--title", "T", "text"],
        ["post", "--thread", "00000000", "--title", "T", "text"],
        ["post", "--subnet", "00000000", "--title", "T", "--re", "00000000", "text"],
        ["post", "--subnet", "00000000", "--thread", "00000000", "--title", "T", "text"],
    ],
)
def test_a_post_needs_either_a_subnet_with_a_title_or_a_thread(shell: Shell, words: list[str]):
    wrong = shell.run("--json", *words)

    assert (wrong.code, wrong.out) == (2, "")
    assert wrong.err.startswith("Say either --subnet ID --title TITLE")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["create", "Boats"], "keeps 'Allotments' already. A second forum needs"),
        (["join", "brothernet://join#x"], "keeps 'Allotments' already"),
        (["post", "--thread", "0" * 64, "text"], "There is no thread"),
        (["edit", "00000000", "text"], "There is no"),
        (["delete", "123"], "is no id"),
        (["react", "0" * 64, "x"], "There is no"),
        (["subnet", ""], "title is empty"),
        (["subnet", "x" * 201], "201 characters; at most 200"),
        (["peers", "add", "https://example.org"], "starts with wss://"),
        (["peers", "add", "host:99999999"], "is no port"),
        (["peers", "add", "two words"], "names no machine"),
        (["peers", "remove", "192.0.2.99"], "not among the addresses"),
        (["import", "discourse", "/nowhere/at/all"], "no file or folder"),
        (["import", "discourse", "/etc", "--site", "not a site"], "no address of a forum"),
    ],
)
def test_a_refusal_is_a_sentence_on_standard_error_and_nothing_else(
    shell: Shell, words: list[str], sentence: str
):
    refused = shell.run("--json", *words)

    assert (refused.code, refused.out) == (1, "")
    assert sentence in refused.err
    assert len(refused.err.splitlines()) == 1


def test_a_text_over_the_limit_is_refused_with_both_sizes(shell: Shell):
    refused = shell.run("post", "--thread", shell.thread(), "x" * 131_073)

    assert (refused.code, refused.out) == (1, "")
    assert "131,073 bytes; at most 131,072" in refused.err


def test_an_address_is_added_and_removed(shell: Shell):
    added = shell.asked("peers", "add", "192.0.2.7:47000")
    assert [p["address"] for p in added["peers"]] == ["wss://192.0.2.7:47000"]

    assert shell.asked("peers", "remove", "wss://192.0.2.7:47000") == {"peers": []}


def test_an_import_reports_and_a_second_one_changes_nothing(shell: Shell, tmp_path: Path):
    archive = write_posts(tmp_path, 3)
    count = len(posts(3))

    first = shell.asked("import", "discourse", str(archive), "--site", "https://forum.example")
    again = shell.run("import", "discourse", str(archive), "--site", "https://forum.example")

    assert first == {"read": count, "written": count, "skipped": 0, "reasons": {}}
    assert again.out.startswith(f"{count} read, 0 written, {count} skipped")
    assert again.err == ""


def test_somebody_who_watches_sees_how_far_an_import_is(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    archive = write_posts(tmp_path, 3)
    total = len(posts(3)) + 3
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)

    done = shell.run("import", "discourse", str(archive), "--site", "bar.example")

    assert done.code == 0
    assert f"[{'#' * 30}] {total} of {total}\n" in done.err
