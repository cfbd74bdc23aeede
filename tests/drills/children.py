"""The program as a child process, in a world where something is wrong.

A child is forked from a process that has imported everything and computed nothing (multiprocessing's fork server), so
that its whole life is work, and a kill at a random instant meets work. From the fork on it is what `python -m
lab_desktop WORDS…` would be: its own home, its output in files, an input that stays open.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import json
import multiprocessing
import os
import resource
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from lab_desktop import hardware
from lab_desktop.cli import COMMANDS
from lab_desktop.jobs.events import Event, from_json
from tests.drills.changes import on_each_change

_IMPORTED = (
    "lab_desktop.cli", "lab_desktop.workflow", "lab_desktop.jobs.worker", "lab_desktop.jobs.conversion",
    "lab_desktop.training.torch_backend", "lab_desktop.training.torch_model", "lab_desktop.models.llama_calls",
    "lab_desktop.models.download", "lab_desktop.models.moving", "lab_desktop.models.upload",
    "lab_desktop.contribution.sending", "lab_desktop.contribution.labpack", "lab_desktop.documents.safely",
    "torch._dynamo", "PySide6.QtWidgets", "tests.drills.editing",
    *(f"lab_desktop.commands.{family}" for family, _ in COMMANDS.values()),
)  # fmt: skip
_OUTPUTS = ("output.txt", "errors.txt")
_LOOK_S = 0.004
LONGEST_S = 600.0


@dataclass(frozen=True)
class World:
    """What is wrong for a child.

    Attributes:
        at_change: the change of the disk from which on it is wrong; 0: from the beginning.
        is_deadly: the child dies at that change.
        refusal: errno of that change and all after it that take something of the disk; 0: none is refused.
        clock_s: the clock is so many seconds off.
        more_memory_bytes: so much address space beyond what it begins with; None: as much as it wants.
        group: the control group that it joins.
        is_plain: a person who may not write where folders do not allow it, as root may.
    """

    at_change: int = 0
    is_deadly: bool = False
    refusal: int = 0
    clock_s: float = 0.0
    more_memory_bytes: int | None = None
    group: Path | None = None
    is_plain: bool = False

    def begin(self, place: Path) -> Callable[[], int]:
        """Make it so for this process; gives how many changes there were below `place` so far."""
        if self.group is not None:
            (self.group / "cgroup.procs").write_text(str(os.getpid()))
        if self.is_plain:
            _be_plain()
        if self.more_memory_bytes is not None:
            now = psutil.Process().memory_info().vms
            resource.setrlimit(resource.RLIMIT_AS, (now + self.more_memory_bytes, resource.RLIM_INFINITY))
        count = 0

        def act(number: int, takes_nothing: bool) -> None:
            nonlocal count
            count = number
            if number == max(1, self.at_change) and self.clock_s:
                _shift_clock(self.clock_s)
            if self.at_change and number >= self.at_change:
                if self.is_deadly:
                    os.kill(os.getpid(), signal.SIGKILL)
                if self.refusal and not takes_nothing:
                    raise OSError(self.refusal, os.strerror(self.refusal))

        on_each_change(act, str(place))
        return lambda: count


CALM = World()
FULL_DISK = errno.ENOSPC


@dataclass
class Child:
    """A child, its exit code when it has ended, and what it said.

    Attributes:
        folder: where its output lies, outside of its home.
        input: the writing end of its standard input, open until somebody closes it.
    """

    folder: Path
    process: Any
    input: Any

    def tell(self, line: bytes) -> None:
        """Write to its standard input; one that has ended hears nothing."""
        with contextlib.suppress(BrokenPipeError):
            os.write(self.input.fileno(), line)

    @property
    def pid(self) -> int:
        return int(self.process.pid)

    @property
    def has_ended(self) -> bool:
        return not self.process.is_alive()

    @property
    def used_s(self) -> float:
        """Processor time so far; all of it once it has ended."""
        try:
            times = psutil.Process(self.pid).cpu_times()
        except psutil.Error:
            return float("inf")
        return float(times.user + times.system)

    def wait_until(self, used_s: float) -> bool:
        """Wait until it has used so much processor time; False when it ended before."""
        until = time.monotonic() + LONGEST_S
        while not self.has_ended and time.monotonic() < until:
            if self.used_s >= used_s:
                return True
            time.sleep(_LOOK_S)
        return False

    def send(self, number: signal.Signals) -> None:
        if not self.has_ended:
            os.kill(self.pid, number)

    def wait(self) -> int:
        """Its exit code, negative where a signal ended it.

        Raises:
            TimeoutError: it does not end; it was killed.
        """
        self.process.join(LONGEST_S)
        if not self.has_ended:
            self.process.kill()
            self.process.join()
            raise TimeoutError(f"it did not end in {LONGEST_S:.0f} s")
        return int(self.process.exitcode)

    @property
    def output(self) -> str:
        return (self.folder / "output.txt").read_text(encoding="utf-8", errors="replace")

    @property
    def errors(self) -> str:
        return (self.folder / "errors.txt").read_text(encoding="utf-8", errors="replace")

    @property
    def events(self) -> list[Event]:
        """What a worker said, as far as it came."""
        return [from_json(json.loads(line)) for line in self.output.split("\n")[:-1]]

    @property
    def figures(self) -> dict[str, float]:
        """Of one that came to its end: "used_s", "changes", and beyond what it had in the beginning "memory_bytes" of
        address space, "held_bytes" of memory."""
        found: dict[str, float] = json.loads((self.folder / "figures.json").read_text())
        return found


@contextlib.contextmanager
def started(
    work: Callable[[], int] | Sequence[str],
    home: Path,
    folder: Path,
    world: World = CALM,
    environment: dict[str, str] | None = None,
) -> Iterator[Child]:
    """A child that is at work, and is killed when the `with` is left before its end.

    Args:
        work: the words after `lab-desktop`, or a function of a module.
        home: the person's folder; changes count in the folder around it.
        folder: for its output.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name in _OUTPUTS:
        (folder / name).write_bytes(b"")
    context = _server()
    theirs, ours = context.Pipe(duplex=False)
    around = {**(environment or {}), "LAB_DESKTOP_HOME": str(home)}
    process = context.Process(target=_live, args=(work, home, folder, world, around, theirs))
    process.start()
    theirs.close()
    try:
        yield Child(folder, process, ours)
    finally:
        ours.close()
        if process.is_alive():
            process.kill()
        process.join()


