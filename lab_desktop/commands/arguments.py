"""What the families of commands share: how a command is made, and what the words after it may be."""

from __future__ import annotations

import argparse
import threading
from collections.abc import Callable
from pathlib import Path

from lab_desktop import paths, servers
from lab_desktop.errors import ModelError
from lab_desktop.servers import Server

Action = Callable[[argparse.Namespace, threading.Event], int]
"""What a command does with its arguments until the event is set; gives the exit status. An action that fills a run
folder puts it into `options.folder`: who stops it is told how to go on."""

_MOST_SAMPLES = 100_000
_LARGEST_SEED = 2**32 - 1


NewCommand = Callable[[str, Action], argparse.ArgumentParser]
"""Lets the command of that name (see `cli.COMMANDS`) do its action; gives its parser, for its own arguments."""


def filled(text: str) -> str:
    """A text that is not blank."""
    if not text.strip():
        raise argparse.ArgumentTypeError("a name is needed, not an empty text")
    return text


def path(text: str) -> Path:
    """A path; an empty text is none."""
    return Path(filled(text))


def count(text: str) -> int:
    """How many, or which one: a whole number from 1."""
    return _number(text, 1, _MOST_SAMPLES)


def seed(text: str) -> int:
    """What random draws begin with."""
    return _number(text, 0, _LARGEST_SEED)


def add_model(parser: argparse.ArgumentParser, option: str) -> None:
    """Let a model be named with this option, for `model_file`."""
    text = 'a .gguf file, a name of `models`, or "practice" (default)'
    parser.add_argument(option, type=filled, default="practice", metavar="M", help=text)


def teacher(name: str) -> Path | Server:
    """The teacher that a person means: a model on a server (https://host/v1#model), or a file.

    Raises:
        ModelError: as in `model_file`, or the address cannot be used.
    """
    return servers.parse(name) if servers.is_address(name) else model_file(name)


def model_file(name: str) -> Path:
    """The model file that a person means; its header is read, so that a slip of the pen is told at once.

    Args:
        name: a path, or a name of the catalogue, "practice" among them.

    Raises:
        ModelError: it is missing, damaged, an adapter, or offered and not downloaded yet.
    """
    from lab_desktop.models.gguf import read_header

    file = _offered(name) or Path(name).resolve()
    if read_header(file).metadata.get("general.type") == "adapter":
        raise ModelError(
            f'"{file.name}" is an adapter, which is of use only together with its model.',
            "Name the model; chat takes the adapter with --adapter.",
        )
    return file


def _offered(name: str) -> Path | None:
    """Where a model of the catalogue lies; None where the name is none of these, or a file's."""
    from lab_desktop.models import arrivals, catalogue

    if name == catalogue.PRACTICE:
        return paths.practice_model()
    entry = next((each for each in catalogue.catalogue() if each.id == name.lower()), None)
    if entry is None or Path(name).exists():
        return None
    file = arrivals.target(entry.repo, entry.file)
    if not file.exists():
        raise ModelError(
            f"{entry.title} is not on this computer yet.", f"Download it: lab-desktop models get {entry.id}"
        )
    return file


def _number(text: str, least: int, most: int) -> int:
    try:
        number = int(text)
    except ValueError:
        number = least - 1
    if not least <= number <= most:
        raise argparse.ArgumentTypeError(f"a whole number from {least} to {most:,} is needed, not {text[:40]!r}")
    return number
