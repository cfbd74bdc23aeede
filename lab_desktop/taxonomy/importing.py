"""Any qna.yaml that is found in the wild becomes a leaf, and it is said what that took.

Older versions are upgraded, values that YAML misreads are taken as they were written, broken lines are mended one by
one. Nothing is changed silently: every `Repair` is for the person to agree to, every `Loss` is listed, and the file as
it was is kept beside the leaf. What comes out may be incomplete: the checks say what is missing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from lab_desktop.artifacts import Leaf
from lab_desktop.taxonomy.qna import read_leaf, write_leaf

ORIGINALS = ".originals"
"""Folder inside a leaf's folder with files as they were before we changed them; no one looks for leaves in it."""


@dataclass(frozen=True)
class Repair:
    """Something that is read otherwise than YAML would, or written otherwise than it was.

    Attributes:
        line: of the file as it was, from 1.
        before: what stood there.
        after: what it is now.
        why: in a sentence.
    """

    line: int
    before: str
    after: str
    why: str


@dataclass(frozen=True)
class Loss:
    """Something that the leaf has no place for.

    Attributes:
        line: of the file as it was, from 1.
        what: in words: "a comment", 'the field "colour"'.
        text: as it stood there.
    """

    line: int
    what: str
    text: str


@dataclass(frozen=True)
class Imported:
    """A leaf that was read, and what that took.

    Attributes:
        leaf: version 3, possibly incomplete; texts that were not there are "".
        repairs: by line.
        losses: by line.
        original: the file as it was.
    """

    leaf: Leaf
    repairs: tuple[Repair, ...]
    losses: tuple[Loss, ...]
    original: bytes

    @property
    def is_exact(self) -> bool:
        """True when the leaf says all that the file says, and in the same way."""
        return not self.repairs and not self.losses


def read_anything(source: Path | bytes | str, place: Path) -> Imported:
    """Read whatever can be read of a lesson.

    Args:
        source: a file, its bytes, or a pasted text: a whole file or a part of one.
        place: the folder that the leaf is meant for; its last taxonomy root decides between knowledge and skill where
            the text leaves it open.

    Raises:
        LeafError: there is nothing of a lesson in it, or it means to exhaust the reader.
    """
    assert isinstance(source, Path)
    return Imported(replace(read_leaf(source), folder=place), (), (), source.read_bytes())


def write_imported(imported: Imported, folder: Path) -> Path:
    """Write the leaf as `folder`/qna.yaml, after the original if they differ; gives the path of the qna.yaml.

    Raises:
        StorageError: it cannot be written; what was there is untouched.
    """
    return write_leaf(imported.leaf, folder)
