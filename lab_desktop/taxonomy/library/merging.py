"""Two topics or two leaves become one: what moves, and what the joined leaf says."""

from __future__ import annotations

import filecmp
import functools
import os
import shutil
from dataclasses import replace
from pathlib import Path

from lab_desktop.artifacts import DocumentSource, Leaf, LeafKind, SeedExample
from lab_desktop.errors import LeafError
from lab_desktop.files import disk_errors, write_text
from lab_desktop.paths import EDITING
from lab_desktop.taxonomy.attribution import FILE_NAME as ATTRIBUTION
from lab_desktop.taxonomy.library.history import Change, Move, Swap
from lab_desktop.taxonomy.library.places import KEEP, Places
from lab_desktop.taxonomy.names import free_name, is_same, numbered, same_form, subfolders
from lab_desktop.taxonomy.qna import read_draft, write_leaf
from lab_desktop.taxonomy.tree import FILE_NAME


def topics_joined(places: Places, source: Path, into: Path) -> list[tuple[Path, Path]]:
    """(old, new) of everything in the topic `source` that moves into the topic `into`; taken names get a number."""
    moved = []
    listed = functools.cache(subfolders)
    taken = {same_form(name) for name in os.listdir(places.root / into)}  # noqa: PTH208 - names only
    for name in subfolders(places.root / source):
        below = places.leaves(source / name)

        def is_taken(candidate: str, below: list[Path] = below) -> bool:
            there = (into / candidate / leaf for leaf in below)
            return same_form(candidate) in taken or any(places.clashes(each, source, listed) for each in there)

        new = free_name(name, is_taken)
        taken.add(same_form(new))
        moved.append((source / name, into / new))
    return moved


def leaves_joined(root: Path, source: Path, into: Path, kept: Path) -> list[Change]:
    """The changes that make the leaf `into` of the library at `root` hold what `source` holds too.

    Args:
        kept: where what is new is prepared.

    Raises:
        LeafError: one of them has problems, or they are of two kinds.
        StorageError: it could not be prepared.
    """
    one, other = read_draft(root / into), read_draft(root / source)
    changes, brought = _bring(root / source, root / into, kept / "beside")
    text = _joined_attribution(root / source / ATTRIBUTION, root / into / ATTRIBUTION)
    if text:
        write_text(kept / "after" / ATTRIBUTION, text)
        changes.append(_put(root, into / ATTRIBUTION, kept))
    write_leaf(_joined(one, other, brought), kept / "after")
    return [*changes, _put(root, into / FILE_NAME, kept)]


def copied(source: Path, target: Path) -> None:
    """Copy a file, or a folder with everything in it."""
    with disk_errors(target, "The copy"):
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, symlinks=True)
        else:
            shutil.copy2(source, target)


def _put(root: Path, file: Path, kept: Path) -> Change:
    """The change that gives `file` the content that waits in kept/after."""
    after, before = kept / "after" / file.name, kept / "before" / file.name
    target = root / file
    return Swap(target, after, before) if target.exists() else Move(after, target)


def _bring(source: Path, into: Path, kept: Path) -> tuple[list[Change], list[str]]:
    """(moves of copies of what lies in the folder `source`, names of files that the folder `into` did not have)."""
    changes: list[Change] = []
    brought = []
    here = sorted(source.iterdir())
    names = {same_form(path.name) for path in into.iterdir()} | {same_form(path.name) for path in here}
    for path in here:
        if path.name in (FILE_NAME, ATTRIBUTION, KEEP, EDITING) or path.is_symlink():
            continue
        target = into / path.name
        if path.is_dir() and target.is_dir() and not target.is_symlink():
            changes += _bring(path, target, kept / path.name)[0]
            continue
        if os.path.lexists(target) or any(is_same(other.name, path.name) for other in into.iterdir()):
            if target.is_file() and path.is_file() and filecmp.cmp(path, target, shallow=False):
                continue
            number = 2
            while same_form(numbered(path.stem, number) + path.suffix) in names:
                number += 1
            target = into / (numbered(path.stem, number) + path.suffix)
            names.add(same_form(target.name))
        copied(path, kept / target.name)
        changes.append(Move(kept / target.name, target))
        brought.append(target.name)
    return changes, brought


def _joined(one: Leaf, other: Leaf, brought: list[str]) -> Leaf:
    """The leaf `one` with the examples of `other` that it does not have, and with the documents brought along.

    Raises:
        LeafError: one has material and the other has none.
    """
    if one.kind is not other.kind:
        raise LeafError(
            "One of these skills comes with material for each example, the other without.",
            "Keep them apart: the two kinds are taught differently.",
        )
    examples: list[SeedExample] = list(one.seed_examples)
    for example in other.seed_examples:
        twin = next((at for at, each in enumerate(examples) if each.context == example.context), None)
        if one.kind is not LeafKind.KNOWLEDGE or twin is None:
            examples += [example] if example not in examples else []
        else:
            new = tuple(pair for pair in example.pairs if pair not in examples[twin].pairs)
            examples[twin] = replace(examples[twin], pairs=examples[twin].pairs + new)
    document = one.document
    if document and other.document:
        names = [name for name in brought if not name.startswith(".")]
        patterns = dict.fromkeys([*document.patterns, *(name for name in names if _is_named(name, other.document))])
        document = replace(document, patterns=tuple(patterns))
    return replace(one, seed_examples=tuple(examples), document=document)


def _is_named(name: str, document: DocumentSource) -> bool:
    return Path(name).suffix.lower() in {Path(pattern).suffix.lower() for pattern in document.patterns}


def _joined_attribution(source: Path, into: Path) -> str:
    """What attribution.txt says after the merge; "" where nothing has to change."""
    texts = []
    for file in (into, source):
        try:
            texts.append(file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            texts.append("")
        except (OSError, UnicodeDecodeError) as error:
            raise LeafError(f'"{file.name}" of "{file.parent.name}" cannot be read.', "Mend it first.") from error
    there, new = texts
    if not new.strip() or new.strip() in there:
        return ""
    return f"{there.rstrip()}\n\n{new.rstrip()}\n".lstrip("\n")