def _server() -> Any:
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # threads do not survive a fork
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    os.environ.setdefault("GGML_NO_BACKTRACE", "1")  # else ggml starts gdb on a process that ends without memory
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(_IMPORTED))
    return context


def _live(
    work: Callable[[], int] | Sequence[str],
    home: Path,
    folder: Path,
    world: World,
    environment: dict[str, str],
    commands: Any,
) -> None:
    """The life of a child."""
    os.environ.update(environment)
    for descriptor, name in enumerate(_OUTPUTS, start=1):
        file = os.open(folder / name, os.O_WRONLY)
        os.dup2(file, descriptor)
        os.close(file)
    os.dup2(commands.fileno(), 0)
    before = psutil.Process().memory_info()
    changes = world.begin(home.parent)
    code = 1
    try:
        if callable(work):
            code = work()
        else:
            sys.argv = ["lab-desktop", *work]
            from lab_desktop.__main__ import main

            code = main()
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else 1
    finally:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        if world == CALM:
            used = psutil.Process().cpu_times()
            figures = {
                "used_s": used.user + used.system,
                "changes": changes(),
                "memory_bytes": _most() - before.vms,
                "held_bytes": hardware.peak_memory_bytes() - before.rss,
            }
            (folder / "figures.json").write_text(json.dumps(figures))
        os._exit(code)


def _most() -> int:
    """The most address space that this process ever had."""
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.exists() else []
    kilobytes = [int(line.split()[1]) for line in lines if line.startswith("VmPeak")]
    return kilobytes[0] * 1024 if kilobytes else psutil.Process().memory_info().vms


def _shift_clock(seconds: float) -> None:
    """The clock says another time from now on; how long things take stays as it is."""
    clock, local, utc, spoken = time.time, time.localtime, time.gmtime, time.strftime
    time.time = lambda: clock() + seconds
    time.time_ns = lambda: int((clock() + seconds) * 1e9)
    time.localtime = lambda at=None: local(clock() + seconds if at is None else at)
    time.gmtime = lambda at=None: utc(clock() + seconds if at is None else at)
    time.strftime = lambda form, moment=None: spoken(form, time.localtime() if moment is None else moment)


def _be_plain() -> None:
    """Give up what root may do beside its own files."""
    if sys.platform == "linux" and os.geteuid() == 0:
        none = (ctypes.c_uint32 * 6)()
        whole = (ctypes.c_uint32 * 2)(0x20080522, 0)
        if ctypes.CDLL(None, use_errno=True).capset(whole, none):
            raise OSError(ctypes.get_errno(), "capset")
