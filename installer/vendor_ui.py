"""Put the few npm files that the page uses into `ui/vendor`. Standard library only.

`npm ci` has brought whole packages into `ui/node_modules`; the page needs five ES modules, six
fonts and some icons of them. Bare imports are rewritten (`"preact"` becomes `"./preact.js"`): the
page has no bundler, and its Content-Security-Policy leaves no room for an inline import map.
Run again it changes nothing.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

UI = Path(__file__).resolve().parent.parent / "ui"

MODULES: Mapping[str, str] = {
    "preact": "preact/dist/preact.mjs",
    "preact/hooks": "preact/hooks/dist/hooks.mjs",
    "@preact/signals-core": "@preact/signals-core/dist/signals-core.mjs",
    "@preact/signals": "@preact/signals/dist/signals.mjs",
    "htm": "htm/dist/htm.mjs",
}
"""What the page imports: the name in an `import`, and its file under node_modules."""

_SANS = "@fontsource-variable/ibm-plex-sans/files/ibm-plex-sans"
_MONO = "@fontsource/ibm-plex-mono/files/ibm-plex-mono"
FONTS = (
    f"{_SANS}-latin-wght-normal.woff2",
    f"{_SANS}-latin-wght-italic.woff2",
    f"{_SANS}-latin-ext-wght-normal.woff2",
    f"{_MONO}-latin-400-normal.woff2",
    f"{_MONO}-latin-600-normal.woff2",
    f"{_MONO}-latin-ext-400-normal.woff2",
)

ICONS = (
    "activity",
    "arrow-down",
    "arrow-left",
    "check",
    "circle-alert",
    "copy",
    "corner-down-right",
    "git-fork",
    "hash",
    "keyboard",
    "pencil",
    "plus",
    "search",
    "triangle-alert",
    "users",
    "x",
)
"""Names of lucide's icons; `tests/ui` checks that the page uses these and no others."""

_IMPORT = re.compile(r"""(\bfrom|\bimport)(\s*)(["'])([^"'./][^"']*)\3""")
_SOURCE_MAP = re.compile(r"//# sourceMappingURL=.*$", re.MULTILINE)
_SHAPES = re.compile(r"<svg[^>]*>(.*)</svg>", re.DOTALL)


class VendorError(Exception):
    """Something the page needs is not in node_modules; the text says what to do."""


def vendored(node_modules: Path) -> dict[str, bytes]:
    """Everything `ui/vendor` shall hold, by its path there.

    Raises:
        VendorError: a package is missing, or imports something that is not vendored.
    """
    files = {_module_file(name): _module(node_modules, name) for name in MODULES}
    files |= {f"fonts/{Path(font).name}": _read(node_modules, font) for font in FONTS}
    files["icons.svg"] = _sprite(node_modules)
    files["LICENSES.txt"] = _licences(node_modules)
    return files


def put(files: Mapping[str, bytes], folder: Path) -> int:
    """Make `folder` hold exactly these files; return how many had to be written or removed."""
    changed = 0
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_file() and path.relative_to(folder).as_posix() not in files:
            path.unlink()
            changed += 1
        elif path.is_dir() and not any(path.iterdir()):
            path.rmdir()
    for name, content in files.items():
        path = folder / name
        if not path.is_file() or path.read_bytes() != content:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            changed += 1
    return changed


def main() -> int:
    """Fill `ui/vendor`. Exit code 0 when it holds what the page needs."""
    try:
        files = vendored(UI / "node_modules")
    except VendorError as error:
        print(f"{error}", file=sys.stderr)
        return 1
    changed = put(files, UI / "vendor")
    size = sum(map(len, files.values())) // 1024
    print(f"    ui/vendor: {len(files)} files, {size} KB, {changed} changed")
    return 0


def _module(node_modules: Path, name: str) -> bytes:
    code = _read(node_modules, MODULES[name]).decode("utf-8")

    def beside(match: re.Match[str]) -> str:
        word, space, quote, wanted = match.groups()
        if wanted not in MODULES:
            raise VendorError(f"{name} imports {wanted!r}, which installer/vendor_ui.py lacks.")
        return f"{word}{space}{quote}./{_module_file(wanted)}{quote}"

    # The maps are not vendored, and a page that names one asks for it in vain.
    return _SOURCE_MAP.sub("", _IMPORT.sub(beside, code)).encode("utf-8")


def _module_file(name: str) -> str:
    """`@preact/signals-core` lies in `signals-core.js`, `preact/hooks` in `hooks.js`."""
    return f"{name.rsplit('/', 1)[-1]}.js"


def _sprite(node_modules: Path) -> bytes:
    """One svg file with a symbol per icon, for `<use href="…#name">`."""
    symbols = "\n".join(_symbol(node_modules, name) for name in ICONS)
    return f'<svg xmlns="http://www.w3.org/2000/svg">\n{symbols}\n</svg>\n'.encode()


def _symbol(node_modules: Path, name: str) -> str:
    svg = _read(node_modules, f"lucide-static/icons/{name}.svg").decode("utf-8")
    shapes = _SHAPES.search(svg)
    if shapes is None:
        raise VendorError(f"lucide's icon {name} is not the svg it used to be.")
    inner = " ".join(shapes.group(1).split())
    return (
        f'<symbol id="icon-{name}" viewBox="0 0 24 24" fill="none" stroke="currentColor"'
        f' stroke-width="2" stroke-linecap="square">{inner}</symbol>'
    )


def _licences(node_modules: Path) -> bytes:
    texts = (f"{name}\n\n{_licence(node_modules, name)}\n" for name in _packages())
    return ("\n" + "-" * 80 + "\n\n").join(texts).encode("utf-8")


def _licence(node_modules: Path, package: str) -> str:
    return _read(node_modules, f"{package}/LICENSE").decode("utf-8").strip()


def _packages() -> Iterator[str]:
    """The packages that anything here comes from, each once, by name."""
    files = (*MODULES.values(), *FONTS, "lucide-static/icons")
    parts = (file.split("/") for file in files)
    yield from sorted({"/".join(p[: 2 if p[0].startswith("@") else 1]) for p in parts})


def _read(node_modules: Path, name: str) -> bytes:
    try:
        return (node_modules / name).read_bytes()
    except OSError as error:
        raise VendorError(
            f"ui/node_modules/{name} is not there ({error.strerror}). Run: npm ci, in ui/"
        ) from error


if __name__ == "__main__":
    sys.exit(main())
