"""Every kind of work that can be disturbed: what a person has before, how it is started, and what must be there after.

A `Place` is a folder with a person's `home` in it, and whatever else the work needs. Everything that is compared is
bytes, or rows where their order is free.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, ClassVar

from lab_desktop import paths, projects, repository, reviews
from lab_desktop.contribution import accounts, contributions, journal
from lab_desktop.contribution.contributions import State
from lab_desktop.files import JsonLines, read_json
from lab_desktop.jobs import errands
from lab_desktop.jobs.errands import DownloadRequest, MoveRequest, PublishRequest, ShareRequest
from lab_desktop.models import arrivals, moving, records
from lab_desktop.models import hub as our_hub
from lab_desktop.models.card import TAG
from lab_desktop.models.records import Record
from lab_desktop.projects import Project
from lab_desktop.reviews import Review
from tests.contribution import hub as code_hub
from tests.documents import makers
from tests.drills import editing, runs
from tests.fakes import tiny_model
from tests.hub_server import Hub
from tests.keyrings import SHARED

Work = Callable[[], int] | Sequence[str]
_FILE, _REPO = "tiny-Q8_0.gguf", "makers/tiny-GGUF"
_HF_TOKEN = "hf_PlantedTokenThatNobodyMaySee"


@dataclass
class Place:
    """One try's world.

    Attributes:
        folder: everything that the work may change.
        shared: what all tries read.
        environment: for the child.
        kept: what the kind remembers of this try.
    """

    folder: Path
    shared: Path
    environment: dict[str, str] = field(default_factory=dict)
    kept: dict[str, Any] = field(default_factory=dict)

    @property
    def home(self) -> Path:
        return self.folder / "home"


class Kind:
    """Work that can be disturbed.

    Attributes:
        name: what the table calls it.
        fine: exit codes of a run to the end, also of one that finds nothing left to do.
    """

    name = ""
    fine: tuple[int, ...] = (0,)

    @contextlib.contextmanager
    def around(self, place: Place) -> Iterator[None]:
        """What has to be there while the work goes on: servers."""
        yield

    def make(self, place: Place) -> None:
        """What the person has before."""
        raise NotImplementedError

    def work(self, place: Place) -> Work:
        """How it is started, also for going on."""
        raise NotImplementedError

    def accepted(self, place: Place) -> set[str]:
        """What is promised to be safe as things stand now."""
        return set()

    def is_left(self, place: Place) -> bool:
        """There is something to go on with."""
        return True

    def acknowledged(self, said: str) -> set[str]:
        """What of `accepted` the work itself has told to be done."""
        return set()

    def damaged(self, place: Place) -> list[str]:
        """What looks complete and is not."""
        return runs.damaged_files(place.folder)

    def result(self, place: Place) -> Any:
        """What undisturbed work and disturbed work must have in common in the end."""
        raise NotImplementedError

    def compared(self, place: Place, wanted: Any) -> tuple[Any, Any]:
        """Two values that are to be the same: from the result of undisturbed work, and from this one's."""
        return wanted, self.result(place)


# Runs


