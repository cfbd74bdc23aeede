"""The LAB method, from leaf to report, in one place that a newcomer can read.

    begin      copy the leaves into the run folder, so that the run stays what it was
    generate   a teacher multiplies the seed examples and judges its own work; the rows are dealt to phases
    train      the student learns phase by phase, with replay; base weights stay frozen, an adapter learns
    export     one file that anyone can run
    evaluate   the same questions before and after: did it help, did it forget?

Each step reads and writes the run folder alone, so each can be run, killed and run again by itself. The steps do not
know each other; this module joins them. Callers hold the run folder (`Run.open`).

A run folder is plain files. A file that is there is whole: it gets its name last.

    request.json, leaves/           what was asked, and a copy of the lessons as they were
    earlier/                        with `--from`: what the earlier run taught, replayed and asked again
    teacher.json                    what the teacher showed that it can do, which decides how it is asked
    samples.jsonl, units.jsonl      every row the teacher wrote, kept or dropped, with stage, score and reason; what it
                                    was asked
    reviews.jsonl                   what the person decided about rows
    general.jsonl                   what the student itself answers to general prompts, for replay
    dataset/                        a file of rows for each training phase, the rows held out, manifest.json last
    phases.json, thrift.json        how many steps and rounds the training has; what it gave up to save memory
    checkpoint/, adapter/           the last and the best step; the trained adapter, also as adapter.gguf
    models/                         the new model as GGUF files; sizes.json and measured.json about them
    answers.jsonl, report.json      every answer before and after; the report (`evaluation/results.py`)
    corrections.jsonl, votes.jsonl  which answers the person counts otherwise, and which the person found better
                                    without knowing whose they were
    enough-STEP                     the person said that the step may end with what it has
    timings.json, events.jsonl      seconds of each step; what was said on the way
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import filelock

from lab_desktop import keys, servers
from lab_desktop.artifacts import Adapter, Dataset, ExportedModel, Leaf, LeafKind, Passage, TrainingRow
from lab_desktop.documents.passages import passages, read_documents
from lab_desktop.errors import ExportError, KeyringError, LeafError, ModelError, RunError, ServerError, StorageError
from lab_desktop.evaluation.measured import Measure
from lab_desktop.evaluation.questions import exam_questions
from lab_desktop.evaluation.report import evaluate_adapter, write_report
from lab_desktop.evaluation.results import Report
from lab_desktop.evaluation.sizes import measure
from lab_desktop.export.adapter import fingerprint, write_adapter
from lab_desktop.export.fuse import fuse_shipped, shipped_fingerprint
from lab_desktop.export.pipeline import export as export_model
from lab_desktop.export.quantize import KINDS, quantized_bytes
from lab_desktop.export.verified import is_finished
from lab_desktop.files import JsonLines, copy_folder, disk_errors, read_json, write_json, write_text
from lab_desktop.generation.mixing import (
    GENERAL_TOKENS,
    general_prompts,
    general_rows,
    mix,
    noted_rows,
    read_dataset,
    taught_rows,
)
from lab_desktop.generation.pipeline import funnel, read_samples
from lab_desktop.generation.pipeline import generate as generate_samples
from lab_desktop.generation.seeds import Material
from lab_desktop.jobs import requests
from lab_desktop.jobs.requests import EFFORTS, Effort, LearnRequest
from lab_desktop.jobs.run import EVENTS_FILE, Run, enough_file
from lab_desktop.models.chat import ChatTemplate
from lab_desktop.models.gguf import read_header
from lab_desktop.models.kinds import require_language_model
from lab_desktop.models.llama import LlamaModel
from lab_desktop.models.remote import RemoteModel
from lab_desktop.models.text_model import TextModel
from lab_desktop.models.tokenizer import Tokenizer
from lab_desktop.paths import EXAM, prepared, resources, taught_adapter
from lab_desktop.reviews import read_reviews, reviewed
from lab_desktop.servers import Server
from lab_desktop.taxonomy.qna import read_leaf
from lab_desktop.taxonomy.tree import find_leaves
from lab_desktop.training.backend import trainable
from lab_desktop.training.choice import fitted, joined
from lab_desktop.training.loop import train as train_adapter
from lab_desktop.training.phases import LAB_PHASES, TrainingPlan, rounds_of, with_rounds

PASSAGE_TOKENS = 300
"""The longest passage. InstructLab cuts at 500; a shorter one gives a small teacher less to mix up."""
GENERAL_ROWS = 600
"""Rows against forgetting: enough kinds of questions that holding those holds the rest."""
_OF_ONE_SIZE = ("export:", "measure:")
SMALL_STUDENT_PARAMETERS = 1_000_000_000
"""Below this a student loses too much of what it learned in four bits; eight bits are small anyway."""


def learn(request: LearnRequest, run: Run) -> Report:
    """The whole loop. Starting again with the same request on the same folder goes on where it stopped.

    Raises:
        LabError: a step could not be done; what was finished stays.
        Cancelled: the person asked to stop.
    """
    begin(request, run)
    generate(run)
    train(run)
    export(run)
    return evaluate(run)


def do(steps: Sequence[str], request: LearnRequest, run: Run) -> None:
    """Some steps of the loop, by name; "export:Q4_K_M" exports that one size, "measure:Q4_K_M" tries it.

    Raises:
        RunError: there is no such step; else as `learn`.
    """
    if unknown := [name for name in steps if name not in STEPS and not name.startswith(_OF_ONE_SIZE)]:
        raise RunError(f"There is no step {', '.join(unknown)}.", f"There are: {', '.join(STEPS)}.")
    begin(request, run)
    for name in steps:
        step, _, kind = name.partition(":")
        if not kind:
            STEPS[name](run)
        elif step == "export":
            export(run, (kind,))
        else:
            measure_size(run, kind)


def begin(request: LearnRequest, run: Run) -> None:
    """Check everything that can be checked before the work, and copy the leaves into RUN/leaves.

    Writes request.json, where whoever started the run has not done so, and the copies; they get their name last, so
    RUN/leaves means that all is there. From then on the originals are not read any more.

    Raises:
        LeafError, DocumentError, EvaluationError: a leaf, its document or its exam cannot be used.
        ModelError: a model file cannot be used, or nobody agreed that text goes to the teacher's server.
        RunError: the folder holds the run of another request, or things that belong to no run.
        StorageError: the copies could not be written.
    """
    request = requests.absolute(request)
    is_begun = (run.folder / requests.FILE_NAME).exists()
    if is_begun and requests.read(run.folder) != request:
        raise RunError(
            f"{run.folder} holds a run that was started with other settings or lessons.",
            "Choose another folder with --run, or start again with the settings it was started with.",
        )
    if isinstance(request.teacher, Server):
        servers.require_agreed(request.teacher)
    else:
        require_language_model(read_header(request.teacher))
    ChatTemplate(trainable(request.student).file)
    copies = run.folder / "leaves"
    if is_begun and copies.exists():
        return
    if not is_begun and any(_is_foreign(path) for path in run.folder.iterdir()):
        raise RunError(
            f"{run.folder} is not empty, and what is there belongs to no run.", "Choose a new folder with --run."
        )
    half = run.folder / ".leaves.part"
    shutil.rmtree(half, ignore_errors=True)
    for folder in _leaf_folders(request.leaves):
        _copy_leaf(folder, half)
    if request.start_from and not _earlier(run).exists():
        _copy_earlier(request.start_from, request.student, half.with_name(".earlier.part"))
    if not is_begun:
        requests.write(run.folder, request)
    with disk_errors(run.folder, "The copy of the lessons"):
        if request.start_from and not _earlier(run).exists():
            half.with_name(".earlier.part").rename(_earlier(run))
        half.rename(copies)


def is_as_begun(request: LearnRequest, folder: Path) -> bool:
    """True while the lessons still are what the run in `folder` copied when it began (or it has copied nothing yet)."""
    copies = folder / "leaves"
    if not (folder / requests.FILE_NAME).exists() or not copies.exists():
        return True
    with tempfile.TemporaryDirectory() as now:
        for leaf in _leaf_folders(request.leaves):
            _copy_leaf(leaf, Path(now))
        return _contents(Path(now)) == _contents(copies)


def generate(run: Run) -> Dataset:
    """Step 2: samples.jsonl, general.jsonl and dataset/."""
    request = requests.read(run.folder)
    begin(request, run)
    with run.timed("generate"):
        with _teacher(request.teacher, run) as teacher, _counting(request) as count_tokens:
            generate_samples(_materials(run, count_tokens), teacher, request.samples, request.seed, run)
        dataset = deal(run)
        enough_file(run.folder, "generate").unlink(missing_ok=True)
        return dataset


def deal(run: Run) -> Dataset:
    """The end of step 2: dataset/ from what was written and what the person decided about it.

    Training that begins does it again, which costs nothing while nothing was decided since; one that goes on keeps the
    dataset that it began with.
    """
    request = requests.read(run.folder)
    with _counting(request) as count_tokens:
        materials = _materials(run, count_tokens)
    samples = reviewed(read_samples(run), read_reviews(run.folder))
    general = _general_rows(request.student, run)
    return mix(materials, samples, LAB_PHASES, general, request.seed, run, _earlier_rows(run))


def _general_rows(student: Path, run: Run) -> list[TrainingRow]:
    """The student's own answers to general prompts, noted once for all runs: they do not depend on any lesson.

    The practice model's are shipped, in a file of the name that a run would give its notes.
    """
    ours = run.folder / "general.jsonl"
    prompts = general_prompts(GENERAL_ROWS)
    if _is_whole(ours, prompts):
        return noted_rows(run, GENERAL_ROWS)
    name = _notes_name(student, prompts)
    noted = prepared() / name
    known = [path for path in (resources() / "practice" / name, noted) if _is_whole(path, prompts)]
    if known and not ours.exists():
        with disk_errors(ours, "What the model knows already"):
            shutil.copyfile(known[0], ours)
    with LlamaModel(student) as model:
        rows = general_rows(model, GENERAL_ROWS, run)
    if not known:
        with suppress(StorageError), disk_errors(noted, "What the model knows already"):  # it would only save time
            noted.parent.mkdir(parents=True, exist_ok=True)
            write_text(noted, ours.read_text(encoding="utf-8"))
    return rows


def _notes_name(student: Path, prompts: Sequence[str]) -> str:
    with open(student, "rb") as stream:
        identity = hashlib.file_digest(stream, "sha256")
    identity.update(f"{prompts} {GENERAL_TOKENS}".encode())
    return f"general-{identity.hexdigest()[:16]}.jsonl"


def _is_whole(noted: Path, prompts: Sequence[str]) -> bool:
    """True for a file that answers every prompt; where it is missing or damaged they are asked and noted anew."""
    try:
        return noted.exists() and {row["prompt"] for row in JsonLines(noted).rows() if "answer" in row} == set(prompts)
    except (RunError, TypeError, KeyError):
        return False


def train(run: Run) -> Adapter:
    """Step 3: checkpoint/ and adapter/. Several processes may do it together (`training.ranks`)."""
    request = requests.read(run.folder)
    plan = with_rounds(replace(TrainingPlan(), seed=request.seed), EFFORTS[request.effort])
    plan = fitted(plan, request.student)
    start = _earlier(run) / "adapter" / "adapter.safetensors" if request.start_from else None
    with run.timed("train"), joined() as ranks:
        if ranks.is_first:
            _deal_unless_begun(run)
        ranks.wait()
        dataset = read_dataset(run.folder / "dataset")
        adapter = train_adapter(dataset, request.student, plan, run, start, ranks=ranks)
        if ranks.is_first and not is_finished(adapter.gguf, fingerprint(adapter)):
            write_adapter(adapter, run)
        return adapter


def _deal_unless_begun(run: Run) -> None:
    read_dataset(run.folder / "dataset")  # that there is one
    is_finished_once = (run.folder / "adapter" / "adapter.json").exists()
    if is_finished_once or not list((run.folder / "checkpoint").glob("step-*.safetensors")):
        deal(run)


def export(run: Run, kinds: Sequence[str] = ()) -> list[ExportedModel]:
    """Step 4: models/NAME-KIND.gguf; without `kinds` one fused file and one of a size that fits the student.

    models/sizes.json says about how many bytes every kind takes, the ones that were not asked for too.
    """
    request = requests.read(run.folder)
    with run.timed("export"):
        sizes = run.folder / "models" / "sizes.json"
        if not sizes.exists():
            base = read_header(request.student)
            write_json(sizes, {kind: quantized_bytes(base, kind) for kind in KINDS})
        return export_model(
            read_adapter(run.folder), run.folder / "models", _name(run), kinds or _kinds(request.student), run
        )


def measure_size(run: Run, kind: str) -> Measure:
    """How much a file of this size knows and how fast it answers: models/measured.json.

    Raises:
        RunError: there is no such file yet.
    """
    path = run.folder / "models" / f"{_name(run)}-{kind}.gguf"
    if not path.exists():
        raise RunError(f"There is no file of the size {kind} yet.", "Make it first.")
    leaves = [*_leaves(run), *_earlier_leaves(run)]
    with run.timed("measure"), LlamaModel(path) as model:
        return measure(model, path, kind, leaves, read_dataset(run.folder / "dataset"), run)


def evaluate(run: Run) -> Report:
    """Step 5: answers.jsonl and, last, report.json."""
    request = requests.read(run.folder)
    with run.timed("evaluate"):
        adapter = read_adapter(run.folder)
        dataset = read_dataset(run.folder / "dataset")
        with (
            LlamaModel(request.student, adapters={"student": adapter.gguf}) as student,
            _judge(student, request, run) as teacher,
        ):
            found = evaluate_adapter(
                [*_leaves(run), *_earlier_leaves(run)], dataset, student, adapter, teacher, run, funnel=funnel(run)
            )
    report = replace(
        found,
        model=_main_model(run),
        models=_models(run),
        adapter=str(adapter.gguf.relative_to(run.folder)),
        base=request.student.name,
        settings={"teacher": str(request.teacher), "samples": request.samples, "seed": request.seed}
        | {"effort": _effort(run)}
        | {"leaves": [str(leaf) for leaf in request.leaves], "student": str(request.student)}
        | ({"start_from": str(request.start_from)} if request.start_from else {}),
        seconds=run.timings(),
    )
    write_report(report, run)
    return report


def _effort(run: Run) -> Effort:
    """How long the student really practised: the request may have changed since."""
    rounds = rounds_of(read_json(run.folder / "adapter" / "adapter.json").get("plan"))
    return min(EFFORTS, key=lambda effort: abs(EFFORTS[effort] - rounds))


def read_adapter(folder: Path) -> Adapter:
    """The trained adapter of a run folder.

    Raises:
        RunError: the student of this run is not trained yet.
    """
    settings = read_json(folder / "adapter" / "adapter.json", "rank", "scale")
    return Adapter(folder / "adapter", settings["rank"], settings["scale"], requests.read(folder).student)


def _earlier(run: Run) -> Path:
    """What an earlier run taught this run's student: its leaves, its dataset and its adapter."""
    return run.folder / "earlier"


