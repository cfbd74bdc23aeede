"""Where trained models come from: original → trained versions, with date, lessons and report, read from the runs.

The runs are those of the projects and of the command line. Nothing is stored: what lies in the folders tells it.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab_desktop import paths, projects
from lab_desktop.artifacts import title_of
from lab_desktop.errors import RunError
from lab_desktop.files import read_json
from lab_desktop.jobs import requests
from lab_desktop.jobs.requests import LearnRequest


@dataclass(frozen=True)
class Undertaking:
    """A run and whose it is, whatever became of it.

    Attributes:
        run: its folder.
        title: of the project, or the folder's name.
        project: the project's folder; None for a run of the command line.
        request: what was asked.
        is_newest: it is its project's run in hand; a run of the command line always is.
    """

    run: Path
    title: str
    project: Path | None
    request: LearnRequest
    is_newest: bool


@dataclass(frozen=True)
class Version:
    """What a training made.

    Attributes:
        undertaking: the run.
        base: the file that was trained.
        trained: UTC, when it ended.
        lessons: titles of what was taught.
        verdict: the report's, "clear gain"; "" before the check.
        right_before, right_now, asked: questions of the lessons, as the report counts them.
        files: the models that were written, newest last; there may be none yet: it can be chatted with all the same.
        parent: the run from which it went on, or None.
    """

    undertaking: Undertaking
    base: Path
    trained: str
    lessons: tuple[str, ...]
    verdict: str
    right_before: int
    right_now: int
    asked: int
    files: tuple[Path, ...]
    parent: Path | None


@dataclass(frozen=True)
class Family:
    """An original and what was made of it, the oldest first; a version's `parent` is the run from which it went on."""

    original: Path
    versions: tuple[Version, ...]


def undertakings() -> list[Undertaking]:
    """Every run of every project, and of the command line; damaged ones are left out."""
    found = []
    for project in projects.every(paths.projects()):
        for run in project.runs:
            with contextlib.suppress(RunError):
                found.append(
                    Undertaking(run, project.title, project.folder, requests.read(run), run == project.runs[-1])
                )
    for file in sorted(paths.runs().glob(f"*/{requests.FILE_NAME}")):
        with contextlib.suppress(RunError):
            found.append(Undertaking(file.parent, file.parent.name, None, requests.read(file.parent), True))
    return found


def versions(runs: Iterable[Undertaking]) -> list[Version]:
    """Those of the runs that were trained to their end, the oldest first."""
    found = []
    for each in runs:
        with contextlib.suppress(RunError, OSError):
            found.append((_ended(each.run), _version(each)))
    return [version for _, version in sorted(found, key=lambda pair: pair[0])]


def families(found: Iterable[Version]) -> list[Family]:
    """The versions by what they were made of; families in the order of their newest version, the newest first."""
    groups: dict[Path, list[Version]] = {}
    for version in found:
        groups.setdefault(version.base.resolve(), []).append(version)
    newest_first = sorted(groups.items(), key=lambda item: item[1][-1].trained, reverse=True)
    return [Family(members[0].base, tuple(members)) for _, members in newest_first]


def _ended(run: Path) -> float:
    return (run / "adapter" / "adapter.json").stat().st_mtime


def _version(each: Undertaking) -> Version:
    adapter = read_json(each.run / "adapter" / "adapter.json")
    told = adapter.get("base")
    base = Path(str(told["path"])) if isinstance(told, dict) and told.get("path") else each.request.student
    verdict, before, now, asked = _report(each.run)
    files = sorted((each.run / "models").glob("[!.]*.gguf"), key=lambda path: path.stat().st_mtime_ns)
    return Version(
        undertaking=each,
        base=base,
        trained=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(_ended(each.run))),
        lessons=tuple(sorted({title_of(file.parent.name) for file in (each.run / "leaves").rglob("qna.yaml")})),
        verdict=verdict,
        right_before=before,
        right_now=now,
        asked=asked,
        files=tuple(files),
        parent=each.request.start_from,
    )


def _report(run: Path) -> tuple[str, int, int, int]:
    """(verdict, right before, right now, asked) of the person's own questions, or of those held out where none are."""
    try:
        report = read_json(run / "report.json", "verdict", "leaves")
        verdict = str(report["verdict"]["name"])
        for kind in ("exam", "held_out"):
            before = _sum(report["leaves"], kind, "before", "right")
            now = _sum(report["leaves"], kind, "now", "right")
            if asked := _sum(report["leaves"], kind, "now", "total"):
                return verdict, before, now, asked
    except (RunError, KeyError, TypeError, ValueError):
        return "", 0, 0, 0
    return verdict, 0, 0, 0


def _sum(leaves: list[dict[str, Any]], kind: str, side: str, which: str) -> int:
    return sum(int(leaf[kind][side][which]) for leaf in leaves)
