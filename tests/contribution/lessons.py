"""Small libraries in real git, lessons in them, and runs that were checked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from lab_desktop import repository
from lab_desktop.artifacts import Funnel
from lab_desktop.evaluation.questions import Question
from lab_desktop.evaluation.results import Judgement, LeafResult, Outcome, QuestionResult, Report, Verdict
from lab_desktop.files import write_json
from tests.taxonomy import leaves

FACTS = "knowledge/places/orra"
SKILL = "compositional_skills/writing/shout"
CREDITS = (
    "Title of work: Orra\nLink to work: https://en.wikipedia.org/wiki/Orra_Island\n"
    "Revision: https://en.wikipedia.org/w/index.php?title=Orra&oldid=7\nLicense of the work: CC-BY-SA-4.0\n"
    "Creator names: Wikipedia authors\n"
)
DOCUMENTS = {"island.md": "# Orra\n\nThe light of Orra is red. It was built in 1744.\n"}
Row = tuple[str, str, str, Verdict, Verdict]
"""Question, both answers, what was found about each."""
ROWS: tuple[Row, ...] = (
    ("What colour is the light?", "It is blue.", "It is red.", Verdict.WRONG, Verdict.RIGHT),
    ("Where is Orra?", "In the sea.", "In the sea.", Verdict.RIGHT, Verdict.RIGHT),
    ("Who built it?", "Nobody.", "I do not know.", Verdict.WRONG, Verdict.WRONG),
)


def lesson(
    root: Path,
    path: str = FACTS,
    text: str | bytes = "",
    credits: str | None = CREDITS,
    documents: Mapping[str, str] = DOCUMENTS,
) -> Path:
    """A lesson in a library; gives its folder relative to it.

    Args:
        text: of its qna.yaml; "" for a small one of the kind that its path says.
        credits: of its attribution.txt; None: it has none.
        documents: beside it, of facts.
    """
    is_facts = path.startswith("knowledge")
    text = text or (leaves.knowledge() if is_facts else leaves.skill(context="/grounded/" in path))
    folder = leaves.write(root / path, text, document=False).parent
    if credits is not None:
        (folder / "attribution.txt").write_text(credits, encoding="utf-8")
    for name, content in (documents if is_facts else {}).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content, encoding="utf-8")
    return Path(path)


def library(root: Path, fill: Callable[[Path], object] = lesson) -> Path:
    """A library in git whose community's version is what `fill` writes.

    Args:
        root: does not exist yet.
    """
    starter = root.with_name(f"{root.name}-starter")
    for name in ("knowledge", "compositional_skills"):
        (starter / name).mkdir(parents=True)
        (starter / name / "README.md").write_text("Here.\n")
    fill(starter)
    return repository.start(root, starter).root


def plain_library(root: Path) -> Path:
    """An empty library without git."""
    for name in ("knowledge", "compositional_skills"):
        (root / name).mkdir(parents=True, exist_ok=True)
    return root


def checked_run(
    run: Path, path: str = FACTS, rows: Sequence[Row] = ROWS, text: str = "", held_out: int = 0, kept: int = 42
) -> Path:
    """A run whose report is about one lesson.

    Args:
        text: of its copy of the qna.yaml.
        held_out: so many of the rows, from the first, are practice questions that were kept aside.
    """
    leaves.write(run / "leaves" / path, text or leaves.knowledge(), document=False)
    results = tuple(
        QuestionResult(
            Question(f"q{number}", path, asked, "", "held_out" if number < held_out else "exam"),
            before, after, Judgement(first, "words", None, ""), Judgement(second, "words", None, ""),
        )
        for number, (asked, before, after, first, second) in enumerate(rows)
    )  # fmt: skip
    report = Report(
        (LeafResult(path, "knowledge", results),), (), Outcome("clear gain", "It learned."),
        funnel={path: Funnel(60, 50, kept, {})}, model="models/orra-Q4_K_M.gguf", base="SmolLM2-135M.Q4_1.gguf",
    )  # fmt: skip
    write_json(run / "report.json", report.to_json())
    return run