def _copy_earlier(source: Path, student: Path, target: Path) -> None:
    """Copy what a run that goes on from `source` needs of it, so that the new run folder stays whole by itself.

    Raises:
        RunError: `source` is no run folder, is not trained, its student is another one, or it was trained otherwise.
        StorageError: the copy could not be written.
    """
    requests.read(source)
    adapter = read_adapter(source)
    if adapter.base.resolve() != student.resolve():
        raise RunError(
            f"The run in {source} taught {adapter.base.name}, not {student.name}.",
            "Go on with the same student, or start without an earlier run.",
        )
    plan, theirs = TrainingPlan(), read_json(source / "adapter" / "adapter.json").get("plan")
    if not isinstance(theirs, dict) or any(theirs.get(name) != getattr(plan, name) for name in _SAME_TO_GO_ON):
        raise RunError(
            f"The run in {source} was trained by another version of this program, in another shape.",
            "Start without it, with its lessons and the new ones together.",
        )
    taught_rows(source / "dataset")  # a damaged one is better known now than after the generation
    shutil.rmtree(target, ignore_errors=True)
    with disk_errors(target, "The copy of the earlier run"):
        for name in ("dataset", "adapter", "leaves"):
            copy_folder(source / name, target / name, shutil.ignore_patterns("*.gguf", ".*"))
    older = source / "earlier" / "leaves"
    for leaf in find_leaves(older) if older.exists() else []:
        ours = target / "leaves" / leaf.relative_to(older)
        if not (ours / "qna.yaml").exists():  # else it was taught again since
            with disk_errors(target, "The copy of the earlier run"):
                copy_folder(leaf, ours)


