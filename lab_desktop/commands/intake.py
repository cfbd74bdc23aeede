"""`convert` and `import`: what was written elsewhere becomes Markdown, a lesson, or lessons of the library."""

from __future__ import annotations

import argparse
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from lab_desktop import paths
from lab_desktop.artifacts import LeafKind
from lab_desktop.commands import arguments
from lab_desktop.commands.arguments import NewCommand
from lab_desktop.errors import Cancelled, LeafError
from lab_desktop.jobs.events import Progress
from lab_desktop.taxonomy.tree import FILE_NAME
from lab_desktop.terminal import Screen, agrees, end, print_remark, print_result, printable

if TYPE_CHECKING:
    from lab_desktop.taxonomy.importing import Find, Imported


def add(new: NewCommand) -> None:
    """Add both to the command line."""
    convert = new("convert", _convert)
    convert.add_argument("file", type=arguments.path, metavar="FILE", help="the document; it is read only")
    convert.add_argument("-o", dest="output", type=arguments.path, metavar="OUT.md", help="file for the Markdown")

    importing = new("import", _import)
    importing.add_argument(
        "file",
        type=arguments.path,
        metavar="FILE",
        help="the file, a folder with one, a .labpack, or a folder or .zip with many",
    )
    importing.add_argument(
        "--into",
        type=arguments.path,
        metavar="FOLDER",
        help="the lesson's folder (default: where FILE is); of many the library (default: your own)",
    )
    importing.add_argument("--yes", action="store_true", help="agree to every repair, and write what can be written")


def _convert(options: argparse.Namespace, stopped: threading.Event) -> int:
    from lab_desktop.documents.safely import convert_safely
    from lab_desktop.files import write_text

    screen = Screen(stopped)
    try:
        converted = convert_safely(
            options.file,
            lambda done, total: screen.show(Progress(f"Reading {printable(options.file.name)}", done, total)),
            stopped.is_set,
        )
    finally:
        screen.end_line()
    if options.output:
        write_text(options.output, converted.text)
    else:
        print_result(converted.text, end="")  # without controls: `documents.plain.regular` has been through it
    for note in converted.notes:
        print_remark(printable(note.text))
    return 0


def _import(options: argparse.Namespace, stopped: threading.Event) -> int:
    from lab_desktop.contribution.labpack import is_labpack
    from lab_desktop.taxonomy.importing import is_archive
    from lab_desktop.taxonomy.tree import is_misnamed

    file = options.file.resolve()
    has_one = file.is_dir() and any(path.name == FILE_NAME or is_misnamed(path.name) for path in file.iterdir())
    if is_archive(file) or is_labpack(file) or (file.is_dir() and not has_one):
        return import_many(file, options.into, options.yes, stopped)
    return _import_one(file, options.into, options.yes)


def _import_one(file: Path, place: Path | None, has_agreed: bool) -> int:
    from lab_desktop.taxonomy.check import check_leaf, has_errors
    from lab_desktop.taxonomy.importing import beside, bring_along, read_anything, write_imported
    from lab_desktop.taxonomy.tree import node_of

    here = file if file.is_dir() else file.parent
    into = place.resolve() if place else here
    if into != here and (into / FILE_NAME).exists():
        raise LeafError(f"There is a lesson in {into} already.", "Choose another folder with --into.")
    imported = read_anything(file, into)
    leaf = imported.leaf
    if node_of(into, leaf.kind is LeafKind.KNOWLEDGE) != leaf.node:
        raise LeafError(f"The lesson belongs below {leaf.node[0]}, and {into} does not.", "Choose it with --into.")
    print_result(f"{leaf.name}: {_amount(imported)}.")
    _show_repairs(imported)
    if not imported.is_exact:
        print_result("The file as it was is kept beside the lesson.")
    if not has_agreed and not agrees(f"Write the lesson to {into}? [y/n] "):
        return end(1, "Nothing was written.", "Add --yes to write it.")
    if into != here:
        documents, note = beside(leaf, here)
        bring_along(documents, here, into)
        if note:
            print_result(note)
    print_result(str(write_imported(imported, into)))
    if has_errors(check_leaf(into)):
        print_result(f'It is not complete yet. What is missing: lab-desktop check "{into}"')
    return 0


def import_many(source: Path, into: Path | None, has_agreed: bool, stopped: threading.Event) -> int:
    """Take the lessons of a folder or an archive into a library, after they were shown; gives the exit status.

    Args:
        into: the library; None: the person's own.
        has_agreed: to every repair.

    Raises:
        LeafError, LibraryError, StorageError, Cancelled
    """
    from lab_desktop import repository
    from lab_desktop.contribution import labpack
    from lab_desktop.taxonomy.importing import Haul, newcomer, settled
    from lab_desktop.taxonomy.library import Library

    root = into.resolve() if into else paths.library()
    if not root.exists():
        raise LeafError(f"There is no library at {root} yet.", "Name one with --into, or open the window once.")
    library = Library(repository.open_tree(root).root)
    if (loss := library.loss()) is not None:
        print_remark(f"{loss.message} {loss.hint}")
    haul, screen = Haul(source, unpack=labpack.unpackers()), Screen(stopped)
    try:
        try:
            haul.look(lambda what, share: screen.show(Progress(what, round(100 * share), 100)), stopped.is_set)
        finally:
            screen.end_line()
        finds = settled(haul.finds, library)
        for find in finds:
            _show(find)
        taken = [find for find in finds if find.verdict in ("fine", "mend")]
        if not taken:
            return end(1, "There is nothing new in it that could be taken.", "Nothing was written.")
        count = "1 lesson" if len(taken) == 1 else f"{len(taken)} lessons"
        if not has_agreed and not agrees(f"Write {count} to {root}? [y/n] "):
            return end(1, "Nothing was written.", "Add --yes to write what can be written.")

        def on_write() -> None:
            if stopped.is_set():
                raise Cancelled

        step = library.add([newcomer(find, on_write) for find in taken])
    finally:
        haul.close()
    for place in step.made:
        print_result(str(root / place))
    return 0


def _show(find: Find) -> None:
    """A line for a lesson that was found, and below it what importing it changes."""
    if find.problem is not None:
        print_result(f"not taken  {printable(find.name)}: {printable(find.problem.message)}")
        return
    if find.imported is None or find.place is None:
        return
    word = {"fine": "fine", "mend": "mended", "same": "there"}[find.verdict]
    where = f"{find.place} (its name is taken)" if find.is_renamed and find.verdict != "same" else str(find.wanted)
    print_result(f"{word:9}  {where}: {_amount(find.imported)}.")
    if find.note:
        print_result(f"    {printable(find.note)}")
    _show_repairs(find.imported)


def _show_repairs(imported: Imported) -> None:
    for repair in imported.repairs:
        print_result(f"Line {repair.line}: {repair.why}")
        for sign, text in (("-", repair.before), ("+", repair.after)):
            for line in text.split("\n") if text else ():
                print_result(f"    {sign} {printable(line)}")
    for loss in imported.losses:
        print_result(f"Line {loss.line} is not taken over, there is no place for {loss.what}:")
        for line in loss.text.split("\n"):
            print_result(f"    - {printable(line)}")


def _amount(imported: Imported) -> str:
    examples = imported.leaf.seed_examples
    return f"{len(examples)} examples with {sum(len(example.pairs) for example in examples)} questions in all"
