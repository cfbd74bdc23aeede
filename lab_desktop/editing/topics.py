"""The topics that a lesson can lie in: the folders of one or more libraries, without their lessons."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lab_desktop.artifacts import title_of
from lab_desktop.taxonomy.tree import FILE_NAME

_DEEPEST = 20


@dataclass(frozen=True)
class Topic:
    """
    Attributes:
        path: relative to the library.
        title: as people call it.
        children: by title.
    """

    path: Path
    title: str
    children: tuple[Topic, ...] = ()


def topics(libraries: Sequence[Path], top: str) -> Topic:
    """The topics below `top` (one of `tree.ROOTS`), each once, whichever of these libraries has it.

    What cannot be read, hidden folders and links are left out.
    """
    return _topic([library / top for library in libraries], Path(top))


def _topic(folders: Sequence[Path], path: Path) -> Topic:
    below: dict[str, list[Path]] = {}
    for folder in folders if len(path.parts) < _DEEPEST else ():
        try:
            with os.scandir(folder) as found:
                names = [each.name for each in found if each.is_dir(follow_symlinks=False) and each.name[0] != "."]
        except OSError:
            continue
        for name in names:
            if not (folder / name / FILE_NAME).exists():
                below.setdefault(name, []).append(folder / name)
    children = (_topic(places, path / name) for name, places in below.items())
    return Topic(path, title_of(path.name), tuple(sorted(children, key=lambda each: each.title.casefold())))
