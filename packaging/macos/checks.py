"""What must hold of an app before it is signed; each function gives sentences, and none where all is well."""

from __future__ import annotations

import plistlib
from collections.abc import Iterator
from pathlib import Path
from xml.parsers.expat import ExpatError

from app import engine
from app.checks import links_out_of
from app.workshop import BuildError

from macos import macho

OLDEST_MACOS = (14, 0)
WHEEL_TAG = "macosx_14_0_arm64"
MLX = ("mlx", "mlx_metal")
SAYS_MORE_THAN_IT_NEEDS = ("pyside6", "shiboken6")
"""Built for macOS 13, as its wheels say and Qt tests, with a compiler that wrote 15 into Python's bindings; the system
does not look at this in a library."""
_SYSTEM = ("@", "/System/Library/", "/usr/lib/")


def problems(app: Path) -> list[str]:
    """Everything that is wrong with an app, in the order of the files."""
    return [*about_itself(app), *links(app), *code(app), *metal(app), *wheels(app)]


def about_itself(app: Path) -> Iterator[str]:
    """Its Info.plist, its icon and its program."""
    contents = app / "Contents"
    try:
        told = plistlib.loads((contents / "Info.plist").read_bytes())
    except (OSError, ValueError, ExpatError) as error:
        yield f"Info.plist cannot be read: {error}."
        return
    for key in ("CFBundleShortVersionString", "CFBundleVersion", "CFBundleIdentifier"):
        if not told.get(key):
            yield f"Info.plist has no {key}."
    for key, folder in (("CFBundleExecutable", "MacOS"), ("CFBundleIconFile", "Resources")):
        if not (contents / folder / str(told.get(key))).is_file():
            yield f"{folder}/{told.get(key)} is missing, which Info.plist names as {key}."


def links(app: Path) -> Iterator[str]:
    """Links that lead nowhere or out of the app: a copy would break them, and its signature."""
    for path in links_out_of(app):
        yield f"{path.relative_to(app)} leads out of the app, or nowhere: {path.readlink()}."


def code(app: Path) -> Iterator[str]:
    """Programs and libraries for another processor or a later macOS, or that need what a Mac does not have.

    Where Apple expects only such (MacOS, Frameworks), the signature of anything else is lost when it is copied.
    """
    only_code = [app / "Contents" / name for name in ("MacOS", "Frameworks")]
    for path in sorted(app.rglob("*")):
        name = path.relative_to(app)
        is_in_framework = any(parent.suffix == ".framework" for parent in path.parents)
        is_among_code = not is_in_framework and any(path.is_relative_to(folder) for folder in only_code)
        if path.is_symlink():
            continue
        if path.is_dir():
            if is_among_code and path.suffix and path.suffix != ".framework":
                yield f"{name} is a folder with a dot in its name among programs: it cannot be signed."
            continue
        found = macho.read(path)
        if found is None:
            if is_among_code:
                yield f"{name} is no program or library, and lies where only those may lie."
            continue
        if found.kind in ("object", "archive"):
            yield f"{name} is for compilers only: leave it out."
            continue
        if "arm64" not in found.processors:
            yield f"{name} is for {', '.join(found.processors)}, not for arm64."
        if found.macos > OLDEST_MACOS and not any(word in str(name).lower() for word in SAYS_MORE_THAN_IT_NEEDS):
            yield f"{name} needs macOS {found.macos[0]}.{found.macos[1]}."
        for needed in found.loads:
            if not needed.startswith(_SYSTEM):
                yield f"{name} needs {needed}, which no other Mac has."


def metal(app: Path) -> Iterator[str]:
    """MLX's compiled kernels: without them, or where it does not look, it ends the process."""
    wanted = list(app.rglob("mlx/lib/mlx.metallib"))
    found = list(app.rglob("*.metallib"))
    if len(wanted) != 1:
        yield f"mlx/lib/mlx.metallib is in the app {len(wanted)} times instead of once."
    for path in found:
        if path not in wanted:
            yield f"{path.relative_to(app)} lies where MLX does not look."
    for path in wanted:
        if not (path.parent / "libmlx.dylib").is_file():
            yield "libmlx.dylib does not lie beside mlx.metallib, where it looks for it."


def wheels(app: Path) -> Iterator[str]:
    """MLX as it was built: a wheel for a later macOS has kernels that an earlier one cannot read."""
    try:
        packages = engine.site_packages(app / "Contents" / "Resources" / "engine")
    except StopIteration:
        yield "The engine is missing."
        return
    for name in MLX:
        for file in packages.glob(f"{name}-*.dist-info/WHEEL"):
            tags = [line.partition(":")[2].strip() for line in file.read_text().splitlines() if line.startswith("Tag:")]
            if not tags or not all(tag.endswith(WHEEL_TAG) for tag in tags):
                yield f"{name} is the wheel for {', '.join(tags) or 'nothing'}; {WHEEL_TAG} is wanted."
            break
        else:
            yield f"{name} is not in the engine."


def refuse(app: Path) -> None:
    """
    Raises:
        BuildError: something is wrong with the app; the message lists all of it.
    """
    found = problems(app)
    if found:
        listed = "\n".join(f"  - {sentence}" for sentence in found)
        raise BuildError(f"{app.name} is not fit to be signed:\n{listed}")