_SAME_TO_GO_ON = ("rank", "scale", "frozen_share")


def _earlier_rows(run: Run) -> list[TrainingRow]:
    folder = _earlier(run) / "dataset"
    again = {leaf.name for leaf in _leaves(run)}
    return [row for row in taught_rows(folder) if row.leaf not in again] if folder.exists() else []


def _earlier_leaves(run: Run) -> list[Leaf]:
    """The leaves of earlier runs, asked too: were they forgotten? One that is taught again counts as new."""
    folder = _earlier(run) / "leaves"
    again = {leaf.name for leaf in _leaves(run)}
    earlier = [read_leaf(path) for path in find_leaves(folder)] if folder.exists() else []
    return [leaf for leaf in earlier if leaf.name not in again]


def _models(run: Run) -> dict[str, str]:
    """Every exported file by its quantization, relative to the run folder."""
    name = _name(run)
    return {
        path.stem.removeprefix(f"{name}-"): path.relative_to(run.folder).as_posix()
        for path in sorted((run.folder / "models").glob(f"{name}-*.gguf"))
    }


def _main_model(run: Run) -> str:
    """The exported file to recommend, relative to the run folder; "" before export.

    The one that fits the student, or the smallest where somebody asked for other sizes only.
    """
    folder = run.folder / "models"
    best = folder / f"{_name(run)}-{_kinds(requests.read(run.folder).student)[-1]}.gguf"
    models = [path for path in folder.glob("*.gguf") if not path.name.startswith(".")]
    chosen = best if best in models else min(models, key=lambda path: path.stat().st_size, default=None)
    return chosen.relative_to(run.folder).as_posix() if chosen else ""


