"""Ask the same questions before and after training, judge the replies, and write down what came of it.

One loaded base answers both times, with the adapter off and on. Every reply is appended to RUN/answers.jsonl as it
comes, so an evaluation that was killed asks only the rest; report.json is written last. Replies are greedy and see no
document: what the student knows must be in its weights. The values and the format of report.json are in `results.py`.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from lab_desktop.artifacts import Adapter, ChatMessage, Dataset, Funnel, Leaf, Pair
from lab_desktop.errors import EvaluationError
from lab_desktop.evaluation.judge import FIT_ACCURACY, judge, judge_is_fit
from lab_desktop.evaluation.questions import Question, exam_questions, general_questions, held_out_questions
from lab_desktop.evaluation.results import JudgeReport, LeafResult, QuestionResult
from lab_desktop.evaluation.results import Report as Report
from lab_desktop.evaluation.table import report_text as report_text
from lab_desktop.evaluation.verdict import verdict
from lab_desktop.files import JsonLines, write_json
from lab_desktop.jobs.run import Run
from lab_desktop.models.text_model import Request, TextModel
from lab_desktop.words import words

_LEAST_TOKENS, _MOST_TOKENS = 96, 384
_QUESTIONS_AT_ONCE = 32
_MOST_PAIRS = 40  # to measure a judge: 80 calls that write nothing


class SwitchableModel(TextModel, Protocol):
    """A loaded base whose adapters can be switched (`models.llama.LlamaModel`)."""

    def use_adapter(self, name: str | None) -> None:
        """Answer with this adapter from now on; None: with the base alone."""
        ...


def evaluate_adapter(
    leaves: Sequence[Leaf],
    dataset: Dataset,
    student: SwitchableModel,
    adapter: Adapter,
    teacher: TextModel | None,
    run: Run,
    *,
    funnel: Mapping[str, Funnel] | None = None,
    general: Sequence[Question] | None = None,
    adapter_name: str = "student",
) -> Report:
    """Ask, judge and compare; the caller fills in the report's other fields and writes it.

    Args:
        leaves: whose exam.yaml is asked, and whose seed examples measure the teacher as judge.
        dataset: whose held-out rows are asked.
        student: the base, with `adapter` loaded under `adapter_name`; it is left with the adapter off.
        adapter: its files' fingerprints say which saved answers still hold.
        teacher: judges open questions if it is fit to; None: words judge. It may be `student` itself (without adapter).
        funnel: by leaf, for advice.
        general: questions that show forgetting; None: ours.

    Raises:
        EvaluationError: an exam cannot be used, or there is nothing to ask.
        Cancelled, ModelError, StorageError: from the models and the disk; answers so far are safe.
    """
    questions = [*topic_questions(leaves, dataset), *(general_questions() if general is None else general)]
    if not questions:
        raise EvaluationError("There is no question to ask.", 'Write an "exam.yaml" beside qna.yaml.')
    base_print = _fingerprint(adapter.base)
    adapter_print = f"{base_print}+{_fingerprint(adapter.gguf)}"
    try:
        student.use_adapter(None)
        before = ask(student, questions, run, "before", base_print, "Asking the original model")
        student.use_adapter(adapter_name)
        after = ask(student, questions, run, "now", adapter_print, "Asking the new model")
    finally:
        student.use_adapter(None)
    able, judged_by = _measured_judge(teacher, leaves, questions, run)
    results = [
        QuestionResult(*row)
        for row in zip(
            questions,
            before,
            after,
            judge(questions, before, able, lambda: run.is_cancelled),
            judge(questions, after, able, lambda: run.is_cancelled),
            strict=True,
        )
    ]
    by_leaf = _by_leaf(leaves, [result for result in results if result.kind != "general"])
    about_all = tuple(result for result in results if result.kind == "general")
    return Report(by_leaf, about_all, verdict(by_leaf, about_all, funnel), judged_by, dict(funnel or {}))


def ask(
    model: TextModel,
    questions: Sequence[Question],
    run: Run,
    which: str,
    fingerprint: str,
    text: str = "Asking questions",
) -> list[str]:
    """The model's greedy replies, one for each question.

    They are asked for in groups; one whose replies are all in answers.jsonl is not asked again. Of a group that was
    stopped the noted replies stay, but all are asked again: the same batch gives the same replies.

    Args:
        which: "before" or "now".
        fingerprint: of the model's files; saved answers of other files do not count.
        text: names the step in progress lines.

    Raises:
        Cancelled, ModelError, StorageError: answers so far are safe.
    """
    log = JsonLines(run.folder / "answers.jsonl")
    replies = {row["question"]: row["answer"] for row in log.rows() if _is_ours(row, which, fingerprint)}
    left = [question for question in questions if question.id not in replies]
    done = len(questions) - len(left)
    run.progress(text, done, len(questions))
    groups = [questions[start : start + _QUESTIONS_AT_ONCE] for start in range(0, len(questions), _QUESTIONS_AT_ONCE)]
    unfinished = [group for group in groups if any(question.id not in replies for question in group)]
    with contextlib.closing(log):
        for question, reply, finish in (
            each for group in unfinished for each in _replies(model, group, lambda: run.is_cancelled)
        ):
            if question.id in replies:
                continue
            done += 1
            if finish == "too_long":
                run.notice(f'A question does not fit into {model.name} and stays without a reply: "{question.id}".')
            replies[question.id] = reply
            log.append({"question": question.id, "which": which, "model": fingerprint, "answer": reply})
            run.row("answers", {"question": question.question, "leaf": question.leaf, "which": which, "answer": reply})
            run.progress(text, done, len(questions))
    return [replies[question.id] for question in questions]


def write_report(report: Report, run: Run) -> Path:
    """Write RUN/report.json (format in `results.py`), which marks the evaluation as complete.

    Raises:
        StorageError: it could not be written.
    """
    path = run.folder / "report.json"
    write_json(path, report.to_json())
    return path


def question_request(model: TextModel, question: Question) -> Request:
    """Ask a model a question without any document."""
    # Room for twice the reference: a student that goes on and on need not be waited for.
    most = min(_MOST_TOKENS, max(_LEAST_TOKENS, 2 * model.count_tokens(question.answer)))
    return Request((ChatMessage("user", question.prompt),), max_tokens=most)


def topic_questions(leaves: Sequence[Leaf], dataset: Dataset) -> list[Question]:
    """The exams of the leaves, and the held-out questions that they do not ask.

    Raises:
        EvaluationError: an exam cannot be used.
    """
    exams = [question for leaf in leaves for question in exam_questions(leaf.folder, leaf.name)]
    # A held-out question that the exam asks too is asked once, with the exam's reference.
    asked = {(question.leaf, tuple(words(question.prompt))) for question in exams}
    held_out = [q for q in held_out_questions(dataset) if (q.leaf, tuple(words(q.prompt))) not in asked]
    return exams + held_out


def _replies(
    model: TextModel, questions: Sequence[Question], is_cancelled: Callable[[], bool]
) -> Iterator[tuple[Question, str, str]]:
    for index, reply in model.complete([question_request(model, each) for each in questions], is_cancelled):
        yield questions[index], reply.text, reply.finish


def _is_ours(row: object, which: str, fingerprint: str) -> bool:
    return (
        isinstance(row, dict)
        and (row.get("which"), row.get("model")) == (which, fingerprint)
        and isinstance(row.get("question"), str)
        and isinstance(row.get("answer"), str)
    )


def _measured_judge(
    teacher: TextModel | None, leaves: Sequence[Leaf], questions: Sequence[Question], run: Run
) -> tuple[TextModel | None, JudgeReport]:
    """The teacher if it may judge, and what was measured; a teacher that nobody needs is not measured."""
    if teacher is None or not any(question.is_open for question in questions):
        return None, JudgeReport()
    pairs = [
        Pair(f"{example.context}\n\n{pair.question}" if _needs_context(leaf) else pair.question, pair.answer)
        for leaf in leaves
        for example in leaf.seed_examples
        for pair in example.pairs
    ]
    run.progress("Testing the teacher as judge", 0, 1)
    fit, accuracy = judge_is_fit(teacher, pairs[:_MOST_PAIRS], lambda: run.is_cancelled)
    run.progress("Testing the teacher as judge", 1, 1)
    if not fit:
        run.notice(
            f"{teacher.name} is not sure enough to judge answers: {accuracy:.0%} right on known pairs, "
            f"{FIT_ACCURACY:.0%} needed. Open questions are judged by their words."
        )
    return (teacher if fit else None), JudgeReport(teacher.name, fit, accuracy)


def _needs_context(leaf: Leaf) -> bool:
    return leaf.kind == "grounded_skill"


def _by_leaf(leaves: Sequence[Leaf], results: Sequence[QuestionResult]) -> tuple[LeafResult, ...]:
    kinds = {leaf.name: leaf.kind.value for leaf in leaves}
    names = dict.fromkeys([*kinds, *(result.asked.leaf for result in results)])
    return tuple(
        LeafResult(name, kinds.get(name, ""), tuple(result for result in results if result.asked.leaf == name))
        for name in names
    )


def _fingerprint(path: Path) -> str:
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()[:32]
    except OSError as error:
        raise EvaluationError(
            f'"{path}" cannot be read: {error.strerror}.', "Run the step that makes it again."
        ) from error
