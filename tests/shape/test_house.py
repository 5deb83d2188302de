"""The shape of the code: what STYLE.md and ARCHITECTURE.md ask of every file beyond ruff."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.needs import ROOT

PACKAGE = ROOT / "trayapp"
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if path.read_text(encoding="utf-8").strip())

# Longer than a room should be, each with the reason. Empty is best.
LONG: dict[str, str] = {
    "sync/session.py": "the table of a conversation: a line for all that a peer may say or a shell "
    "may answer; what follows from each is in the rooms it is made of",
}

# Modules that do something but have no test file of their own name, and the test that covers them:
# the inner rooms of a module that is tested from outside.
COVERED_ELSEWHERE: dict[str, str] = {
    "faces/window.py": "desktop/test_tray.py",
    "node/telling.py": "node/test_node.py",
}

_NO_ROOMS = {"utils", "util", "helpers", "helper", "common", "core", "manager", "misc"}


def _name(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


@pytest.mark.parametrize("module", MODULES, ids=_name)
def test_a_module_opens_by_saying_what_lives_there_in_at_most_eight_lines(module: Path):
    if module == PACKAGE / "errors.py":  # opens with its tree, drawn
        return
    said = ast.get_docstring(ast.parse(module.read_text(encoding="utf-8")))
    assert said, f"{_name(module)} has no docstring"
    assert len(said.splitlines()) <= 8, f"{_name(module)}: its docstring tells a story"


@pytest.mark.parametrize("module", MODULES, ids=_name)
def test_a_file_past_400_lines_is_named_with_a_reason(module: Path):
    lines = len(module.read_text(encoding="utf-8").splitlines())
    assert lines <= 400 or _name(module) in LONG, f"{lines} lines: it wants to be two rooms"


def test_no_room_is_a_cupboard():
    assert not [_name(module) for module in MODULES if module.stem in _NO_ROOMS]


@pytest.mark.parametrize(
    "module", [path for path in MODULES if path.name != "__init__.py"], ids=_name
)
def test_each_module_has_its_test_file_or_names_the_one_that_covers_it(module: Path):
    folder = ROOT / "tests" / module.parent.relative_to(PACKAGE)
    stem = module.stem.strip("_")
    own = [folder / f"test_{stem}.py", *folder.glob(f"test_{stem}_*.py")]
    if elsewhere := COVERED_ELSEWHERE.get(_name(module)):
        assert (ROOT / "tests" / elsewhere).is_file(), f"tests/{elsewhere} is not there"
        assert not any(path.is_file() for path in own), f"{_name(module)} has its own test by now"
    elif _acts(module):
        assert any(path.is_file() for path in own), f"{own[0].relative_to(ROOT)} is not there"


def test_every_exception_to_these_rules_still_exists():
    names = {_name(module) for module in MODULES}
    assert LONG.keys() | COVERED_ELSEWHERE.keys() <= names


def _acts(module: Path) -> bool:
    """Whether a module does anything that a test could see, or only defines what others use."""
    tree = ast.parse(module.read_text(encoding="utf-8"))
    functions = [
        node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    return any(
        not isinstance(statement, ast.Pass | ast.Expr)
        for function in functions
        if function.name not in ("__init__", "__str__")
        for statement in function.body
    )
