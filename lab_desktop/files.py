"""Writing so that "exists" means "complete", whatever kills us.

Whole files are written beside their place and moved there (`replacing`, `write_json`, `write_text`); logs of rows are
appended line by line (`JsonLines`), and a line torn by a kill is cut off before the next one is written.
Disk errors leave here as sentences (`StorageError`). This module does not know what the files mean.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import io
import json
import math
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

from lab_desktop.errors import RunError, StorageError

T = TypeVar("T")
_SHOWN = 60
"""Letters of a name that is too long."""
_MOST_DIGITS = 300
"""A longer number may be too large for a float."""


@contextlib.contextmanager
def disk_errors(path: Path, what: str) -> Iterator[None]:
    """Turn an OSError while writing `what` (a noun, "the new model") to `path` into a StorageError.

    Raises:
        StorageError: the disk is full, read-only or gone, or writing is not allowed.
    """
    try:
        yield
    except OSError as error:
        raise _storage_error(error, path, what) from error


@contextlib.contextmanager
def replacing(path: Path, what: str = "") -> Iterator[Path]:
    """Yield a temporary path beside `path`; on success it becomes `path` in one move, on failure nothing remains.

    The caller writes the whole file (it may write for minutes). The file is on disk (fsync) before it gets its name.

    Raises:
        StorageError: as in `disk_errors`.
    """
    what = what or path.name
    with disk_errors(path, what):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
        os.close(handle)
    temporary = Path(name)
    try:
        with disk_errors(path, what):
            yield temporary
            _flush_to_disk(temporary)
            temporary.chmod(_mode())  # mkstemp makes files private; ours are ordinary
            temporary.replace(path)
            flush_folder(path.parent)
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Replace `path` by `text` (UTF-8, line ends as given)."""
    with replacing(path) as temporary:
        temporary.write_bytes(text.encode("utf-8"))


def write_json(path: Path, value: Any, indent: int | None = 2) -> None:
    """Replace `path` by `value` as JSON; with no indent it is one line."""
    with replacing(path) as temporary:
        temporary.write_bytes(json_bytes(value, indent))


def json_bytes(value: Any, indent: int | None = None) -> bytes:
    """JSON in UTF-8, with a line end.

    A folder's name can be no text (bytes of another encoding); Python keeps those as half characters, which UTF-8 does
    not have and JSON does: they are escaped, and come back as they were.
    """
    return json.dumps(value, ensure_ascii=False, indent=indent).encode("utf-8", "backslashreplace") + b"\n"


def read_json(path: Path, *keys: str) -> dict[str, Any]:
    """The object in a JSON file that we wrote.

    Args:
        keys: what must be in it.

    Raises:
        RunError: there is no such file, or it is not what we wrote any more.
    """
    try:
        value = _JSON.decode(path.read_text(encoding="utf-8"))
        if not isinstance(value, dict) or not value.keys() >= set(keys):
            raise ValueError(f"not an object with {', '.join(keys) or 'keys'}")
    except FileNotFoundError:
        raise RunError(f'"{path.name}" is missing in {path.parent}.', "Run the step before this one first.") from None
    except (ValueError, RecursionError, OSError) as error:
        raise RunError(
            f'"{path.name}" in {path.parent} cannot be read.', "Delete the file and run the step again.", str(error)
        ) from error
    return value


def copy_folder(source: Path, target: Path, ignore: Callable[[str, list[str]], Iterable[str]] | None = None) -> None:
    """Copy a folder with all in it, as ordinary files and folders: where they come from they may be read-only, as in
    an app's own folder. Links to folders are left out; `target` may be there.

    Args:
        ignore: gives what is not copied of a folder's names, as for `shutil.copytree`.

    Raises:
        OSError: it could not be read or written.
    """
    for folder, folders, names in os.walk(source, onerror=_raise):
        ignored = set(ignore(folder, folders + names)) if ignore else set()
        folders[:] = [name for name in folders if name not in ignored]
        into = target / Path(folder).relative_to(source)
        into.mkdir(parents=True, exist_ok=True)
        for name in names:
            if name not in ignored:
                file = Path(folder, name)
                shutil.copyfile(file, into / name)
                times = file.stat()
                os.utime(into / name, ns=(times.st_atime_ns, times.st_mtime_ns))


