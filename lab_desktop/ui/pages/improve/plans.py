"""What a station will take, said before it starts: how much, how long, how much memory.

Times come from earlier runs on this computer with the same model; without any nothing is promised, but for the practice
lesson, whose times are known. Memory follows from the size of the model's file.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from pathlib import Path

from lab_desktop import hardware, paths
from lab_desktop.errors import LabError
from lab_desktop.files import read_json
from lab_desktop.jobs import requests
from lab_desktop.projects import Project, State, Station
from lab_desktop.ui.known import Known
from lab_desktop.ui.session import STATION_STEPS, Session
from lab_desktop.ui.words import number, size, tr
from lab_desktop.words import sentences

_ROWS_A_SENTENCE, _ROWS_A_SKILL = 6, 80
"""As many questions as a lesson holds, where the person asked for no number."""
_FEW, _MANY = 0.4, 2.0
"""Of what the lessons hold: enough for a first try; everything asked for once more, in other words."""
_LEAST = 20
_GENERAL = 40
_PRACTICE = {"practice": (3, 8), "train": (4, 9), "check": (1, 3)}
"""Minutes of the practice lesson on computers it was measured on."""
_NO_TIMES: tuple[tuple[str, str], dict[str, float]] = (("", ""), {})
_BYTES_A_WEIGHT = {"F32": 4.0, "F16": 2.0, "BF16": 2.0, "Q8": 1.06, "Q6": 0.82, "Q5": 0.7, "Q4": 0.6, "Q3": 0.52}


@dataclass(frozen=True)
class Plan:
    """What a station will take.

    Attributes:
        amount: how many questions it is about; 0: unknown.
        minutes: from, to; None: unknown.
        memory, free: in bytes.
    """

    amount: int
    minutes: tuple[float, float] | None
    memory: float
    free: float

    @property
    def is_too_big(self) -> bool:
        return self.memory > self.free

    def time_words(self, left: float = 1.0) -> str:
        """ "about 3–8 minutes" for a part or a multiple of it, or that nobody knows yet."""
        if self.minutes is None:
            return tr("the first minute will tell how long it takes")
        low, high = (left * minutes for minutes in self.minutes)
        if high < 1.5:
            return tr("about a minute")
        if high >= 120:
            return tr("about {0}–{1} hours").format(max(1, round(low / 60)), max(2, round(high / 60)))
        return tr("about {0}–{1} minutes").format(max(1, round(low)), max(2, round(high)))

    def memory_words(self) -> str:
        if self.is_too_big:
            words = tr("needs about {0} of memory, only {1} are free: close some apps first")
        else:
            words = tr("needs about {0} of memory, {1} are free")
        return words.format(size(self.memory), size(self.free))


def plan(station: Station, project: Project, session: Session) -> Plan:
    """What a station of a project will take."""
    state = session.known.state(project.run)
    model = _model(project.teacher or project.model) if station == "practice" else _model(project.model)
    amount = _amount(station, project, state)
    runs = [run for each in session.projects for run in each.runs]
    known = [pair for run in runs if (pair := _measured(station, run, model, session.known)) and pair[1]]
    minutes: tuple[float, float] | None = None
    if known and amount:
        took = sum(seconds for seconds, _ in known) / sum(units for _, units in known) * amount / 60
        minutes = (took * 0.7, took * 1.5)
    elif project.is_practice:
        minutes = _PRACTICE[station]
    return Plan(amount, minutes, _memory(station, model), hardware.memory_available_bytes())


def amounts(held: int) -> dict[str, int]:
    """How many practice questions can be asked for, of lessons that hold so many; 0: as many as they hold."""
    return {"few": max(_LEAST, round(_FEW * held)), "good": 0, "many": max(_LEAST, round(_MANY * held))}


def amount_of(samples: int, held: int) -> str:
    """Which of `amounts` it is that a project asks for."""
    return "good" if not samples else "few" if samples <= held else "many"


def took(run: Path | None, station: Station) -> float:
    """Seconds that a station of a run took so far; 0 where nobody measured."""
    try:
        timings = read_json(run / "timings.json") if run is not None else {}
        return sum(float(timings.get(step, 0.0)) for step in STATION_STEPS[station])
    except (LabError, TypeError, ValueError):
        return 0.0


def _amount(station: Station, project: Project, state: State) -> int:
    if station == "practice":
        return project.samples or _expected(project.lessons)
    return state.kept if station == "train" else _asked(project.run)


def _expected(lessons: Path) -> int:
    files = tuple(sorted(lessons.rglob("qna.yaml")))
    return sum(_expected_of(file.parent, file.stat().st_mtime_ns) for file in files)


@functools.lru_cache(maxsize=256)
def _expected_of(lesson: Path, changed: int) -> int:
    texts = [path for path in lesson.iterdir() if path.suffix.lower() in (".md", ".txt") and path.stem != "attribution"]
    told = sum(len(sentences(path.read_text(encoding="utf-8", errors="replace"))) for path in texts)
    return _ROWS_A_SENTENCE * told if texts else _ROWS_A_SKILL


def _asked(run: Path | None) -> int:
    """Questions that a check asks: the ones kept aside, the general ones, and a few of the person's own."""
    try:
        held_out = read_json(run / "dataset" / "manifest.json", "held_out")["held_out"] if run else 0
        return int(held_out) + _GENERAL
    except (LabError, TypeError, ValueError):
        return _GENERAL


def _measured(station: Station, run: Path, model: Path, known: Known) -> tuple[float, int] | None:
    """(seconds, units) of this station in a run, where it is done and was done with the same model."""
    state = known.state(run)
    is_done = {"practice": state.has_dataset, "train": state.has_adapter, "check": state.has_report}[station]
    files = [run / requests.FILE_NAME, run / "timings.json"]
    models, seconds = known.get(("times", run), files, functools.partial(_times, run), _NO_TIMES)
    if not is_done or station not in seconds or str(model) != models[station != "practice"]:
        return None
    return seconds[station], _asked(run) if station == "check" else state.kept


def _times(run: Path) -> tuple[tuple[str, str], dict[str, float]]:
    """Teacher and student of a run, and the seconds of each station that was measured whole."""
    try:
        request, timings = requests.read(run), read_json(run / "timings.json")
        whole = {name: steps for name, steps in STATION_STEPS.items() if timings.keys() >= set(steps)}
        seconds = {name: sum(float(timings[step]) for step in steps) for name, steps in whole.items()}
        return (str(request.teacher), str(request.student)), seconds
    except (LabError, TypeError, ValueError):
        return _NO_TIMES


def _model(path: str) -> Path:
    try:
        return Path(path) if path else paths.practice_model()
    except LabError:
        return Path()


def _memory(station: Station, model: Path) -> float:
    try:
        weights = model.stat().st_size / _bytes_a_weight(model.name)
    except OSError:
        return 0.0
    if station == "train":
        return weights * (2 if hardware.has_fast_bf16() else 4) * 1.2 + 1e9
    return max(model.stat().st_size, weights * 2 if paths.taught_adapter(model) else 0) + 0.4e9


def _bytes_a_weight(name: str) -> float:
    kind = re.search(r"(?i)\b(BF16|F16|F32|Q\d)", name)
    return _BYTES_A_WEIGHT.get(kind[1].upper(), 0.6) if kind else 0.6


def amount_words(amount: int) -> str:
    return tr("about {0} questions").format(number(amount if amount < 100 else round(amount, -1)))
