"""Names of topics and leaves: a person's words become a folder's name, and a path can never leave the library.

Folder names are lower-case words joined by underscores, as the taxonomy asks. Letters of the Latin alphabet lose their
accents; words in other scripts are kept as they are written.
"""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Callable, Sequence
from pathlib import Path

from lab_desktop.artifacts import title_of as title_of
from lab_desktop.errors import LeafError
from lab_desktop.taxonomy.tree import FILE_NAME, ROOTS

MOST_LETTERS = 60
MOST_BYTES = 255
"""Of one component, on every file system we know."""
_NUMBER_BYTES = 16
_RESERVED = frozenset(
    {"con", "prn", "aux", "nul", "conin$", "conout$"}
    | {f"{port}{number}" for port in ("com", "lpt") for number in range(10)}
)
"""Windows opens a device instead of a file of this name, whatever its ending."""
_LATIN = {
    "ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ħ": "h", "ı": "i", "ŋ": "n",
    "ŧ": "t", "ĸ": "k",
}  # fmt: skip
_SILENT = "'’ʼ`´"
"""Marks inside a word that leave no gap: heron's → herons."""


class NameTaken(LeafError):
    """Another topic or leaf has this name.

    Attributes:
        free: a name like it that nobody has.
    """

    def __init__(self, name: str, free: str) -> None:
        super().__init__(
            f'There is already a "{title_of(name)}" here.', f'Call it "{title_of(free)}", or merge the two.'
        )
        self.free = free


def folder_name(words: str) -> str:
    """The folder's name for what a person typed: "The Heron's Nest!" → "the_herons_nest"; never empty or reserved."""
    text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", words).lower())
    letters: list[str] = []
    for letter in text:
        plain = _plain(letter)
        is_mark = unicodedata.category(letter).startswith("M")
        if is_mark and (not letters or letters[-1].isascii()):
            continue  # an accent on a plain letter, or on nothing
        if plain:
            letters.append(plain)
        elif letter not in _SILENT and unicodedata.category(letter) != "Cf":
            letters.append("_")
    name = unicodedata.normalize("NFC", "".join(letters))
    name = _short(re.sub("_+", "_", name).strip("_"))
    if not name:
        return "untitled"
    # A folder named like a root would decide which schema its leaves are judged by.
    return f"{name}_topic" if name in _RESERVED or name in ROOTS else name


def numbered(name: str, number: int) -> str:
    """The name with a number at its end: ("velmora", 2) → "velmora_2"."""
    return f"{name}_{number}"


def free_name(wanted: str, is_taken: Callable[[str], bool]) -> str:
    """`wanted`, or the first of wanted_2, wanted_3, … that is not taken."""
    number, name = 1, wanted
    while is_taken(name):
        number += 1
        name = numbered(wanted, number)
    return name


def is_same(one: str, other: str) -> bool:
    """True when a file system that ignores case, or how accents are stored, takes the two names for one."""
    return same_form(one) == same_form(other)


def same_form(name: str) -> str:
    """What is equal for names that some file system takes for one."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", name).casefold())


def is_safe(name: str) -> bool:
    """True when `name` is one component of a path that is a plain, visible name on every system."""
    if not name or name.startswith(".") or name.endswith((".", " ")):
        return False
    if any(letter in "/\\:\0" or unicodedata.category(letter) in ("Cc", "Cs") for letter in name):
        return False
    if name.partition(".")[0].rstrip().lower() in _RESERVED:
        return False
    return len(name.encode("utf-8")) <= MOST_BYTES


def inside(root: Path, *parts: str) -> Path:
    """The path of these components below `root`; nothing that exists on the way is a link.

    Raises:
        LeafError: a component is not a plain name, or a link leads elsewhere.
    """
    path = root
    for part in parts:
        if not is_safe(part):
            raise LeafError(
                f'"{part[:80]}" cannot be the name of a topic or lesson.'.replace("\0", "�"),
                "Choose another name, without slashes or a dot at its start.",
            )
        path = path / part
        if path.is_symlink():
            raise LeafError(
                f'"{path.relative_to(root)}" is a link to another place, and the library ends there.',
                "Replace the link by the folder itself.",
            )
    return path


def output_name(node: Sequence[str]) -> str:
    """How the place of a leaf is written in the names of generated files: its components joined by underscores."""
    return "_".join(node)


def output_clash(
    root: Path, node: Sequence[str], listed: Callable[[Path], Sequence[str]] | None = None
) -> tuple[str, ...] | None:
    """Another leaf whose place, joined by underscores, reads like `node`; generated files would overwrite each other.

    ("knowledge", "a_b", "c") clashes with ("knowledge", "a", "b_c"). Only folders that may lead there are opened.

    Args:
        listed: `subfolders`, or what remembers its answers for who asks about many leaves.
    """
    listed = listed or subfolders
    wanted, place = same_form(output_name(node)), tuple(same_form(part) for part in node)

    def search(folder: Path, found: tuple[str, ...], rest: str) -> tuple[str, ...] | None:
        for name in listed(folder):
            form = same_form(name)
            here = (*found, name)
            if form == rest:
                is_itself = tuple(same_form(part) for part in here) == place
                if not is_itself and (folder / name / FILE_NAME).is_file():
                    return here
            elif rest.startswith(f"{form}_"):
                deeper = search(folder / name, here, rest[len(form) + 1 :])
                if deeper:
                    return deeper
        return None

    return search(root, (), wanted)


def subfolders(folder: Path) -> list[str]:
    """Names of the visible folders in `folder` that are no links, sorted; none where it cannot be read."""
    try:
        with os.scandir(folder) as entries:
            return sorted(
                entry.name
                for entry in entries
                if not entry.name.startswith(".") and entry.is_dir(follow_symlinks=False)
            )
    except OSError:
        return []


def _plain(letter: str) -> str:
    """The letter as it stands in a name; "" for what separates words."""
    if letter in _LATIN:
        return _LATIN[letter]
    base = unicodedata.normalize("NFD", letter)[0]
    if base.isascii():
        return base if base.isalnum() else ""
    return letter if unicodedata.category(letter)[0] in "LNM" else ""


def _short(name: str) -> str:
    """At most 60 letters, cut between words where that leaves half of it."""
    cut = name[:MOST_LETTERS]
    while len(cut.encode("utf-8")) > MOST_BYTES - _NUMBER_BYTES:
        cut = cut[:-1]
    if cut == name:
        return name
    whole = cut if name[len(cut)] == "_" else cut.rpartition("_")[0]
    return (whole if len(whole) >= MOST_LETTERS // 2 else cut).rstrip("_")
