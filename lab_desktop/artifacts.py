"""The nouns of LAB, in the order in which they flow: what one step hands to the next.

    SeedExample, Leaf  →  Sample  →  TrainingRow, Dataset  →  Adapter  →  ExportedModel  →  Report

Values only: nothing here reads a file, runs a model or knows a step. Steps never import each other; they meet here.
"""

from __future__ import annotations

import enum
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal


def title_of(folder_name: str) -> str:
    """A topic's or leaf's folder name in plain words: "rock_pools" → "Rock pools"."""
    return folder_name.replace("_", " ").capitalize()


class LeafKind(enum.StrEnum):
    """What a leaf teaches, which decides how the teacher multiplies it."""

    KNOWLEDGE = "knowledge"
    FREEFORM_SKILL = "freeform_skill"
    GROUNDED_SKILL = "grounded_skill"


@dataclass(frozen=True)
class Pair:
    """A question and its answer."""

    question: str
    answer: str


@dataclass(frozen=True)
class SeedExample:
    """One `seed_examples` item of a qna.yaml, written by a person.

    Attributes:
        pairs: three or more for knowledge, exactly one for a skill.
        context: the passage (knowledge) or the material (grounded skill); None for a freeform skill.
    """

    pairs: tuple[Pair, ...]
    context: str | None = None


LOCAL_REPO = "local"
LOCAL_COMMIT = "0" * 40
"""Where a document comes from that lies beside its lesson and was not published yet."""


@dataclass(frozen=True)
class DocumentSource:
    """Where a knowledge leaf says its documents live (`document:` in qna.yaml)."""

    repo: str
    commit: str
    patterns: tuple[str, ...]


@dataclass(frozen=True)
class Leaf:
    """One topic of the taxonomy: a qna.yaml, and for knowledge the documents beside it.

    Attributes:
        node: the place in the taxonomy, e.g. ("knowledge", "geography", "velmora"); a folder that lies in no taxonomy
            gets ("knowledge", FOLDER) or ("compositional_skills", FOLDER).
        folder: the folder that holds qna.yaml.
        version: as written in the file.
        task_description: skills only, else "".
        domain, document_outline, document: knowledge only, else "" and None.
        is_foundational: the leaf lies below foundational_skills.
    """

    node: tuple[str, ...]
    folder: Path
    kind: LeafKind
    version: int
    created_by: str
    seed_examples: tuple[SeedExample, ...]
    task_description: str = ""
    domain: str = ""
    document_outline: str = ""
    document: DocumentSource | None = None

    @property
    def name(self) -> str:
        """The place as one word for rows and reports: "knowledge/geography/velmora"."""
        return "/".join(self.node)

    @property
    def title(self) -> str:
        """The last folder's name in plain words: "velmora" → "Velmora"."""
        return title_of(self.node[-1])

    @property
    def is_foundational(self) -> bool:
        return self.node[0] == "foundational_skills"


@dataclass(frozen=True)
class Passage:
    """A piece of a document that makes sense by itself.

    Attributes:
        number: from 0, over all documents of a leaf.
        document: the file it comes from.
        heading: the headings above it, "Velmora › Trade"; "" where there are none.
        text: what the teacher reads; begins with `heading` and a blank line.
    """

    number: int
    document: Path
    heading: str
    text: str


@dataclass(frozen=True)
class Sample:
    """A row the teacher wrote, kept or dropped: one line of samples.jsonl.

    Attributes:
        id: names the unit of work, so that a resumed run knows it: a function of leaf, passage, seed example and draw.
        leaf: `Leaf.name`.
        kind: `LeafKind` value of the leaf.
        question, answer: what the student would learn.
        context: the passage (knowledge) or the material that goes with the question (grounded skill); "" for freeform.
        passage: number of the passage in the leaf's documents; -1 where there is none.
        seed_example: number of the seed example shown to the teacher.
        accepted: True when every stage kept it.
        stage: the stage that decided: "accepted", or the name of the stage that dropped it.
        score: that stage's score, in that stage's scale; None where it gives none.
        reason: in words, for the person who reviews.
        scores: every stage's score, by stage name.
    """

    id: str
    leaf: str
    kind: str
    question: str
    answer: str
    context: str = ""
    passage: int = -1
    seed_example: int = -1
    accepted: bool = False
    stage: str = ""
    score: float | None = None
    reason: str = ""
    scores: dict[str, float] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, row: dict[str, Any]) -> Sample:
        """
        Raises:
            TypeError: the row is none that we wrote.
        """
        sample = cls(**row)
        texts = (sample.id, sample.leaf, sample.kind, sample.question, sample.answer, sample.context, sample.reason)
        if not all(isinstance(text, str) for text in (*texts, sample.stage)) or not isinstance(sample.scores, dict):
            raise TypeError(f"a row of other types: {sample.id}")
        return sample


