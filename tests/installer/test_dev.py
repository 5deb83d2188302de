"""What the set-up decides, from facts handed to it. That it works at all is seen by using it."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from installer import apt, checks, dev, start, steps
from installer.machine import ROOT, Machine, child_environment, has_display, is_debian
from tests import needs

DPKG = """\
install ok installed|python3-venv|python3-pyvenv
install ok installed|libpython3.12t64|libpython3.12 (= 3.12.3-1), libpython3.12-abi
deinstall ok config-files|xvfb|
install ok installed|bash|
"""


def a_machine(tmp_path: Path, **facts: object) -> Machine:
    known: dict[str, object] = {
        "platform": "linux",
        "apt": False,
        "root": False,
        "environment": {"PATH": str(tmp_path)},
        "python": Path(sys.executable),
    }
    return Machine(**{**known, **facts})  # type: ignore[arg-type]


def program(path: Path, script: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


@pytest.mark.parametrize(
    ("release", "answer"),
    [
        ("ID=debian\nVERSION_ID=12\n", True),
        ('ID=linuxmint\nID_LIKE="ubuntu debian"\n', True),
        ("ID=fedora\n", False),
        ("", False),
    ],
)
def test_debian_and_its_children_are_known_by_their_release_file(release: str, answer: bool):
    assert is_debian(release) is answer


def test_a_display_is_x_or_wayland_and_elsewhere_anything_but_ssh():
    assert has_display("linux", {"DISPLAY": ":0"})
    assert has_display("linux", {"WAYLAND_DISPLAY": "wayland-0"})
    assert not has_display("linux", {"DISPLAY": ""})
    assert has_display("darwin", {})
    assert not has_display("darwin", {"SSH_CONNECTION": "10.0.0.1"})


def test_proxies_and_certificates_reach_every_child():
    person = {"https_proxy": "http://proxy:3128", "NO_PROXY": "lan", "SSL_CERT_FILE": "/own.pem"}

    child = child_environment(person)

    assert {name: child[name] for name in person} == person
    assert child["PIP_CERT"] == child["NODE_EXTRA_CA_CERTS"] == "/own.pem"


def test_a_certificate_chosen_for_pip_is_not_replaced():
    child = child_environment({"SSL_CERT_FILE": "/own.pem", "PIP_CERT": "/pip.pem"})
    assert child["PIP_CERT"] == "/pip.pem"


def test_what_would_lead_pip_away_from_the_virtual_environment_is_left_out():
    child = child_environment({"PYTHONPATH": "/x", "PIP_USER": "1", "HOME": "/home/ann"})
    assert child["HOME"] == "/home/ann"
    assert not {"PYTHONPATH", "PIP_USER"} & child.keys()


def test_a_package_is_missing_unless_it_or_a_provider_is_installed():
    wanted = ("python3-venv", "libpython3.12", "xvfb", "chromium")
    assert apt.missing_packages(wanted, DPKG) == ["xvfb", "chromium"]


def test_apt_goes_through_sudo_without_asking_and_keeps_the_proxy():
    command = apt.apt_command("install", ["xvfb"], root=False)
    assert command[:2] == ["sudo", "-n"]
    assert "https_proxy" in command[2]
    assert command[-1] == "xvfb"
    assert "--no-install-recommends" in command
    assert apt.apt_command("install", ["xvfb"], root=True)[0] == "apt-get"


def test_without_the_right_to_use_apt_the_line_to_run_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    program(tmp_path / "sudo", "exit 1")
    program(tmp_path / "dpkg-query", "exit 0")

    apt.system_packages(a_machine(tmp_path, apt=True), ("python3-gi", "xvfb"))

    said = capsys.readouterr().out
    assert "sudo apt-get install --no-install-recommends python3-gi xvfb\n" in said
    assert "Going on without them" in said


def test_apt_is_not_called_when_nothing_is_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    program(tmp_path / "dpkg-query", "echo 'install ok installed|xvfb|'")
    program(tmp_path / "apt-get", "echo called; exit 1")

    apt.system_packages(a_machine(tmp_path, apt=True, root=True), ("xvfb",))

    assert capsys.readouterr().out == "==> System packages: all there\n"


def test_a_virtual_environment_of_another_python_is_not_current(tmp_path: Path):
    (tmp_path / "pyvenv.cfg").write_text(
        "home = /usr/bin\ninclude-system-site-packages = true\nversion = 3.11.2\n"
    )
    assert steps.venv_is_current(tmp_path, Path("/usr/bin/python3"), True)
    assert not steps.venv_is_current(tmp_path, Path("/usr/bin/python3"), False)
    assert not steps.venv_is_current(tmp_path, Path("/opt/bin/python3"), True)
    assert not steps.venv_is_current(tmp_path / "absent", Path("/usr/bin/python3"), True)


def test_on_debian_the_systems_python_is_used_because_gtk_is_built_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    system = program(tmp_path / "python3", "exit 0")
    monkeypatch.setattr(steps, "SYSTEM_PYTHON", system)
    assert steps.base_python(a_machine(tmp_path, apt=True)) == (system, True)
    assert steps.base_python(a_machine(tmp_path, platform="darwin")) == (
        Path(sys.executable),
        False,
    )


def test_a_system_python_without_venv_gives_way_to_the_one_that_runs_this(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(steps, "SYSTEM_PYTHON", program(tmp_path / "python3", "exit 1"))
    python, _ = steps.base_python(a_machine(tmp_path, apt=True))
    assert python == Path(sys.executable)


def test_a_python_that_cannot_make_environments_is_told_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    bare = program(tmp_path / "python3", "exit 1")
    monkeypatch.setattr(steps, "SYSTEM_PYTHON", bare)
    monkeypatch.setattr(Machine, "venv", tmp_path / "venv")
    with pytest.raises(steps.StepFailed, match="sudo apt-get install python3-venv"):
        steps.virtual_environment(a_machine(tmp_path, apt=True, python=bare))


def test_an_environment_of_a_moved_checkout_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    venv = tmp_path / "venv"
    maker = program(tmp_path / "python3", 'test "$2" != venv || echo "$@" >> "$0.made"')
    machine = a_machine(tmp_path, python=maker, platform="darwin")
    monkeypatch.setattr(Machine, "venv", venv)
    venv.mkdir()
    config = f"home = {tmp_path}\ninclude-system-site-packages = false\n"
    (venv / "pyvenv.cfg").write_text(config)

    steps.virtual_environment(machine)
    assert not (tmp_path / "python3.made").exists()
    (venv / "brothernet.json").write_text('{"root": "/elsewhere"}')
    steps.virtual_environment(machine)
    assert (tmp_path / "python3.made").read_text() == f"-m venv --clear {venv}\n"


@pytest.mark.parametrize(
    ("version", "answer"), [("v20.1.0\n", True), ("v16.3.0", False), ("", False)]
)
def test_an_old_node_is_not_used(version: str, answer: bool):
    assert steps.node_is_recent(version) is answer


def test_the_machines_npm_is_used_when_its_node_is_recent(tmp_path: Path):
    program(tmp_path / "npm", "exit 0")
    program(tmp_path / "node", "echo v22.1.0")
    assert steps.npm_and_path(a_machine(tmp_path)) == (tmp_path / "npm", None)


def test_a_change_of_any_file_changes_the_fingerprint(tmp_path: Path):
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_text("ab")
    two.write_text("c")
    before = steps.hash_of(one, two)
    one.write_text("a")
    two.write_text("bc")
    assert steps.hash_of(one, two) != before
    assert steps.hash_of(one, tmp_path / "absent") != steps.hash_of(one)


def test_tests_come_last_so_that_their_last_line_is_the_last():
    names = [name for name, _ in checks.commands()]
    assert names == ["Format", "Lint", "Types", "Contracts", "Tests"]
    assert checks.commands(["-k", "fold"])[-1][1] == ("pytest", "-k", "fold")


def test_a_failed_check_is_named_and_the_others_still_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
):
    for name in ("ruff", "mypy", "lint-imports", "pytest"):
        program(tmp_path / name, f"echo {name} ran; test {name} != mypy")
    monkeypatch.setattr(Machine, "script", lambda self, name: tmp_path / name)

    assert checks.check(a_machine(tmp_path)) == 1

    said = capfd.readouterr()
    assert "pytest ran" in said.out
    assert said.err == "\nFailed: Types\n"


def test_the_ready_line_is_told_from_other_lines():
    assert start.is_ready(json.dumps({"ready": True, "network": None}))
    assert not start.is_ready('{"ready": false}')
    assert not start.is_ready("true")
    assert not start.is_ready("port 47311 is in use")


def test_without_a_display_the_page_address_is_printed_and_run_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
):
    program(
        tmp_path / "brothernet",
        'case "$*" in\n'
        "*--print-url*) echo http://127.0.0.1:5/enter;;\n"
        '*) echo \'{"ready": true}\'; echo "$@"; exit 3;;\n'
        "esac",
    )
    monkeypatch.setattr(Machine, "script", lambda self, name: tmp_path / name)

    assert start.start(a_machine(tmp_path), str(tmp_path), False, ["--no-lan"]) == 3

    said = capfd.readouterr().out
    assert "without tray and window (no display)" in said
    assert "The forum page: http://127.0.0.1:5/enter\n" in said
    assert f"--data {tmp_path} headless --no-lan\n" in said


def test_a_signal_to_run_ends_the_node_and_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
):
    program(
        tmp_path / "brothernet",
        "trap 'echo saved; exit 0' TERM; kill -TERM $PPID; while :; do sleep 0.05; done",
    )
    monkeypatch.setattr(Machine, "script", lambda self, name: tmp_path / name)
    before = signal.getsignal(signal.SIGTERM)

    assert start.start(a_machine(tmp_path), None, True, []) == 0

    assert "saved" in capfd.readouterr().out
    assert signal.getsignal(signal.SIGTERM) == before


def test_wrong_usage_says_which_commands_there_are(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as leaving:
        dev.main([])
    assert leaving.value.code == 2
    assert "run" in capsys.readouterr().err


def test_help_needs_nothing_but_python():
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(ROOT / "installer" / "dev.py"), "--help"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "set up, then start Brothernet" in done.stdout


def test_every_dependency_is_locked_at_a_version_that_is_allowed():
    import tomllib

    from packaging.requirements import Requirement

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    groups = project["dependency-groups"]
    for lock, wanted in (
        ("run", project["project"]["dependencies"] + groups["build"]),
        ("dev", project["project"]["dependencies"] + groups["build"] + groups["dev"]),
        ("node", groups["node"]),
    ):
        locked = _locked(ROOT / "installer" / "locks" / f"{lock}.txt")
        for requirement in map(Requirement, wanted):
            assert locked[requirement.name.lower()] in requirement.specifier, (
                f"{lock}: {requirement}"
            )


def test_both_locks_name_the_same_versions():
    run, development = (
        _locked(ROOT / "installer" / "locks" / f"{name}.txt") for name in ("run", "dev")
    )
    assert run.items() <= development.items()


@pytest.mark.parametrize("ci", ["true", "1"])
def test_with_ci_a_missing_thing_fails_the_run(monkeypatch: pytest.MonkeyPatch, ci: str):
    monkeypatch.setenv("CI", ci)
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(pytest.fail.Exception, match="needs Xvfb"):
        needs.display()


def test_elsewhere_a_missing_thing_skips_with_the_reason(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("CI", "false")
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(pytest.skip.Exception, match="needs dbus-daemon"):
        needs.bus()


def test_ci_calls_the_test_command():
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
    assert "exec python3 installer/dev.py test" in (ROOT / ".ci" / "run").read_text()


def _locked(lock: Path) -> dict[str, str]:
    pins = (line.split()[0] for line in lock.read_text().splitlines() if "==" in line)
    return dict(pin.split("==") for pin in pins)