def sweep(folder: Path, age_s: float = 0.0) -> None:
    """Remove what `replacing` left half-written in `folder` and below when it was killed; what cannot be removed stays.

    Args:
        age_s: younger ones stay, for somebody may be writing them.
    """
    now = time.time()
    for half in folder.rglob(".*.part"):
        with contextlib.suppress(OSError):
            if half.is_file() and abs(now - half.stat().st_mtime) >= age_s:
                half.unlink()


def stamp(file: Path) -> tuple[int, int]:
    """Changes whenever the file does; (0, 0) where there is none."""
    try:
        stat = file.stat()
    except OSError:
        return 0, 0
    return stat.st_size, stat.st_mtime_ns


def flush_folder(folder: Path) -> None:
    """Have the names in `folder` on disk: what was moved there is there, whatever happens to the power."""
    if os.name == "nt":  # Windows cannot open a folder to flush it, and does not need to
        return
    _flush_to_disk(folder)


class JsonLines:
    """An append-only file of JSON rows that survives being killed.

    Attributes:
        path: the file; it is made with the first row.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._stream: BinaryIO | None = None

    def rows(self) -> list[Any]:
        """Every complete row, oldest first; a torn last line does not count.

        Raises:
            RunError: a line in the middle is not JSON, so the file was changed by something else; or it cannot be read.
        """
        return list(self.each())

    def each(self) -> Iterator[Any]:
        """As `rows`, one at a time."""
        return self._rows(self._readable(0))

    def made(self, make: Callable[[Any], T], count: int | None = None) -> Iterator[T]:
        """What `make` makes of every row, one at a time.

        Args:
            count: how many rows there are, where that is known from elsewhere.

        Raises:
            RunError: as in `rows`; or a row is none that `make` can take (KeyError, TypeError, ValueError, …); or there
                are more or fewer than `count`.
        """
        number = 0
        for number, row in enumerate(self.each(), start=1):
            try:
                yield make(row)
            except (AttributeError, LookupError, TypeError, ValueError) as error:
                raise self._damaged(number, error) from error
        if count not in (None, number):
            raise RunError(
                f'"{self.path.name}" in {self.path.parent} should have {count} rows and has {number}.',
                "Run the step before this one again.",
            )

    def after(self, start: int) -> tuple[list[Any], int]:
        """The rows from a byte on, for who has read those before it, and the byte where the next will begin.

        Raises:
            RunError: as in `rows`; lines are counted from `start`.
        """
        data = self._readable(start)
        return list(self._rows(data)), start + len(data)

    def append(self, row: Any) -> None:
        """Add one row; when this returns it is on disk.

        Raises:
            StorageError: the row could not be written; earlier rows are safe.
        """
        self.extend([row])

    def extend(self, rows: Iterable[Any]) -> None:
        """Add rows in one go; when this returns they are on disk.

        Raises:
            StorageError: they could not be written; earlier rows are safe.
        """
        lines = b"".join(map(json_bytes, rows))
        with disk_errors(self.path, self.path.name):
            try:
                stream = self._open()
                with _alone(stream):
                    self._cut_off_torn(stream)
                    rest = memoryview(lines)
                    while rest:  # a disk that is nearly full takes a part and says no only to the next one
                        rest = rest[stream.write(rest) :]
                os.fsync(stream.fileno())
            except OSError:
                self.close()
                raise

    def close(self) -> None:
        """Let go of the file. Appending again opens it again."""
        if self._stream is not None:
            # Closing flushes: on a full disk that fails once more, and `append` has said so already.
            with contextlib.suppress(OSError):
                self._stream.close()
            self._stream = None

    def _open(self) -> BinaryIO:
        if self._stream is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._stream = open(self.path, "a+b", buffering=0)  # noqa: SIM115 - kept open between rows
        return self._stream

    def _cut_off_torn(self, stream: BinaryIO) -> None:
        """Whoever was killed, or found the disk full, in the middle of a row left no line end; it may be another."""
        if end := stream.seek(0, os.SEEK_END):
            stream.seek(end - 1)
            if stream.read(1) != b"\n":
                stream.truncate(len(self._complete(0)))

    def _rows(self, data: bytes) -> Iterator[Any]:
        for number, line in enumerate(io.BytesIO(data), start=1):
            try:
                yield _JSON.decode(str(line, "utf-8"))
            except (ValueError, RecursionError) as error:
                raise self._damaged(number, error) from error

    def _damaged(self, number: int, error: Exception) -> RunError:
        return RunError(
            f'Line {number} of "{self.path.name}" in {self.path.parent} is damaged.',
            "Delete that line, or the file to start this step again.",
            repr(error),
        )

    def _readable(self, start: int) -> bytes:
        try:
            return self._complete(start)
        except OSError as error:
            raise RunError(
                f'"{self.path.name}" in {self.path.parent} cannot be read.',
                "Check that its disk is there and that you may read it.",
                str(error),
            ) from error

    def _complete(self, start: int) -> bytes:
        try:
            with open(self.path, "rb") as file:
                file.seek(start)
                data = file.read()
        except FileNotFoundError:
            return b""
        return data[: data.rfind(b"\n") + 1]


def _storage_error(error: OSError, path: Path, what: str) -> StorageError:
    # Not Path.is_dir, which raises where a name is too long, a folder closed or a disk gone: as it may well be here.
    folder = path if os.path.isdir(path) else path.parent  # noqa: PTH112
    # "the new model" and "The run folder" begin and continue a sentence; a file's name is written as it is.
    inside = f"the {what[4:]}" if what.startswith("The ") else what
    what = f"The {what[4:]}" if what.startswith("the ") else what
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return StorageError(
            f"The disk is full: {inside} could not be written to {folder}. Everything finished before is safe.",
            "Free some space, then try again; it goes on where it stopped.",
            str(error),
        )
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return StorageError(
            f"{what} could not be written: {folder} does not allow writing.",
            "Choose another folder, or change its permissions.",
            str(error),
        )
    if error.errno == errno.ENAMETOOLONG:
        return StorageError(
            f"{what[:_SHOWN]}{'…' * (len(what) > _SHOWN)} could not be written: a name is too long for this disk.",
            "Choose a shorter name.",
            str(error),
        )
    if error.errno in (errno.EEXIST, errno.ENOTDIR):
        return StorageError(
            f"{what} could not be written: {path} is a file, or inside one, and not a folder.",
            "Choose another name.",
            str(error),
        )
    return StorageError(
        f"{what} could not be written to {folder}: {error.strerror or error}.",
        "Check that the disk is there and healthy, then try again.",
        str(error),
    )


def _raise(error: OSError) -> None:
    raise error


def _flush_to_disk(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextlib.contextmanager
def _alone(stream: BinaryIO) -> Iterator[None]:
    """No other process adds rows to this file: what is half written in it is torn, and not just being written."""
    try:
        import fcntl
    except ImportError:  # Windows
        yield
        return
    with contextlib.suppress(OSError):  # some network disks have no locks
        fcntl.flock(stream, fcntl.LOCK_EX)
    try:
        yield
    finally:
        with contextlib.suppress(OSError, ValueError):
            fcntl.flock(stream, fcntl.LOCK_UN)


def _finite(text: str) -> float:
    if math.isinf(number := float(text)):
        raise ValueError(f"no number to compute with: {text[:20]}")
    return number


def _whole(text: str) -> int:
    return int(text) if len(text) < _MOST_DIGITS else int(_finite(text))


# A loss may become infinite, and is noted so. As NaN it says as much, and `int` of it is a ValueError as of nonsense.
_JSON = json.JSONDecoder(parse_float=_finite, parse_int=_whole, parse_constant=lambda text: math.nan)


@functools.cache
def _mode() -> int:
    """Of ordinary files. To ask for the mask is to change it: two threads at once would leave it at 0 for good."""
    with _ONE_ASKS:
        mask = os.umask(0)
        os.umask(mask)
    return 0o666 & ~mask


_ONE_ASKS = threading.Lock()
