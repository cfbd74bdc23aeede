"""A student that can be switched, and a small leaf with an exam; for the tests of this room and their child process."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from lab_desktop.artifacts import Adapter, ChatMessage, Dataset, Leaf, LeafKind, Pair, SeedExample, TrainingRow
from lab_desktop.evaluation.questions import general_questions
from lab_desktop.evaluation.report import evaluate_adapter, write_report
from lab_desktop.jobs.run import Run
from lab_desktop.models.text_model import Reply, Request
from tests.fakes import FakeTeacher

LEAF = "knowledge/velmora"
GENERAL = 5
"""So many general questions are asked in tests: every saved answer costs a flush to disk."""


class FakeStudent(FakeTeacher):
    """Answers by function of the question and of whether the adapter is on; keeps what it was asked with which adapter.

    Attributes:
        asked: (adapter, question) in the order asked.
    """

    def __init__(self, answer: Callable[[str, bool], Reply | str], pause_s: float = 0.0) -> None:
        super().__init__(self._reply)
        self.asked: list[tuple[str | None, str]] = []
        self.adapter: str | None = None
        self._function = answer
        self._pause_s = pause_s

    def use_adapter(self, name: str | None) -> None:
        self.adapter = name

    def complete(
        self, requests: Sequence[Request], is_cancelled: Callable[[], bool] = lambda: False
    ) -> Iterator[tuple[int, Reply]]:
        for index, reply in super().complete(requests, is_cancelled):
            time.sleep(self._pause_s)
            yield index, reply

    def _reply(self, request: Request) -> Reply | str:
        question = request.messages[-1].content
        self.asked.append((self.adapter, question))
        return self._function(question, self.adapter is not None)


def leaf_with_exam(folder: Path, questions: int = 8) -> Leaf:
    """Question n asks for the number n + 1000."""
    folder.mkdir(parents=True, exist_ok=True)
    items = "".join(
        f"- question: Number {n}?\n  answer: It is {n + 1000}.\n  accept: ['{n + 1000}']\n" for n in range(questions)
    )
    (folder / "exam.yaml").write_text(f"questions:\n{items}")
    example = SeedExample((Pair("Seed?", "Seed."),), "A passage.")
    return Leaf(("knowledge", "velmora"), folder, LeafKind.KNOWLEDGE, 3, "me", (example,))


def dataset_with(folder: Path, *pairs: tuple[str, str]) -> Dataset:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "held_out.jsonl"
    rows = [
        TrainingRow(str(number), LEAF, (ChatMessage("user", asked), ChatMessage("assistant", answer)))
        for number, (asked, answer) in enumerate(pairs)
    ]
    path.write_text("".join(json.dumps(row.to_json()) + "\n" for row in rows))
    return Dataset(folder, (), path, len(rows), "f")


def adapter_in(folder: Path, weights: bytes = b"adapter") -> Adapter:
    (folder / "adapter").mkdir(parents=True, exist_ok=True)
    base = folder / "base.gguf"
    base.write_bytes(b"base")
    adapter = Adapter(folder / "adapter", 4, 2.0, base)
    adapter.gguf.write_bytes(weights)
    return adapter


def learned(question: str, is_taught: bool) -> str:
    """Knows every number of the exam once it is taught; says nothing of use otherwise."""
    if is_taught and question.startswith("Number "):
        return str(1000 + int(question.removeprefix("Number ").rstrip("?")))
    return "I do not know."


def main(folder: Path) -> None:
    """One slow evaluation, to be killed: every question asked is noted in asked.txt before it is answered."""

    def answer(question: str, is_taught: bool) -> str:
        with open(folder / "asked.txt", "a") as notes:
            notes.write(f"{is_taught} {question}\n")
        return learned(question, is_taught)

    run = Run(folder / "run")
    with run.open():
        write_report(
            evaluate_adapter(
                [leaf_with_exam(folder / "leaf")],
                dataset_with(folder / "dataset", ("Held out?", "It is green.")),
                FakeStudent(answer, pause_s=0.01),
                adapter_in(folder),
                None,
                run,
                general=general_questions()[:GENERAL],
            ),
            run,
        )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
