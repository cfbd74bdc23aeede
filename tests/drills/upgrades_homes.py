"""The folders that earlier versions wrote, as they were on Ada's computer (`tests/data/earlier`).

Each was made by the version itself: a project with a short run of a tiny model, chats, a library with a history, and
what else there was then. Models are left out, for they are large; a tiny one takes their place.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.drills.runs import brief_model

EARLIER = Path(__file__).parents[1] / "data" / "earlier"
ADAS = "/home/ada/LAB Desktop"
"""Where the folder was when it was written, as paths in it say."""


def names() -> list[str]:
    """The earlier versions, oldest first; the last is the newest whose folder was kept."""
    return sorted(path.name for path in EARLIER.iterdir() if path.is_dir())


def taken_home(name: str, home: Path) -> Path:
    """Copy the folder of an earlier version to where this person's folder is; paths in it say so."""
    shutil.copytree(EARLIER / name, home, dirs_exist_ok=True)
    for file in home.rglob("*"):
        if file.is_file() and ADAS.encode() in (data := file.read_bytes()):
            file.write_bytes(data.replace(ADAS.encode(), str(home).encode()))
    model = home / "models" / "tiny" / "tiny.gguf"
    if not model.exists():
        model.parent.mkdir(parents=True, exist_ok=True)
        brief_model(model, seed=2)
    return home
