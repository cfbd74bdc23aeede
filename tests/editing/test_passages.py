"""Passages: from a selection, suggested, found again."""

from __future__ import annotations

import itertools
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab_desktop.editing import lesson as edit
from lab_desktop.editing.folder import lesson_of
from lab_desktop.editing.lesson import Field, Lesson
from lab_desktop.editing.passages import (
    MOST_WORDS,
    astray,
    find,
    snapped,
    spans,
    suggest_passages,
    use_as_passage,
)
from lab_desktop.paths import resources
from lab_desktop.taxonomy.qna import read_draft
from tests.editing.lessons import new

VELMORA = (resources() / "practice" / "velmora" / "velmora.md").read_text(encoding="utf-8")
MIXED = """# Ferries

The **Petrel** takes nine hours. It sails on Tuesdays, e.g. in May. Nobody swims.

| Ship | Hours |
|---|---|
| Petrel | 9 |
| Heron | 7 |

- The first item has one sentence. And another.
- The second item.
"""


def with_document(text: str) -> Lesson:
    return edit.add_document(new(), "velmora.md", text)


def taken(text: str, part: str) -> str:
    """What becomes of the selection of `part`."""
    start = text.index(part)
    first, last = snapped(text, start, start + len(part))
    return text[first:last]


@pytest.mark.parametrize(
    ("part", "passage"),
    [
        ("takes nine", "The **Petrel** takes nine hours."),
        ("hours. It", "The **Petrel** takes nine hours. It sails on Tuesdays, e.g. in May."),
        ("e.g. in", "It sails on Tuesdays, e.g. in May."),
        ("  swims. \n".strip(), "Nobody swims."),
        ("etrel | 9", "| Petrel | 9 |"),
        ("9 |\n| He", "| Petrel | 9 |\n| Heron | 7 |"),
        ("And ano", "And another."),
        ("second", "- The second item."),
        ("Ferr", "# Ferries"),
        ("\n\n", ""),
        ("swims.\n\n| Sh", "Nobody swims.\n\n| Ship | Hours |"),
    ],
)
def test_a_selection_is_drawn_out_to_whole_sentences_and_rows(part: str, passage: str) -> None:
    assert taken(MIXED, part) == passage


@settings(max_examples=60, deadline=None)
@given(st.text(alphabet="aB.! \n|-1#", max_size=60), st.integers(-5, 70), st.integers(-5, 70))
def test_any_selection_of_any_text_stays_within_it_and_holds_what_was_selected(text: str, one: int, two: int) -> None:
    start, end = snapped(text, one, two)

    assert 0 <= start <= end <= len(text)
    low, high = sorted((max(0, min(one, len(text))), max(0, min(two, len(text)))))
    assert text[low:high].strip() in text[start:end]
    assert text[start:end] == text[start:end].strip()


def test_a_selection_becomes_a_passage_once_and_fills_an_empty_one_first() -> None:
    lesson = edit.add_example(with_document(VELMORA))
    start = VELMORA.index("The capital")

    first = use_as_passage(lesson, "velmora.md", start, start + 5)
    again = use_as_passage(first, "velmora.md", start, start + 7)
    second = use_as_passage(first, "velmora.md", start + 200, start + 210)

    assert [example.context for example in first.examples] == [
        "The capital of Velmora is Ostrel, a harbour town on the east coast."
    ]
    assert again == first
    assert len(second.examples) == 2
    assert use_as_passage(lesson, "velmora.md", 9, 9) == lesson


def test_five_varied_passages_are_suggested_and_always_the_same() -> None:
    found = suggest_passages(VELMORA, 5)

    assert found == suggest_passages(VELMORA, 5)
    assert len(found) == 5
    assert all(one[1] <= two[0] for one, two in itertools.pairwise(found))
    texts = [VELMORA[start:end] for start, end in found]
    assert all(60 <= len(text.split()) <= 300 for text in texts)
    assert len({VELMORA.rfind("\n## ", 0, start) for start, _ in found}) == 5
    assert all(text.endswith(".") and any(letter.isdigit() for letter in text) for text in texts)


def test_passages_that_are_there_are_not_suggested_again() -> None:
    taken = suggest_passages(VELMORA, 3)

    more = suggest_passages(VELMORA, 3, taken)

    assert len(more) == 3
    assert not any(a < d and c < b for a, b in taken for c, d in more)


def test_a_passage_rich_in_facts_is_preferred_to_talk() -> None:
    talk = "It is nice to be there and one may walk about and enjoy what there is to see in peace. " * 5
    facts = "In 1744 Tobin Quistell built 38 metres of lighthouse for King Rolf on Cape Dunmarrow in May. " * 5

    (start, end) = suggest_passages(f"# A\n\n{talk}\n\n# B\n\n{facts}\n\n# C\n\n{talk}", 1)[0]

    assert "Tobin" in f"# A\n\n{talk}\n\n# B\n\n{facts}"[start:end]


