from __future__ import annotations

from trayapp.api.gate import CODE_S, Gate


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_the_token_and_the_cookie_let_in_and_nothing_else_does():
    gate = Gate("the token", Clock())

    assert gate.lets_in(None, "Bearer the token")
    assert gate.lets_in(gate.cookie, None)
    assert not gate.lets_in(None, None)
    assert not gate.lets_in("", "")
    assert not gate.lets_in("the token", "the token")
    assert not gate.lets_in(None, f"Bearer {gate.cookie}")
    assert not gate.lets_in("\udcff", "Bearer \udcff")


def test_a_code_is_good_once():
    gate = Gate("token", Clock())
    code = gate.new_code()

    assert gate.redeem(code)
    assert not gate.redeem(code)


def test_a_code_is_good_for_a_minute():
    clock = Clock()
    gate = Gate("token", clock)
    early, late = gate.new_code(), gate.new_code()

    clock.now += CODE_S - 1
    assert gate.redeem(early)
    clock.now += 1
    assert not gate.redeem(late)


def test_a_made_up_code_opens_nothing():
    gate = Gate("token", Clock())
    gate.new_code()

    assert not gate.redeem("")
    assert not gate.redeem("x" * 32)


def test_codes_nobody_used_are_forgotten_in_the_end():
    gate = Gate("token", Clock())
    first = gate.new_code()
    for _ in range(100):
        last = gate.new_code()

    assert not gate.redeem(first)
    assert gate.redeem(last)


def test_every_run_has_its_own_cookie():
    assert Gate("token", Clock()).cookie != Gate("token", Clock()).cookie
