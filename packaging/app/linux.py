"""What an app folder for Linux has beside its two programs: how to start it, its licence, its place in a menu."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import bootstrap

from app import elf, engine
from app.workshop import NAME, ROOT, BuildError, Workshop, version

PROGRAM = NAME
COMMAND = "lab-desktop"
SYSTEMS = {
    (2, 31): "Debian 11, Ubuntu 20.04",
    (2, 34): "Ubuntu 22.04, Fedora 35, RHEL 9",
    (2, 35): "Ubuntu 22.04, Fedora 36, Debian 12",
    (2, 36): "Debian 12, Ubuntu 22.10, Fedora 37",
    (2, 38): "Ubuntu 23.10, Fedora 39, Debian 13",
    (2, 39): "Ubuntu 24.04, Fedora 40, Debian 13",
}
"""The first systems that have a glibc."""


def refuse_without_tools() -> None:
    """Half an hour goes by before the build would miss some of them.

    Raises:
        BuildError: a program that builds is not here, or a library of Qt's that the app carries along.
    """
    programs = {"cmake": "cmake", "c++": "build-essential", "dpkg": "dpkg"}
    missing = [package for name, package in programs.items() if shutil.which(name) is None]
    if missing := [*missing, *bootstrap.missing_for_a_window()]:
        raise BuildError(f"The app cannot be built without: sudo apt install {' '.join(missing)}")


def add_files(shop: Workshop, app: Path) -> None:
    """Add README, LICENSE, the libraries' licences, the entry of a menu with its icon, and the command for a terminal.

    Raises:
        BuildError: the lowest glibc is newer than any system that is known here.
    """
    shop.say("How to start it …")
    if shop.is_dry:
        return
    own = ROOT / "packaging" / "linux"
    floor = elf.glibc_floor(app)
    shop.say(f"It runs with glibc {floor[0]}.{floor[1]} and newer.")
    words = {
        "@VERSION@": version(),
        "@GLIBC@": f"{floor[0]}.{floor[1]}",
        "@SYSTEMS@": next((names for oldest, names in sorted(SYSTEMS.items()) if oldest >= floor), "a system of today"),
    }
    readme = (own / "README.txt").read_text(encoding="utf-8")
    for word, value in words.items():
        readme = readme.replace(word, value)
    (app / "README.txt").write_text(readme, encoding="utf-8")
    shutil.copy(ROOT / "LICENSE", app / "LICENSE")
    for name in ("lab-desktop.desktop", "lab-desktop.xml"):
        shutil.copy(own / name, app / name)
    icon = engine.site_packages(app / "engine") / "resources" / "app" / "icon.svg"
    (app / "lab-desktop.svg").symlink_to(icon.relative_to(app))
    (app / COMMAND).symlink_to(PROGRAM)
    _add_notices(app)
    engine.add_licences(shop, app / "engine", app / "licences")


def _add_notices(app: Path) -> None:
    """The copyright files of this system's packages whose libraries were carried along."""
    folder = app / "licences"
    folder.mkdir()
    names: dict[bytes, str] = {}
    for path in sorted({*(app / "engine" / "lib").glob("lib*.so*"), *(app / "_internal").glob("lib*.so*")}):
        asked = subprocess.run(["dpkg", "-S", f"*/{path.name}"], capture_output=True, text=True, check=False)
        package = asked.stdout.partition(":")[0]
        notice = Path("/usr/share/doc") / package / "copyright"
        copy = folder / f"{package}.txt"
        if not package or not notice.is_file() or copy.exists():
            continue
        text = notice.read_bytes()
        if text in names:
            copy.symlink_to(names[text])
        else:
            copy.write_bytes(text)
            names[text] = copy.name
