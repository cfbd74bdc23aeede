"""Build the app: a folder that runs on a computer without Python, and one archive of it.

    python3 packaging/build.py [--out FOLDER] [--cache FOLDER] [--dry-run]

`LAB Desktop/` holds two programs: the window's (PySide6, frozen) and the engine, a whole Python that runs all work in
processes of its own. What both need lies once, in the engine. Run it with any Python: it goes on with that of `.venv`
(packaging/bootstrap.py setup makes it). The Mac app is laid out by macos/release.py, of the same parts.

Exit: 0 done, 1 something is missing or failed, 2 usage, 130 stopped with Ctrl-C.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from subprocess import CalledProcessError

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "packaging"))

from app import archive, engine, linux, llama, proofs, shell, sizes  # noqa: E402
from app.workshop import BuildError, Workshop, fresh, own_packages, user_cache  # noqa: E402


def main(arguments: Sequence[str] | None = None) -> int:
    """Build what the command line asks for; returns the exit status."""
    options = _options(arguments)
    python = ROOT / ".venv" / "bin" / "python"
    if python.exists() and sys.prefix == sys.base_prefix:
        os.execv(python, [str(python), __file__, *sys.argv[1:]])
    shop = Workshop(options.out.resolve(), options.cache.resolve(), own_packages(), options.dry_run)
    try:
        if sys.platform == "linux":
            build(shop)
        else:
            raise BuildError("On this system the app is built with packaging/macos/release.py.")
        return 0
    except (BuildError, OSError, CalledProcessError) as error:  # a full disk, a program that is missing
        print(f"\n{error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped. Nothing half made bears the app's name.", file=sys.stderr)
        return 130


def build(shop: Workshop) -> None:
    """Make the app for Linux, prove it, and pack it.

    Raises:
        BuildError: a step fails, or what was made does not hold.
    """
    if not shop.is_dry:
        linux.refuse_without_tools()
    llama_cpp = llama.folder(shop)
    made = shop.making
    if not shop.is_dry:
        fresh(made)
    make_engine(shop, made / "engine", made / linux.PROGRAM, llama_cpp)
    shell.freeze(shop, made / "engine", made)
    linux.add_files(shop, made)
    proofs.prove(shop, made)
    archive.finish(shop)
    if not shop.is_dry:
        report(shop)


def make_engine(shop: Workshop, target: Path, window: Path, llama_cpp: Path, python: Path | None = None) -> None:
    """The whole engine.

    Args:
        window: the window's program, where it will lie.
        llama_cpp: what `llama.folder` gives.
        python: the archive of a relocatable Python; without one it is made from the Python that runs this.

    Raises:
        BuildError: a step fails.
    """
    if python is not None:
        engine.from_archive(shop, python, target)
    else:
        engine.from_this_python(shop, target)
    engine.add_packages(shop, target, llama_cpp)
    engine.add_program(shop, target, window)
    engine.forget_other_students(shop, target)
    engine.compile_all(shop, target)


def report(shop: Workshop) -> None:
    """Print how large each part is, and keep it beside the app."""
    found = sizes.of_app(shop.app, archive.path(shop))
    (shop.out / "sizes.json").write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    print(sizes.table(found))


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Build the app: a folder, and an archive of it.")
    parser.add_argument("--out", type=Path, default=ROOT / "dist", metavar="FOLDER", help="where it goes (dist)")
    parser.add_argument(
        "--cache", type=Path, default=user_cache(), metavar="FOLDER", help="what is kept between builds"
    )
    parser.add_argument("--dry-run", action="store_true", help="say what would be done, and do nothing")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
