from __future__ import annotations

from trayapp.node.audience import Audience


def test_what_visitors_show_is_on_screen_until_they_leave():
    audience = Audience()

    with audience.visit() as ann, audience.visit() as bob, audience.visit():
        ann.thread, bob.thread = b"a" * 32, b"b" * 32
        assert audience.on_screen == {b"a" * 32, b"b" * 32}
        ann.thread = None
        assert audience.on_screen == {b"b" * 32}

    assert audience.on_screen == frozenset()


def test_a_window_stands_while_its_connection_does():
    audience = Audience()
    stood = [audience.has_window]

    with audience.visit() as page, audience.visit() as window:
        page.thread = b"t" * 32
        stood.append(audience.has_window)
        audience.attach(window)
        stood.append(audience.has_window)
    stood.append(audience.has_window)

    assert stood == [False, False, True, False]


def test_the_next_window_begins_where_it_was_wanted_once():
    audience = Audience()
    audience.wanted_page = "/t/1"

    with audience.visit() as window, audience.visit() as another:
        assert audience.attach(window) == "/t/1"
        assert audience.attach(another) == ""
