"""Some lines about this program and computer for somebody who helps: nothing in them says who or where one is."""

from __future__ import annotations

import importlib.metadata
import platform
import re
import shutil
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

import psutil
from PySide6.QtCore import qVersion

from lab_desktop import hardware, paths, versions
from lab_desktop.errors import LabError, RunError
from lab_desktop.private import names_here
from lab_desktop.ui.jobs import read_journal

PROGRAM = "lab-desktop"
_WINDOW = "PySide6-Essentials"
_JOBS = 10
_ANYWHERE = 4
"""A name of so many letters is masked inside longer words too."""
_FILE = re.compile(r"[^\s/\\\"'“”()\[\]]+\.[A-Za-z][A-Za-z0-9]{0,9}(?![A-Za-z0-9.])")
_PATH = re.compile(r"(?:[A-Za-z]:\\|\\\\|~/|(?<![\w.])/)[^\s\"'“”]+")


def libraries() -> list[str]:
    """What the program asks for by name, with its version, in the order of the alphabet."""
    try:
        wanted = importlib.metadata.requires(PROGRAM) or []
    except importlib.metadata.PackageNotFoundError:
        wanted = []
    names = {_WINDOW} | {re.split(r"[^\w.-]", line, maxsplit=1)[0] for line in wanted if "extra ==" not in line}
    return [f"{name} {_version(name)}" for name in sorted(names, key=str.casefold)]


def details(home: Path) -> str:
    """Versions, the computer, and what became of the last work, masked.

    Args:
        home: the person's folder.
    """
    memory = psutil.virtual_memory()
    lines = [
        f"LAB Desktop {versions.spoken()}",
        f"System: {platform.platform()}",
        f"Computer: {hardware.description()}",
        f"Memory: {memory.total / 1e9:.1f} GB, {hardware.memory_available_bytes() / 1e9:.1f} GB free",
        f"Disk: {_free_disk(home)}",
        f"Python {platform.python_version()}, Qt {qVersion()}",
        "Libraries: " + ", ".join(libraries()),
        "Practice model: " + ("there" if _has_practice_model() else "missing"),
        "Last work, newest first:",
        *(_jobs(home) or ["  none"]),
    ]
    return masked("\n".join(lines), names_here()) + "\n"


def masked(text: str, names: dict[str, str]) -> str:
    """The text without these names, without folders, and without names of files."""
    for name, instead in names.items():
        pattern = re.escape(name)
        if len(name) < _ANYWHERE:
            pattern = rf"(?<![A-Za-z0-9]){pattern}(?![A-Za-z0-9])"
        text = re.sub(pattern, instead, text, flags=re.IGNORECASE)
    text = _PATH.sub("[folder]", text)
    return _FILE.sub("[file]", text)


def _version(name: str) -> str:
    """Of a package; "–" where it is not installed."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "–"


def _jobs(home: Path) -> Sequence[str]:
    try:
        jobs = read_journal(home / "activity.jsonl")[-_JOBS:][::-1]
    except (RunError, OSError):
        return ["  the list is damaged"]
    return [
        f"  {time.strftime('%Y-%m-%d %H:%M', time.localtime(job.began))}  {'+'.join(_known(job.steps))}  "
        f"{job.state.value}  {job.seconds:.0f} s"
        for job in jobs
    ]


def _known(steps: Iterable[str]) -> list[str]:
    """Names of steps that are ours; a journal may have been written to by somebody else."""
    return [step if step in ("generate", "train", "export", "evaluate") else "?" for step in steps]


def _free_disk(home: Path) -> str:
    try:
        usage = shutil.disk_usage(home if home.is_dir() else Path.home())
    except OSError:
        return "not known"
    return f"{usage.free / 1e9:.1f} GB free of {usage.total / 1e9:.1f} GB"


def _has_practice_model() -> bool:
    try:
        return paths.practice_model().is_file()
    except LabError:
        return False
