"""Make OUT/LAB Desktop.app, unsigned: the frozen window's program as Apple wants an app to lie, and the engine in it.

    .venv/bin/python packaging/macos/bundle.py --python ARCHIVE [--out FOLDER] [--cache FOLDER] [--dry-run]

    Contents/MacOS/LAB Desktop     the window's program
    Contents/Frameworks/           its libraries: PySide6, Qt
    Contents/Resources/engine/     the Python that does all work, lab_desktop and its packages, the practice model

The Python that runs this must be the one in ARCHIVE: the window's program shares its standard library with the engine.
"""

from __future__ import annotations

import argparse
import plistlib
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from subprocess import CalledProcessError

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "packaging")]

from app import checks, engine, llama, locks, proofs, shell  # noqa: E402
from app.workshop import NAME, BuildError, Workshop, fresh, own_packages, user_cache  # noqa: E402
from build import make_engine  # noqa: E402

from lab_desktop import __version__  # noqa: E402

ABOUT = ROOT / "packaging" / "macos" / "Info.plist"
ENGINE_LOCK = ROOT / "packaging" / "engine.lock"


def build(shop: Workshop, archive: Path) -> None:
    """Make the app and prove it.

    Args:
        archive: the relocatable Python that engine.lock names.

    Raises:
        BuildError: a step fails, or what was made does not hold.
    """
    entry = locks.engine_archive(ENGINE_LOCK, "macos-arm64")
    if not shop.is_dry:
        locks.verified(archive, entry.sha256)
        if sys.version.split()[0] != entry.version:
            raise BuildError(f"This is Python {sys.version.split()[0]}; engine.lock names {entry.version}.")
    llama_cpp = llama.folder(shop)
    making = shop.out / f".{NAME}.making"
    app = making / f"{NAME}.app"
    about, icons = making / "Info.plist", making / "icons"
    if not shop.is_dry:
        fresh(making)
        about.write_bytes(plistlib.dumps(info(__version__)))
    shop.run(sys.executable, ROOT / "packaging" / "icon.py", icons)
    frozen = shell.run_pyinstaller(shop, making / "frozen", icons / f"{NAME}.icns", about) / f"{NAME}.app"
    if not shop.is_dry:
        frozen.replace(app)
    inside = app / "Contents" / "Resources" / "engine"
    program = app / "Contents" / "MacOS" / NAME
    make_engine(shop, inside, program, llama_cpp, archive)
    engine.add_licences(shop, inside)
    if shop.is_dry:
        return
    shutil.copy(ROOT / "LICENSE", app / "Contents" / "Resources" / "LICENSE")
    tidy(app)
    shell.share(app / "Contents" / "Frameworks", inside)
    prove(shop, app, program, inside)
    finished = shop.out / app.name
    shutil.rmtree(finished, ignore_errors=True)
    app.replace(finished)
    shutil.rmtree(making)


def info(version: str) -> dict[str, object]:
    """The app's Info.plist, with its version."""
    told: dict[str, object] = plistlib.loads(ABOUT.read_bytes())
    return {**told, "CFBundleShortVersionString": version, "CFBundleVersion": version}


def tidy(app: Path) -> None:
    """Delete what of Qt nobody uses, in both places where the app shows it, and the links that then lead nowhere.

    An empty folder goes too: among programs it is taken for one that is not signed.
    """
    contents = app / "Contents"
    shell.forget_plugins(contents / "Frameworks")
    for name in ("translations", "qml"):
        for place in ("Frameworks", "Resources"):
            path = contents / place / "PySide6" / "Qt" / name
            path.unlink() if path.is_symlink() else shutil.rmtree(path, ignore_errors=True)
    while gone := [path for path in contents.rglob("*") if _is_nothing(path)]:
        for path in gone:
            path.unlink() if path.is_symlink() else path.rmdir()


def prove(shop: Workshop, app: Path, program: Path, inside: Path) -> None:
    """
    Raises:
        BuildError: something is in the app twice, or cannot be imported.
    """
    shop.say("Proofs …")
    problems = [
        f"the same bytes: {', '.join(str(path.relative_to(app)) for path in group)}" for group in checks.duplicates(app)
    ]
    problems += [f"the engine cannot import {line}" for line in proofs.unimportable_in_engine(shop, inside)]
    problems += [f"the window cannot import {line}" for line in proofs.unimportable_in_window(program)]
    if problems:
        raise BuildError("The app does not hold:\n" + "\n".join(f"  {problem}" for problem in problems))


def _is_nothing(path: Path) -> bool:
    """A link to nowhere, or an empty folder."""
    if path.is_symlink():
        return not path.exists()
    return path.is_dir() and not any(path.iterdir())


def main(arguments: Sequence[str] | None = None) -> int:
    """Build what the command line asks for; returns the exit status."""
    parser = argparse.ArgumentParser(description="Make LAB Desktop.app, unsigned.")
    parser.add_argument("--python", type=Path, required=True, metavar="ARCHIVE", help="what engine.lock names")
    parser.add_argument("--out", type=Path, default=ROOT / "dist", metavar="FOLDER", help="where it goes (dist)")
    parser.add_argument(
        "--cache", type=Path, default=user_cache(), metavar="FOLDER", help="what is kept between builds"
    )
    parser.add_argument("--dry-run", action="store_true", help="say what would be done, and do nothing")
    options = parser.parse_args(arguments)
    shop = Workshop(options.out.resolve(), options.cache.resolve(), own_packages(), options.dry_run)
    try:
        if sys.platform != "darwin" and not shop.is_dry:
            raise BuildError("A Mac app is built on a Mac. With --dry-run the commands are shown anywhere.")
        build(shop, options.python.resolve())
        return 0
    except (BuildError, OSError, CalledProcessError) as error:  # a full disk, a program that is missing
        print(f"\n{error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped. Nothing half made bears the app's name.", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
