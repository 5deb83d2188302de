"""The README tells the truth: its commands exist, its links lead somewhere."""

from __future__ import annotations

import re
import subprocess
import sys
from functools import cache

import pytest

from tests.needs import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
_COMMAND = r"^brothernet ([a-z]+(?: [a-z]+)?)"
COMMANDS = sorted(set(re.findall(_COMMAND, README, re.MULTILINE)))
OPTIONS = sorted(
    {
        (command, option)
        for command, rest in re.findall(_COMMAND + "(.*)", README, re.MULTILINE)
        for option in re.findall(r"--[a-z-]+", re.split(r" {3,}", rest)[0])
    }
)


@cache
def _help(*command: str) -> str:
    asked = [sys.executable, "-m", "trayapp", *command, "--help"]
    return subprocess.run(asked, capture_output=True, text=True, check=True, cwd=ROOT).stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_of_the_readme_is_one_of_the_program(command: str):
    *group, name = command.split()
    assert re.search(rf"^\W*{name}\b", _help(*group), re.MULTILINE)


@pytest.mark.parametrize(("command", "option"), OPTIONS, ids=[" ".join(one) for one in OPTIONS])
def test_each_option_of_the_readme_is_one_of_its_command(command: str, option: str):
    assert option in _help(*command.split())


def test_each_command_of_the_set_up_is_in_the_readme():
    asked = [sys.executable, str(ROOT / "installer" / "dev.py"), "--help"]
    usage = subprocess.run(asked, capture_output=True, text=True, check=True).stdout
    offered = re.search(r"\{([a-z,]+)\}", usage)
    assert offered
    named = set(re.findall(r"installer/dev\.py\s+([a-z]+)", README))
    assert named == set(offered[1].split(","))


def test_each_file_the_readme_links_to_is_there():
    targets = re.findall(r"\]\(([^)#:]+)\)", README)
    assert targets
    assert [target for target in targets if not (ROOT / target).exists()] == []
