"""The folder of models goes elsewhere, for example to another disk: copied, compared, then changed over in one step.

`paths.models()` is a folder at first and a link afterwards, so every path that a project or a run has noted stays
right. Killed at any moment, all models are where they were or where they go, and starting it again goes on.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from pathlib import Path
from typing import Any

import filelock

from lab_desktop import paths
from lab_desktop.errors import StorageError
from lab_desktop.files import disk_errors, flush_folder, replacing, write_text
from lab_desktop.jobs import errands
from lab_desktop.jobs.errands import DownloadRequest, MoveRequest
from lab_desktop.jobs.run import Run
from lab_desktop.models import records

_MARK = ".lab-desktop-models"
"""In a folder that we copy to, so that a second try knows it."""
_LEFT = "left.txt"
"""In the errand's folder: where the models were."""
_SPARE_BYTES = 100_000_000
_BLOCK_BYTES = 1 << 20
_TELL_S = 0.2


def move(request: MoveRequest, run: Run) -> dict[str, Any]:
    """Move every model to `request.target`; what was copied by an earlier try is not copied again.

    Progress counts bytes. Cost: reads and writes every file once where the target is another disk; on the same one a
    file has two names for a moment, which costs nothing.

    Returns:
        {"path": the folder, "size_bytes": …}

    Raises:
        StorageError: the target is no empty folder, has too little room, lies in the old one, or cannot be written;
            or a download is under way; every model is where it was.
        Cancelled: what was copied stays for the next time.
    """
    settle()
    require_place()
    with disk_errors(paths.models(), "The folder of models"):
        paths.models().mkdir(parents=True, exist_ok=True)
    source = place()
    target = (request.target or _coming()).absolute()
    is_there = target.resolve() == source if request.target else not paths.models().is_symlink()
    if is_there:  # an earlier try was killed when all was done but the clearing up
        _leave(run.folder)
        errands.close(run.folder)
        return {"path": str(source), "size_bytes": 0}
    _refuse_while_downloads_run()
    _check_target(source, target)
    files = [path for path in source.rglob("*") if path.is_file() and path.name != _MARK]
    total = sum(path.stat().st_size for path in files)
    _require_room(files, source, target, total)
    counter = _Counter(run, total)
    for path in files:
        _copy(path, target / path.relative_to(source), counter)
    with disk_errors(target, "The folder of models"):
        for half in target.rglob(".*.part"):  # of a copy that was killed
            if not (source / half.relative_to(target)).exists():
                half.unlink()
        write_text(run.folder / _LEFT, str(source))
        _change_over(target)
        settle()
        _leave(run.folder)
    errands.close(run.folder)
    return {"path": str(place()), "size_bytes": total}


def place() -> Path:
    """The folder in which models really lie."""
    return paths.models().resolve()


def missing_place() -> Path | None:
    """The folder in which models lie, when its disk is not connected; else None."""
    return place() if paths.models().is_symlink() and not paths.models().exists() else None


def require_place() -> None:
    """
    Raises:
        StorageError: the models lie on a disk that is not connected.
    """
    if away := missing_place():
        raise StorageError(
            f"Your models are in {away}, and that is not there.",
            "Connect the disk that they are on, and try again.",
        )


def settle() -> None:
    """Finish a change-over that was killed between two of its steps; does nothing else."""
    models, link, coming = paths.models(), _link(), _coming()
    if not os.path.lexists(models):
        if link.is_symlink():
            link.replace(models)
        elif (coming / _MARK).exists():
            coming.rename(models)
    if os.path.lexists(models):
        for old in paths.user_data().glob(".models-old-*"):
            shutil.rmtree(old, ignore_errors=True)


def _change_over(target: Path) -> None:
    """A kill in here is mended by `settle`: the copy is whole, and the old folder stays until the new one is named."""
    models = paths.models()
    flush_folder(target)
    if target == _coming():
        models.unlink()
        target.rename(models)
    else:
        _link().unlink(missing_ok=True)
        _link().symlink_to(target, target_is_directory=True)
        if not models.is_symlink():
            models.rename(paths.user_data() / f".models-old-{time.time_ns()}")
        _link().replace(models)
    flush_folder(models.parent)


