"""What a station will take, said before it starts: how much, how long, how much memory.

Times come from earlier work on this computer with the same model, of a training step by step; without any nothing is
promised, but for the practice lesson, whose times are known. Memory follows from the headers of the models (`needs`).
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lab_desktop import paths
from lab_desktop.errors import LabError
from lab_desktop.files import read_json
from lab_desktop.jobs import requests
from lab_desktop.jobs.requests import EFFORTS
from lab_desktop.needs import Needs, Room, answering_needs, chosen_level, lighter, training_needs, training_steps
from lab_desktop.projects import Project, State, Station, is_taught_elsewhere
from lab_desktop.ui.known import Known
from lab_desktop.ui.pages.improve.course import read_course, saved_step
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


@dataclass(frozen=True)
class Plan:
    """What a station will take.

    Attributes:
        amount: what it is about: questions, or steps of a training; 0: unknown.
        minutes: from, to; None: unknown.
        room: memory; None: not known yet, or the work is done elsewhere.
        level, words: how much a training gives up already, and what it does instead.
        lighter, lighter_words: the level that would fit better, and what it does; 0: there is none.
    """

    amount: int
    minutes: tuple[float, float] | None
    room: Room | None
    level: int = 0
    words: str = ""
    lighter: int = 0
    lighter_words: str = ""

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

    def short_time(self, left: float = 1.0) -> str:
        """The same in few words, "3–8 min"; "" where nobody knows."""
        if self.minutes is None:
            return ""
        low, high = (left * minutes for minutes in self.minutes)
        if high >= 120:
            return tr("{0}–{1} h").format(max(1, round(low / 60)), max(2, round(high / 60)))
        return tr("{0}–{1} min").format(max(1, round(low)), max(2, round(high)))


def memory_words(room: Room) -> str:
    """ "Uses about 9.1 of 16.0 GB of memory, leaves 5.0 GB for you", or how much is missing."""
    if room.is_here:
        words = tr("Uses about {0} of {2} of memory, leaves {1} for you")
        return words.format(size(room.needed), size(room.leaves), size(room.total))
    words = tr("Needs about {0} of memory; {1} of {2} are free")
    return words.format(size(room.needed), size(room.free), size(room.total))


def memory(
    station: Station, needs: Needs | None, level: int, free: int, total: int, kept: int
) -> tuple[Room | None, int]:
    """The room that a station's work has, and the level of a training that would fit better; 0: there is none.

    Args:
        level: how much a training gives up already.
        free, total, kept: as in `Room`.
    """
    if needs is None:
        return None, 0
    if station != "train":
        rooms = [Room(needed, free, total, kept) for needed in needs.levels]
        return next((room for room in rooms if room.verdict == "comfortable"), rooms[-1]), 0
    ahead = needs.begun_at(level)
    room = Room(ahead.levels[0], free, total, kept)
    lower = lighter(ahead, room)
    return room, level + lower if lower else 0


def plan(station: Station, project: Project, session: Session) -> Plan:
    """What a station of a project will take."""
    state = session.known.state(project.run)
    student = _model(project.model)
    is_elsewhere = is_taught_elsewhere(project)
    teacher = _model(project.teacher) if project.teacher and not is_elsewhere else student
    model = teacher if station == "practice" else student
    name = project.teacher if is_elsewhere and station == "practice" else str(model)
    amount = _amount(station, project, state)
    runs = [run for each in session.projects for run in each.runs]
    known = [pair for run in runs if (pair := _measured(station, run, name, session.known)) and pair[1]]
    minutes: tuple[float, float] | None = None
    if station == "train" and project.run is not None:
        minutes = _training_minutes(project.run, runs, name, EFFORTS[project.effort], session.known)
    if minutes is None and known and amount:
        took = sum(seconds for seconds, _ in known) / sum(units for _, units in known) * amount / 60
        minutes = (took * 0.7, took * 1.5)
    elif minutes is None and project.is_practice and not is_elsewhere:
        rounds = EFFORTS[project.effort] if station == "train" else 1.0
        low, high = _PRACTICE[station]
        minutes = low * rounds, high * rounds
    found = None if is_elsewhere and station == "practice" else _needs(station, model, state.kept, session.known)
    level = chosen_level(project.run) if station == "train" else 0
    kept = session.preferences.choices.keeps_free_bytes
    room, lower = memory(station, found, level, *session.memory(), kept)
    words = found.words if found is not None else ()
    return Plan(
        amount,
        minutes,
        room,
        level,
        words[min(level, len(words) - 1)] if words else "",
        lower,
        words[lower] if lower else "",
    )


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


def _measured(station: Station, run: Path, model: str, known: Known) -> tuple[float, int] | None:
    """(seconds, units) of this station in a run, where it is done and was done with the same model."""
    state = known.state(run)
    is_done = {"practice": state.has_dataset, "train": state.has_adapter, "check": state.has_report}[station]
    files = [run / requests.FILE_NAME, run / "timings.json"]
    models, seconds = known.get(("times", run), files, functools.partial(_times, run), _NO_TIMES)
    if not is_done or station not in seconds or model != models[station != "practice"]:
        return None
    return seconds[station], _asked(run) if station == "check" else state.kept


def _training_minutes(
    run: Path, runs: Sequence[Path], model: str, rounds: float, known: Known
) -> tuple[float, float] | None:
    """From the steps that the training of a run has and from the steps with the same model so far, its own too."""
    files = sorted((run / "dataset").glob("*.jsonl"))
    course = read_course(run)
    if course is not None and not (run / "adapter" / "adapter.json").exists():
        steps = course.total
    else:
        steps = known.get(("steps", run, rounds), files, functools.partial(training_steps, run, rounds), 0)
    measured = [pair for each in runs if (pair := _paced(each, model, known))]
    if not steps or not measured:
        return None
    minutes = sum(seconds for seconds, _ in measured) / sum(taken for _, taken in measured) * steps / 60
    return minutes * 0.8, minutes * 1.25


def _paced(run: Path, model: str, known: Known) -> tuple[float, int] | None:
    """(seconds, steps) of a run's training so far, where some of it was done with this model."""
    files = [run / requests.FILE_NAME, run / "timings.json"]
    models, seconds = known.get(("times", run), files, functools.partial(_times, run), _NO_TIMES)
    if "train" not in seconds or models[1] != model:
        return None
    course, saved = read_course(run), saved_step(run)
    steps = course.total if course is not None and (run / "adapter" / "adapter.json").exists() else saved
    return (seconds["train"], steps) if steps else None


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


def _needs(station: Station, model: Path, rows: int, known: Known) -> Needs | None:
    nothing: Needs | None = None
    if station == "train":
        rows = round(rows, -2)  # so that it is not asked anew for each row that comes
        return known.get(("needs", model, rows), [model], functools.partial(training_needs, model, rows), nothing)
    is_teacher = station == "practice"
    read = functools.partial(answering_needs, model, as_teacher=is_teacher)
    return known.get(("needs", model, is_teacher), [model], read, nothing)


def amount_words(amount: int) -> str:
    return tr("about {0} questions").format(number(amount if amount < 100 else round(amount, -1)))