def _is_foreign(path: Path) -> bool:
    """True for what neither we nor a killed beginning left in a folder that is to become a run folder."""
    return not path.name.startswith(".") and path.name != EVENTS_FILE


def _leaf_folders(paths: Sequence[Path]) -> list[Path]:
    """The leaves at or below `paths`, each folder once, without the copies in run folders that lie among them."""
    found = {folder.resolve(): folder for path in paths for folder in find_leaves(path) if not _is_copy(folder, path)}
    if not found:
        raise LeafError("There is no lesson but copies that earlier runs made.", "Choose the folder of the originals.")
    return list(found.values())


def _is_copy(path: Path, below: Path) -> bool:
    """True when a folder between `below` and `path` is a run folder: it is a copy that an earlier run made."""
    between = [folder for folder in path.parents if folder != below and folder.is_relative_to(below)]
    return any((folder / requests.FILE_NAME).is_file() for folder in between)


def _copy_leaf(folder: Path, target: Path) -> None:
    leaf = read_leaf(folder)
    exam_questions(folder, leaf.name)  # a mistake in it is better known now than after the training
    copy = target.joinpath(*leaf.node)
    if (copy / "qna.yaml").exists():
        raise LeafError(
            f'Two lessons have the same place "{leaf.name}".', "Rename the folder of one of them, then start again."
        )
    names = ["qna.yaml", "attribution.txt", EXAM]
    if leaf.document:
        documents = [document.path for document in read_documents(folder, leaf.document.patterns)]
        names += [str(path.relative_to(folder)) for path in documents if not _is_copy(path, folder)]
    with disk_errors(target, "The copy of the lessons"):
        for name in names:
            if (folder / name).is_file():
                (copy / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(folder / name, copy / name)


def _contents(folder: Path) -> dict[Path, bytes]:
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def _leaves(run: Run) -> list[Leaf]:
    return [read_leaf(folder) for folder in find_leaves(run.folder / "leaves")]


def _materials(run: Run, count_tokens: Callable[[str], int]) -> list[Material]:
    materials = []
    for leaf in _leaves(run):
        found: list[Passage] = []
        if leaf.kind is LeafKind.KNOWLEDGE and leaf.document:
            documents = read_documents(leaf.folder, leaf.document.patterns)
            found = passages(documents, count_tokens, PASSAGE_TOKENS)
        materials.append(Material(leaf, tuple(found)))
    return materials


@contextmanager
def _counting(request: LearnRequest) -> Iterator[Callable[[str], int]]:
    """How many tokens a text has for the teacher; one elsewhere shows no tokenizer, so the student's counts."""
    file = request.student if isinstance(request.teacher, Server) else request.teacher
    with Tokenizer(file) as tokenizer:
        yield lambda text: len(tokenizer.encode(text))


def _teacher(teacher: Path | Server, run: Run) -> AbstractContextManager[TextModel]:
    """The teacher, ready to write."""
    return _elsewhere(teacher, run) if isinstance(teacher, Server) else _local_teacher(teacher, run)


def _elsewhere(server: Server, run: Run) -> RemoteModel:
    """A model on a server, after its notice: the one place where text leaves this computer.

    Raises:
        ServerError: nobody agreed to that, or the server cannot be used.
        KeyringError: its key is locked away.
    """
    servers.require_agreed(server)
    run.notice(server.notice)
    return RemoteModel(server, keys.get(servers.KEYS, server.origin) or "", is_cancelled=lambda: run.is_cancelled)


def _local_teacher(path: Path, run: Run) -> LlamaModel:
    """The teacher of a file: with the adapter that taught it its trade, where there is one.

    The practice teacher is fused into a copy of its own, made once for all runs: that writes twice as fast as the
    small file with an adapter beside it. Where there is no room for a copy, the adapter is used as it is.
    """
    adapter = taught_adapter(path)
    if adapter is None:
        return LlamaModel(path)
    copy = prepared() / f"{path.stem}-teacher.gguf"
    try:
        with disk_errors(copy, "The teacher's copy"):
            copy.parent.mkdir(parents=True, exist_ok=True)
            with filelock.FileLock(copy.with_suffix(".lock")):  # another run may be making it just now
                if not is_finished(copy, shipped_fingerprint(adapter, path)):
                    fuse_shipped(adapter, path, copy, run)
        model = LlamaModel(copy)
    except (StorageError, ExportError, ModelError) as error:
        run.notice(f"The teacher works slower than it could: {error.message}")
        model = LlamaModel(path, adapters={"teacher": adapter})
        model.use_adapter("teacher")
    model.name = path.stem
    return model


@contextmanager
def _judge(student: LlamaModel, request: LearnRequest, run: Run) -> Iterator[TextModel | None]:
    """The teacher that judges answers: the student's own loaded file when both are the same. None where a server cannot
    be used now: then words judge."""
    if isinstance(request.teacher, Server):
        try:
            remote = _elsewhere(request.teacher, run)
        except (ServerError, KeyringError) as error:
            run.notice(f"{error.message} So the answers are judged by their words.")
            yield None
        else:
            with remote:
                yield remote
    elif request.teacher == request.student:
        student.use_adapter(None)
        yield student
    else:
        with LlamaModel(request.teacher) as model:
            yield model


def _name(run: Run) -> str:
    """What the new model is called: the first lesson's name, in letters that every file system takes."""
    leaves = _leaves(run)
    name = leaves[0].node[-1] + (f"-and-{len(leaves) - 1}-more" if len(leaves) > 1 else "")
    return "".join(letter if letter.isalnum() or letter in "-_" else "-" for letter in name)


def _kinds(student: Path) -> tuple[str, ...]:
    parameters = 0
    for tensor in read_header(student).tensors.values():
        count = 1
        for length in tensor.shape:
            count *= length
        parameters += count
    return ("F16", "Q8_0") if parameters < SMALL_STUDENT_PARAMETERS else ("Q4_K_M",)


STEPS: dict[str, Callable[[Run], object]] = {
    "generate": generate,
    "train": train,
    "export": export,
    "evaluate": evaluate,
}
