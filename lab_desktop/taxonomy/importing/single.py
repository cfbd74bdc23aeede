"""Any qna.yaml that is found in the wild becomes a leaf, and it is said what that took.

Older versions are upgraded, values that YAML misreads are taken as they were written, broken lines are mended. Nothing
is changed silently: every `Repair` is for the person to agree to, every `Loss` is listed, and the file as it was is
kept beside the leaf. What comes out may be incomplete: the checks say what is missing.
"""

from __future__ import annotations

import contextlib
import itertools
import os
from dataclasses import dataclass
from pathlib import Path

from lab_desktop.artifacts import Leaf
from lab_desktop.errors import LeafError
from lab_desktop.files import replacing
from lab_desktop.taxonomy.importing.mending import mend
from lab_desktop.taxonomy.importing.reader import Reader
from lab_desktop.taxonomy.importing.repairs import Loss, Repair
from lab_desktop.taxonomy.qna import write_leaf
from lab_desktop.taxonomy.source import MOST_BYTES
from lab_desktop.taxonomy.tree import FILE_NAME, find_misnamed, is_misnamed

ORIGINALS = ".originals"
"""Folder inside a leaf's folder with files as they were before we changed them; no one looks for leaves in it."""
ORIGINAL_NAME = "qna.yaml.txt"
"""InstructLab takes every changed file named qna.yaml for a leaf, wherever it lies; this it leaves alone."""


@dataclass(frozen=True)
class Imported:
    """A leaf that was read, and what that took.

    Attributes:
        leaf: version 3, possibly incomplete; texts that were not there are "".
        repairs, losses: by line.
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


def read_anything(source: Path | bytes | str, place: Path, name: str = FILE_NAME) -> Imported:
    """Read whatever can be read of a lesson.

    A skill whose examples partly have a context keeps them so, for the person to fill in or delete. Questions of the
    old format, which have no passage, are gathered in one example with an empty context.

    Args:
        source: a file or a folder with one, the bytes of a file, or a pasted text: a whole file or a part of one.
        place: the folder that the leaf is meant for; its last taxonomy root decides between knowledge and skill where
            the text leaves it open.
        name: of the file that the bytes are of.

    Raises:
        LeafError: there is nothing of a lesson in it, or it means to exhaust the reader.
    """
    if isinstance(source, Path):
        file = _file(source)
        name, data = file.name, _bytes(file)
    else:
        data = source if isinstance(source, bytes) else source.encode("utf-8", errors="surrogatepass")
    reader = Reader(mend(data), place)
    leaf = reader.leaf()
    if is_misnamed(name):
        reader.repairs.append(Repair(1, name, FILE_NAME, "InstructLab finds a lesson only under this name."))
    return Imported(
        leaf,
        # What stands in several places through an alias is noted once.
        tuple(sorted(dict.fromkeys(reader.repairs), key=lambda repair: repair.line)),
        tuple(sorted(dict.fromkeys(reader.losses), key=lambda loss: loss.line)),
        data,
    )


def write_imported(imported: Imported, folder: Path) -> Path:
    """Write the leaf as `folder`/qna.yaml, after the file as it was if they differ; gives the path of the qna.yaml.

    Another lesson that is there already is kept among the originals too.

    Raises:
        StorageError: it cannot be written; what was there is untouched.
    """
    if not imported.is_exact:
        keep_original(imported.original, folder)
    with contextlib.suppress(OSError):
        earlier = (folder / FILE_NAME).read_bytes()
        if earlier != imported.original:
            keep_original(earlier, folder)
    return write_leaf(imported.leaf, folder)


def keep_original(data: bytes, folder: Path) -> Path:
    """Keep a qna.yaml as it was beside the leaf in `folder`; a different one that is kept already stays too.

    Raises:
        StorageError: it cannot be written.
    """
    for number in itertools.count(1):
        file = folder / ORIGINALS / (ORIGINAL_NAME if number == 1 else f"qna-{number}.yaml.txt")
        if not os.path.lexists(file):
            break
        with contextlib.suppress(OSError):
            if file.read_bytes() == data:
                return file
    with replacing(file) as temporary:
        temporary.write_bytes(data)
    return file


def _file(path: Path) -> Path:
    if not path.is_dir():
        return path
    found = [path / FILE_NAME] if (path / FILE_NAME).is_file() else []
    found += [file for file in find_misnamed(path) if file.parent == path]
    if not found:
        raise LeafError(f'There is no lesson in "{path}".', f"Choose a file named {FILE_NAME}.")
    return found[0]


def _bytes(file: Path) -> bytes:
    try:
        with open(file, "rb") as stream:
            return stream.read(MOST_BYTES + 1)
    except OSError as error:
        raise LeafError(f'"{file}" cannot be opened: {error.strerror}.', "Check its name and permissions.") from error
