"""Where things may be in a library: what a person may change, which names are free, where a new leaf belongs."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from lab_desktop.artifacts import LeafKind, title_of
from lab_desktop.errors import LeafError
from lab_desktop.taxonomy.library.history import Move
from lab_desktop.taxonomy.names import free_name, inside, is_same, output_clash, output_name, same_form, subfolders
from lab_desktop.taxonomy.tree import FILE_NAME, READ_ONLY, ROOTS

KEEP = ".gitkeep"
"""What an empty topic holds, for git keeps no empty folders."""
UNKNOWN = "miscellaneous_unknown"
"""The topic for leaves whose place is not known yet."""
GROUNDED = "grounded"
"""The folder of compositional_skills for skills with material."""


class Places:
    """
    Attributes:
        root: the library.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def is_leaf(self, path: Path) -> bool:
        return (self.root / path / FILE_NAME).is_file()

    def _there(self, path: Path) -> None:
        if path.is_absolute() or not path.parts or path.parts[0] not in ROOTS:
            raise LeafError(f'"{path}" is not a place in the library.', "Choose a topic below facts or skills.")
        if not inside(self.root, *path.parts).is_dir():
            raise LeafError(f'"{title_of(path.name)}" is not there any more.', "Look at the library again.")

    def mine(self, path: Path, *, may_be_root: bool = False) -> None:
        """`path` is a topic or leaf that a person may change."""
        self._there(path)
        if path.parts[0] == READ_ONLY:
            raise LeafError(
                f'"{title_of(path.name)}" belongs to the basics, which nobody changes here.',
                "Make a topic of your own below facts or skills.",
            )
        if len(path.parts) == 1 and not may_be_root:
            raise LeafError("This is a main part of the library and stays as it is.", "Choose a topic or lesson in it.")

    def topic(self, path: Path) -> None:
        """`path` is a place for something new."""
        if path.parts and path.parts[0] in ROOTS and len(path.parts) == 1 and not (self.root / path).exists():
            return  # a clone without any knowledge: the folder is made along with the first topic
        self.mine(path, may_be_root=True)
        for depth in range(1, len(path.parts) + 1):
            if self.is_leaf(Path(*path.parts[:depth])):
                name = title_of(path.parts[depth - 1])
                raise LeafError(f'"{name}" is a lesson, and nothing lies inside a lesson.', "Choose a topic.")

    def same_root(self, path: Path, into: Path) -> None:
        if path.parts[0] != into.parts[0]:
            raise LeafError(
                "Facts and skills are written differently, so nothing moves from the ones to the others.",
                "Make a new lesson there.",
            )

    def home(self, parent: Path | None, kind: LeafKind) -> Path:
        """Where a new leaf of this kind belongs when a person asked for `parent`."""
        root = "knowledge" if kind is LeafKind.KNOWLEDGE else "compositional_skills"
        grounds = (GROUNDED,) if kind is LeafKind.GROUNDED_SKILL else ()
        if parent is None:
            return Path(root, *grounds, UNKNOWN)
        self.topic(parent)
        if parent.parts[0] != root:
            what = "Facts lessons" if kind is LeafKind.KNOWLEDGE else "Skill lessons"
            raise LeafError(f"{what} do not belong here.", f'Choose a topic below "{title_of(root)}".')
        if kind is LeafKind.KNOWLEDGE:
            return parent
        below = parent.parts[1:]
        if below[:1] == (GROUNDED,):
            below = below[1:]
        home = Path(root, *grounds, *below)
        if (self.root / home).exists():
            self.topic(home)
        return home

    def _taken(self, folder: Path, name: str, moved: Path | None = None) -> bool:
        """True when something in `folder` has this name, in whatever case; `moved` itself does not count."""
        try:
            names = os.listdir(self.root / folder)  # noqa: PTH208 - names only
        except OSError:
            return False
        return any(is_same(other, name) and folder / other != moved for other in names)

    def free(
        self, folder: Path, name: str, *, is_leaf: bool = False, moved: Path | None = None, leaves: Iterable[Path] = ()
    ) -> Path:
        """A path in `folder` for this name: free, and no leaf there writes to the same generated files as another.

        Args:
            is_leaf: a new leaf will be there.
            moved: this comes there, with its leaves.
            leaves: places of leaves below the new path.
        """
        listed = functools.cache(subfolders)
        below = [Path()] if is_leaf else list(leaves) if moved is None else self.leaves(moved)

        def is_taken(candidate: str) -> bool:
            path = folder / candidate
            if self._taken(folder, candidate, moved):
                return True
            return any(self.clashes(path / leaf, moved, listed) for leaf in below)

        return folder / free_name(name, is_taken)

    def clashes(self, leaf: Path, moved: Path | None, listed: Callable[[Path], list[str]]) -> bool:
        other = output_clash(self.root, leaf.parts, listed)
        return other is not None and not (moved and Path(*other).is_relative_to(moved))

    def leaves(self, path: Path) -> list[Path]:
        return leaves_in(self.root / path)

    def missing_top(self, path: Path) -> Path:
        """The first on the way to `path` that is not there yet."""
        while len(path.parts) > 1 and not (self.root / path.parent).is_dir():
            path = path.parent
        return path

    def free_for_all(self, wanted: Sequence[Path]) -> list[Path]:
        """Free paths for new leaves that come together, in the order of `wanted`; the outer of two comes first.

        Nothing comes to lie in a leaf: it lies beside it then. Topics that are there in another spelling are those.

        Raises:
            LeafError: one of them is no place for a person's leaf.
        """
        listed = functools.cache(subfolders)
        names = functools.cache(lambda folder: {same_form(name): name for name in _names(self.root / folder)})
        is_closed = functools.cache(lambda folder: not _is_open(self.root / folder))
        leaves: set[str] = set()
        outputs: set[str] = set()
        found: dict[Path, list[Path]] = {}
        for path in sorted(wanted, key=lambda each: each.parts):
            if len(path.parts) < 2 or path.parts[0] not in ROOTS or path.parts[0] == READ_ONLY:
                raise LeafError(f'"{path}" is no place for a lesson.', "Choose a topic below facts or skills.")
            parent = Path(path.parts[0])
            for part in path.parts[1:-1]:
                below = parent / names(parent).get(same_form(part), part)
                if same_form(below.as_posix()) in leaves or is_closed(below):
                    break
                parent = below

            def is_taken(name: str, parent: Path = parent) -> bool:
                here = parent / name
                return (
                    same_form(name) in names(parent)
                    or same_form(here.as_posix()) in leaves
                    or same_form(output_name(here.parts)) in outputs
                    or self.clashes(here, None, listed)
                )

            place = parent / free_name(path.name, is_taken)
            inside(self.root, *place.parts)
            leaves.add(same_form(place.as_posix()))
            outputs.add(same_form(output_name(place.parts)))
            found.setdefault(path, []).append(place)
        return [found[path].pop(0) for path in wanted]

    def new_below(self, kept: Path, path: Path) -> tuple[Path, Move]:
        """(where to prepare what comes to `path`, the move that brings it there with all missing topics above)."""
        top = self.missing_top(path)
        return kept / "new" / path.relative_to(top), Move(kept / "new", self.root / top)


def _names(folder: Path) -> list[str]:
    try:
        return os.listdir(folder)  # noqa: PTH208 - names only
    except OSError:
        return []


def _is_open(folder: Path) -> bool:
    """True where new leaves may come to lie in `folder`: a topic, or nothing yet."""
    if not os.path.lexists(folder):
        return True
    return folder.is_dir() and not folder.is_symlink() and not os.path.lexists(folder / FILE_NAME)


def leaves_in(folder: Path) -> list[Path]:
    """Places of the leaves at or below `folder`, relative to it."""
    found = []
    for here, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        if FILE_NAME in names:
            found.append(Path(here).relative_to(folder))
    return found