class Steps(Kind):
    """Some steps of a run in a project, by a worker."""

    _MADE: ClassVar = {
        "generate": ("samples.jsonl", "general.jsonl", "dataset/*"),
        "train": ("adapter/adapter.safetensors", "adapter/adapter.json", "adapter/adapter.gguf", "phases.json"),
        "export": ("models/*",),
        "evaluate": ("answers.jsonl",),
    }

    def __init__(self, name: str, steps: tuple[str, ...], begun: Callable[[Path], Path] | None) -> None:
        """
        Args:
            begun: gives a run in which the steps before these are done, once; None: they are the first ones.
        """
        self.name, self._steps, self._begun = name, steps, begun

    def make(self, place: Place) -> None:
        project = make_project(place.home / "projects", place.shared)
        run = projects.new_run(project, Path())
        if self._begun is not None:
            shutil.copytree(self._begun(place.shared), run, dirs_exist_ok=True)
        decisions = JsonLines(run / reviews.FILE_NAME)
        decisions.append(Review("a row that is not there", "keep").to_json())
        decisions.close()

    def run(self, place: Place) -> Path:
        """The run folder."""
        return next((place.home / "projects").glob("*/runs/*"))

    def work(self, place: Place) -> Work:
        return ["--worker", str(self.run(place)), *(self._steps if self.name != "learn" else ())]

    def accepted(self, place: Place) -> set[str]:
        """Rows that were noted, and every file whose being there says that something is done."""
        run = self.run(place)
        found = {f"{name} {line}" for name in ("samples.jsonl", "reviews.jsonl") for line in _lines(run / name)}
        done = (*runs.made_files(run).items(), *_hashes(run, ["leaves/**/*"]).items())
        return found | {f"{name} {check}" for name, check in done if not name.endswith("sizes.json")}

    def result(self, place: Place) -> Any:
        run = self.run(place)
        found: dict[str, Any] = {}
        for step in self._steps:
            for name in self._MADE[step]:
                for path in sorted(run.glob(name)):
                    whole = runs.rows_of(path) if path.suffix == ".jsonl" else _sum(path)
                    found[path.relative_to(run).as_posix()] = whole
        if "evaluate" in self._steps:
            report = read_json(run / "report.json", "settings")  # which name the folder of this try
            found["report.json"] = {key: report[key] for key in report if key not in ("seconds", "settings")}
        return {**found, "left over": runs.left_overs(run)}

    def compared(self, place: Place, wanted: Any) -> tuple[Any, Any]:
        """As `Kind.compared`; a training that made do with less memory took the same steps in smaller portions, so that
        what comes of it is the same but for rounding."""
        run, found = self.run(place), self.result(place)
        said = "".join(_lines(run / "events.jsonl"))
        if _LOWERED not in said:
            return wanted, found
        calm = place.shared / "begun" / self.name / _WEIGHTS
        is_near = _FEWER in said or runs.distance(calm, run / _WEIGHTS) < _ROUNDING
        return {**self._given(wanted), "is near": True}, {**self._given(found), "is near": is_near}

    @staticmethod
    def _given(result: dict[str, Any]) -> dict[str, Any]:
        """A result in which what was learned is only there."""
        is_learned = {name: any(fnmatchcase(name, pattern) for pattern in _LEARNED) for name in result}
        return {name: "there" if is_learned[name] else value for name, value in result.items()}


_WEIGHTS = "adapter/adapter.safetensors"
_LEARNED = (_WEIGHTS, "adapter/adapter.gguf", "models/*", "answers.jsonl", "report.json")
_LOWERED = "It goes on at its last save point, "
_FEWER = "teaching fewer layers"
_ROUNDING = 0.02
"""Of what was learned. Measured: 0.004, of sums in another order in bfloat16."""


def make_project(root: Path, models: Path) -> Project:
    """A project of tiny models, with facts and a skill."""
    student, teacher = models / "student.gguf", models / "teacher.gguf"
    if not teacher.exists():
        for lesson in (runs.knowledge_leaf, runs.freeform_leaf):
            lesson(models / "taxonomy")
        for model, seed in ((student, 2), (teacher, 1)):
            runs.brief_model(model, seed)
    lessons = [models / "taxonomy" / name for name in ("knowledge/places/orra", "compositional_skills/shout")]
    made = projects.create(root, "Orra", lessons, model=str(student))
    made = Project(made.folder, made.title, model=str(student), teacher=str(teacher), samples=6, created=made.created)
    projects.save(made)
    return made


# Models


class Errand(Kind):
    """Work whose request is taken away when it is done."""

    def is_left(self, place: Place) -> bool:
        return (place.kept["folder"] / "request.json").exists()


