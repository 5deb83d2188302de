"""The page's own files: they parse, they use what is vendored, and nothing else."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from installer import vendor_ui
from tests.needs import ROOT

UI = ROOT / "ui"
SOURCES = sorted(
    path for path in UI.rglob("*.js") if not {"vendor", "node_modules"} & set(path.parts)
)
STYLES = sorted((UI / "styles").glob("*.css"))


def test_every_module_parses():
    node = shutil.which("node")
    if node is None:
        pytest.skip("needs Node; the browser's tests load every module too")
    for path in SOURCES:
        checked = subprocess.run([node, "--check", path], capture_output=True, text=True)
        assert checked.returncode == 0, checked.stderr


def test_every_import_leads_to_a_file_and_to_a_name_in_it():
    for path in SOURCES:
        text = path.read_text(encoding="utf-8")
        for names, wanted in re.findall(r"(?:import|export) ([^;]*?) from \"([^\"]+)\"", text):
            target = (path.parent / wanted).resolve()
            assert target.is_file(), f"{path.name} imports {wanted}"
            if "vendor" in wanted or not names.startswith("{"):
                continue
            exported = target.read_text(encoding="utf-8")
            for name in re.findall(r"(\w+)(?: as \w+)?,?", names.strip("{} \n")):
                found = (
                    rf"export (?:async )?(?:const|function|class) {name}\b"
                    rf"|export {{[^}}]*\b{name}\b"
                )
                assert re.search(found, exported), f"{path.name} wants {name} of {wanted}"


def test_every_import_is_used():
    for path in SOURCES:
        text = path.read_text(encoding="utf-8")
        for names in re.findall(r"import {([^}]*)} from", text):
            for name in re.findall(r"\b(\w+)\b(?: as (\w+))?", names):
                used = name[1] or name[0]
                assert len(re.findall(rf"\b{used}\b", text)) > 1, f"{path.name} never uses {used}"


def test_the_icons_used_are_the_icons_vendored():
    text = "".join(path.read_text(encoding="utf-8") for path in SOURCES)
    used = {
        name
        for quoted in re.findall(r"<\$\{Icon\} name=(\"[\w-]+\"|\$\{[^}]*\})", text)
        + re.findall(r"\bicon=(\"[\w-]+\")", text)
        for name in re.findall(r"\"([\w-]+)\"", quoted)
        if name != "error"
    }
    assert used == set(vendor_ui.ICONS)


def test_only_the_prose_takes_html():
    takes = [
        path.name
        for path in SOURCES
        if re.search(r"innerHTML|insertAdjacentHTML|document\.write|eval\(|new Function",
                     path.read_text(encoding="utf-8"), re.IGNORECASE)
    ]  # fmt: skip
    assert takes == ["prose.js"]


def test_no_style_or_handler_stands_in_the_html():
    page = (UI / "index.html").read_text(encoding="utf-8")
    assert re.search(r"\sstyle=|\son\w+=|<style|<script(?![^>]*\ssrc=)", page) is None
    for path in SOURCES:
        assert ' style="' not in path.read_text(encoding="utf-8"), path.name


def test_every_class_in_the_style_sheets_is_on_the_page():
    code = "".join(path.read_text(encoding="utf-8") for path in SOURCES)
    code += (ROOT / "trayapp" / "forum" / "prose.py").read_text(encoding="utf-8")
    for path in STYLES:
        sheet = re.sub(r"url\([^)]*\)|/\*.*?\*/", "", path.read_text(encoding="utf-8"), flags=re.S)
        for name in set(re.findall(r"\.([a-z][\w-]*)", sheet)):
            stem = name.rstrip("0123456789") if re.fullmatch(r"n\d", name) else name
            assert re.search(rf"\b{stem.removeprefix('to-')}\b", code) or name in {
                "connected", "syncing", "connecting", "unreachable", "to-center", "to-right"
            }, f"{path.name}: .{name}"  # fmt: skip


def test_vendoring_twice_changes_nothing(tmp_path: Path):
    modules = UI / "node_modules"
    if not modules.is_dir():
        pytest.skip("needs ui/node_modules")
    files = vendor_ui.vendored(modules)

    assert vendor_ui.put(files, tmp_path) == len(files)
    assert vendor_ui.put(files, tmp_path) == 0
    (tmp_path / "left over.js").write_text("old", encoding="utf-8")
    (tmp_path / "preact.js").write_text("broken", encoding="utf-8")
    assert vendor_ui.put(files, tmp_path) == 2
    assert {p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*") if p.is_file()} == set(
        files
    )


def test_vendored_modules_import_only_each_other():
    files = vendor_ui.vendored(UI / "node_modules")
    for name, content in files.items():
        if name.endswith(".js"):
            for wanted in re.findall(rb"(?:from|import)\s*[\"']([^\"']+)[\"']", content):
                assert wanted.decode().removeprefix("./") in files, name
            assert b"sourceMappingURL" not in content


def test_a_module_that_is_not_there_is_named(tmp_path: Path):
    with pytest.raises(vendor_ui.VendorError, match=r"preact.*npm ci"):
        vendor_ui.vendored(tmp_path)


def test_an_import_of_something_unknown_is_refused(tmp_path: Path):
    for file in vendor_ui.MODULES.values():
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text("import x from 'left-pad';", encoding="utf-8")
    with pytest.raises(vendor_ui.VendorError, match="left-pad"):
        vendor_ui.vendored(tmp_path)
