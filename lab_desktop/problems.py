"""What nobody foresaw, kept as a report that the person can read and send: nothing is ever sent by itself.

Reports are text files in `problems/` of the person's folder, the newest few. In them are the program's version, the
computer, what was being done in the program's own words, and where in the code it went wrong. Left out are names of
people, folders and files, keys, and whatever an error says about a text: a lesson is never in them.

A process that is watched leaves a hidden file while it runs. When it crashes so hard that it can say nothing itself,
the interpreter writes there what it was doing; the next start, or whoever started that process, makes a report of it.
What reads a document stores nothing: it tells whoever started it, also when it crashes, and that one makes the report.
"""

from __future__ import annotations

import contextlib
import faulthandler
import os
import platform
import re
import time
import traceback
from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TextIO

import psutil

from lab_desktop import __version__, files, hardware, paths, private
from lab_desktop.errors import LabError

MOST_REPORTS = 10
_MOST_NOTES = 30
_TIME = "%Y-%m-%d-%H%M%S"
"""What the name of a report begins with: local time."""
_MOST_LETTERS = 60_000
_MOST_OF_READERS = 5
_SAME_S = 60
_RUNNING = re.compile(r"\.running-(\w+)-(\d+)-(\d+)")
_CRASH = re.compile(r"^(?:Fatal Python error|Windows fatal exception): .*", re.MULTILINE)
_CODE = re.compile(r"[^\s\"']*/(?:site-packages/|lib/(?=python3)|(?=lab_desktop/))")
"""The folders before what belongs to the program."""
_ABOUT_CODE = (AttributeError, ImportError, NameError, TypeError, IndexError, RecursionError, ArithmeticError)
"""What these errors say names code, not what the person wrote."""
_QUOTED = re.compile(r"(?:[\"'“`]|(?<![\w.])(?:~|[A-Za-z]:)?[/\\]\w).*", re.DOTALL)
"""From the first quote or folder on: a text may hold quotes itself, and a folder's name spaces."""


class Watch:
    """This process is watched until `end`."""

    def __init__(self, kind: str, file: Path | None, stream: TextIO | None) -> None:
        self.kind = kind
        self._file, self._stream = file, stream
        self.notes: deque[str] = deque(maxlen=_MOST_NOTES)

    def note(self, text: str) -> None:
        """Keep what is being done, in the program's own words: never a name or a text of the person's."""
        line = f"{time.strftime('%H:%M:%S')} {' '.join(text.split())[:100]}"
        self.notes.append(line)
        if self._stream is not None:
            with contextlib.suppress(OSError, ValueError):
                self._stream.write(f"{line}\n")
                self._stream.flush()

    def end(self) -> None:
        """It went well."""
        if self._stream is not None:
            faulthandler.disable()
            with contextlib.suppress(OSError):
                self._stream.close()
        if self._file is not None:
            with contextlib.suppress(OSError):
                self._file.unlink(missing_ok=True)
        self._stream = self._file = None


_watches: list[Watch] = []
_of_readers: set[str] = set()
"""Where readers of documents went wrong while this process lived."""


def folder() -> Path:
    """Where the reports are."""
    return paths.user_data() / "problems"


def watch(kind: str) -> Watch:
    """Watch this process from here on; without a disk to write to it is not watched.

    Args:
        kind: what it is: "window", "job", "chat".
    """
    file = folder() / f".running-{kind}-{os.getpid()}-{_began(os.getpid())}"
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        stream = open(file, "w", encoding="utf-8")  # noqa: SIM115 - open as long as the process lives
        faulthandler.enable(stream)
        made = Watch(kind, file, stream)
    except OSError:
        made = Watch(kind, None, None)
    _watches[:] = [made]
    return made


@contextlib.contextmanager
def watched(kind: str) -> Iterator[None]:
    """Watch this process while the `with` lasts; what is raised in it is not a crash."""
    made = watch(kind)
    try:
        yield
    finally:
        made.end()


def note(text: str) -> None:
    """As `Watch.note`, of this process, if it is watched."""
    for each in _watches:
        each.note(text)


def write(kind: str, error: BaseException | None, more: Iterable[str] = ()) -> Path | None:
    """Keep a report; gives its file, or None where the disk takes none.

    Args:
        kind: what was running, where this process is not watched.
        error: what nobody foresaw; None: the person asked for a report.
        more: further lines.
    """
    return _keep(described(kind, error, more))


def described(kind: str, error: BaseException | None, more: Iterable[str] = ()) -> str:
    """The text of a report, as `write` keeps it."""
    notes = [line for each in _watches for line in list(each.notes)]  # another thread may note something
    happened = [*more] if error is None else [*more, *trace(error)]
    return _report(_watches[0].kind if _watches else kind, notes, happened)


def write_once(happened: list[str]) -> Path | None:
    """Keep a report of what a reader of documents came to, once for each place in the code: whoever looks through a
    document meets the same thing on every page.

    Args:
        happened: from `trace` or `crash_in`, in that process.
    """
    place = "\n".join(line for line in happened if ", line " in line) or "\n".join(happened)
    if place in _of_readers or len(_of_readers) >= _MOST_OF_READERS:
        return None
    _of_readers.add(place)
    return write("reader of documents", None, ["In the reader of a document; the program went on.", *happened])