class Download(Errand):
    """A model from a hub."""

    name = "download"
    _wanted = DownloadRequest(_REPO, _FILE, title="Tiny", licence="apache-2.0", reserve_bytes=0)

    @contextlib.contextmanager
    def around(self, place: Place) -> Iterator[None]:
        model = place.shared / "big.gguf"
        if not model.exists():
            tiny_model(model, width=512, heads=8, kv_heads=8, feed_forward=2048)
        with Hub().running() as hub:
            hub.files = {f"{_REPO}/{_FILE}": model.read_bytes()}
            place.environment["HF_ENDPOINT"] = hub.address
            yield

    def make(self, place: Place) -> None:
        with at_home(place):
            place.kept["folder"] = errands.write(self._wanted)

    def work(self, place: Place) -> Work:
        return ["--worker", str(place.kept["folder"])]

    def accepted(self, place: Place) -> set[str]:
        with at_home(place):
            landed = arrivals.target(_REPO, _FILE)
        return {"the model"} if landed.exists() and records.read_record(landed) else set()

    def damaged(self, place: Place) -> list[str]:
        return super().damaged(place) + self._short(place)

    def _short(self, place: Place) -> list[str]:
        model = (place.shared / "big.gguf").stat().st_size
        found = [path for path in (place.home / "models").rglob("*.gguf") if not path.name.startswith(".")]
        return [f"{path.name} is short" for path in found if path.stat().st_size != model]

    def result(self, place: Place) -> Any:
        with at_home(place):
            landed = arrivals.target(_REPO, _FILE)
            record = records.read_record(landed)
            return landed.exists() and _sum(landed), record and record.sha256, len(errands.waiting())


class Move(Errand):
    """The models' folder goes elsewhere."""

    name = "move"

    def make(self, place: Place) -> None:
        with at_home(place):
            names = ("makers/tiny-GGUF/tiny.gguf", "mine.gguf", ".bin/1700000000000-old/old.gguf")
            for number, name in enumerate(names):
                tiny_model(paths.models() / name, seed=number, width=32, heads=2, kv_heads=1, feed_forward=32, layers=1)
            first = paths.models() / names[0]
            size = first.stat().st_size
            told = Record("makers/tiny-GGUF", "tiny.gguf", "0" * 40, _sum(first), size, "mit", "T", "2026")
            records.write_record(first, told)
            place.kept["folder"] = errands.write(MoveRequest(place.folder / "disk"))
            place.kept["before"] = self._files(place)

    def work(self, place: Place) -> Work:
        return ["--worker", str(place.kept["folder"])]

    def accepted(self, place: Place) -> set[str]:
        with at_home(place):
            moving.settle()  # one that was killed between its two renames is settled by whoever looks next
        return {f"{name} {check}" for name, check in self._files(place).items()}

    def result(self, place: Place) -> Any:
        with at_home(place):
            is_there = paths.models().resolve() == (place.folder / "disk").resolve()
            return is_there, self._files(place), len(errands.waiting())

    @staticmethod
    def _files(place: Place) -> dict[str, str]:
        root = place.home / "models"
        return {
            path.relative_to(root).as_posix(): _sum(path)
            for path in sorted(root.rglob("*"))
            if path.is_file() and path.name != ".lab-desktop-models"
        }


class Publish(Errand):
    """Files of a trained model go to a hub."""

    name = "publish"
    _card = f"---\nlicense: apache-2.0\ntags:\n- {TAG}\n---\n\n# velmora\n"

    @contextlib.contextmanager
    def around(self, place: Place) -> Iterator[None]:
        with Hub().running() as hub:
            hub.accounts = {_HF_TOKEN: ("ada", "write")}
            keys = place.folder.with_name(f"{place.folder.name}-keys.json")
            keys.write_text(json.dumps({f"{our_hub.KEYS} {hub.address}": _HF_TOKEN}))
            place.kept["hub"] = hub
            place.environment |= {
                "HF_ENDPOINT": hub.address, "HF_HUB_DISABLE_XET": "1", SHARED: str(keys),
                "PYTHON_KEYRING_BACKEND": "tests.keyrings.SharedKeyring",
            }  # fmt: skip
            yield

    def make(self, place: Place) -> None:
        files = []
        for kind, size in (("Q8_0", 3_000_000), ("Q4_K_M", 2_000_000)):
            path = place.shared / f"island-{kind}.gguf"
            path.write_bytes(b"GGUF" + hashlib.shake_256(kind.encode()).digest(size))
            files.append((path, f"velmora-{kind}.gguf"))
        with at_home(place):
            place.kept["folder"] = errands.write(PublishRequest("ada/velmora", tuple(files), self._card))

    def work(self, place: Place) -> Work:
        return ["--worker", str(place.kept["folder"])]

    def damaged(self, place: Place) -> list[str]:
        there = place.kept["hub"].places.get("ada/velmora")
        named = there.files if there else {}
        wanted = {f"velmora-{kind}.gguf": f"island-{kind}.gguf" for kind in ("Q8_0", "Q4_K_M")}
        return super().damaged(place) + [
            f"{name} on the hub" for name, file in wanted.items()
            if name in named and named[name] != (place.shared / file).read_bytes()
        ]  # fmt: skip

    def result(self, place: Place) -> Any:
        there = place.kept["hub"].places["ada/velmora"]
        files = {name: hashlib.sha256(data).hexdigest() for name, data in there.files.items()}
        with at_home(place):
            return files, there.is_private, there.commits, len(errands.waiting())


