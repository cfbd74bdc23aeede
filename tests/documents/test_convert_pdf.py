"""What comes out of a PDF reads as its pages do."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab_desktop.documents.convert import convert
from lab_desktop.documents.converted import Converted, Kind
from lab_desktop.documents.layout import joined, to_markdown
from lab_desktop.documents.passages import Document, passages
from lab_desktop.documents.pieces import Page, Word
from lab_desktop.errors import DocumentError
from tests.documents.makers import ODD, Pdf, width

FIRST = (
    "Velmora is an island in the northern sea that nobody had seen before the spring of that year, when a fishing boat "
    "lost its way in the fog. Its people live from salt, wool and the repair of ships."
)
SECOND = (
    "The harbour of Anmar was built by masons from the mainland, who stayed and married there. Every second house has "
    "a blue door, because the first shipment of paint that reached the island was blue."
)
THIRD = (
    "In winter the ferry comes only twice a month, so that letters, flour and lamp oil are stored in the old customs "
    "house. The keeper of the store writes down every sack and is paid in wool."
)


@pytest.fixture
def read(tmp_path: Path):
    def convert_pdf(pdf: Pdf, name: str = "a.pdf") -> Converted:
        (tmp_path / name).write_bytes(pdf.data())
        return convert(tmp_path / name)

    return convert_pdf


def test_lines_become_paragraphs_below_their_headings(read):
    pdf = Pdf("The island of Velmora").page()
    pdf.text(72, 740, "The island of Velmora", 20, "F2")
    y = pdf.prose(72, 700, 460, FIRST)
    y = pdf.prose(72, y, 460, SECOND, indent=14)
    pdf.text(72, y - 14, "Trade", 14)
    y = pdf.prose(72, y - 34, 460, THIRD)
    pdf.text(72, y - 10, "What is sold", 10, "F2")
    pdf.prose(72, y - 26, 460, FIRST)

    converted = read(pdf)

    assert converted.text == (
        f"# The island of Velmora\n\n{FIRST}\n\n{SECOND}\n\n## Trade\n\n{THIRD}\n\n### What is sold\n\n{FIRST}\n"
    )
    assert (converted.kind, converted.title, converted.pages, converted.notes) == (
        Kind.PDF,
        "The island of Velmora",
        1,
        (),
    )
    assert len(converted.sha256) == 64


def test_two_columns_are_read_one_after_the_other_below_a_title_that_spans_them(read):
    pdf = Pdf().page()
    pdf.text(72, 740, "A report about the island that has two columns", 18, "F2")
    y = pdf.prose(72, 710, 220, f"{FIRST} {FIRST}")
    end = pdf.prose(72, y - 8, 220, SECOND)
    pdf.prose(318, 710, 220, f"{THIRD} {SECOND}")
    pdf.prose(72, min(end, 480) - 20, 466, THIRD)

    text = read(pdf).text

    assert text == (
        f"# A report about the island that has two columns\n\n{FIRST} {FIRST}\n\n{SECOND}\n\n"
        f"{THIRD} {SECOND}\n\n{THIRD}\n"
    )


def test_three_columns_are_read_in_order_and_a_paragraph_goes_on_in_the_next(read):
    pdf = Pdf().page()
    texts = [FIRST.replace(".", ";"), SECOND.replace(".", ";").lower(), THIRD.lower()]
    for x, text in zip((50, 230, 410), texts, strict=True):
        pdf.prose(x, 740, 160, f"{text[:-1]},")

    assert read(pdf).text == " ".join(f"{text[:-1]}," for text in texts) + "\n"


def test_words_parted_at_line_ends_are_whole_and_true_hyphens_stay(read):
    pdf = Pdf().page()
    for place, line in enumerate(
        ["The keeper of the light-", "house is a well-known man. Some say that he is well-", "known for the har-",
         "bour song."]
    ):  # fmt: skip
        pdf.text(72, 740 - 12 * place, line)

    assert read(pdf).text == (
        "The keeper of the lighthouse is a well-known man. Some say that he is well-known for the harbour song.\n"
    )
    assert joined("the exam-", "ple", set()) == "the example"
    assert joined("the exam-", "Ple", set()) == "the exam- Ple"


def test_running_heads_feet_and_page_numbers_are_left_out_and_paragraphs_go_on(read):
    pdf = Pdf()
    words = [f"word{number}" for number in range(600)]
    for number in range(6):
        pdf.page().text(72, 760, "The Great Book of Islands" if number % 2 else "A. Author", 9)
        pdf.text(300, 30, str(number + 1), 9)
        pdf.prose(72, 720, 460, " ".join(words[number * 100 : number * 100 + 100]))

    assert read(pdf).text == " ".join(words) + "\n"


def test_a_number_that_is_no_page_number_stays(read):
    pdf = Pdf().page()
    pdf.text(72, 400, "42")
    pdf.prose(72, 380, 460, FIRST)

    assert "42" in read(pdf).text


def test_a_table_stays_one_and_is_named_with_its_page(read):
    pdf = Pdf().page()
    pdf.prose(72, 740, 460, FIRST)
    pdf.page()
    y = pdf.prose(72, 740, 460, SECOND) - 10
    rows = [("Port", "Ships", "Known for"), ("Anmar", "12", "blue doors"), ("Bell Rock", "3", "a light | a song")]
    for row in rows:
        for x, cell in zip((72, 200, 300), row, strict=True):
            pdf.text(x, y, cell)
        y -= 14
    pdf.text(300, y, "and fog")
    pdf.prose(72, y - 24, 460, THIRD)

    converted = read(pdf)

    assert (
        "| Port | Ships | Known for |\n| --- | --- | --- |\n| Anmar | 12 | blue doors |\n"
        "| Bell Rock | 3 | a light \\| a song and fog |\n"
    ) in converted.text
    assert converted.text.endswith(f"\n\n{THIRD}\n")
    (note,) = converted.notes
    assert (note.about, note.text, note.pages, note.needs_a_look) == (
        "tables",
        "1 table needs a look (page 2).",
        (2,),
        True,
    )


def test_a_table_below_columns_of_prose_is_no_column(read):
    pdf = Pdf().page()
    left = pdf.prose(72, 740, 210, f"{FIRST} {SECOND}")
    right = pdf.prose(320, 740, 210, f"{THIRD} {FIRST}")
    y = min(left, right) - 20
    for row in [("Port", "Ships", "Since"), ("Anmar", "12", "1874"), ("Bell Rock", "3", "1901")]:
        for x, cell in zip((72, 220, 400), row, strict=True):
            pdf.text(x, y, cell)
        y -= 14

    text = read(pdf).text

    assert text.startswith(f"{FIRST} {SECOND}\n\n{THIRD} {FIRST}\n\n| Port | Ships | Since |")


def test_lists_with_bullets_or_numbers_apart_from_their_text(read):
    pdf = Pdf().page()
    y = pdf.prose(72, 740, 460, FIRST) - 4
    for mark, text in (("•", SECOND), ("•", "wool"), ("1.", "Sail."), ("2.", "Land.")):
        pdf.text(76, y, mark)
        y = pdf.prose(96, y, 430, text)

    assert read(pdf).text == f"{FIRST}\n\n- {SECOND}\n- wool\n\n1. Sail.\n2. Land.\n"


def test_bold_and_italic_words_and_small_raised_digits(read):
    pdf = Pdf().page()
    pdf.words(72, 740, "The", ("capital", "F2"), ("city", "F2"), "is", ("Orsa", "F3"), "with 12 km")
    pdf.text(72 + 200, 743.5, "2", 6)
    x = 72
    pdf.text(x, 720, "It is 12 km")
    pdf.text(x + width("It is 12 km", 10), 723.5, "2", 6)
    pdf.text(x + width("It is 12 km", 10) + 8, 720, "wide.")

    text = read(pdf).text

    assert "The **capital city** is *Orsa* with 12 km" in text
    assert "It is 12 km² wide." in text


def test_footnotes_are_called_and_stand_below_their_section(read):
    pdf = Pdf().page()
    pdf.text(72, 740, "Trade", 16, "F2")
    pdf.text(72, 716, "Salt is the oldest trade")
    pdf.text(72 + width("Salt is the oldest trade", 10), 719.5, "1", 6)
    pdf.text(72 + width("Salt is the oldest trade", 10) + 8, 716, "of the island.")
    y = pdf.prose(72, 692, 460, f"{FIRST} {SECOND} {THIRD}")
    pdf.text(72, y - 14, "Food", 16, "F2")
    pdf.prose(72, y - 38, 460, f"{SECOND} {FIRST}")
    pdf.text(72, 80, "1", 5)
    pdf.text(77, 77, "See the ledger of the customs house.", 8)

    text = read(pdf).text

    assert "Salt is the oldest trade[^1] of the island." in text
    assert f"{THIRD}\n\n[^1]: See the ledger of the customs house.\n\n# Food\n\n" in text


def test_text_from_right_to_left_comes_out_in_the_order_in_which_it_is_read(read):
    lines = ["האי ולמורה נמצא בים הצפוני", "ויש בו 12 נמלים של Anmar Bay", "והאנשים חיים ממלח."]
    pdf = Pdf().page()
    for place, line in enumerate(lines):
        # As it is drawn, from left to right: the Latin name in the middle keeps its order.
        shown = " ".join(word if word.isascii() else word[::-1] for word in line.split()[::-1])
        shown = shown.replace("Bay Anmar", "Anmar Bay")
        x = 500 - width(shown, 12)
        for word in shown.split():
            pdf.text(x, 740 - 15 * place, word, 12, "F1" if word.isascii() else ODD)
            x += width(word + " ", 12)

    assert read(pdf).text == " ".join(lines) + "\n"


def test_ligatures_and_soft_hyphens_are_plain_letters(read):
    pdf = Pdf().page()
    pdf.text(72, 740, "eﬃcient ﬁshing, ofﬁ\u00adcial ﬂoods", 10, ODD)

    assert read(pdf).text == "efficient fishing, official floods\n"


def test_a_turned_page_is_read_and_a_line_along_the_edge_is_left_out(read):
    pdf = Pdf().page(turn=90)
    for place, line in enumerate(["The first line of the page", "and the second line."]):
        pdf.text(100 + 12 * place, 72, line, 10, turned=True)
    pdf.page()
    pdf.prose(72, 740, 460, FIRST)
    pdf.text(30, 200, "arXiv:1234.5678", 12, turned=True)

    converted = read(pdf)

    assert converted.text == f"The first line of the page and the second line.\n\n{FIRST}\n"
    assert [note.text for note in converted.notes] == ["Text that runs sideways was left out (page 2)."]


def test_scanned_pages_are_named(read):
    pdf = Pdf()
    for number in range(5):
        pdf.page()
        if number in (1, 2, 4):
            pdf.picture()
        else:
            pdf.prose(72, 740, 460, FIRST)
    pdf.pages[0].append(b"q 200 0 0 100 72 300 cm /Im1 Do Q\n")

    converted = read(pdf)

    assert [(note.about, note.pages) for note in converted.notes] == [("scanned", (2, 3, 5)), ("pictures", (1,))]
    assert converted.notes[0].text.startswith("This PDF is a picture of text on pages 2–3, 5;")


def test_a_pdf_of_pictures_alone_is_refused_in_words(read):
    with pytest.raises(DocumentError, match="is a picture of text") as caught:
        read(Pdf().page().picture().page().picture(), "scan.pdf")
    assert "OCR" in caught.value.hint


def test_a_pdf_without_anything_says_so(read):
    with pytest.raises(DocumentError, match="has no text"):
        read(Pdf().page())


def test_a_locked_pdf_says_so_and_a_broken_one_too(tmp_path):
    (tmp_path / "locked.pdf").write_bytes(Pdf("T").page().text(72, 700, "Secret").data("open sesame"))
    (tmp_path / "broken.pdf").write_bytes(b"%PDF-1.5\nnothing")

    with pytest.raises(DocumentError, match=r'"locked\.pdf" is locked with a password'):
        convert(tmp_path / "locked.pdf")
    with pytest.raises(DocumentError, match=r'"broken\.pdf" is damaged'):
        convert(tmp_path / "broken.pdf")


def test_a_book_of_300_pages_takes_seconds_and_is_cut_well(read):
    pdf = Pdf("The Book")
    for number in range(300):
        pdf.page().text(72, 762, "The Book", 9)
        pdf.text(300, 30, str(number + 1), 9)
        y = 730.0
        if number % 20 == 0:
            pdf.text(72, y, f"Chapter {number // 20 + 1}", 18, "F2")
            y -= 40
        for _ in range(5):
            y = pdf.prose(90, y, 400, f"{FIRST} {SECOND} {THIRD}", size=11, indent=14)

    began = time.process_time()
    converted = read(pdf)

    assert time.process_time() - began < 20  # measured: 5
    assert converted.pages == 300 and converted.text.count("\n# Chapter") + converted.text.startswith("# Chapter") == 15
    assert "The Book" not in converted.text and "\n300\n" not in converted.text
    found = passages([Document(Path("a.md"), converted.text)], lambda text: len(text.split()), 300)
    assert found[0].text.startswith("Chapter 1\n\nVelmora is an island")
    assert all(passage.heading.startswith("Chapter ") for passage in found)


def test_lines_of_code_keep_their_lines_and_columns(read):
    pdf = Pdf().page()
    y = pdf.prose(72, 740, 460, FIRST)
    for indent, line in ((0, "while wind > 3 {"), (2, "sail(*home);"), (0, "}")):
        pdf.text(72 + 6 * indent, y, line, 10, "F4")
        y -= 12
    pdf.prose(72, y - 6, 460, SECOND)

    assert read(pdf).text == f"{FIRST}\n\n```\nwhile wind > 3 {{\n  sail(*home);\n}}\n```\n\n{SECOND}\n"


def test_a_text_from_a_typewriter_is_no_code(read):
    pdf = Pdf().page()
    pdf.text(72, 740, "The island has a harbour and", 10, "F4")
    pdf.text(72, 728, "two lighthouses.", 10, "F4")

    assert read(pdf).text == "The island has a harbour and two lighthouses.\n"


def test_a_number_or_dash_at_a_line_begins_no_list_in_the_middle_of_a_sentence(read):
    pdf = Pdf().page()
    for place, line in enumerate(
        [
            "The oldest of the three lighthouses was built in",
            "1874. It is lit with oil, and the keeper has a dog",
            "- a grey one - that barks at every passing ship",
            "12) as the saying goes, and then lies down again.",
        ]
    ):
        pdf.text(72, 740 - 12 * place, line)

    text = read(pdf).text
    assert text.count("\n") == 1 and "built in 1874. It" in text and "has a dog - a grey one" in text


def test_a_table_of_contents_is_left_out_and_said(read):
    pdf = Pdf().page()
    pdf.text(72, 740, "Contents", 16, "F2")
    for place, (name, page) in enumerate((("Trade", 3), ("Food", 7), ("Ships", 12))):
        pdf.text(72, 700 - 14 * place, f"{name} {'. ' * 40}{page}")
    pdf.page().prose(72, 740, 460, FIRST)

    converted = read(pdf)

    assert converted.text == f"# Contents\n\n{FIRST}\n"
    assert [(note.about, note.pages) for note in converted.notes] == [("contents", (1,))]


def test_a_running_head_that_changes_with_the_chapter_is_known_by_its_page_number(read):
    pdf = Pdf()
    for number, name in enumerate(("Trade", "Food", "Ships", "Song")):
        pdf.page().text(72, 760, f"Chapter {number}: {name}", 9)
        pdf.text(520, 760, str(number + 17), 9)
        pdf.prose(72, 720, 460, (FIRST, SECOND, THIRD, FIRST)[number])

    assert read(pdf).text == f"{FIRST}\n\n{SECOND}\n\n{THIRD}\n\n{FIRST}\n"


def test_signs_of_markdown_in_the_text_are_no_emphasis(read):
    pdf = Pdf().page()
    pdf.words(72, 740, "Write", ("stars", "F2"), "as /*, */ or *.txt and __name__ here.")

    assert read(pdf).text == "Write **stars** as /*, */ or *.txt and __name__ here.\n"


PLACED = st.lists(
    st.tuples(
        st.floats(0, 560),
        st.floats(0, 780),
        st.sampled_from([6.0, 9.0, 10.0, 10.0, 10.0, 12.0, 20.0]),
        st.booleans(),
        st.booleans(),
        st.booleans(),
    ),
    max_size=80,
)


@settings(max_examples=60, deadline=None)
@given(st.lists(PLACED, min_size=1, max_size=3))
def test_wherever_words_stand_none_is_lost(placed):
    pages = []
    number = 0
    for page, words in enumerate(placed, start=1):
        made = []
        for left, base, size, is_bold, is_italic, is_code in words:
            number += 1
            text = "Q" + "".join(chr(97 + int(digit)) for digit in str(number)) + "z"
            made.append(Word(text, left, left + 0.5 * size * len(text), base, size, is_bold, is_italic, True, is_code))
        pages.append(Page(page, 612, 792, made))

    text = to_markdown(pages).text

    assert sorted(re.findall(r"Q[a-j]+z", text)) == sorted(word.text for page in pages for word in page.words)
    assert not re.search("[\ue000-\uf8ff]", text)