def crash_in(said: str) -> list[str]:
    """What the interpreter wrote at the end of a process that crashed, of all that it said; else nothing."""
    crashes = list(_CRASH.finditer(said))
    return said[crashes[-1].start() :].splitlines() if crashes else []


def gather() -> list[Path]:
    """Make reports of what processes left that crashed; gives those that are new, the newest first."""
    made = []
    for file, kind in _left_behind():
        try:
            text = file.read_text(encoding="utf-8", errors="replace")[-_MOST_LETTERS:]
            file.unlink()
        except OSError:
            continue
        if crash := _CRASH.search(text):
            notes = text[: crash.start()].splitlines()[-_MOST_NOTES:]
            report = _keep(_report(kind, notes, text[crash.start() :].splitlines()))
            made += [report] if report is not None else []
    return sorted(made, reverse=True)


def reports() -> list[Path]:
    """All that are kept, the newest first."""
    return sorted((path for path in folder().glob("*.txt") if path.name[0] != "."), reverse=True)


def kept_at(name: str) -> float:
    """When a report was kept, in seconds since 1970, by its file's name; 0 of another file."""
    try:
        return time.mktime(time.strptime(name[:17], _TIME))
    except (ValueError, OverflowError):
        return 0.0


def without_private_things(text: str) -> str:
    """The text without names of people and of this computer, folders, addresses, numbers and keys."""
    text = _CODE.sub("", text.replace("\\", "/"))
    if home := Path.home().as_posix().strip("/"):  # of an account without a folder it is the whole disk
        text = text.replace(f"/{home}", "~")
    for name, instead in private.names_here().items():
        text = re.sub(rf"(?<![A-Za-z0-9]){re.escape(name)}(?![A-Za-z0-9])", instead, text, flags=re.IGNORECASE)
    for found in reversed(private.scan(text, private.people())):
        text = f"{text[: found.start]}[{found.kind}]{text[found.end :]}"
    return text


def _report(kind: str, notes: list[str], happened: list[str]) -> str:
    return without_private_things("\n".join(_lines(kind, notes, happened)))[:_MOST_LETTERS] + "\n"


def _keep(text: str) -> Path | None:
    now = time.time_ns() // 1_000_000
    try:
        while (file := folder() / _name(now)).exists():
            now += 1
        files.write_text(file, text)
        # The clock may say an earlier time than it did: by their names others would then be newer than this one.
        for old in [each for each in reports() if each != file][MOST_REPORTS - 1 :]:
            old.unlink(missing_ok=True)
    except (LabError, OSError):
        return None
    return file


def _lines(kind: str, notes: list[str], happened: list[str]) -> Iterator[str]:
    memory = psutil.virtual_memory()
    yield "LAB Desktop: report of a problem"
    yield ""
    yield f"Version: {__version__}"
    yield f"When: {time.strftime('%Y-%m-%d %H:%M:%S UTC', time.gmtime())}"
    yield f"Where: {kind}"
    yield f"System: {platform.platform()}, Python {platform.python_version()}"
    yield f"Computer: {hardware.description()}"
    yield f"Memory: {memory.total / 1e9:.1f} GB, {memory.available / 1e9:.1f} GB free"
    yield ""
    yield "What was done before, the newest last:"
    yield from notes or ["nothing is known"]
    yield ""
    yield "What happened:"
    yield from happened or ["The person asked for this report."]


def trace(error: BaseException) -> Iterator[str]:
    """Where it went wrong, the cause first; of what the errors say only what is about code."""
    if error.__cause__ is not None:
        yield from trace(error.__cause__)
        yield "which led to:"
    for block in traceback.format_tb(error.__traceback__):
        yield from block.rstrip().splitlines()
    yield f"{type(error).__qualname__}: {_said(error)}"


def _said(error: BaseException) -> str:
    if isinstance(error, OSError):
        return error.strerror or ""
    said = str(error)[:300]
    return (
        said if isinstance(error, _ABOUT_CODE) else _QUOTED.sub("…", said) if isinstance(error, RuntimeError) else "…"
    )


def _left_behind() -> Iterator[tuple[Path, str]]:
    for file in folder().glob(".running-*"):
        match = _RUNNING.fullmatch(file.name)
        # A computer's clock is set now and then, and with it when everything began.
        if match and abs(_began(int(match[2])) - int(match[3])) > _SAME_S:
            yield file, match[1]


def _began(process: int) -> int:
    """When a process began, in seconds; 0 where there is none."""
    try:
        found = psutil.Process(process)
        return 0 if found.status() == psutil.STATUS_ZOMBIE else int(found.create_time())
    except psutil.Error:
        return 0


def _name(milliseconds: int) -> str:
    seconds, rest = divmod(milliseconds, 1000)
    return f"{time.strftime(_TIME, time.localtime(seconds))}-{rest:03}.txt"
