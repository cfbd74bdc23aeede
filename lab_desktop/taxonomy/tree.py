"""Where leaves are: folders with a qna.yaml, and their place in a taxonomy.

Reads folder names only, never a leaf's content.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from lab_desktop.errors import LeafError

FILE_NAME = "qna.yaml"
ROOTS = ("knowledge", "compositional_skills", "foundational_skills")
READ_ONLY = "foundational_skills"
"""What the project itself looks after; InstructLab neither generates from it nor takes contributions."""


def find_leaves(path: Path) -> list[Path]:
    """The leaf folders at `path`: itself if it holds a qna.yaml (or is one), else every folder below that does, sorted.

    Raises:
        LeafError: `path` does not exist, or there is no leaf.
    """
    if path.name == FILE_NAME and path.is_file():
        return [path.parent]
    if (path / FILE_NAME).is_file():
        return [path]
    if not path.exists():
        raise LeafError(f'"{path}" does not exist.', "Check the name, or choose another folder.")
    if path.is_file():
        raise LeafError(f'"{path}" is not a lesson.', f"A lesson is a folder with a file named {FILE_NAME}.")
    leaves = sorted(folder for folder, names in _folders(path) if FILE_NAME in names)
    if not leaves:
        raise LeafError(
            f'There is no lesson in "{path}".', f"Choose a folder that has a file named {FILE_NAME}, itself or below."
        )
    return leaves


def find_misnamed(path: Path) -> list[Path]:
    """Files at or below `path` that mean to be a qna.yaml (qna.yml, QNA.YAML) but do not have its name, sorted."""
    return sorted(folder / name for folder, names in _folders(path) for name in names if is_misnamed(name))


def is_misnamed(name: str) -> bool:
    """True for a spelling of qna.yaml that InstructLab does not find."""
    return name != FILE_NAME and name.lower() in ("qna.yaml", "qna.yml")


def own_folder(root: Path) -> Path:
    """Where what the program keeps of the taxonomy at `root` lies, on its disk and moving along with it.

    Inside `.git`, where no clone can bring it and git never looks; in a tree without git it is `.lab-desktop`.
    """
    git = root / ".git"
    return git / "lab-desktop" if git.is_dir() and not git.is_symlink() else root / ".lab-desktop"


def node_of(folder: Path, leaf_is_knowledge: bool) -> tuple[str, ...]:
    """The place of `folder` in its taxonomy, from the last root in its path on.

    A folder outside a taxonomy gets ("knowledge", FOLDER) or ("compositional_skills", FOLDER).
    """
    parts = folder.resolve().parts
    for index in range(len(parts) - 1, -1, -1):
        if parts[index] in ROOTS:
            return parts[index:]
    return ("knowledge" if leaf_is_knowledge else "compositional_skills", parts[-1])


def is_knowledge(path: Path, has_document: bool) -> bool:
    """True when the knowledge schema applies to the leaf at `path` (no link in it), else the skill schema does."""
    # InstructLab's rule: the last of these two names in the path decides, else the field `document`.
    for part in reversed(path.parts):
        if part in ("knowledge", "compositional_skills"):
            return part == "knowledge"
    return has_document


def _folders(path: Path) -> Iterator[tuple[Path, list[str]]]:
    # os.walk leaves links to folders alone, so a link to a parent cannot go round for ever.
    for folder, subfolders, names in os.walk(path):
        subfolders[:] = [name for name in subfolders if not name.startswith(".")]
        yield Path(folder), names