# Lessons


class Convert(Kind):
    """A document becomes Markdown, in a process of its own."""

    name = "convert"

    def make(self, place: Place) -> None:
        place.home.mkdir(parents=True)
        pdf = makers.Pdf("Orra")
        for page in range(60):
            pdf.page()
            pdf.text(72, 760, f"Part {page}", 18, "F2")
            pdf.prose(72, 720, 400, f"The light of Orra is red on page {page}. It was lit in 1811. " * 20)
        (place.folder / "orra.pdf").write_bytes(pdf.data())

    def work(self, place: Place) -> Work:
        return ["convert", str(place.folder / "orra.pdf"), "-o", str(place.folder / "orra.md")]

    def damaged(self, place: Place) -> list[str]:
        made = place.folder / "orra.md"
        return ["orra.md is short"] if made.exists() and "page 59" not in made.read_text(encoding="utf-8") else []

    def result(self, place: Place) -> Any:
        seen = sorted(path.name for path in place.folder.iterdir() if not path.name.startswith("."))
        return _sum(place.folder / "orra.md"), seen


class ImportMany(Kind):
    """Many lessons come into the library in one step."""

    name = "import"
    fine = (0, 1)

    def make(self, place: Place) -> None:
        (place.folder / "starter" / "knowledge").mkdir(parents=True)
        (place.folder / "starter" / "knowledge" / ".gitkeep").touch()
        repository.start(place.home / "library", place.folder / "starter")
        for number in range(8):
            runs.knowledge_leaf(place.folder / "others", f"orra{number}")
            runs.freeform_leaf(place.folder / "others", f"shout{number}")

    def work(self, place: Place) -> Work:
        return ["import", str(place.folder / "others"), "--into", str(place.home / "library"), "--yes"]

    def acknowledged(self, said: str) -> set[str]:
        return {line for line in said.split("\n") if line.startswith("/")}

    def accepted(self, place: Place) -> set[str]:
        """The folders of the lessons that are there."""
        return {str(file.parent) for file in self._made(place)}

    @staticmethod
    def _made(place: Place) -> list[Path]:
        library = place.home / "library"
        return [path for path in library.rglob("qna.yaml") if ".git" not in path.relative_to(library).parts]

    def damaged(self, place: Place) -> list[str]:
        library = place.home / "library"
        said = code_hub.said(library, "fsck", "--no-dangling", "--no-progress").splitlines()
        whole = {_sum(path) for path in (place.folder / "others").rglob("qna.yaml")}
        short = [f"{path.relative_to(library)} is not whole" for path in self._made(place) if _sum(path) not in whole]
        return super().damaged(place) + said + short

    def result(self, place: Place) -> Any:
        library = place.home / "library"
        return _hashes(library, ["knowledge/**/*", "compositional_skills/**/*"]), code_hub.said(
            library, "status", "--porcelain"
        )


