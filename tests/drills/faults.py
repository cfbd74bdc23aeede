"""Everything that can happen to work, each at an instant that is drawn by lot.

A fault lives a child's life with it and gives what became of it: how it ended, and whether it came too late.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path

from tests.drills.children import CALM, FULL_DISK, Child, World
from tests.drills.kinds import Place

_YEAR_S = 365 * 86_400.0
_PAGE = 4096
_PATIENCE_S = 20.0


@dataclass(frozen=True)
class Calm:
    """What undisturbed work takes.

    Attributes:
        used_s: processor time.
        changes: of the disk.
        memory_bytes: address space beyond the beginning's.
        held_bytes: memory beyond the beginning's.
        grown_bytes: what it leaves on the disk.
    """

    used_s: float
    changes: int
    memory_bytes: int
    held_bytes: int
    grown_bytes: int


@dataclass
class Try:
    """One try of a fault.

    Attributes:
        start: gives a child of this kind of work, in a world.
        pause_s: how long a stopped child stays so.
        ended: exit codes of the children that came to an end by themselves, with what they said.
        is_late: as in `drill.Outcome`.
        is_quiet: nothing may be seen of it: the work has to come to its end.
    """

    place: Place
    chance: random.Random
    calm: Calm
    start: Callable[[World], AbstractContextManager[Child]]
    pause_s: float
    ended: list[tuple[int, str, str]] = field(default_factory=list)
    is_late: bool = False
    is_quiet: bool = False
    acknowledged: str = ""

    def live(self, world: World = CALM, meddle: Callable[[Child], None] = lambda child: None) -> None:
        """Let a child live to its end."""
        with self.start(world) as child:
            meddle(child)
            self.note(child)

    def note(self, child: Child) -> None:
        """Wait for its end and keep what it said."""
        code = child.wait()
        if code != -signal.SIGKILL:
            self.ended.append((code, child.output, child.errors))
        self.acknowledged += child.output

    def share_s(self) -> float:
        """Some share of what undisturbed work takes."""
        return self.calm.used_s * self.chance.random()


def kill(one: Try) -> None:
    """SIGKILL at any instant."""

    def meddle(child: Child) -> None:
        one.is_late = not child.wait_until(one.share_s())
        child.send(signal.SIGKILL)

    one.live(meddle=meddle)


def kill_change(one: Try) -> None:
    """SIGKILL just before a change of the disk."""
    one.live(World(at_change=one.chance.randint(1, one.calm.changes), is_deadly=True))
    one.is_late = bool(one.ended)


def stop(one: Try) -> None:
    """SIGSTOP at any instant, and SIGCONT a while later."""
    one.is_quiet = True

    def meddle(child: Child) -> None:
        one.is_late = not child.wait_until(one.share_s())
        child.send(signal.SIGSTOP)
        time.sleep(one.pause_s)
        child.send(signal.SIGCONT)

    one.live(meddle=meddle)


def full(one: Try) -> None:
    """A disk that has room for a part of what is made only."""
    used = _used(one.place.folder)
    room = int(one.calm.grown_bytes * one.chance.random())
    _mount(one.place.folder, f"remount,size={(used + room) // _PAGE * _PAGE + _PAGE}")
    one.live()
    _mount(one.place.folder, "remount,size=1g")
    one.is_late = all(code == 0 for code, _, _ in one.ended)


def full_change(one: Try) -> None:
    """A disk that is full from a change of it on."""
    one.live(World(at_change=one.chance.randint(1, one.calm.changes), refusal=FULL_DISK))
    one.is_late = all(code == 0 for code, _, _ in one.ended)


def readonly(one: Try) -> None:
    """Folders that may not be written any more, from any instant on or from the beginning."""

    def meddle(child: Child) -> None:
        child.wait_until(one.share_s() if one.chance.random() > 0.25 else 0.0)
        one.is_late = child.has_ended
        permit(one.place.folder, is_allowed=False)
        child.wait()

    try:
        one.live(World(is_plain=True), meddle)
    finally:
        permit(one.place.folder, is_allowed=True)


def clock_on(one: Try) -> None:
    """The clock jumps a year forwards, and back again before the work is gone on with."""
    one.is_quiet = True
    one.live(World(at_change=one.chance.randint(1, one.calm.changes), clock_s=_YEAR_S))


def clock_back(one: Try) -> None:
    """The clock jumps a year back."""
    one.is_quiet = True
    one.live(World(at_change=one.chance.randint(1, one.calm.changes), clock_s=-_YEAR_S))


def memory(one: Try) -> None:
    """Less memory than the work needs."""
    one.live(World(more_memory_bytes=int(one.calm.memory_bytes * one.chance.random())))
    one.is_late = all(code == 0 for code, _, _ in one.ended)


def memory_kill(one: Try) -> None:
    """A system that ends the work, or a child of it, for taking more memory than its control group may."""
    with memory_group(int(one.calm.held_bytes * one.chance.random())) as group:
        one.live(World(group=group))
    one.is_late = bool(one.ended) and all(code == 0 for code, _, _ in one.ended)


def two(one: Try) -> None:
    """The same work begun a second time beside it."""

    def meddle(child: Child) -> None:
        one.is_late = not child.wait_until(one.share_s())
        with one.start(CALM) as other:
            one.note(other)

    one.live(meddle=meddle)


FAULTS: dict[str, Callable[[Try], None]] = {
    "kill": kill,
    "kill-change": kill_change,
    "stop": stop,
    "full": full,
    "full-change": full_change,
    "readonly": readonly,
    "clock-on": clock_on,
    "clock-back": clock_back,
    "memory": memory,
    "memory-kill": memory_kill,
    "two": two,
}
NEEDS_ROOT = ("full", "memory-kill")


def can_be_tried(name: str) -> bool:
    """False for what this system does not let us do."""
    may = name not in NEEDS_ROOT or (sys.platform == "linux" and os.geteuid() == 0)
    return may and (name != "memory-kill" or _memory_groups() is not None)


@contextlib.contextmanager
def disk_for(name: str, folder: Path) -> Iterator[None]:
    """A disk of its own at `folder` for the faults that need one."""
    folder.mkdir(parents=True)
    if name != "full":
        yield
        return
    _mount(folder, "size=1g")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def _mount(folder: Path, options: str) -> None:
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], check=True)


@contextlib.contextmanager
def memory_group(most_bytes: int) -> Iterator[Path]:
    """A control group whose processes may take so much memory; who writes its number to `cgroup.procs` is in it."""
    groups = _memory_groups()
    assert groups is not None
    group = Path(tempfile.mkdtemp(prefix="drill-", dir=groups.parent))
    try:
        (group / groups.name).write_text(str(most_bytes))
        yield group
    finally:
        _remove(group)


def _memory_groups() -> Path | None:
    """The file that limits memory, of the control group in which others can be made; None where there is none."""
    root = Path("/sys/fs/cgroup")
    first = root / "memory" / "memory.limit_in_bytes"
    if first.exists():
        return first
    shared = root / "cgroup.subtree_control"
    return root / "memory.max" if shared.exists() and "memory" in shared.read_text().split() else None


def _remove(group: Path) -> None:
    """Remove a control group; children of the work may need a moment to end."""
    until = time.monotonic() + _PATIENCE_S
    while True:
        try:
            return group.rmdir()
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.05)


def _used(folder: Path) -> int:
    told = os.statvfs(folder)
    return (told.f_blocks - told.f_bfree) * told.f_frsize


def permit(folder: Path, is_allowed: bool) -> None:
    for path in [folder, *folder.rglob("*")]:
        if path.is_dir() and not path.is_symlink():
            path.chmod(0o755 if is_allowed else 0o555)
