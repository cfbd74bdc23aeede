"""What does a model know already? The lesson's own questions, asked before the lesson and without its passage.

    words of the reference ──► knows · partly · does not know, as soon as the reply is there
    a teacher that proved fit ──► looks again at what the words did not find right

It saves teaching what is known, and so it errs to the other side: what is not surely known is to be taught.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from lab_desktop.artifacts import Mark, Pair, QuizMark
from lab_desktop.evaluation.judge import by_teacher, by_words, judge_is_fit
from lab_desktop.evaluation.questions import Question
from lab_desktop.evaluation.report import question_request
from lab_desktop.evaluation.results import Judgement, Verdict
from lab_desktop.evaluation.wording import is_unspaced, names, stems, yes_or_no
from lab_desktop.models.text_model import TextModel
from lab_desktop.words import numbers, plain_text

_HALF = 0.5
"""Share of the reference's words from which a reply is partly right."""
_MOST_PAIRS = 40


def quiz(
    pairs: Sequence[Pair], student: TextModel, is_cancelled: Callable[[], bool] = lambda: False
) -> Iterator[QuizMark]:
    """Ask every question once and mark the reply by the words of the lesson's answer; in no fixed order.

    Cost: one reply of the student for each question.

    Raises:
        Cancelled, ModelError: from the student; the marks given stay good.
    """
    questions = _questions(pairs)
    requests = [question_request(student, question) for question in questions]
    for number, reply in student.complete(requests, is_cancelled):
        judgement = by_words(questions[number], reply.text)
        yield QuizMark(number, _mark(questions[number], reply.text, judgement), reply.text, judgement.reason)


def looked_at_again(
    pairs: Sequence[Pair],
    marks: Sequence[QuizMark],
    teacher: TextModel,
    is_cancelled: Callable[[], bool] = lambda: False,
) -> Iterator[QuizMark]:
    """The marks that a teacher corrects, where it can judge: replies that say the same in other words.

    Args:
        pairs: as in `quiz`; of fewer than eight, or of a teacher that cannot tell their answers apart, nothing comes.
        marks: of `quiz`.

    Cost: two teacher calls without writing for each question, and one for each that is not known.

    Raises:
        Cancelled, ModelError: from the teacher.
    """
    questions = _questions(pairs)
    doubtful = [mark for mark in marks if mark.mark is not Mark.KNOWS and mark.reply]
    if not doubtful or not judge_is_fit(teacher, pairs[:_MOST_PAIRS], is_cancelled)[0]:
        return
    asked = [questions[mark.number] for mark in doubtful]
    judgements = by_teacher(asked, [mark.reply for mark in doubtful], teacher, is_cancelled)
    for mark, judgement in zip(doubtful, judgements, strict=True):
        if judgement.verdict is Verdict.RIGHT:
            yield QuizMark(mark.number, Mark.KNOWS, mark.reply, judgement.reason)


def _questions(pairs: Sequence[Pair]) -> list[Question]:
    return [Question(str(number), "", pair.question, pair.answer, "exam") for number, pair in enumerate(pairs)]


def _mark(question: Question, reply: str, judgement: Judgement) -> Mark:
    """Partly: a good part of the reference is there, none of its numbers and names is wholly missed, none denied."""
    if judgement.verdict is Verdict.RIGHT:
        return Mark.KNOWS
    plain, reference = plain_text(reply), plain_text(question.answer)
    if judgement.verdict is Verdict.NONE:
        return Mark.DOES_NOT_KNOW if is_unspaced(reference) else Mark.PARTLY
    is_contradicted = bool(yes_or_no(reference)) and yes_or_no(plain) not in ("", yes_or_no(reference))
    is_half = judgement.score is not None and _HALF <= judgement.score < 1  # with all the words, it denies them
    telling = numbers(reference) - numbers(plain_text(question.question))
    has_numbers = not telling or bool(telling & numbers(plain))
    has_names = not names(question.answer, question) or bool(names(question.answer, question) & stems(plain))
    return Mark.PARTLY if is_half and has_numbers and has_names and not is_contradicted else Mark.DOES_NOT_KNOW