def test_a_short_document_gives_shorter_passages_and_an_empty_one_none() -> None:
    text = "\n\n".join(
        f"## Part {n}\n\nIn 18{n}0 Rolf built a pier of {n}2 metres here, and many people came to see it."
        for n in range(6)
    )

    assert len(suggest_passages(text, 5)) == 5
    assert suggest_passages("", 5) == suggest_passages("# Only a heading\n", 5) == []
    assert (
        len(suggest_passages("One sentence with just enough words to be a passage of its own, as it has fifteen.")) == 1
    )


def test_code_is_not_suggested_and_a_long_paragraph_is_cut_at_sentences() -> None:
    long = " ".join(f"Captain Rolf sailed to Bay {n} in 18{n:02}." for n in range(100))
    text = f"```\n{'code 1 ' * 200}\n```\n\n{long}\n"

    found = [text[start:end] for start, end in suggest_passages(text)]

    assert found
    assert all("code" not in each and each.startswith("Captain") and each.endswith(".") for each in found)
    assert all(len(each.split()) <= MOST_WORDS for each in found)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            ["# A", "## B", "", "- x 1", "| a | b |", "|--|--|", "```", "Word " * 40 + ".", "Rolf 1.", "===", "  y"]
        ),
        max_size=30,
    )
)
def test_suggestions_for_any_document_lie_in_it_and_do_not_overlap(lines: list[str]) -> None:
    text = "\n".join(lines)

    found = suggest_passages(text)

    assert all(one[1] <= two[0] for one, two in itertools.pairwise(found))
    assert all(text[start:end].strip() == text[start:end] != "" for start, end in found)


def test_three_hundred_pages_are_searched_in_a_few_seconds() -> None:
    page = "\n\n".join(" ".join(f"The Captain saw {n + k} ships near Bay {k}." for k in range(12)) for n in range(4))
    text = "\n\n".join(f"## Page {number}\n\n{page}" for number in range(300))
    start = time.thread_time()

    found = suggest_passages(text)

    assert len(found) == 5
    assert time.thread_time() - start < 10


def test_where_passages_lie_is_known_whatever_their_line_ends_and_those_gone_astray_are_said() -> None:
    lesson = with_document("# Bay\n\nThe pier is\nlong. It was built in 1811.\n\nNobody knows why.")
    lesson = edit.add_example(lesson, "It was built in 1811.")
    lesson = edit.add_example(lesson, "The pier is long.  It was")
    lesson = edit.add_example(lesson, "Somebody knows.")
    lesson = edit.add_example(lesson, "")
    text = lesson.documents[0].text

    found = {span.example: text[span.start : span.end] for span in spans(lesson)}

    ids = [example.id for example in lesson.examples]
    assert found == {ids[0]: "It was built in 1811.", ids[1]: "The pier is\nlong. It was"}
    assert astray(lesson) == [ids[2]]
    edited = edit.with_text(lesson, Field("document", document="velmora.md"), text.replace("1811", "1812"))
    assert astray(edited) == [ids[0], ids[2]]
    assert astray(edit.remove_document(edited, "velmora.md")) == []


def test_passages_of_the_practice_lesson_stand_in_its_document() -> None:
    folder = resources() / "practice" / "velmora"
    lesson = lesson_of(folder, read_draft(folder))

    assert [span.example for span in spans(lesson)] == [example.id for example in lesson.examples]
    assert astray(lesson) == []
    assert find("a.b", "a*b") == (0, 0)
    assert find("x a (b)\n c", "a (b) c") == (2, 10)


def test_other_sections_and_other_subjects_come_before_more_of_the_same() -> None:
    names = ["Rolf", "Mira", "Bram", "Tove", "Sven", "Ilse"]
    rich = [
        " ".join(f"In 18{n}{k} Captain {name} of Port {n}{k} sold {k}7 ships to King Olaf." for k in range(9))
        for n, name in enumerate(names)
    ]
    dull = {
        part: " ".join(f"The {part} of the place has {k} kinds, as people say." for k in range(9))
        for part in ("food", "soil", "music")
    }
    text = "# Trade\n\n" + "\n\n".join(rich) + "".join(f"\n\n# {part}\n\n{said}" for part, said in dull.items())

    found = [text[start:end] for start, end in suggest_passages(text, 4)]

    assert sum("Captain" in each for each in found) == 1
    assert {part for part in dull for each in found if part in each} == set(dull)
    twice = f"# A\n\n{rich[0]}\n\n# B\n\n{rich[0]}\n\n# C\n\n{dull['soil']}\n"
    assert any("soil" in twice[start:end] for start, end in suggest_passages(twice, 2))
