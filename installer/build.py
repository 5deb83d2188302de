"""Make the one-file executable and try it before anybody gets it.

Run by `python3 installer/dev.py package`, inside the virtual environment. The result is
`dist/brothernet` (`.exe` on Windows).
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROGRAM = ROOT / "dist" / ("brothernet.exe" if sys.platform == "win32" else "brothernet")


def main() -> int:
    """Build, then selftest; the exit code of the first that fails."""
    with tempfile.TemporaryDirectory() as work:
        _step("Packing the program into one file")
        built = subprocess.run(
            [
                *(sys.executable, "-m", "PyInstaller", "--noconfirm", "--log-level", "ERROR"),
                *("--workpath", work, "--distpath", str(PROGRAM.parent)),
                str(ROOT / "installer" / "brothernet.spec"),
            ],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            check=False,
        )
    if built.returncode:
        return built.returncode
    _step("Trying the packed program")
    tried = subprocess.run(
        [sys.executable, str(ROOT / "installer" / "selftest.py"), str(PROGRAM)], check=False
    )
    if tried.returncode:
        return tried.returncode
    _step(f"Done: {PROGRAM} ({PROGRAM.stat().st_size / 1e6:.0f} MB)")
    return 0


def _step(what: str) -> None:
    print(f"==> {what}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