def _leave(errand: Path) -> None:
    """Empty the folder that was ours before the move; what else lies there stays."""
    note = errand / _LEFT
    old = Path(note.read_text(encoding="utf-8")) if note.exists() else None
    if old is None or not old.is_dir() or old.resolve() == place():
        return
    for path in sorted(old.rglob("*"), reverse=True):
        if path.is_dir() and not path.is_symlink():
            if not any(path.iterdir()):
                path.rmdir()
        elif (paths.models() / path.relative_to(old)).exists():
            path.unlink()
    if not any(old.iterdir()):
        old.rmdir()


def _check_target(source: Path, target: Path) -> None:
    if target.resolve().is_relative_to(source) or source.is_relative_to(target.resolve()):
        raise StorageError(
            f"The models cannot be moved to {target}: they are there already, or one folder lies in the other.",
            "Choose another folder.",
        )
    with disk_errors(target, "The folder of models"):
        target.mkdir(parents=True, exist_ok=True)
        is_ours = (target / _MARK).exists()
        if not is_ours and any(not path.name.startswith(".") for path in target.iterdir()):
            raise StorageError(
                f"{target} is not empty.", "Make a new folder for the models, for example with the name Models."
            )
        (target / _MARK).touch()
        (target / _MARK).with_suffix(".try").touch()  # a disk may let folders be made and no files written
        (target / _MARK).with_suffix(".try").unlink()


def _require_room(files: list[Path], source: Path, target: Path, total: int) -> None:
    if target.stat().st_dev == source.stat().st_dev:
        return
    copied = sum(path.stat().st_size for path in files if _is_copied(path, target / path.relative_to(source)))
    free = shutil.disk_usage(target).free
    if free < total - copied + _SPARE_BYTES:
        raise StorageError(
            f"The models take {total / 1e9:.1f} GB, and {free / 1e9:.1f} GB are free in {target}. They stay where they "
            "are.",
            "Choose another disk, or remove models that nothing needs.",
        )


def _refuse_while_downloads_run() -> None:
    for folder, errand in errands.waiting():
        if not isinstance(errand, DownloadRequest):
            continue
        try:
            with filelock.FileLock(folder / ".lock", timeout=0):
                pass
        except filelock.Timeout:
            raise StorageError(
                "A download is under way, and the models cannot be moved while files arrive.",
                "Pause the download, move the models, then go on with it.",
            ) from None


class _Counter:
    """Counts bytes and tells them now and then."""

    def __init__(self, run: Run, total: int) -> None:
        self._run = run
        self._total = total
        self._done = 0
        self._told = 0.0

    def add(self, count: int) -> None:
        self._run.stop_if_cancelled()
        self._done += count
        if time.monotonic() - self._told > _TELL_S or self._done == self._total:
            self._told = time.monotonic()
            self._run.progress("Moving the models", self._done, self._total)


def _is_copied(path: Path, copy: Path) -> bool:
    """A copy gets its name and the moment of the original when it is whole."""
    try:
        ours, theirs = path.stat(), copy.stat()
    except OSError:
        return False
    return ours.st_size == theirs.st_size and abs(ours.st_mtime - theirs.st_mtime) < 2.1  # FAT counts in steps of two


def _has_two_names(path: Path, copy: Path) -> bool:
    """Give a file its new name beside the old one; False on another disk, or where files have one name only."""
    with disk_errors(copy, "The folder of models"):
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.unlink(missing_ok=True)
    try:
        os.link(path, copy, follow_symlinks=False)
    except OSError:
        return False
    return True


def _copy(path: Path, copy: Path, counter: _Counter) -> None:
    """Copy a file; one with a check number is held against it on the way.

    Raises:
        StorageError: it could not be written, or is not what was downloaded any more.
    """
    if _is_copied(path, copy) or _has_two_names(path, copy):
        counter.add(path.stat().st_size)
        return
    record = records.read_record(path)
    check = hashlib.sha256()
    with replacing(copy, f"The copy of {path.name}") as half, open(path, "rb") as old, open(half, "wb") as new:
        while block := old.read(_BLOCK_BYTES):
            check.update(block)
            new.write(block)
            counter.add(len(block))
        new.flush()
        if record is not None and check.hexdigest() != record.sha256:
            raise StorageError(
                f'"{path.name}" is not what was downloaded any more (its check number differs). Nothing was moved.',
                "Remove it and download it again; then move the models.",
            )
        shutil.copystat(path, half)


def _link() -> Path:
    return paths.user_data() / ".models-new"


def _coming() -> Path:
    """Where the models are gathered that come back from elsewhere."""
    return paths.user_data() / ".models-coming"
