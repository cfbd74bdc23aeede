"""Projects in any state, written into a folder in the formats that the workflow itself writes and the window reads.

The questions are those of the practice lesson; how many there are, what came of them and how far a run is, is chosen.
"""

from __future__ import annotations

import dataclasses
import functools
import itertools
import json
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from lab_desktop import capacity, chats, paths, projects, repository
from lab_desktop.artifacts import Funnel, LeafKind, Mark, Sample, SeedExample
from lab_desktop.chats import Chat, Turn
from lab_desktop.documents.convert import convert
from lab_desktop.documents.source import keep
from lab_desktop.editing.quiz import Known, write_marks
from lab_desktop.errors import ModelError
from lab_desktop.evaluation.judge import judge
from lab_desktop.evaluation.questions import Question, exam_questions, general_questions
from lab_desktop.evaluation.results import LeafResult, QuestionResult, Report
from lab_desktop.evaluation.verdict import verdict
from lab_desktop.files import write_json
from lab_desktop.jobs import errands, events
from lab_desktop.jobs.errands import DownloadRequest
from lab_desktop.jobs.events import Event, Metric, Notice, Progress
from lab_desktop.models import arrivals, catalogue, records
from lab_desktop.models.families import require_family
from lab_desktop.models.offers import Offer
from lab_desktop.models.records import Link
from lab_desktop.projects import Project
from lab_desktop.selftest.steps import Course, Outcome, title
from lab_desktop.taxonomy.library import Library
from lab_desktop.taxonomy.qna import read_leaf
from lab_desktop.ui.jobs import Job, JobState
from tests.documents.makers import Pdf

LESSON = paths.resources() / "practice" / "velmora"
_LEAVES = Path(__file__).parents[1] / "data" / "leaves"
MANUAL = _LEAVES / "knowledge" / "machines" / "hestrel_12"
SKILL = _LEAVES / "compositional_skills" / "writing" / "errand_note"
LEAF = "knowledge/velmora"
SERVER = "https://teacher.example.org/v1#mixtral-8x7b-instruct"
STEPS, ROUNDS = 300, 5
_WORDINGS = ("{0}", "Say in a few words: {0}", "A visitor asks: {0}", "Please answer: {0}")
_FATES = (
    (True, "accepted", "", 1.0),
    (True, "accepted", "", 1.0),
    (True, "accepted", "", 0.6),
    (False, "round_trip", "Asked again, the teacher answered: The text does not say.", 0.0),
    (True, "accepted", "", 1.0),
    (False, "form", "The answer is not in the passage.", 0.0),
    (True, "accepted", "", 0.6),
    (False, "duplicate", "Too similar to a question that was kept.", 0.0),
)
_GUESS = "It is a small town on the coast, known for its long history and its friendly people."


def samples(count: int) -> list[Sample]:
    """So many practice questions, kept and dropped for every reason there is."""
    examples = _examples()
    pairs = [(place, pair) for place, example in enumerate(examples) for pair in example.pairs]
    wordings = itertools.cycle(itertools.product(_WORDINGS, pairs))
    made = []
    for number, (wording, (place, pair)) in enumerate(itertools.islice(wordings, count)):
        accepted, stage, reason, score = _FATES[number % len(_FATES)]
        made.append(
            Sample(
                id=f"{LEAF}|p{place}|d0#{number}",
                leaf=LEAF,
                kind="knowledge",
                question=wording.format(pair.question),
                answer=pair.answer,
                context=f"Velmora › Part {place + 1}\n\n{examples[place].context}",
                passage=place,
                accepted=accepted,
                stage=stage,
                score=score,
                reason=reason,
                scores={"round_trip": score} if accepted else {},
            )
        )
    return made


def project(
    root: Path, title: str = "Velmora", lesson: Path = LESSON, *, is_practice: bool = True, created: int = 0
) -> Project:
    """A project with one lesson; a later `created` makes it a newer one."""
    made = projects.create(root, title, [lesson], is_practice=is_practice)
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(1_800_000_000 + created))
    made = projects.Project(made.folder, made.title, made.is_practice, made.model, created=stamp)
    projects.save(made)
    return made


