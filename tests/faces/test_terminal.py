from __future__ import annotations

import pytest

from trayapp.errors import CallRefused, NoForum, NotFound
from trayapp.faces.terminal import NO_FORUM, REFUSED, refuse


def test_a_refusal_goes_to_standard_error_and_is_exit_code_one(
    capsys: pytest.CaptureFixture[str],
):
    assert refuse(NotFound("There is none.")) == REFUSED == 1
    assert refuse(CallRefused("not_found", "Nor here.")) == REFUSED

    out, err = capsys.readouterr()
    assert (out, err) == ("", "There is none.\nNor here.\n")


def test_no_forum_is_exit_code_three_whoever_says_so():
    assert refuse(NoForum()) == NO_FORUM == 3
    assert refuse(CallRefused("no_forum", "None yet.")) == NO_FORUM
