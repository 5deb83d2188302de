"""Draw every image of `icons/` from `icons/source.svg`:  .venv/bin/python installer/icons.py

Reads the few kinds of SVG shapes that file is made of. A shape with fill="none" cuts a hole.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from PIL import Image, ImageDraw

FOLDER = Path(__file__).resolve().parent.parent / "icons"
BOX = 512
"""The side of the source's view box."""

_FINER = 8
_SVG = "{http://www.w3.org/2000/svg}"


@dataclass(frozen=True, slots=True)
class Variant:
    """One image in several sizes: which groups of the source it shows, in drawing order."""

    name: str
    groups: tuple[str, ...]
    sizes: tuple[int, ...]


VARIANTS = (
    Variant("brothernet", ("plate", "mark-small"), (16, 22, 24, 32)),  # two marks would blur
    Variant("brothernet", ("plate", "mark"), (48, 64, 128, 256, 512)),
    Variant("tray-idle", ("plate", "mark-small"), (16, 22, 24, 32, 48, 64)),
    Variant("tray-unread", ("plate", "mark-small", "dot"), (16, 22, 24, 32, 48, 64)),
    Variant("tray-offline", ("frame", "mark-hollow"), (16, 22, 24, 32, 48, 64)),
)


def images() -> Iterator[tuple[str, Image.Image]]:
    """Every file name of the folder with its picture."""
    source = ElementTree.parse(FOLDER / "source.svg").getroot()
    for variant in VARIANTS:
        for size in variant.sizes:
            yield f"{variant.name}-{size}.png", draw(source, variant.groups, size)


def draw(source: ElementTree.Element, groups: tuple[str, ...], size: int) -> Image.Image:
    """One picture, drawn finer and scaled down.

    Raises:
        KeyError: the source has no such group, or a shape lacks an attribute.
    """
    picture = Image.new("RGBA", (size * _FINER, size * _FINER))
    pen = ImageDraw.Draw(picture)
    by_id = {group.attrib["id"]: group for group in source.iter(f"{_SVG}g")}
    for group in (by_id[name] for name in groups):
        for shape in group:
            colour = shape.get("fill") or group.attrib["fill"]
            _draw_shape(pen, shape, (0, 0, 0, 0) if colour == "none" else colour, size)
    return picture.resize((size, size), Image.Resampling.LANCZOS)


def _draw_shape(
    pen: ImageDraw.ImageDraw,
    shape: ElementTree.Element,
    colour: str | tuple[int, int, int, int],
    size: int,
) -> None:
    scale = size * _FINER / BOX

    def at(name: str) -> float:
        return float(shape.attrib[name]) * scale

    match shape.tag.removeprefix(_SVG):
        case "rect":
            x, y = at("x"), at("y")
            box = (x, y, x + at("width") - 1, y + at("height") - 1)
            pen.rounded_rectangle(box, at("rx"), fill=colour)
        case "circle":
            x, y, r = at("cx"), at("cy"), at("r")
            pen.ellipse((x - r, y - r, x + r, y + r), fill=colour)
        case "polygon":
            pairs = (point.split(",") for point in shape.attrib["points"].split())
            pen.polygon([(float(x) * scale, float(y) * scale) for x, y in pairs], fill=colour)
        case other:
            raise ValueError(f"icons/source.svg: {other} is no shape this program can draw")


def main() -> int:
    """Write all files."""
    for name, picture in images():
        picture.save(FOLDER / name, optimize=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