def starter(folder: Path, *, count: int = 0, is_empty: bool = False) -> Path:
    """What a library begins with: topics, a few lessons of the community, a basic skill.

    Args:
        count: lessons beside these, in topics of fifty.
        is_empty: topics only.
    """
    topics = ("arts", "geography/islands", "geography/rivers", "history", "machines", "science/rock_pools")
    for topic in (*(f"knowledge/{each}" for each in topics), "compositional_skills/writing",
                  "compositional_skills/grounded", "foundational_skills/reasoning"):  # fmt: skip
        (folder / topic).mkdir(parents=True)
        (folder / topic / ".gitkeep").touch()
    if not is_empty:
        shutil.copytree(LESSON, folder / "knowledge" / "geography" / "islands" / "velmora")
        shutil.copytree(MANUAL, folder / "knowledge" / "machines" / MANUAL.name)
        shutil.copytree(SKILL, folder / "compositional_skills" / "writing" / SKILL.name)
        shutil.copytree(SKILL, folder / "foundational_skills" / "reasoning" / "short_notes")
    text = (LESSON / "qna.yaml").read_text(encoding="utf-8")
    for number in range(count):
        leaf = folder / "knowledge" / "many" / f"topic_{number // 50:03}" / f"island_{number:04}"
        leaf.mkdir(parents=True)
        (leaf / "qna.yaml").write_text(text.replace("Velmora", f"Island {number}"), encoding="utf-8")
        (leaf / "velmora.md").write_text(f"# Island {number}\n", encoding="utf-8")
    return folder


def library(home: Path, *, count: int = 0, is_empty: bool = False, is_touched: bool = False) -> Path:
    """The person's library.

    Args:
        count, is_empty: as in `starter`.
        is_touched: with lessons of the person's own, others that were moved, changed and deleted, and a problem.
    """
    with tempfile.TemporaryDirectory() as folder:
        begun = starter(Path(folder) / "starter", count=count, is_empty=is_empty)
        repository.start(home / "library", begun)
    root = home / "library"
    if is_touched:
        shelf = Library(root)
        islands = Path("knowledge", "geography", "islands")
        shelf.create_leaf(islands, "Osmery harbour rules", LeafKind.KNOWLEDGE)
        shelf.move(Path("knowledge", "machines", MANUAL.name), Path("knowledge", "science"))
        shelf.duplicate(islands / "velmora")
        shelf.delete(Path("compositional_skills", "writing", SKILL.name))
        (root / "knowledge" / "history" / "old_letters").mkdir()
        (root / "knowledge" / "history" / "old_letters" / "qna.yaml").write_text("created_by: me\nanswer: a: b\n")
        file = root / islands / "velmora" / "qna.yaml"
        file.write_text(
            file.read_text(encoding="utf-8").replace("In 1382.", "It was settled in 1382."), encoding="utf-8"
        )
    return root


def copy_lesson(made: Project, lesson: Path) -> None:
    """One lesson more for a project."""
    shutil.copytree(lesson, made.lessons / lesson.name)


def bring_pdf(lesson: Path) -> None:
    """The document of the practice lesson comes from a PDF of some pages, the last of which was scanned."""
    text = (lesson / "velmora.md").read_text(encoding="utf-8")
    pdf = Pdf("Velmora").page()
    y = 730.0
    for block in text.strip().split("\n\n"):
        if y < 140:
            pdf.page()
            y = 730.0
        if block.startswith("#"):
            is_title = block.startswith("# ")
            pdf.text(72, y - 8, block.lstrip("# "), 22 if is_title else 14, "F2")
            y -= 44 if is_title else 30
        else:
            y = pdf.prose(72, y, 460, " ".join(block.split()), 11) - 12
    pdf.page().picture(72, 120, 468, 600)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "velmora.pdf"
        file.write_bytes(pdf.data())
        (lesson / "velmora.md").unlink()
        keep(lesson, file, convert(file))


def write_quiz(lesson: Path) -> None:
    """The model was asked the questions of the first passages: it knew some, some partly, and most not."""
    pairs = [pair for example in read_leaf(lesson).seed_examples[:4] for pair in example.pairs]
    told = itertools.cycle(((Mark.KNOWS, ""), (Mark.DOES_NOT_KNOW, _GUESS), (Mark.PARTLY, "Some time ago, I think.")))
    write_marks(
        lesson, {pair: Known(mark, reply or pair.answer) for pair, (mark, reply) in zip(pairs, told, strict=False)}
    )


