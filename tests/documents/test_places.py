"""The pages of an original are found in its text, also in one that was edited, and what is not known is said."""

from __future__ import annotations

import itertools
import random
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab_desktop.documents.convert import convert
from lab_desktop.documents.places import Places, beginning
from tests.documents.makers import Pdf
from tests.documents.test_convert_pdf import FIRST, SECOND, THIRD

WORDS = "salt wool ship house door island harbour keeper winter ferry flour lamp oil store sack fog boat".split()  # noqa: SIM905


def page_text(number: int) -> str:
    """Words that no other page has in this order."""
    chosen = random.Random(number)
    return " ".join(chosen.choice(WORDS) for _ in range(60)) + "."


def three_pages(tmp_path):
    pdf = Pdf()
    for number, text in enumerate((FIRST, SECOND, THIRD), start=1):
        pdf.page().text(72, 770, "All about the island", 9).text(300, 20, str(number), 9)
        pdf.prose(72, 700, 460, text)
    (tmp_path / "a.pdf").write_bytes(pdf.data())
    return convert(tmp_path / "a.pdf")


def test_the_converter_notes_how_its_pages_begin(tmp_path):
    converted = three_pages(tmp_path)

    places = Places(converted.text, converted.starts, 3)

    assert [converted.text[at:].split()[:2] for _, at in places.known] == [
        ["Velmora", "is"], ["The", "harbour"], ["In", "winter"],
    ]  # fmt: skip
    assert [page for page, _ in places.known] == [1, 2, 3] and places.is_known


def test_a_sentence_that_goes_on_overleaf_begins_the_page_where_it_goes_on(tmp_path):
    pdf = Pdf().page()
    pdf.prose(
        72, 100, 460, "The keeper of the store writes down every sack of flour that comes from the mainland, and exam-"
    )
    pdf.page().prose(72, 700, 460, "ines whether the mice were there before him, which they mostly were in those days.")
    (tmp_path / "a.pdf").write_bytes(pdf.data())
    converted = convert(tmp_path / "a.pdf")
    assert "examines whether" in converted.text.replace("-", "")

    place = Places(converted.text, converted.starts, 2).place_of(2)

    assert place is not None and converted.text[place:].startswith("whether the mice")


def test_an_edited_text_still_has_its_pages():
    texts = [page_text(number) for number in range(30)]
    starts = tuple((page, beginning(text)) for page, text in enumerate(texts, start=1))
    edited = ["# A new heading", *texts[:5], "**A paragraph** of the person's own.", *texts[6:12], *texts[13:]]
    text = "\n\n".join(part.replace(" salt ", " *salt* ") for part in edited)

    places = Places(text, starts, 30)

    for page in {*range(1, 31)} - {6, 13}:
        place = places.place_of(page)
        wanted = text.index(" ".join(texts[page - 1].replace(" salt ", " *salt* ").split()[:6]))
        assert place is not None and abs(place - wanted) < 20
    assert {page for page, _ in places.known} == {*range(1, 31)} - {6, 13}


def test_beginnings_that_occur_on_many_pages_are_found_in_order():
    texts = [f"Form for the ferry, to be filled in by the keeper.\n\n{page_text(number)}" for number in range(20)]
    starts = tuple((page, beginning(text)) for page, text in enumerate(texts, start=1))
    text = "\n\n".join(texts)

    places = Places(text, starts, 20)

    at = -1
    for page in range(1, 21):
        at = text.index("Form for the ferry", at + 1)
        assert places.place_of(page) == at


def test_a_page_begins_with_the_heading_above_its_first_paragraph():
    texts = [page_text(number) for number in range(3)]
    starts = tuple((page, beginning(text)) for page, text in enumerate(texts, start=1))
    text = f"# All\n\n{texts[0]}\n\n## Land\n\n{texts[1]}\n\nA line that ends.\n\n- {texts[2]}"

    places = Places(text, starts, 3)

    assert [text[at : at + 4] for _, at in places.known] == ["# Al", "## L", f"- {texts[2][:2]}"]


def test_one_page_that_seems_to_be_elsewhere_does_not_move_the_others():
    texts = [page_text(number) for number in range(12)]
    starts = [(page, beginning(text)) for page, text in enumerate(texts, start=1)]
    starts[3] = 4, starts[10][1]

    places = Places("\n\n".join(texts), tuple(starts), 12)

    assert [page for page, _ in places.known] == [1, 2, 3, 5, 6, 7, 8, 9, 10, 11, 12]


def test_where_too_few_pages_are_found_nothing_is_claimed():
    texts = [page_text(number) for number in range(12)]
    starts = tuple((page, beginning(text)) for page, text in enumerate(texts, start=1))

    for places in (Places("Quite another text.", starts, 12), Places(texts[0], starts, 12), Places("Text.", (), 12)):
        assert not places.is_known and places.place_of(3) is None and places.page_at(2) is None


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 12), st.floats(1, 12.9))
def test_a_place_and_its_page_are_told_from_each_other(count, page):
    texts = [page_text(number) for number in range(count)]
    starts = tuple((page, beginning(text)) for page, text in enumerate(texts, start=1))
    places = Places("\n\n".join(texts), starts, count)
    page = min(page, count + 0.9)

    place = places.place_of(page)

    assert place is not None
    assert places.page_at(place) == pytest.approx(page, abs=0.02)
    found = [places.place_of(each) for each in range(1, count + 1)]
    assert all(one is not None and two is not None and one < two for one, two in itertools.pairwise(found))


@given(st.text(max_size=60), st.lists(st.tuples(st.integers(1, 5), st.text(min_size=1, max_size=4)), max_size=8))
def test_any_text_and_any_starts_do_no_harm(text, starts):
    places = Places(text, tuple(sorted(starts)), 5)

    for page in (0.0, 1.0, 3.5, 9.0):
        place = places.place_of(page)
        assert place is None or 0 <= place <= len(text)


def test_a_book_takes_no_time():
    texts = [page_text(number) * 12 for number in range(300)]
    starts = tuple((page, beginning(text)) for page, text in enumerate(texts, start=1))
    began = time.process_time()

    places = Places("\n\n".join(texts), starts, 300)

    assert len(places.known) == 300 and time.process_time() - began < 2
