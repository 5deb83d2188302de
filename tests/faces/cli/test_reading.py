from __future__ import annotations

from pathlib import Path

import pytest

from tests.faces.cli.conftest import Shell
from tests.generated import write_posts
from trayapp.faces.cli import reading

pytestmark = pytest.mark.network
HEX = set("0123456789abcdef")


def test_json_has_the_shapes_of_the_contract(shell: Shell):
    thread = shell.thread("Shapes", "of things")
    status = shell.asked("status")
    assert {"device", "network", "operations", "digest", "peers", "sync"} <= status.keys()
    assert set(status["digest"]) == {"0", "1"}
    assert {"state", "done", "total"} <= status["sync"].keys()
    assert status["network"]["name"] == "Allotments"

    assert shell.asked("invite", "--bare")["link"].startswith("brothernet://join#")
    [subnet, *_] = shell.asked("subnets")["subnets"]
    assert {"id", "title", "threads", "unread"} <= subnet.keys()
    listed = next(t for t in shell.asked("threads")["threads"] if t["id"] == thread)
    assert {"id", "subnet", "title", "author", "replies", "unread", "last"} <= listed.keys()

    page = shell.asked("read", thread)
    assert {"id", "subnet", "title"} <= page["thread"].keys()
    [post] = page["posts"]
    wanted = "id re author time text html edited deleted conflict source"
    assert set(wanted.split()) <= post.keys()
    assert {"device", "name"} <= post["author"].keys()
    assert isinstance(post["time"], int)
    assert len(post["id"]) == 64
    assert set(post["id"]) <= HEX
    assert shell.asked("peers") == {"peers": []}


def test_an_invite_with_addresses_is_longer(shell: Shell):
    whole = shell.run("invite").out.strip()

    assert whole.startswith("brothernet://join#")
    assert len(whole) > len(shell.run("invite", "--bare").out.strip())


def test_a_search_finds_words_and_leaves_the_marks_out(shell: Shell):
    thread = shell.thread("Compost", "Bags of xylophone compost")

    [hit] = shell.asked("search", "xylophone", "bags")["hits"]

    assert (hit["thread"], hit["snippet"]) == (thread, "Bags of xylophone compost")
    assert "Bags of xylophone compost" in shell.run("search", "xylophone").out
    assert shell.run("search", "nothinglikeit").out == "Nothing found.\n"


def test_a_person_reads_columns_with_ids_that_commands_take(shell: Shell):
    thread = shell.thread("Columns", "A **bold** one")

    listed = shell.run("threads")
    line = next(line for line in listed.out.splitlines() if "Columns" in line)
    read = shell.run("read", line.split()[0])

    assert listed.out.splitlines()[0].split()[:3] == ["ID", "THREAD", "BY"]
    assert thread.startswith(line.split()[0])
    assert read.out.startswith("Columns  General\n\nann  ")
    assert "A **bold** one" in read.out
    assert "\x1b" not in listed.out + read.out


def test_all_threads_are_listed_however_many_pages_they_fill(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(reading, "_PAGE", 2)
    subnet = shell.asked("subnet", "Crowded")["id"]
    made = [
        shell.asked("post", "--subnet", subnet, "--title", f"Number {n}", "x")["thread"]
        for n in range(5)
    ]

    def listed(*words: str) -> list[str]:
        return [t["id"] for t in shell.asked("threads", subnet, *words)["threads"]]

    assert listed() == made[::-1]
    assert listed("--limit", "3") == made[:1:-1]
    assert listed("--limit", "9") == made[::-1]


@pytest.mark.parametrize("words", [["threads"], ["search", "word"]])
@pytest.mark.parametrize("limit", ["0", "-1"])
def test_a_limit_below_one_is_wrong_usage(shell: Shell, words: list[str], limit: str):
    wrong = shell.run(*words, "--limit", limit)

    assert (wrong.code, wrong.out) == (2, "")


def test_threads_of_one_subnet_alone(shell: Shell):
    subnet = shell.asked("subnet", "Only here")["id"]
    thread = shell.asked("post", "--subnet", subnet, "--title", "One", "Text")["thread"]
    shell.thread("Elsewhere")

    assert [t["id"] for t in shell.asked("threads", subnet[:8])["threads"]] == [thread]
    assert len(shell.asked("threads", "--limit", "1")["threads"]) == 1
    assert shell.run("threads", shell.asked("subnet", "Empty")["id"]).out == "No threads yet.\n"


def test_the_status_in_words(shell: Shell):
    status = shell.run("status").out

    assert "Allotments" in status
    assert "You         ann" in status
    assert "offline" in status


def test_a_long_thread_is_read_whole(shell: Shell, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(reading, "_PAGE", 3)
    thread = shell.thread()
    for number in range(2, 9):
        shell.asked("post", "--thread", thread, str(number))

    assert [post["number"] for post in shell.asked("read", thread)["posts"]] == list(range(1, 9))


def test_imported_posts_are_shown_under_their_own_names(shell: Shell, tmp_path: Path):
    shell.asked("import", "discourse", str(write_posts(tmp_path, 1)), "--site", "names.example")
    oldest = shell.asked("threads")["threads"][-5:]

    shown = [shell.run("read", thread["id"]).out for thread in oldest]
    assert any("on names.example" in text for text in shown)


def test_what_strangers_write_cannot_move_the_cursor(shell: Shell):
    thread = shell.thread("Trick\u202etitle", "one\x1b]0;owned\x07two\r\nthree\u202efour")

    shown = shell.run("read", thread).out + shell.run("threads").out

    assert "\x1b" not in shown
    assert "\r" not in shown
    assert "\u202e" not in shown
    assert "one]0;ownedtwo\nthreefour" in shown