class Share(Kind):
    """A lesson of facts, with its documents, goes to a code host."""

    name = "share"

    @contextlib.contextmanager
    def around(self, place: Place) -> Iterator[None]:
        made = place.shared / "hub"
        if not made.exists():
            made.mkdir()
            code_hub.set_up(made)
        with at_home(place), code_hub.running(made, place.folder.with_name(f"{place.folder.name}-hub")) as hub:
            keys = place.folder.with_name(f"{place.folder.name}-keys.json")
            keys.write_text(json.dumps({f"{accounts.KEYS} https://{hub.git.host}": code_hub.TOKEN}))
            place.environment |= {SHARED: str(keys), "PYTHON_KEYRING_BACKEND": "tests.keyrings.SharedKeyring"}
            place.kept["hub"] = hub
            yield

    def make(self, place: Place) -> None:
        hub = place.kept["hub"]
        with at_home(place):
            made = hub.prepared(code_hub.FACTS, hub.community)
            errands.write(ShareRequest(made.folder))
        place.kept["made"] = made

    def work(self, place: Place) -> Work:
        with at_home(place):
            errands.write(ShareRequest(place.kept["made"].folder))
        return ["--worker", str(place.kept["made"].folder)]

    def accepted(self, place: Place) -> set[str]:
        made = place.kept["made"]
        with at_home(place):
            now = contributions.read(made.folder)
        return {f"the contribution {now.path} {now.author}", *_lines(made.folder / journal.FILE_NAME)}

    def result(self, place: Place) -> Any:
        hub, made = place.kept["hub"], place.kept["made"]
        pulls = [pull for pull in hub.hub.pulls if pull.head == f"ada:{made.branch}"]
        files = hub.files("ada/taxonomy", made.branch)
        count = code_hub.said(hub.git.repository("ada/taxonomy"), "rev-list", "--count", f"main..{made.branch}")
        noted = [each for each in repository.sent(hub.library) if each.to]
        with at_home(place):
            state = contributions.state(contributions.read(made.folder))
        is_out = state in (State.SENT, State.CHECKING)  # a window that was opened meanwhile has asked how it stands
        return sorted(files), count.strip(), len(pulls), len(noted), is_out


# The window


class Window(Kind):
    """A window in which somebody writes a lesson of the library."""

    name = "window"

    def make(self, place: Place) -> None:
        (place.folder / "starter" / "knowledge").mkdir(parents=True)
        (place.folder / "starter" / "knowledge" / ".gitkeep").touch()
        repository.start(place.home / "library", place.folder / "starter")
        runs.knowledge_leaf(place.home / "library")

    def _lesson(self, place: Place) -> Path:
        return place.home / "library" / "knowledge" / "places" / "orra"

    def work(self, place: Place) -> Work:
        return functools.partial(editing.type_on, self._lesson(place))

    def acknowledged(self, said: str) -> set[str]:
        return {*said.split()} & {*editing.WORDS}

    def accepted(self, place: Place) -> set[str]:
        return {*editing.typed_on(self._lesson(place))}

    def result(self, place: Place) -> Any:
        lesson = self._lesson(place)
        return editing.typed_on(lesson), _sum(lesson / "texts" / "old" / "orra.md")


def _finished(shared: Path, upto: str) -> Path:
    return shared / "begun" / upto


KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Steps("generate", ("generate",), None),
        Steps("train", ("train",), functools.partial(_finished, upto="generate")),
        Steps("export", ("export",), functools.partial(_finished, upto="train")),
        Steps("evaluate", ("evaluate",), functools.partial(_finished, upto="export")),
        Steps("learn", ("generate", "train", "export", "evaluate"), None),
        Download(),
        Convert(),
        Move(),
        ImportMany(),
        Share(),
        Publish(),
        Window(),
    )
}


@contextlib.contextmanager
def at_home(place: Place) -> Iterator[None]:
    """What is done inside is done in the home of this place."""
    before = os.environ.get("LAB_DESKTOP_HOME")
    os.environ["LAB_DESKTOP_HOME"] = str(place.home)
    try:
        yield
    finally:
        os.environ.pop("LAB_DESKTOP_HOME")
        if before is not None:
            os.environ["LAB_DESKTOP_HOME"] = before


def _lines(path: Path) -> list[str]:
    """Whole lines of a log; none where it is not there."""
    return path.read_text(encoding="utf-8", errors="replace").split("\n")[:-1] if path.exists() else []


def _hashes(root: Path, patterns: Sequence[str]) -> dict[str, str]:
    found = {path for pattern in patterns for path in root.glob(pattern) if path.is_file()}
    return {path.relative_to(root).as_posix(): _sum(path) for path in sorted(found)}


def _sum(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
