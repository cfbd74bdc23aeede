"""A document or table from anywhere is read in a process of its own, with limits of memory, time and output.

Whatever a document does to its reader (a crash, an endless loop, a bomb), this process only gets a sentence. The child
is `jobs.conversion`, or `ui.showing` where pictures are decoded.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from lab_desktop.documents.converted import Converted, Picture, Progress, Shown
from lab_desktop.documents.reader import Limits, Reader
from lab_desktop.documents.table import Table
from lab_desktop.errors import DocumentError


@dataclass(frozen=True)
class Pasted:
    """What a clipboard holds, instead of a file."""

    text: str
    is_html: bool = False


_LIMITS = Limits()
_TABLE_LIMITS = Limits(memory_bytes=1_000_000_000, time_s=120.0, output_bytes=50_000_000)
_Made = TypeVar("_Made")


def convert_safely(
    source: Path | Pasted,
    on_progress: Progress = lambda done, total: None,
    is_cancelled: Callable[[], bool] = lambda: False,
    limits: Limits = _LIMITS,
) -> Converted:
    """Convert a file, or what was pasted, in a child process. Blocks until it is done: call it from a thread.

    Args:
        on_progress: called with (done, total) in pages or parts, on this thread.
        is_cancelled: asked about twenty times a second.

    Raises:
        DocumentError: it cannot be converted, or took more than `limits`; nothing of it is kept.
        Cancelled: `is_cancelled` said so.
    """
    return _read("--convert", source, "converted", Converted.from_json, on_progress, is_cancelled, limits)


def read_table_safely(
    file: Path, is_cancelled: Callable[[], bool] = lambda: False, limits: Limits = _TABLE_LIMITS
) -> Table:
    """The cells of a CSV or XLSX file, read in a child process. Blocks until it is done: call it from a thread.

    Raises:
        DocumentError, Cancelled: as in `convert_safely`.
    """
    return _read("--convert", file, "table", Table.from_json, lambda done, total: None, is_cancelled, limits)


def show_safely(file: Path, is_cancelled: Callable[[], bool] = lambda: False, limits: Limits = _LIMITS) -> Shown:
    """A document that has no pages as it can be shown, made in a child process. Blocks: call it from a thread.

    Raises:
        DocumentError, Cancelled: as in `convert_safely`.
    """
    pictures: dict[int, Picture] = {}

    def taken(value: dict[str, Any]) -> Shown:
        return replace(Shown.from_json(value), pictures=pictures)

    return _read("--show", file, "shown", taken, lambda done, total: None, is_cancelled, limits, pictures)


def _read(
    mode: str, source: Path | Pasted, wanted: str, taken: Callable[[dict[str, Any]], _Made], on_progress: Progress,
    is_cancelled: Callable[[], bool], limits: Limits, pictures: dict[int, Picture] | None = None,
) -> _Made:  # fmt: skip
    """Ask a child for what is `wanted` of a source; `taken` makes it from JSON, `pictures` is filled before."""
    name = f'"{source.name}"' if isinstance(source, Path) else "What was pasted"
    asked = {"file": str(source.absolute())} if isinstance(source, Path) else asdict(source)
    with Reader(mode, name, limits) as child:
        child.ask({"wanted": wanted, **asked, "memory_bytes": limits.memory_bytes, "time_s": limits.time_s})
        while (heard := child.next(is_cancelled)) is not None:
            said, data = heard
            if said.get("event") == "progress":
                on_progress(int(said["done"]), int(said["total"]))
            elif said.get("event") == "picture" and pictures is not None:
                with contextlib.suppress(KeyError, TypeError, ValueError):
                    pictures[int(said["number"])] = Picture(int(said["width"]), int(said["height"]), data)
            elif said.get("event") == "failed":
                raise child.refusal(said)
            elif said.get("event") == "done":
                try:
                    return taken(said[wanted])
                except (KeyError, TypeError, ValueError):
                    break
        details = child.details()
        if child.was_near_its_memory:
            raise child.too_much_memory(details)
        raise DocumentError(
            f"{name} could not be read: the reader stopped in the middle of it. It may be damaged.",
            "Open it in the program that made it and save it anew, then choose it again.",
            details,
        )