@dataclass(frozen=True)
class Funnel:
    """What became of the rows a teacher was asked for.

    Attributes:
        asked: rows the teacher was asked for.
        written: rows it wrote in a form that could be read.
        kept: rows that every stage let through.
        dropped: the others, counted by the stage that dropped them.
    """

    asked: int = 0
    written: int = 0
    kept: int = 0
    dropped: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, samples: Iterable[Sample], asked: int | None = None) -> Funnel:
        """Count the rows of samples.jsonl; `asked` is the number of rows wanted, by default what was written."""
        rows = list(samples)
        dropped = Counter(sample.stage for sample in rows if not sample.accepted)
        kept = sum(sample.accepted for sample in rows)
        return cls(len(rows) if asked is None else asked, len(rows), kept, dict(dropped.most_common()))

    def __add__(self, other: Funnel) -> Funnel:
        dropped = Counter(self.dropped) + Counter(other.dropped)
        return Funnel(
            self.asked + other.asked, self.written + other.written, self.kept + other.kept, dict(dropped.most_common())
        )

    def to_json(self) -> dict[str, Any]:
        return {"asked": self.asked, "written": self.written, "kept": self.kept, "dropped": dict(self.dropped)}


Role = Literal["system", "user", "assistant"]


@dataclass(frozen=True)
class ChatMessage:
    """One turn of a conversation."""

    role: Role
    content: str


@dataclass(frozen=True)
class TrainingRow:
    """A conversation that ends in the answer to be learned: one line of dataset/<phase>.jsonl.

    Attributes:
        id: unique in its file.
        leaf: `Leaf.name`, or "replay/general" for rows against forgetting.
        messages: ends with the assistant's turn.
        learns_prompt: True when the user's text is learned too (a document read aloud; InstructLab's `unmask`).
        keeps_base: True for a row against forgetting: its target is not the written token but the base model's own
            distribution over the next token (adapter off), so the loss is a Kullback–Leibler divergence.
    """

    id: str
    leaf: str
    messages: tuple[ChatMessage, ...]
    learns_prompt: bool = False
    keeps_base: bool = False

    def to_json(self) -> dict[str, Any]:
        """The row as InstructLab writes it: id, messages, metadata (a JSON string), unmask."""
        return {
            "id": self.id,
            "messages": [asdict(message) for message in self.messages],
            "metadata": json.dumps({"leaf": self.leaf, "keeps_base": self.keeps_base}, ensure_ascii=False),
            "unmask": self.learns_prompt,
        }

    @classmethod
    def from_json(cls, row: dict[str, Any]) -> TrainingRow:
        metadata = json.loads(row["metadata"])
        return cls(
            id=row["id"],
            leaf=metadata.get("leaf", ""),
            messages=tuple(ChatMessage(**message) for message in row["messages"]),
            learns_prompt=bool(row.get("unmask", False)),
            keeps_base=bool(metadata.get("keeps_base", False)),
        )


class RowKind(enum.StrEnum):
    """What a training row teaches, which decides the phase that learns it (LAB, section 3.3)."""

    KNOWLEDGE_SHORT = "knowledge_short"
    KNOWLEDGE_LONG = "knowledge_long"
    FOUNDATIONAL_SKILL = "foundational_skill"
    COMPOSITIONAL_SKILL = "compositional_skill"


