"""What a job is asked to do: request.json in its run folder, written once by whoever starts the run.

The request is also the run's memory of its settings: a resumed step reads it instead of asking again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from lab_desktop import servers
from lab_desktop.errors import RunError, ServerError
from lab_desktop.files import read_json, write_json
from lab_desktop.servers import Server

FILE_NAME = "request.json"
Effort = Literal["quick", "standard", "thorough"]
EFFORTS: dict[Effort, float] = {"quick": 0.5, "standard": 1.0, "thorough": 2.0}
"""How long a student practises: so many times the usual rounds."""


@dataclass(frozen=True)
class LearnRequest:
    """The whole path from leaves to report.

    Attributes:
        leaves: leaf folders or taxonomy folders.
        teacher: a GGUF file, or a model on a server.
        student: a GGUF file.
        samples: how many practice questions are wanted in all; 0: as many as the lessons hold.
        seed: of every random choice.
        start_from: the folder of an earlier run of this student, to go on from what it learned; or None.
        effort: how long the student practises.
    """

    leaves: tuple[Path, ...]
    teacher: Path | Server
    student: Path
    samples: int
    seed: int
    start_from: Path | None = None
    effort: Effort = "standard"


def absolute(request: LearnRequest) -> LearnRequest:
    """The request with absolute paths, as a run folder keeps it: the worker may start elsewhere."""
    return replace(
        request,
        leaves=tuple(leaf.absolute() for leaf in request.leaves),
        teacher=request.teacher.absolute() if isinstance(request.teacher, Path) else request.teacher,
        student=request.student.absolute(),
        start_from=request.start_from.absolute() if request.start_from else None,
    )


def teacher_of(name: str) -> Path | Server:
    """The teacher that a text names: a model on a server (https://host/v1#model), or a file.

    Raises:
        ServerError: the address cannot be used.
    """
    return servers.parse(name) if servers.is_address(name) else Path(name)


def effort_of(name: object) -> Effort:
    """The effort that a text names.

    Raises:
        ValueError: there is none of that name.
    """
    for effort in EFFORTS:
        if effort == name:
            return effort
    raise ValueError(f"no effort: {name!r}")


def write(folder: Path, request: LearnRequest) -> None:
    """Put the request into a run folder, with absolute paths.

    Raises:
        StorageError: it could not be written.
    """
    request = absolute(request)
    value: dict[str, Any] = {
        "job": "learn",
        "leaves": [str(leaf) for leaf in request.leaves],
        "teacher": str(request.teacher),
        "student": str(request.student),
        "samples": request.samples,
        "seed": request.seed,
        "start_from": str(request.start_from) if request.start_from else None,
        "effort": request.effort,
    }
    write_json(folder / FILE_NAME, value)


def read(folder: Path) -> LearnRequest:
    """The request of a run folder.

    Raises:
        RunError: the folder is missing, is no run folder, or its request is damaged.
    """
    if not (folder / FILE_NAME).is_file():
        what = "is not a run folder: it has no request.json" if folder.is_dir() else "does not exist"
        raise RunError(
            f"{folder} {what}.", "Check the name, or start a run there with: lab-desktop learn LEAF --run DIR"
        )
    value = read_json(folder / FILE_NAME)
    try:
        if value["job"] != "learn":
            raise ValueError(f"unknown job {value['job']!r}")
        return LearnRequest(
            leaves=tuple(Path(leaf) for leaf in value["leaves"]),
            teacher=teacher_of(str(value["teacher"])),
            student=Path(value["student"]),
            samples=int(value["samples"]),
            seed=int(value["seed"]),
            start_from=Path(value["start_from"]) if value.get("start_from") else None,
            effort=effort_of(value.get("effort", "standard")),
        )
    except (KeyError, TypeError, ValueError, ServerError) as error:
        raise RunError(
            f"The settings of the run in {folder} are damaged.", "Start a new run in another folder.", repr(error)
        ) from error
