"""What an evaluation found, as values, and RUN/report.json, their stable form for other programs.

Format 1 (fields may be added; none changes its meaning without a new number):

    {"format": 1,
     "model": "models/x-Q4_K_M.gguf",      the new model ("" before export); paths are relative to the run folder
     "models": {"F16": "models/x-F16.gguf", "Q4_K_M": "models/x-Q4_K_M.gguf"},    every exported file: fused and smaller
     "adapter": "adapter/adapter.gguf",
     "base": "SmolLM2-135M-Instruct.Q4_1.gguf",
     "settings": {…},                      what the run was asked for
     "seconds": {"generate": 212.5, …},    per step, over all resumes
     "funnel": {"asked": 90, "written": 80, "kept": 60, "dropped": {"faithfulness": 20},       in total, and per leaf:
                "leaves": {"knowledge/geography/velmora": {"asked": …, "written": …, "kept": …, "dropped": {…}}}},
     "judge": {"teacher": "x", "fit": true, "accuracy": 0.95},    teacher null: nobody but rules and words judged
     "leaves": [{"leaf": "knowledge/geography/velmora", "kind": "knowledge",
                 "exam": {"before": COUNTS, "now": COUNTS}, "held_out": {"before": COUNTS, "now": COUNTS},
                 "questions": [QUESTION, …]}],
     "general": {"before": COUNTS, "now": COUNTS, "lost": ["question that was right and is wrong now"],
                 "questions": [QUESTION, …]},
     "verdict": {"name": "clear gain" | "small gain" | "no gain" | "it forgot", "text": "…", "advice": ["…"]}}

    COUNTS    {"right": 3, "wrong": 5, "no_verdict": 0, "total": 8}
    QUESTION  {"id", "kind": "exam" | "held_out" | "general", "question", "context", "reference", "before", "after",
               "verdict_before", "verdict_after": "right" | "wrong" | "no verdict", "judged_by": "rule" | "words" |
               "teacher", "reason_before", "reason_after", "seed": true | false | null}
"""

from __future__ import annotations

import enum
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from lab_desktop.artifacts import Funnel
from lab_desktop.evaluation.questions import Question, QuestionKind

OutcomeName = Literal["clear gain", "small gain", "no gain", "it forgot"]
_FORMAT = 1


class Verdict(enum.StrEnum):
    """What was found about a reply."""

    RIGHT = "right"
    WRONG = "wrong"
    NONE = "no verdict"


@dataclass(frozen=True)
class Judgement:
    """A verdict and where it comes from.

    Attributes:
        by: "rule" (a rule or accepted words that a person wrote), "words" (of the reference), "teacher".
        score: 0–1: rules 0 or 1; words: share of the reference found; teacher: probability of YES; None: not measured.
        reason: in words, for the person who looks at the report.
    """

    verdict: Verdict
    by: Literal["rule", "words", "teacher"]
    score: float | None
    reason: str


@dataclass(frozen=True)
class Counts:
    """How many replies were found right, wrong, or neither."""

    right: int = 0
    wrong: int = 0
    no_verdict: int = 0

    @property
    def total(self) -> int:
        return self.right + self.wrong + self.no_verdict

    @classmethod
    def of(cls, verdicts: Iterable[Verdict]) -> Counts:
        counted = Counter(verdicts)
        return cls(counted[Verdict.RIGHT], counted[Verdict.WRONG], counted[Verdict.NONE])

    def to_json(self) -> dict[str, int]:
        return {**asdict(self), "total": self.total}