def annotate(lesson: Path) -> None:
    """The lesson's file gets remarks and parts of its own, which no form shows."""
    file = lesson / "qna.yaml"
    text = file.read_text(encoding="utf-8")
    file.write_text(f"# Ask the reeve about the goats.\nreviewer: Ysolda Karrow\n{text}", encoding="utf-8")


def write_practice(made: Project, count: int = 64, *, is_done: bool = False) -> Path:
    """A run whose teacher wrote so many questions."""
    run = made.run or projects.new_run(made, paths.practice_model())
    write_lines(run / "samples.jsonl", (sample.to_json() for sample in samples(count)))
    if is_done:
        (run / "dataset").mkdir(exist_ok=True)
        write_json(run / "dataset" / "manifest.json", {"phases": {"knowledge_short": count}, "held_out": 8})
    return run


def training_words(upto: int = STEPS) -> Iterator[Event]:
    """What a training says until a step: a falling curve, questions kept aside, the round it is in."""
    for step in range(upto + 1):
        if step % 30 == 0:
            share = step / STEPS
            yield Metric("held_out_loss", 4.6 * (1 - share) ** 2 + 1.1, step)
            yield Metric("held_out_accuracy", 0.3 + 0.5 * share * (2 - share), step)
        if step:
            wobble = 0.5 * ((step * 7919) % 13 - 6) / 6
            yield Metric("loss", max(0.2, 4.8 * (1 - step / STEPS) ** 1.5 + 0.7 + wobble), step)
            yield Progress("Training", step, STEPS, f"round {1 + (step - 1) * ROUNDS // STEPS} of {ROUNDS}")


