"""generation/suggest.py: a few good questions soon, none of them known already; one more example of a skill."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
import yaml

from lab_desktop import paths
from lab_desktop.artifacts import Pair, SeedExample, Suggestion
from lab_desktop.errors import Cancelled, GenerationError
from lab_desktop.generation.suggest import Tutor, meet, suggest_like, suggest_questions
from lab_desktop.models.llama import LlamaModel
from lab_desktop.models.text_model import Reply, Request
from lab_desktop.words import agree, contains
from tests.fakes import FakeTeacher
from tests.generation.leaves import FACTS, ISLAND, freeform, good_teacher, grounded, knowledge
from tests.generation.test_facts import taught

ISLE = " ".join(ISLAND)
SHOWN = knowledge().leaf.seed_examples[0]


def by_facts(answer: object = taught) -> Tutor:
    return Tutor(FakeTeacher(answer), True, SHOWN)  # type: ignore[arg-type]


def writes_one(request: Request) -> Reply | str:
    """A strong teacher: one question with its answer, none that it was shown as written already."""
    if request.schema is None or "Every question must name" not in request.messages[-1].content:
        return good_teacher(request)
    *_, earlier, asked = [turn.content for turn in request.messages[1:]]
    new = ({"question": q, "answer": a} for q, a in FACTS.items() if a in asked and q not in earlier)
    return json.dumps({"rows": list(new)[:1]})


def by_pairs(answer: object = writes_one) -> Tutor:
    return Tutor(FakeTeacher(answer), False, SHOWN)  # type: ignore[arg-type]


def suggested(tutor: Tutor, given: Sequence[Pair] = (), seed: int = 0, passage: str = ISLE) -> list[Suggestion]:
    return list(suggest_questions(tutor, passage, "Orra", given, seed))


def as_given(suggestions: Sequence[Suggestion]) -> list[Pair]:
    return [Pair(each.question, each.answer) for each in suggestions]


@pytest.mark.parametrize("tutor", [by_facts, by_pairs])
def test_three_questions_ask_for_three_things_that_the_passage_says(tutor: object) -> None:
    found = suggested(tutor())  # type: ignore[operator]

    assert len(found) == len({each.answer for each in found}) == len({each.question for each in found}) == 3
    for each in found:
        assert each.sentence in ISLE
        assert contains(each.sentence, each.answer)
        assert each.score == 1.0 and each.why


def test_the_three_are_from_three_sentences_while_there_are_as_many() -> None:
    assert len({each.sentence for each in suggested(by_facts())}) == 3


@pytest.mark.parametrize("tutor", [by_facts, by_pairs])
def test_the_same_seed_suggests_the_same(tutor: object) -> None:
    assert suggested(tutor(), seed=7) == suggested(tutor(), seed=7)  # type: ignore[operator]


def test_another_seed_suggests_others() -> None:
    assert len({tuple(each.answer for each in suggested(by_facts(), seed=seed)) for seed in range(6)}) > 3


@pytest.mark.parametrize("tutor", [by_facts, by_pairs])
def test_other_three_are_others_until_everything_was_asked(tutor: object) -> None:
    first = suggested(tutor())  # type: ignore[operator]
    second = suggested(tutor(), as_given(first))  # type: ignore[operator]
    third = suggested(tutor(), as_given([*first, *second]))  # type: ignore[operator]

    answers = [each.answer for each in (*first, *second, *third)]
    assert len(second) == 3
    assert len(answers) == len(set(answers))
    assert len(third) <= 1  # the island has seven facts at most


def test_a_question_that_says_a_given_one_in_other_words_is_left_out() -> None:
    def repeats(request: Request) -> Reply | str:
        if request.schema is None:
            return "Mira Tell"
        return '{"rows": [{"question": "By whom was Orra\'s lighthouse built?", "answer": "Mira Tell"}]}'

    assert suggested(by_pairs(repeats), [Pair("Who built the lighthouse of Orra?", "It was Mira Tell.")]) == []
    assert len(suggested(by_pairs(repeats))) == 1


def test_an_answer_that_is_not_read_again_is_not_suggested() -> None:
    def unsure(request: Request) -> Reply | str:
        said = taught(request)
        return "fish oil" if "as few words" in request.messages[-1].content and said == "1811" else said

    answers = {each.answer for seed in range(8) for each in suggested(by_facts(unsure), seed=seed)}

    assert "1811" not in answers and "Mira Tell" in answers


def test_the_score_says_how_many_wordings_were_answered_alike() -> None:
    def unsure(request: Request) -> Reply | str:
        asked = request.messages[-1].content
        is_first = "as few words" in asked and "Say, what" in asked
        return "The text does not say." if is_first else taught(request)

    found = suggested(by_facts(unsure))

    assert {each.score for each in found} == {0.75}
    assert {each.why for each in found} == {"Asked in 4 ways, the teacher read this answer in the passage 3 times."}
    assert not any(each.question.startswith("Say") for each in found)


@pytest.mark.parametrize("tutor", [by_facts, by_pairs])
def test_the_first_comes_before_the_last_is_asked_for(tutor: object) -> None:
    made: Tutor = tutor()  # type: ignore[operator]
    assert isinstance(made.teacher, FakeTeacher)
    coming = suggest_questions(made, ISLE, "Orra", [], wanted=6)

    next(coming)
    first = len(made.teacher.requests)
    list(coming)

    assert 0 < first < len(made.teacher.requests) / 2 + 1


@pytest.mark.parametrize("tutor", [by_facts, by_pairs])
def test_stopped_it_asks_for_nothing_more(tutor: object) -> None:
    made: Tutor = tutor()  # type: ignore[operator]
    teacher = made.teacher
    assert isinstance(teacher, FakeTeacher)

    with pytest.raises(Cancelled):
        list(suggest_questions(made, ISLE, "Orra", [], is_cancelled=lambda: len(teacher.requests) >= 2))

    assert len(teacher.requests) == 2


def test_a_strong_teacher_is_shown_what_was_asked_already() -> None:
    tutor = by_pairs()
    assert isinstance(tutor.teacher, FakeTeacher)
    suggested(tutor, [Pair("How old is Orra?", "Nobody knows.")])

    writing = [request for request in tutor.teacher.requests if request.schema is not None]
    shown = [[turn.content for turn in request.messages if turn.role == "assistant"] for request in writing]
    assert "How old is Orra?" in shown[0][-1]
    assert [each.count('"question"') for each in (said[-1] for said in shown)][:3] == [1, 2, 3]


def test_a_passage_with_one_fact_gives_one_question_and_an_end() -> None:
    found = suggested(by_facts(), passage="The lamp of Orra burns fish oil.")

    assert [each.answer for each in found] == ["fish oil"]


@pytest.mark.parametrize(
    ("passage", "said"),
    [("", "empty"), (" \n…", "empty"), ("The sea is wide. " * 3000, "can read about")],
)
def test_a_passage_that_cannot_be_read_is_told_at_once(passage: str, said: str) -> None:
    tutor = by_facts()
    assert isinstance(tutor.teacher, FakeTeacher)

    with pytest.raises(GenerationError) as caught:
        suggested(tutor, passage=passage)

    assert said in caught.value.message and caught.value.hint
    assert tutor.teacher.requests == []


def lists_facts(request: Request) -> Reply | str:
    sentence = request.messages[-1].content.split("Sentence: ")[1].split("\n")[0]
    return sentence.split()[-1]


def test_a_teacher_is_met_once_and_again_when_its_file_changes(tmp_path: Path) -> None:
    file = tmp_path / "teacher.gguf"
    file.write_bytes(b"one")
    first, second, third = FakeTeacher(lists_facts), FakeTeacher(lists_facts), FakeTeacher(lambda request: "Sorry?")

    assert meet(first, file).is_fact_by_fact
    assert meet(second, file).is_fact_by_fact
    file.write_bytes(b"another")
    assert not meet(third, file).is_fact_by_fact

    assert (len(first.requests), len(second.requests), len(third.requests)) == (5, 0, 5)


def test_a_damaged_or_unwritable_note_only_costs_time(tmp_path: Path) -> None:
    file = tmp_path / "teacher.gguf"
    file.write_bytes(b"one")
    meet(FakeTeacher(lists_facts), file)
    (note,) = paths.prepared().iterdir()
    note.write_text("{")
    assert meet(FakeTeacher(lists_facts), file).is_fact_by_fact

    note.unlink()
    paths.prepared().rmdir()
    paths.prepared().write_text("a file where the folder should be")
    assert meet(FakeTeacher(lists_facts), file).is_fact_by_fact


def like(tutor: Tutor, examples: Sequence[SeedExample], description: str, seed: int = 0) -> Suggestion:
    return suggest_like(tutor, description, examples, 1, seed)


def test_one_more_example_is_new_and_right() -> None:
    leaf = freeform().leaf

    made = like(by_pairs(), leaf.seed_examples, leaf.task_description)

    assert made.question not in {example.pairs[0].question for example in leaf.seed_examples}
    assert made.answer == made.question.removeprefix("Shout this: ").upper()
    assert made.score == 1.0 and "3 times" in made.why


def test_one_more_example_of_a_grounded_skill_brings_its_material() -> None:
    leaf = grounded().leaf

    made = like(by_pairs(), leaf.seed_examples, leaf.task_description)

    assert made.context and made.context not in {example.context for example in leaf.seed_examples}
    assert contains(made.context, made.answer)


def test_the_same_seed_gives_the_same_example_and_another_one_another() -> None:
    leaf = freeform().leaf
    first, again, other = (like(by_pairs(), leaf.seed_examples, leaf.task_description, seed) for seed in (0, 0, 1))

    assert first == again
    assert first.question != other.question


def test_a_teacher_that_answers_another_way_each_time_says_that_it_cannot() -> None:
    count = 0

    def wavering(request: Request) -> Reply | str:
        nonlocal count
        if request.choices or request.schema:
            return good_teacher(request)
        count += 1
        return f"WAVE {count}"

    leaf = freeform().leaf
    with pytest.raises(GenerationError) as caught:
        like(by_pairs(wavering), leaf.seed_examples, leaf.task_description)

    assert "none of its examples was surely right" in caught.value.message
    assert "another" in caught.value.message or "answered" in caught.value.message


def test_where_answers_do_not_follow_from_tasks_an_unfit_judge_lets_nothing_pass() -> None:
    verses = ("Winter comes slow and white", "All my ships are gone", "Bread smells like my mother", "Hush, the owl")
    examples = [SeedExample((Pair(f"A line about thing {n}", verse),)) for n, verse in enumerate(verses)]

    def undecided(request: Request) -> Reply | str:
        if request.choices:
            even = tuple(1 / len(request.choices) for _ in request.choices)
            return Reply(request.choices[0], "stop", probabilities=even)
        return '{"rows": ["A line about a stone"]}' if request.schema else "Grey and round it lies"

    with pytest.raises(GenerationError) as caught:
        like(by_pairs(undecided), examples, "Write a line of a poem.")

    assert "cannot tell right answers" in caught.value.message


def test_two_examples_are_too_few_to_learn_a_task_from() -> None:
    leaf = freeform().leaf
    tutor = by_pairs()

    with pytest.raises(GenerationError) as caught:
        like(tutor, leaf.seed_examples[:2], leaf.task_description)

    assert "2 finished examples" in caught.value.message
    assert isinstance(tutor.teacher, FakeTeacher) and tutor.teacher.requests == []


def test_what_the_fake_knows_is_in_the_island() -> None:
    assert all(contains(ISLE, answer) for answer in FACTS.values())


MILL = (
    "The paper mill of Hadrow stands on the river Sell and was founded in 1692 by the printer Anna Veit. It makes "
    "forty sheets an hour from old linen. In 1744 a flood carried its wheel away, and for three years the paper of "
    "Hadrow was made with a horse. Today the mill belongs to the town and is a museum with 9,000 visitors a year. "
    "Its most famous sheet hangs in the town hall: the letter in which Hadrow asked for its market rights."
)


@pytest.mark.slow
@pytest.mark.usefixtures("prepared")
def test_the_practice_teacher_suggests_what_the_passage_says() -> None:
    lesson = yaml.safe_load((paths.resources() / "practice" / "velmora" / "qna.yaml").read_text(encoding="utf-8"))
    passages = [("Velmora", lesson["seed_examples"][2]["context"]), ("Hadrow", MILL)]
    file = paths.practice_model()
    taught_by = paths.taught_adapter(file)
    assert taught_by is not None
    with LlamaModel(file, adapters={"teacher": taught_by}, parallel=8) as model:
        model.use_adapter("teacher")
        tutor = meet(model, file)
        assert tutor.is_fact_by_fact
        for title, passage in passages:
            found = list(suggest_questions(tutor, passage, title, []))

            assert len(found) == 3
            assert sum(contains(passage, each.answer) for each in found) >= 2
            assert all(each.sentence in passage for each in found)
        others = list(suggest_questions(tutor, passage, title, as_given(found), wanted=1))
        assert not any(agree(one.answer, two.answer) for one in others for two in found)
        assert next(suggest_questions(tutor, passage, title, [])) == found[0]
