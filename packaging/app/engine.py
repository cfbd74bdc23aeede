"""The engine: a Python that runs from whatever folder it lies in, with the packages that the lock names."""

from __future__ import annotations

import importlib.metadata
import json
import os
import shutil
import sys
import sysconfig
import tarfile
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

from app import built, elf, llama, locks, tools
from app.workshop import ROOT, BuildError, Workshop

PROGRAM = "lab-desktop"
CPP = ("libstdc++.so.6", "libgcc_s.so.1")
"""What the libraries of packages expect of a system, and not every system has in their version."""
SHELL_ONLY = ("PySide6-Essentials", "shiboken6")

UNUSED_STANDARD = (
    "test", "idlelib", "tkinter", "turtledemo", "turtle.py", "ensurepip", "lib2to3", "pydoc_data", "site-packages",
    "__pycache__", "*/__pycache__", "config-*", "*/test", "*/tests", "*.a", "lib-dynload/_test*", "lib-dynload/xx*",
    "lib-dynload/_xx*", "lib-dynload/_ctypes_test*", "lib-dynload/_tkinter*", "lib-dynload/_curses*",
    "lib-dynload/readline*", "lib-dynload/nis*", "lib-dynload/_crypt*", "lib-dynload/_dbm*", "lib-dynload/_gdbm*",
    "lib-dynload/ossaudiodev*",
)  # fmt: skip
"""Of the standard library: its own tests and tools, and what binds to libraries that nobody here needs."""
UNUSED = (
    "*/__pycache__/*", "*.pyi", "*.pyx", "*.pxd", "*.h", "*.hpp", "*.cuh", "*.c", "*.cpp", "*.cu", "*.a", "*.cmake",
    "*.pc", "*/tests/*", "*.dist-info/RECORD", "*.dist-info/INSTALLER", "*.dist-info/REQUESTED",
    "*.dist-info/direct_url.json", "torch/include/*", "torch/share/*", "torch/test/*", "torch/bin/*",
    "torch/lib/libjitbackend_test.so", "torch/lib/libbackend_with_compiler.so", "torch/lib/libtorchbind_test.so",
    "torch/lib/libaoti_custom_ops.so", "torch/lib/libshm_windows/*", "sympy/benchmarks/*",
    "torch/_inductor/codegen/cuda/*", "torch/_inductor/codegen/cutlass/*", "torch/_inductor/codegen/rocm/*",
)  # fmt: skip
"""Of the packages: tests, headers, what only compilers and type checkers read."""
USED_NEVERTHELESS = ("torch/bin/torch_shm_manager",)
"""torch does not start without it."""

_STUDENTS = """
import importlib, sys
from lab_desktop.training import torch_model
from transformers.modeling_utils import AttentionInterface
for folder, configuration, network in torch_model._CLASSES.values():
    package = f"transformers.models.{folder}"
    getattr(importlib.import_module(f"{package}.configuration_{folder}"), configuration)
    getattr(importlib.import_module(f"{package}.modeling_{folder}"), network)
print(*sorted({name.split(".")[2] for name in sys.modules if name.startswith("transformers.models.")}))
"""
"""Loads every family of students, and says which folders of transformers' models that needed."""


def from_this_python(shop: Workshop, target: Path) -> None:
    """Copy the Python that runs this into a folder: interpreter, library, standard library, the libraries it links.

    Raises:
        BuildError: it is not built with a shared library, which the window's program has to share.
    """
    library = str(sysconfig.get_config_var("INSTSONAME"))
    base = Path(sys.base_prefix)
    if ".so" not in library or not (base / "lib" / library).is_file():
        raise BuildError("This Python has no shared library. Use one that was configured with --enable-shared.")
    shop.say(f"The engine: Python {sys.version.split()[0]} …")
    if shop.is_dry:
        return
    version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    libraries = target / "lib"
    standard = libraries / version
    _copy_standard(base / "lib" / version, standard)
    (target / "bin").mkdir(parents=True)
    program = target / "bin" / version
    shutil.copy(base / "bin" / version, program)
    shared = libraries / library
    shutil.copy(base / "lib" / library, shared)
    own = [program, shared, *sorted((standard / "lib-dynload").glob("*.so"))]
    for file in own:
        file.chmod(0o755)
        shop.run("strip", "--strip-unneeded", file)
    wanted = {name for file in own for name in elf.needs(file).needed}
    copies = elf.carry_libraries({*wanted, *CPP}, libraries)
    for file in [*own, *copies]:
        elf.look_beside(shop, file, libraries)
    # Loaded first and found by name ever after: no package's library need be told where they lie.
    shop.run(tools.program(shop, "patchelf"), *(word for name in CPP for word in ("--add-needed", name)), shared)
    _hide_places(standard, base)


