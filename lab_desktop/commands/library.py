"""`changes`: a library beside the community's version of it."""

from __future__ import annotations

import argparse
import threading
from pathlib import Path

from lab_desktop.commands import arguments
from lab_desktop.commands.arguments import NewCommand
from lab_desktop.taxonomy.tree import FILE_NAME
from lab_desktop.terminal import print_remark, print_result


def add(new: NewCommand) -> None:
    """Add it to the command line."""
    changes = new("changes", _changes)
    changes.add_argument(
        "path", type=arguments.path, nargs="?", default=Path(), metavar="PATH", help="the library (default: here)"
    )
    changes.add_argument(
        "--base",
        type=arguments.filled,
        metavar="REF",
        help='the version to compare with: a branch, a commit, or "empty"',
    )


def _changes(options: argparse.Namespace, stopped: threading.Event) -> int:
    from lab_desktop import repository

    found = repository.changes(options.path.resolve(), options.base)
    for change in found.leaves:
        was = f", was {change.was.parent}" if change.was else ""
        print_result(f"{change.kind:8} {change.path.parent}{was}")
    for path in found.deleted:
        print_result(f"deleted  {path.parent}")
    for path in found.misnamed:
        print_remark(f'"{path}" is not found by InstructLab: a lesson must be named "{FILE_NAME}".')
    if not found.leaves and not found.deleted:
        print_result("Nothing is new or different.")
    return 0
