"""The pictures in `icons/` are those that their source describes."""

from __future__ import annotations

from itertools import combinations

import pytest
from PIL import Image, ImageChops

from installer import icons


@pytest.mark.parametrize(("name", "drawn"), list(icons.images()), ids=lambda value: str(value)[:24])
def test_each_picture_is_what_its_source_draws(name: str, drawn: Image.Image):
    kept = Image.open(icons.FOLDER / name)
    assert kept.size == drawn.size
    assert _greatest_difference(kept, drawn) <= 8, "run installer/icons.py"


def test_there_is_no_picture_without_a_source():
    drawn = {name for name, _ in icons.images()}
    assert {path.name for path in icons.FOLDER.glob("*.png")} == drawn


@pytest.mark.parametrize("size", [16, 22, 32])
def test_the_states_of_the_tray_differ_by_shape(size: int):
    """Told apart in a panel that shows no colours, by what is drawn and what is left open."""
    states = [Image.open(icons.FOLDER / f"tray-{state}-{size}.png") for state in _STATES]
    for one, other in combinations(states, 2):
        differing = ImageChops.difference(one.getchannel("A"), other.getchannel("A"))
        cut = sum(differing.point(lambda value: int(value > 127)).histogram()[1:])
        assert cut >= size * size / 64


_STATES = ("idle", "unread", "offline")


def _greatest_difference(one: Image.Image, other: Image.Image) -> int:
    bands = ImageChops.difference(one.convert("RGBA"), other).getextrema()
    return max(int(high) for _low, high in bands)  # type: ignore[misc]