def write_training(made: Project, upto: int = STEPS) -> Path:
    """A run whose student learned until a step; at the last one it has an adapter."""
    run = write_practice(made, is_done=True)
    write_json(run / "phases.json", {"phases": [{"first_step": 0, "steps": STEPS, "epoch_steps": STEPS // ROUNDS}]})
    said = [event for event in training_words(upto) if not isinstance(event, Progress)]
    said.append(Notice("The practice set is ready: 48 questions with short answers, 8 held out for checking."))
    write_lines(run / "events.jsonl", map(events.to_json, said))
    (run / "checkpoint").mkdir(exist_ok=True)
    (run / "checkpoint" / f"step-{upto}.safetensors").touch()
    if upto == STEPS:
        (run / "adapter").mkdir(exist_ok=True)
        (run / "adapter" / "adapter.gguf").touch()
        write_json(run / "adapter" / "adapter.json", {"rank": 16, "best_step": STEPS, "last_step": STEPS})
        (run / "models").mkdir(exist_ok=True)
        for kind, size in (("F16", 270_000_000), ("Q8_0", 145_000_000), ("Q4_K_M", 105_000_000)):
            with open(run / "models" / f"velmora-{kind}.gguf", "wb") as file:
                file.truncate(size)
    return run


def write_report(made: Project, *, learned: float = 0.6, forgot: int = 0, more: int = 0) -> Path:
    """A run with a report: a share of the lesson's exam is right now, so many general questions are wrong.

    Args:
        more: questions beside the exam's, of those that were kept aside.
    """
    run = write_training(made)
    made_in = dataclasses.replace(
        _report(learned, forgot, more), settings={"effort": "standard"}, seconds={"train": 402.0}
    )
    write_json(run / "report.json", made_in.to_json())
    return run


@functools.cache
def _examples() -> tuple[SeedExample, ...]:
    return read_leaf(LESSON).seed_examples


@functools.cache
def _report(learned: float, forgot: int, more: int) -> Report:
    aside = [
        Question(sample.id, LEAF, sample.question, sample.answer, "held_out", accept=(sample.answer,))
        for sample in samples(more)
    ]
    topic = _answered(
        [*exam_questions(LESSON, LEAF), *aside],
        lambda number: number % 12 == 0,
        lambda number: number % 10 < 10 * learned,
    )
    general = _answered(
        general_questions(), lambda number: number % 6 > 0, lambda number: number % 6 > 0 and number >= forgot
    )
    leaf = LeafResult(LEAF, "knowledge", topic)
    funnel = {LEAF: Funnel(64, 64, 40, {"round_trip": 8, "form": 8, "duplicate": 8})}
    return Report((leaf,), general, verdict((leaf,), general, funnel), funnel=funnel, adapter="adapter/adapter.gguf")


def _answered(
    questions: Sequence[Question], knew: Callable[[int], bool], knows: Callable[[int], bool]
) -> tuple[QuestionResult, ...]:
    before, now = (
        [question.answer if side(number) else _GUESS for number, question in enumerate(questions)]
        for side in (knew, knows)
    )
    rows = zip(questions, before, now, judge(questions, before), judge(questions, now), strict=True)
    return tuple(QuestionResult(*each) for each in rows)


def jobs(run: Path, title: str, count: int, newest: float | None = None) -> list[Job]:
    """So many jobs, oldest first, three in two hours, with every end there is."""
    kinds = (("generate",), ("train",), ("export", "evaluate"))
    ends = (
        (JobState.DONE, "", ""),
        (JobState.DONE, "", ""),
        (JobState.PAUSED, "", ""),
        (JobState.DONE, "", ""),
        (JobState.FAILED, "The disk is full: the new model could not be written.", "Free some space, then go on."),
        (JobState.DONE, "", ""),
        (JobState.BROKEN, "", ""),
    )
    newest = time.time() if newest is None else newest
    made = []
    for number in range(count):
        state, text, hint = ends[number % len(ends)]
        began = newest - 2400 * (count - number)
        made.append(Job(run, kinds[number % 3], title, state, began, 130 + 37 * (number % 40), text, hint))
    return made


def write_journal(path: Path, done: Sequence[Job]) -> None:
    write_lines(path, (job.to_json() for job in done))


def write_chat(folder: Path, *, is_compare: bool = False, turns: int = 3) -> Chat:
    """A saved conversation about the lesson, with so many questions."""
    pairs = [pair for example in _examples() for pair in example.pairs]
    said: list[Turn] = []
    for pair in itertools.islice(itertools.cycle(pairs), turns):
        said.append(Turn("user", pair.question))
        if is_compare:
            said.append(Turn("assistant", _GUESS, "", 21, 0.9, column=0))
        said.append(Turn("assistant", pair.answer, "new", 12, 0.5, column=int(is_compare)))
    return chats.save(folder, Chat(f"talk-{int(is_compare)}-{turns}", "", is_compare, tuple(said)))


def write_parted_chat(folder: Path) -> Chat:
    """A saved conversation whose second question stands in two wordings, and whose last answer is the second of two."""
    first = write_chat(folder)
    chat = chats.part(first, first.turns[:2])
    asked = Turn("user", "And which of its ships is the oldest?")
    chat = dataclasses.replace(chat, turns=(*chat.turns, asked, Turn("assistant", _GUESS, "new", 21, 0.9)))
    chat = chats.part(chat, chat.turns[:3])
    return chats.save(folder, dataclasses.replace(chat, turns=(*chat.turns, first.turns[-1])))


def write_models(home: Path) -> None:
    """A measured speed, a download that was paused, and a linked model whose disk is gone."""
    capacity.save_speed(home, 60, 1.0, paths.practice_model())
    half = catalogue.entry("qwen3-1.7b")
    target = arrivals.target(half.repo, half.file)
    errands.write(DownloadRequest(half.repo, half.file, title=half.title))
    target.parent.mkdir(parents=True)
    with open(arrivals.half(target, "0" * 64), "wb") as file:
        file.truncate(734_000_000)
    stick = Path("/Volumes/Stick/Mistral-7B-Instruct-v0.2.Q4_K_M.gguf")
    records.write_link(Link(stick, "Mistral 7B Instruct", "LM Studio", "2026-11-03T09:12:00Z"))


def write_sizes(run: Path) -> dict[str, Path]:
    """Two sizes of the trained model, by the names that people read."""
    files = {}
    for name, kind, size in (("Large", "Q8_0", 144_811_000), ("Small", "Q4_K_M", 105_454_000)):
        files[name] = run / "models" / f"{run.parent.parent.name}-{kind}.gguf"
        files[name].parent.mkdir(exist_ok=True)
        with open(files[name], "wb") as file:
            file.truncate(size)
    return files


def offers(architecture: str = "llama") -> list[Offer]:
    """What the hub has under an address."""
    sizes = (("Q3_K_M", 1_690_000_000), ("Q4_K_M", 2_020_000_000), ("Q8_0", 3_420_000_000))
    why = ""
    try:
        require_family("granite/Granite-3-GGUF", architecture)
    except ModelError as error:
        why = f"{error.message} {error.hint}"
    return [
        Offer("granite/Granite-3-GGUF", f"granite-3.3-{kind}.gguf", "0" * 40, size, "0" * 64, "apache-2.0", False,
              architecture, 3_210_000_000, why)
        for kind, size in sizes
    ]  # fmt: skip


def write_lines(path: Path, rows: Iterable[object]) -> None:
    """Rows as JSON lines, at once."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


def tree(folder: Path, *, count: int = 0) -> Path:
    """A taxonomy of somebody else's: lessons that are fine, to be mended, there already and not to be read.

    Args:
        count: lessons beside these.
    """
    islands = folder / "knowledge" / "geography" / "islands"
    shutil.copytree(LESSON, islands / "velmora")
    shutil.copytree(LESSON, islands / "velmora_before_the_lighthouse")
    shutil.copytree(MANUAL, folder / "knowledge" / "machines" / MANUAL.name)
    manual = folder / "knowledge" / "machines" / MANUAL.name / "qna.yaml"
    manual.write_text(manual.read_text(encoding="utf-8").replace("version: 3", "version: 3\n# checked in May"), "utf-8")
    for name, text in (
        ("short_notes", (SKILL / "qna.yaml").read_text(encoding="utf-8").replace("version: 3", "version: 2")),
        ("shouting", "task_description: Shout: loud\nseed_examples:\n- question: Shout yes\n\tanswer: YES   \n"),
        ("letter", "Dear Jane, the lessons come tomorrow.\n"),
    ):
        (folder / "compositional_skills" / "writing" / name).mkdir(parents=True)
        (folder / "compositional_skills" / "writing" / name / "qna.yaml").write_text(text, encoding="utf-8")
    shutil.copytree(SKILL, folder / "foundational_skills" / "reasoning" / "counting")
    text = (LESSON / "qna.yaml").read_text(encoding="utf-8")
    for number in range(count):
        leaf = folder / "knowledge" / "many" / f"island_{number:04}"
        leaf.mkdir(parents=True)
        (leaf / "qna.yaml").write_text(text.replace("Velmora", f"Island {number}"), encoding="utf-8")
        (leaf / "velmora.md").write_text(f"# Island {number}\n", encoding="utf-8")
    return folder


def given_away(home: Path) -> Path:
    """The library with a lesson of the person's own that was sent, and one that the community has by now."""
    root = library(home)
    shelf = Library(root)
    islands = Path("knowledge", "geography", "islands")
    sent = shelf.duplicate(islands / "velmora").result
    assert sent is not None
    repository.note_sent(root, [sent], "the village school", 1_778_000_000)
    made = shelf.duplicate(islands / "velmora").result
    assert made is not None
    for command in (
        ["add", "--force", str(made)],
        ["-c", "user.name=Community", "-c", "user.email=community@example.org", "commit", "--quiet", "-m", "more"],
        ["update-ref", "refs/remotes/origin/main", "HEAD"],
    ):
        subprocess.run(["git", "-C", str(root), *command], check=True)
    return root


def selftest(state: str) -> Course:
    """A self-test: "running", "passed", or "failed"."""
    facts = (
        ("window", 3.1, "8 pages, 1440 × 900"), ("chat", 2.2, "42 words, 19 a second"),
        ("practice", 38.4, "89 questions"), ("train", 31.0, "mistakes 3.25 → 3.11 in 5 steps"),
        ("export", 12.7, "105 MB, Q4_K_M"), ("taught", 2.4, "37 words, 22 a second"),
        ("document", 0.7, "PDF, 22 words"), ("page", 0.6, "600 × 776 pixels"), ("end", 1.2, "nothing left behind"),
    )  # fmt: skip
    course = Course()
    course.outcomes = [Outcome(step, "ok", seconds, fact) for step, seconds, fact in facts]
    course.memory_bytes, course.is_closed = 1_700_000_000, True
    if state == "running":
        course.outcomes, course.now, course.is_closed = course.outcomes[:3], "train", False
    elif state == "failed":
        why = "The training stopped: the disk is full. Everything finished before is safe."
        course.outcomes[3] = Outcome("train", "failed", 9.8, "", why, "Free some space, then check again.")
        for place, step in ((4, "train"), (5, "export")):
            words = f"It needs this first: {title(step)}."
            course.outcomes[place] = Outcome(facts[place][0], "left out", text=words)
    return course
