"""What this computer is and what it has: the facts that the steps of the set-up decide by.

Pure questions with the facts as arguments come first; `Machine.here()` alone goes and looks.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SYSTEM_PYTHON = Path("/usr/bin/python3")

# pip and venv must work in .venv alone, whatever the person's shell sets for other work.
_MISLEADING = (
    "PYTHONHOME",
    "PYTHONPATH",
    "PIP_USER",
    "PIP_TARGET",
    "PIP_PREFIX",
    "PIP_REQUIRE_HASHES",
)
_ONE_CERTIFICATE_FILE = ("PIP_CERT", "NODE_EXTRA_CA_CERTS")


@dataclass(frozen=True, slots=True)
class Machine:
    """The facts. Nothing here changes during a run but what apt and pip install."""

    platform: str
    """As `sys.platform` has it: linux, darwin, win32."""

    apt: bool
    """Debian, Ubuntu or a child of theirs."""

    root: bool
    environment: Mapping[str, str]
    """What every child gets: the person's own, proxies and certificates included."""

    python: Path
    """The Python that runs this, outside any virtual environment."""

    @classmethod
    def here(cls) -> Machine:
        """Look at the computer this runs on."""
        release = Path("/etc/os-release")
        text = release.read_text(encoding="utf-8") if release.is_file() else ""
        return cls(
            platform=sys.platform,
            apt=is_debian(text) and shutil.which("apt-get") is not None,
            root=hasattr(os, "geteuid") and os.geteuid() == 0,
            environment=child_environment(os.environ),
            python=Path(getattr(sys, "_base_executable", "") or sys.executable),
        )

    @property
    def venv(self) -> Path:
        """The virtual environment of this checkout."""
        return ROOT / ".venv"

    def script(self, name: str) -> Path:
        """Where a program of the virtual environment lies."""
        if self.platform == "win32":
            return self.venv / "Scripts" / f"{name}.exe"
        return self.venv / "bin" / name

    def says(self, *command: str | Path) -> str | None:
        """What a short command prints, or None when it fails or is not there."""
        code, said = self.tries(*command, errors=False)
        return said if code == 0 else None

    def tries(self, *command: str | Path, errors: bool = True) -> tuple[int, str]:
        """Run a command quietly; return its exit code (127 when not there) and what it said."""
        try:
            done = subprocess.run(
                [str(part) for part in command],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT if errors else subprocess.DEVNULL,
                text=True,
                env=dict(self.environment),
                check=False,
            )
        except OSError as error:
            return 127, str(error)
        return done.returncode, done.stdout

    def does(self, *command: str | Path, folder: Path = ROOT, path: Path | None = None) -> bool:
        """Run a command in the open, with what it prints; return whether it succeeded.

        Args:
            path: a folder to look for programs in before all others.
        """
        environment = dict(self.environment)
        if path:
            environment["PATH"] = os.pathsep.join((str(path), environment.get("PATH", "")))
        try:
            done = subprocess.run(
                [str(part) for part in command],
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                check=False,
            )
        except OSError as error:
            print(f"    {command[0]}: {error.strerror}")
            return False
        return done.returncode == 0


def is_debian(os_release: str) -> bool:
    """Whether /etc/os-release tells of Debian, Ubuntu or a child of theirs."""
    facts = dict(line.split("=", 1) for line in os_release.splitlines() if "=" in line)
    names = f"{facts.get('ID', '')} {facts.get('ID_LIKE', '')}".replace('"', "").split()
    return "debian" in names or "ubuntu" in names


def has_display(platform: str, environment: Mapping[str, str]) -> bool:
    """Whether a window could be shown. On macOS and Windows always, but not through ssh."""
    if platform in ("darwin", "win32"):
        return "SSH_CONNECTION" not in environment
    return bool(environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY"))


def child_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment for pip, npm, apt and the program itself.

    Proxies and certificates stay as they are; a certificate file that only OpenSSL was told of is
    told to pip and Node as well. Out goes what would lead pip away from the virtual environment.
    """
    kept = {name: value for name, value in environment.items() if name not in _MISLEADING}
    kept["PIP_DISABLE_PIP_VERSION_CHECK"] = "1"
    kept["PIP_NO_INPUT"] = "1"
    kept["DEBIAN_FRONTEND"] = "noninteractive"
    if certificates := kept.get("SSL_CERT_FILE"):
        for name in _ONE_CERTIFICATE_FILE:
            kept.setdefault(name, certificates)
    return kept


def say(text: str) -> None:
    """Tell the person what happens now."""
    print(f"==> {text}", flush=True)
