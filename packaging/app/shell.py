"""The window's program: PySide6 frozen with PyInstaller; everything else it reads from the engine beside it."""

from __future__ import annotations

import os
import shutil
import sys
from fnmatch import fnmatchcase
from pathlib import Path

from app import checks, elf, tools
from app.workshop import NAME, ROOT, Workshop

SPEC = ROOT / "packaging" / "app" / "shell.spec"
PLUGINS = (
    "platforms/libqxcb.*", "platforms/libqwayland.*", "platforms/libqcocoa.*", "platforms/*qoffscreen.*",
    "platforms/*qminimal.*", "platforminputcontexts/libcompose*", "platforminputcontexts/libibus*",
    "platformthemes/*xdgdesktopportal.*", "iconengines/*", "imageformats/*qgif.*", "imageformats/*qjpeg.*",
    "imageformats/*qwebp.*", "imageformats/*qsvg.*", "networkinformation/*", "styles/*",
    "wayland-shell-integration/libxdg-shell.*", "wayland-decoration-client/*",
)  # fmt: skip
"""Of Qt's plugins what the window uses. Nothing draws with OpenGL, so that no graphics driver is loaded."""


def freeze(shop: Workshop, engine: Path, target: Path) -> None:
    """Make `target/LAB Desktop` and `target/_internal`; what the engine has too becomes a relative link into it.

    Args:
        engine: made already, and where it will lie beside the program.

    Raises:
        BuildError: PyInstaller fails.
    """
    work = target.with_name(f"{target.name}.frozen")
    frozen = run_pyinstaller(shop, work) / NAME
    if shop.is_dry:
        return
    inside = frozen / "_internal"
    forget_plugins(inside)
    if sys.platform == "linux":
        _forget_libraries(inside)
        for path in [inside / "PySide6" / "Qt" / "lib", inside / "PySide6", inside / "shiboken6"]:
            path.mkdir(exist_ok=True)
    for path in sorted(frozen.iterdir()):
        path.replace(target / path.name)
    shutil.rmtree(work)
    share(target / "_internal", engine)


def run_pyinstaller(shop: Workshop, work: Path, icon: Path | None = None, about: Path | None = None) -> Path:
    """Freeze the window's program; gives the folder that holds `LAB Desktop`, on macOS also `LAB Desktop.app`.

    Args:
        icon: what the system shows for the program, where that is in the program's file.
        about: on macOS the app's Info.plist.

    Raises:
        BuildError: PyInstaller fails.
    """
    shop.say("The window's program …")
    env = {
        "PYTHONPATH": str(tools.folder(shop)),
        "PYINSTALLER_CONFIG_DIR": str(shop.cache / "pyinstaller"),
        "LAB_DESKTOP_NAME": NAME,
        "LAB_DESKTOP_ICON": str(icon or ""),
        "LAB_DESKTOP_PLIST": str(about or ""),
    }
    places = ("--distpath", work / "dist", "--workpath", work / "work")
    shop.run(sys.executable, "-m", "PyInstaller", "--noconfirm", *places, SPEC, env=env)
    return work / "dist"


def share(inside: Path, engine: Path) -> None:
    """Replace what the engine has under the same name by relative links: Python's own libraries and modules.

    Args:
        inside: the frozen program's folder, in its final distance from the engine.
    """
    library = next((engine / "lib").glob("python3.*"))
    for path in checks.files(inside):
        shared = library / "lib-dynload" / path.name if "lib-dynload" in path.parts else engine / "lib" / path.name
        if shared.exists():
            path.unlink()
            path.symlink_to(os.path.relpath(shared, path.parent))


def forget_plugins(inside: Path) -> None:
    """Delete Qt's plugins that the window does not use, and Qt's translations of its own texts."""
    qt = inside / "PySide6" / "Qt"
    for path in checks.files(qt / "plugins"):
        name = path.relative_to(qt / "plugins").as_posix()
        if not any(fnmatchcase(name, pattern) for pattern in PLUGINS):
            path.unlink()
    for name in ("translations", "qml"):
        shutil.rmtree(qt / name, ignore_errors=True)


def _forget_libraries(inside: Path) -> None:
    """Delete the libraries that only deleted plugins wanted, and the links to them."""
    files = {path.name: path for path in elf.all_in(inside)}
    roots = [path for path in files.values() if ".so." not in path.name or path.name.startswith("libpython")]
    wanted = {path.name for path in roots}
    waiting = list(wanted)
    while waiting:
        for name in elf.needs(files[waiting.pop()]).needed:
            if name in files and name not in wanted:
                wanted.add(name)
                waiting.append(name)
    for name, path in files.items():
        if name not in wanted:
            path.unlink()
    for link in [path for path in inside.rglob("*") if path.is_symlink() and not path.exists()]:
        link.unlink()