@dataclass(frozen=True)
class QuestionResult:
    """One question, both replies and what was found about them."""

    asked: Question
    before: str
    after: str
    judged_before: Judgement
    judged_after: Judgement

    @property
    def kind(self) -> QuestionKind:
        return self.asked.kind

    @property
    def is_better(self) -> bool:
        return (self.judged_before.verdict, self.judged_after.verdict) == (Verdict.WRONG, Verdict.RIGHT)

    @property
    def is_worse(self) -> bool:
        return (self.judged_before.verdict, self.judged_after.verdict) == (Verdict.RIGHT, Verdict.WRONG)

    @property
    def is_decided(self) -> bool:
        """True when both replies got a verdict, so that they can be compared."""
        return Verdict.NONE not in (self.judged_before.verdict, self.judged_after.verdict)

    def to_json(self) -> dict[str, Any]:
        # An empty reply is judged by words even where the teacher judges the other one.
        by_teacher = "teacher" in (self.judged_before.by, self.judged_after.by)
        return {
            "id": self.asked.id,
            "kind": self.kind,
            "question": self.asked.question,
            "context": self.asked.context,
            "reference": self.asked.answer,
            "before": self.before,
            "after": self.after,
            "verdict_before": self.judged_before.verdict.value,
            "verdict_after": self.judged_after.verdict.value,
            "judged_by": "teacher" if by_teacher else self.judged_after.by,
            "reason_before": self.judged_before.reason,
            "reason_after": self.judged_after.reason,
            "seed": self.asked.seed,
        }


def counts(results: Iterable[QuestionResult], which: Literal["before", "now"]) -> Counts:
    """The verdicts of one side."""
    return Counts.of((r.judged_before if which == "before" else r.judged_after).verdict for r in results)


@dataclass(frozen=True)
class LeafResult:
    """The questions about one leaf: its exam, and what was held out of its practice questions."""

    leaf: str
    kind: str
    questions: tuple[QuestionResult, ...]

    def of_kind(self, kind: QuestionKind) -> tuple[QuestionResult, ...]:
        return tuple(result for result in self.questions if result.kind == kind)

    def to_json(self) -> dict[str, Any]:
        return {
            "leaf": self.leaf,
            "kind": self.kind,
            "exam": _before_and_now(self.of_kind("exam")),
            "held_out": _before_and_now(self.of_kind("held_out")),
            "questions": [result.to_json() for result in self.questions],
        }


@dataclass(frozen=True)
class JudgeReport:
    """Who judged open questions: the teacher's name and measured accuracy, or teacher None: words alone."""

    teacher: str | None = None
    fit: bool = False
    accuracy: float | None = None


@dataclass(frozen=True)
class Outcome:
    """The verdict on the training in words, and what to do now."""

    name: OutcomeName
    text: str
    advice: tuple[str, ...] = ()


@dataclass(frozen=True)
class Report:
    """Everything that report.json says; the workflow fills in what evaluation cannot know (`dataclasses.replace`).

    Attributes:
        model, models, adapter, base: paths, relative to the run folder where they lie in it.
        settings: what the run was asked for, as JSON.
        seconds: per step.
        funnel: by `Leaf.name`.
    """

    leaves: tuple[LeafResult, ...]
    general: tuple[QuestionResult, ...]
    verdict: Outcome
    judge: JudgeReport = field(default_factory=JudgeReport)
    funnel: Mapping[str, Funnel] = field(default_factory=dict)
    model: str = ""
    models: Mapping[str, str] = field(default_factory=dict)
    adapter: str = ""
    base: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    seconds: Mapping[str, float] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """The report as format 1 (see this module's docstring)."""
        return {
            "format": _FORMAT,
            "model": self.model,
            "models": dict(self.models),
            "adapter": self.adapter,
            "base": self.base,
            "settings": dict(self.settings),
            "seconds": dict(self.seconds),
            "funnel": {
                **sum(self.funnel.values(), Funnel()).to_json(),
                "leaves": {leaf: funnel.to_json() for leaf, funnel in self.funnel.items()},
            },
            "judge": asdict(self.judge),
            "leaves": [leaf.to_json() for leaf in self.leaves],
            "general": {
                **_before_and_now(self.general),
                "lost": [result.asked.question for result in self.general if result.is_worse],
                "questions": [result.to_json() for result in self.general],
            },
            "verdict": {**asdict(self.verdict), "advice": list(self.verdict.advice)},
        }


def _before_and_now(results: Sequence[QuestionResult]) -> dict[str, Any]:
    return {"before": counts(results, "before").to_json(), "now": counts(results, "now").to_json()}