def from_archive(shop: Workshop, archive: Path, target: Path) -> None:
    """Unpack a relocatable Python (python-build-standalone, "install_only") into a folder.

    Args:
        archive: a tar.gz that `locks.verified` has seen.

    Raises:
        BuildError: it is not such an archive.
    """
    shop.say(f"The engine: {archive.name} …")
    if shop.is_dry:
        return
    try:
        with tarfile.open(archive) as packed:
            packed.extractall(target.with_name(f"{target.name}.unpacked"), filter="data")
        target.with_name(f"{target.name}.unpacked").joinpath("python").rename(target)
    except (OSError, tarfile.TarError) as error:
        raise BuildError(f"{archive.name} is no relocatable Python: {error}") from error
    standard = next((target / "lib").glob("python3.*"))
    for path in [path for path in standard.rglob("*") if _is_unused(path.relative_to(standard), UNUSED_STANDARD)]:
        shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)
    (standard / "site-packages").mkdir(exist_ok=True)
    shutil.rmtree(target / "include", ignore_errors=True)
    shutil.rmtree(target / "share", ignore_errors=True)


def add_packages(shop: Workshop, target: Path, llama_cpp: Path) -> None:
    """Copy the packages of the lock out of `shop.packages`, as their RECORDs name them, without what nobody runs.

    Args:
        target: the engine.
        llama_cpp: what `llama.folder` gives.

    Raises:
        BuildError: a package is missing, or has another version than the lock.
    """
    wanted = {name: version for name, version in locks.requirements(llama.LOCK).items() if name not in SHELL_ONLY}
    shop.say(f"Its {len(wanted)} packages …")
    if shop.is_dry:
        return
    packages = site_packages(target)
    packages.mkdir(parents=True, exist_ok=True)
    for name, version in wanted.items():
        if name == llama.NAME:
            _add_llama(shop, llama_cpp, target)
            continue
        for file in _files(shop, name, version):
            place = packages / file
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(shop.packages / file, place)
    if sys.platform == "linux":
        for path in sorted((packages / "torch" / "lib").glob("lib*.so")):
            shop.run("strip", "--strip-unneeded", path)  # a fifth of it: names that only a debugger reads


def add_program(shop: Workshop, target: Path, window: Path) -> None:
    """Copy lab_desktop, its resources and its metadata, and write `resources/app.json`, by which they know the app.

    And `resources/build.json`, which tells which build it is.

    Args:
        target: the engine.
        window: the window's program, where it will lie.
    """
    shop.say("LAB Desktop itself …")
    if shop.is_dry:
        return
    packages = site_packages(target)
    for name in ("lab_desktop", "resources"):
        shutil.copytree(ROOT / name, packages / name, ignore=shutil.ignore_patterns("__pycache__"))
    _add_metadata(shop, PROGRAM, packages)
    places = {"engine": python_of(target), "window": window}
    relative = {name: Path(os.path.relpath(path, packages / "resources")).as_posix() for name, path in places.items()}
    (packages / "resources" / "app.json").write_text(json.dumps(relative) + "\n", encoding="utf-8")
    if told := built.facts():
        (packages / "resources" / "build.json").write_text(json.dumps(told) + "\n", encoding="utf-8")


def add_licences(shop: Workshop, target: Path, notices: Path | None = None) -> None:
    """Collect and judge the licences of what is shipped, and write the list that the app shows.

    Args:
        target: the engine.
        notices: a folder of copyright notices of the system's libraries, PACKAGE.txt each.

    Raises:
        BuildError: a part may not be shipped, or brings no text of its licence.
    """
    shop.say("The licences of all of it …")
    folder = target if shop.is_dry else site_packages(target)
    written = folder / "resources" / "licences.json.gz"
    beside = ["--notices", notices] if notices is not None else []
    shop.run(sys.executable, ROOT / "packaging" / "licences.py", "--out", written, *beside)