@dataclass(frozen=True)
class Phase:
    """One training phase as data; the phases of the LAB paper are in `training/phases.py`.

    Attributes:
        name: names the file dataset/<name>.jsonl.
        learns: the kinds of rows that are new in this phase.
        replays: earlier phases whose rows come back, so that they are not forgotten.
        replay_share: how many replayed rows for each new row (0.5: one for every two).
        general_share: how many general rows (`TrainingRow.keeps_base`) beside each row of a step.
        epochs: how often each row is seen.
        least_steps: steps that it takes at least, however few the rows: facts need that many to sink in.
        learning_rate: between warm-up and cool-down.
        warmup_share: share of the phase's steps over which the rate rises from zero, linearly.
        cools_on: it shares the cool-down of the phase before; else it has one of its own.
    """

    name: str
    learns: tuple[RowKind, ...]
    replays: tuple[str, ...]
    replay_share: float
    general_share: float
    epochs: float
    learning_rate: float
    warmup_share: float
    least_steps: int = 1
    cools_on: bool = False


@dataclass(frozen=True)
class DatasetPhase:
    """The rows of one training phase.

    Attributes:
        name: a name of `training/phases.py`.
        path: dataset/<name>.jsonl.
        rows: how many.
    """

    name: str
    path: Path
    rows: int


@dataclass(frozen=True)
class Dataset:
    """What a student is trained on, and what is kept aside to judge it. Complete when its manifest exists.

    Attributes:
        folder: RUN/dataset.
        phases: in training order; a phase without rows is left out.
        held_out: dataset/held_out.jsonl (`TrainingRow`s), never trained on.
        held_out_rows: how many.
        fingerprint: SHA-256 over the files, so that a checkpoint knows which data it belongs to.
    """

    folder: Path
    phases: tuple[DatasetPhase, ...]
    held_out: Path
    held_out_rows: int
    fingerprint: str


@dataclass(frozen=True)
class Adapter:
    """Trained low-rank factors beside their frozen base (LoRA, arXiv:2106.09685).

    Attributes:
        folder: RUN/adapter.
        weights: adapter/adapter.safetensors: for each adapted linear layer `<hf module name>.lora_a` (rank, in) and
            `<hf module name>.lora_b` (out, rank), float32.
        gguf: adapter/adapter.gguf, which llama.cpp loads beside the base; written by export.
        rank: r.
        scale: multiplier of B·A, alpha / rank.
        base: the GGUF it was trained on.
    """

    folder: Path
    rank: int
    scale: float
    base: Path

    @property
    def weights(self) -> Path:
        return self.folder / "adapter.safetensors"

    @property
    def gguf(self) -> Path:
        return self.folder / "adapter.gguf"


@dataclass(frozen=True)
class ExportedModel:
    """One GGUF file that anyone can run.

    Attributes:
        path: the file.
        quantization: llama.cpp's name: "F16", "Q8_0", "Q5_K_M", "Q4_K_M".
        size_bytes: of the file.
    """

    path: Path
    quantization: str
    size_bytes: int


@dataclass(frozen=True)
class Suggestion:
    """A question or a task with its answer that a teacher proposes while a person writes a lesson.

    Attributes:
        question, answer: as they would stand in the lesson.
        sentence: of the passage, word for word, that tells the answer; "" for a skill.
        context: the new material of a grounded skill; else "".
        score: 0–1: the share of the second tries that came to the same answer.
        why: in words, for the person who decides.
    """

    question: str
    answer: str
    sentence: str = ""
    context: str = ""
    score: float = 0.0
    why: str = ""


class Mark(enum.StrEnum):
    """What a reply without the passage shows."""

    KNOWS = "knows"
    PARTLY = "partly"
    DOES_NOT_KNOW = "does not know"


@dataclass(frozen=True)
class QuizMark:
    """What a model knows already about one question of a lesson.

    Attributes:
        number: of the question, from 0.
        mark: a later mark of the same number stands for the earlier one.
        reply: what the model answered.
        why: in words, for the person who looks at it.
    """

    number: int
    mark: Mark
    reply: str
    why: str
