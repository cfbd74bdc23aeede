"""One drill: a kind of work, a fault, and a look at what is left of it before and after it is gone on with."""

from __future__ import annotations

import functools
import json
import random
import shutil
import tempfile
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.drills import editing, faults
from tests.drills.children import CALM, Child, World, started
from tests.drills.faults import FAULTS, Calm, Try
from tests.drills.kinds import KINDS, Kind, Place, Steps

_BEFORE = {"train": "generate", "export": "train", "evaluate": "export"}
_UNFORESEEN = ("Traceback", "not foreseen", "did not expect")


@dataclass
class Outcome:
    """What became of one try.

    Attributes:
        problems: what was lost, looked whole and was not, or was told as nobody understands it; none: it survived.
        is_late: the work was done before the fault came, or did well without what it took.
        said: the sentences in which the work told of it.
        died: the signal that ended the work where nobody sent one; 0: none.
    """

    problems: list[str] = field(default_factory=list)
    is_late: bool = False
    said: list[str] = field(default_factory=list)
    died: int = 0


class Range:
    """Where drills are held: a folder that keeps what tries share, and undisturbed results to compare with."""

    def __init__(self, folder: Path, seed: int, pause_s: float = 2.0) -> None:
        self.folder, self.seed, self._pause_s = folder, seed, pause_s
        self._shared = folder / "shared"
        self._shared.mkdir(parents=True)
        self._calm: dict[str, tuple[Calm, Any]] = {}

    def calm(self, name: str) -> tuple[Calm, Any]:
        """What undisturbed work of this kind takes, and what it gives; done once."""
        if name not in self._calm:
            if name in _BEFORE:
                self.calm(_BEFORE[name])
            kind, place = KINDS[name], Place(self.folder / f"calm-{name}", self._shared)
            place.folder.mkdir()
            with kind.around(place):
                kind.make(place)
                before = _size(place.folder)
                with self._start(kind, place, CALM) as child:
                    code = child.wait()
                    assert code == 0, f"{name} undisturbed: {code}\n{child.output[-2000:]}\n{child.errors}"
                    told = child.figures
                grown = max(4096, _size(place.folder) - before)
                calm = Calm(
                    told["used_s"], int(told["changes"]), int(told["memory_bytes"]), int(told["held_bytes"]), grown
                )
                self._calm[name] = calm, kind.result(place)
                if isinstance(kind, Steps):
                    begun = self._shared / "begun" / name
                    shutil.copytree(
                        kind.run(place), begun, ignore=shutil.ignore_patterns("request.json", "events.*", ".*")
                    )
        return self._calm[name]

    def hold(self, name: str, fault: str, number: int, opens: bool = False) -> Outcome:
        """Try a fault once.

        Args:
            number: of the try; with the seed it decides when the fault comes.
            opens: the window is opened on what is left, too.
        """
        calm, wanted = self.calm(name)
        kind, place = KINDS[name], Place(self.place_of(name, fault, number), self._shared)
        one = Try(
            place, random.Random(f"{self.seed} {name} {fault} {number}"), calm,
            lambda world: self._start(kind, place, world), self._pause_s,
        )  # fmt: skip
        outcome = Outcome()
        with faults.disk_for(fault, place.folder), kind.around(place):
            kind.make(place)
            FAULTS[fault](one)
            outcome.is_late = one.is_late
            self._look(kind, one, outcome)
            accepted = kind.accepted(place)
            if opens:
                self._open(place, outcome)
            if kind.is_left(place):
                self._go_on(kind, place, outcome)
            outcome.problems += [f"after going on: {each}" for each in kind.damaged(place)]
            outcome.problems += [f"lost: {each[:200]}" for each in sorted(accepted - kind.accepted(place))]
            try:
                compared = kind.compared(place, wanted)
            except Exception as error:  # noqa: BLE001 - whatever is missing, the try failed
                outcome.problems.append(f"there is no result: {error!r}")
            else:
                outcome.problems += [f"another result: {each}" for each in _differences(*compared)]
            if outcome.problems:
                self._keep(place, one)
        if not outcome.problems:
            for left in (place.folder, *self.folder.glob(f"{place.folder.name}-*")):
                shutil.rmtree(left, ignore_errors=True) if left.is_dir() else left.unlink(missing_ok=True)
        return outcome

    def place_of(self, name: str, fault: str, number: int) -> Path:
        """Where a try is held; it stays where something was lost."""
        return self.folder / f"{name}-{fault}-{number}"

    def _start(self, kind: Kind, place: Place, world: World) -> AbstractContextManager[Child]:
        said = Path(tempfile.mkdtemp(prefix=f"{place.folder.name}-said-", dir=self.folder))
        return started(kind.work(place), place.home, said, world, place.environment)

    def _look(self, kind: Kind, one: Try, outcome: Outcome) -> None:
        """What is there right after the fault, and what was said about it."""
        place = one.place
        outcome.problems += [f"looks whole: {each}" for each in kind.damaged(place)]
        lost = kind.acknowledged(one.acknowledged) - kind.accepted(place)
        outcome.problems += [f"was acknowledged and is not there: {each[:200]}" for each in sorted(lost)]
        for code, output, errors in one.ended:
            if code < 0:
                outcome.died = -code
                continue
            said, details = _told(output, errors)
            if any(word in said + errors for word in _UNFORESEEN):
                outcome.problems.append(f"told as a bug: {said} {details[-1500:]}\n{errors[-1500:]}")
            elif code not in kind.fine:
                outcome.said.append(said)
                if not said.strip():
                    outcome.problems.append(f"ended with {code} and said nothing")
        if one.is_quiet and [code for code, _, _ in one.ended if code not in kind.fine]:
            outcome.problems.append("did not come to its end")
        if len(one.ended) == 2 and all(code not in kind.fine for code, _, _ in one.ended):
            outcome.problems.append("neither of two came to its end")

    def _go_on(self, kind: Kind, place: Place, outcome: Outcome) -> None:
        with self._start(kind, place, CALM) as child:
            code = child.wait()
            if code not in kind.fine:
                last = (child.output[-600:] + child.errors[-1200:]).strip()
                outcome.problems.append(f"gone on with, it ended with {code}: {last}")

    def _open(self, place: Place, outcome: Outcome) -> None:
        said = Path(tempfile.mkdtemp(prefix=f"{place.folder.name}-window-", dir=self.folder))
        with started(functools.partial(editing.look_around), place.home, said, CALM, place.environment) as child:
            code = child.wait()
            if code != 0 or "Traceback" in child.errors:
                outcome.problems.append(f"the window does not open: {code} {child.errors[-1500:]}")

    def _keep(self, place: Place, one: Try) -> None:
        """Leave what is needed to understand it."""
        kept = self.folder / f"{place.folder.name}-kept"
        shutil.copytree(place.folder, kept, symlinks=True, dirs_exist_ok=True)
        (kept / "ended.json").write_text(json.dumps(one.ended, indent=1))


def _told(output: str, errors: str) -> tuple[str, str]:
    """The last words: of a worker's ending, with its details, or what stands on the screen."""
    last = output.strip().rpartition("\n")[2]
    try:
        event = json.loads(last)
        return f"{event.get('text', '')} {event.get('hint', '')}".strip(), event.get("details", "")
    except (ValueError, AttributeError):
        return errors.strip() or last, ""


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


def _differences(wanted: Any, found: Any) -> list[str]:
    if wanted == found:
        return []
    if isinstance(wanted, dict) and isinstance(found, dict):
        names = sorted(name for name in {*wanted, *found} if wanted.get(name) != found.get(name))
        return [f"{name}: {str(wanted.get(name))[:300]} became {str(found.get(name))[:300]}" for name in names]
    return [f"{str(wanted)[:600]} became {str(found)[:600]}"]