def forget_other_students(shop: Workshop, target: Path) -> None:
    """Delete the models of transformers that no family of ours is made of: nine tenths of that library.

    What is kept is what the families are seen to load.
    """
    if shop.is_dry:
        return
    models = site_packages(target) / "transformers" / "models"
    used = shop.run(python_of(target), "-I", "-B", "-c", _STUDENTS).split()
    for folder in [path for path in models.iterdir() if path.is_dir() and path.name not in used]:
        shutil.rmtree(folder)


def compile_all(shop: Workshop, target: Path) -> None:
    """Write the byte code of everything, valid whatever the files' times: an app's folder may be read-only."""
    shop.say("Its byte code …")
    library = target if shop.is_dry else site_packages(target).parent
    program = target / "bin" / "python3" if shop.is_dry else python_of(target)
    mode = ("--invalidation-mode", "unchecked-hash")
    newer = ("-x", r"py31[2-9]_")  # for a newer Python than this one
    shop.run(program, "-I", "-m", "compileall", "-qq", "-j", "2", *newer, *mode, "-s", target.parent, library)


def python_of(engine: Path) -> Path:
    """The interpreter of an engine."""
    return next(path for path in sorted((engine / "bin").glob("python3.*")) if path.suffix[1:].isdecimal())


def site_packages(engine: Path) -> Path:
    """Where an engine's packages lie."""
    return next((engine / "lib").glob("python3.*")) / "site-packages"


def _copy_standard(source: Path, target: Path) -> None:
    def unused(folder: str, names: list[str]) -> list[str]:
        below = Path(folder).relative_to(source)
        return [name for name in names if _is_unused(below / name, UNUSED_STANDARD)]

    shutil.copytree(source, target, ignore=unused)
    (target / "site-packages").mkdir()


def _is_unused(path: Path, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(path.as_posix(), pattern) for pattern in patterns)


def _files(shop: Workshop, name: str, version: str) -> Iterator[Path]:
    """What a package put into the packages' folder, relative to it."""
    found = _distribution(shop, name)
    if found.version.partition("+")[0] != version:
        raise BuildError(
            f"{name} {found.version} is installed and {version} is locked. Run: python3 packaging/bootstrap.py setup"
        )
    for file in found.files or []:
        path = Path(str(file))
        is_kept = path.as_posix() in USED_NEVERTHELESS or not _is_unused(path, UNUSED)
        if ".." not in path.parts and is_kept and (shop.packages / path).is_file():
            yield path


def _distribution(shop: Workshop, name: str) -> importlib.metadata.Distribution:
    found = importlib.metadata.distributions(name=name, path=[str(shop.packages)])
    for each in found:
        return each
    raise BuildError(f"{name} is not installed. Run: python3 packaging/bootstrap.py setup")


def _add_llama(shop: Workshop, made: Path, target: Path) -> None:
    """The package as it was built for every processor, with the metadata of the one that is installed."""
    packages = site_packages(target)
    shutil.copytree(made, packages / "llama_cpp", symlinks=True)
    _add_metadata(shop, llama.NAME, packages)
    folder = packages / "llama_cpp" / "lib"
    for path in elf.all_in(folder) if sys.platform == "linux" else []:
        shop.run("strip", "--strip-unneeded", path)
        elf.look_beside(shop, path, folder, packages / "torch" / "lib", target / "lib")


def _add_metadata(shop: Workshop, name: str, packages: Path) -> None:
    """What a package says of itself: its version, its licence, what it needs."""
    found = _distribution(shop, name)
    folder = packages / f"{name.replace('-', '_')}-{found.version}.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text(str(found.read_text("METADATA")), encoding="utf-8")


def _hide_places(standard: Path, base: Path) -> None:
    """Write "/install" where the configuration names the folder in which this Python was made."""
    for path in standard.glob("_sysconfigdata*.py"):
        path.write_text(path.read_text(encoding="utf-8").replace(str(base), "/install"), encoding="utf-8")
