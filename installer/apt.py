"""The step that asks apt, on Debian and Ubuntu, for what pip cannot bring.

Where this account may not install system packages, the line to run is said and the set-up goes on.
"""

from __future__ import annotations

import time
from collections.abc import Iterable

from installer.machine import Machine, say

DESKTOP_PACKAGES = (
    "python3-venv",
    "python3-gi",
    "python3-gi-cairo",
    "gir1.2-gtk-3.0",
    "gir1.2-webkit2-4.1",
    "gir1.2-ayatanaappindicator3-0.1",
)
# Screen, window manager, clicks, bus, browser, namespaces, fonts; objdump for PyInstaller.
TEST_PACKAGES = (
    "xvfb",
    "openbox",
    "xdotool",
    "wmctrl",
    "x11-utils",
    "imagemagick",
    "dbus",
    "chromium",
    "iproute2",
    "fonts-dejavu-core",
    "binutils",
)
_KEPT_BY_SUDO = (
    "http_proxy,https_proxy,no_proxy,all_proxy,HTTP_PROXY,HTTPS_PROXY,NO_PROXY,ALL_PROXY,"
    "SSL_CERT_FILE,SSL_CERT_DIR,DEBIAN_FRONTEND"
)
_PATIENCE_S = 300


def system_packages(machine: Machine, wanted: tuple[str, ...]) -> None:
    """Install Debian packages that are not there yet."""
    missing = missing_packages(
        wanted, machine.says("dpkg-query", "-W", "-f", "${Status}|${Package}|${Provides}\n") or ""
    )
    if not missing:
        say("System packages: all there")
    elif not (machine.root or machine.says("sudo", "-n", "true") is not None):
        print(advice(missing, "this account may not install them"), flush=True)
    else:
        say("System packages: apt installs " + " ".join(missing))
        _renew_lists(machine)
        if not machine.does(*apt_command("install", missing, root=machine.root)):
            print(advice(missing, "apt could not install them"), flush=True)


def missing_packages(wanted: Iterable[str], dpkg: str) -> list[str]:
    """Which Debian packages are not installed.

    Args:
        wanted: names of packages.
        dpkg: what `dpkg-query -W -f '${Status}|${Package}|${Provides}\\n'` prints. A package that
            another one provides counts as there (libpython3.12 is provided by libpython3.12t64).
    """
    there: set[str] = set()
    for line in dpkg.splitlines():
        status, _, names = line.partition("|")
        if status.endswith(" installed"):
            own, _, provided = names.partition("|")
            there.add(own)
            there.update(one.split()[0] for one in provided.split(",") if one.strip())
    return [package for package in wanted if package not in there]


def apt_command(verb: str, packages: Iterable[str] = (), *, root: bool) -> list[str]:
    """The apt-get call, through sudo unless we are root. It waits for another apt to finish."""
    sudo = [] if root else ["sudo", "-n", f"--preserve-env={_KEPT_BY_SUDO}"]
    waiting = ["-o", "DPkg::Lock::Timeout=300", "-qq"]
    how = ["-y", "--no-install-recommends"] if verb == "install" else []
    return [*sudo, "apt-get", *waiting, verb, *how, *packages]


def advice(packages: Iterable[str], because: str) -> str:
    """What to tell a person whose system packages could not be installed."""
    return (
        f"    System packages are missing and {because}. For tray and window, run\n"
        f"        sudo apt-get install --no-install-recommends {' '.join(packages)}\n"
        "    and then this command again. Going on without them."
    )


def _renew_lists(machine: Machine) -> None:
    """`apt-get update`, again while another apt holds the lock of the lists.

    DPkg::Lock::Timeout does not cover that lock. A failed update is not the end: the lists that
    are there may do.
    """
    end = time.monotonic() + _PATIENCE_S
    while True:
        code, said = machine.tries(*apt_command("update", root=machine.root))
        if code == 0:
            return
        if "/var/lib/apt/lists/lock" not in said or time.monotonic() > end:
            print("    The lists of packages could not be renewed; trying those there are.")
            return
        time.sleep(5)
