"""Documents are read with clear errors, and cut where a reader would."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab_desktop.documents.passages import Document, passages, read_documents
from lab_desktop.errors import DocumentError


def words(text: str) -> int:
    return len(text.split())


def letters(text: str) -> int:
    return -(-len(text.encode()) // 4)


def cut(text: str, most: int = 40, count=words) -> list[str]:
    return [passage.text for passage in passages([Document(Path("a.md"), text)], count, most)]


def sentences(count: int, word: str = "Word") -> str:
    return " ".join(f"{word} {number} is a sentence." for number in range(count))


TRADE, SHIPS = sentences(5), sentences(6)
ISLAND = f"# Velmora\n\nAn island.\n\n## Trade\n\n{TRADE}\n\n### Ships\n\n{SHIPS}\n\n## Food\n\n{TRADE}\n"


def test_a_passage_begins_with_the_headings_it_stood_under():
    found = passages([Document(Path("a.md"), ISLAND)], words, 40)

    assert [passage.heading for passage in found] == [
        "Velmora",
        "Velmora › Trade",
        "Velmora › Trade › Ships",
        "Velmora › Food",
    ]
    assert [passage.number for passage in found] == [0, 1, 2, 3]
    assert found[1].text == f"Velmora › Trade\n\n{sentences(5)}"


def test_short_neighbouring_sections_share_a_passage():
    assert cut("# Inns\n\n## Anchor\n\nBy the pier.\n\n## Bell\n\nOn the hill.\n") == [
        "Inns\n\nAnchor\n\nBy the pier.\n\nBell\n\nOn the hill."
    ]


def test_a_section_after_a_deeper_one_of_the_same_name_follows_without_a_gap():
    assert cut("# Inns\n\n## Bell\n\nOn the hill.\n\n# Inns\n\nTwo.\n") == ["Inns\n\nBell\n\nOn the hill.\n\nTwo."]


def test_long_sections_are_cut_between_paragraphs_then_sentences():
    first, second = sentences(4), sentences(30)
    found = cut(f"{first}\n\n{second}\n")

    assert all(words(text) <= 40 and text.endswith(".") for text in found)
    assert found[0].startswith(f"{first}\n\nWord 0")


def test_underlined_headings_and_hashes_in_code_are_told_apart():
    text = "Velmora\n=======\n\n```\n# not a heading\n```\n\nTrade\n---\nSalt.\n"

    assert cut(text) == ["Velmora\n\n```\n# not a heading\n```\n\nTrade\n\nSalt."]


def test_a_very_long_line_with_a_hash_is_text_and_not_lost():
    assert "the end" in cut("# " + sentences(40) + " the end")[-1]


def test_a_table_that_fits_stays_whole():
    table = "| Port | Ships |\n|---|---|\n" + "\n".join(f"| P{n} | {n} |" for n in range(5))
    found = cut(f"{sentences(5)}\n\n{table}\n\nAfter.\n", 35)

    assert any(table in text for text in found)


def test_a_longer_table_repeats_its_head_and_loses_no_row():
    rows = [f"| P{n} | {n} |" for n in range(40)]
    found = cut("# Ports\n\n| Port | Ships |\n|---|---|\n" + "\n".join(rows) + "\n")

    assert all(text.startswith("Ports\n\n| Port | Ships |\n|---|---|\n| P") for text in found)
    assert [
        line for text in found for line in text.split("\n") if line.startswith("| P") and "Port" not in line
    ] == rows


def test_passages_are_numbered_over_all_documents():
    found = passages([Document(Path("a.md"), "One."), Document(Path("b.md"), "Two.")], words, 20)

    assert [(passage.number, passage.document.name) for passage in found] == [(0, "a.md"), (1, "b.md")]


def test_only_headings_is_an_error_that_names_the_file():
    with pytest.raises(DocumentError, match=r'headings of "a\.md"'):
        cut("# One\n\n## Two\n")


BODY = st.text(alphabet="abcdefg .!?\n|-*", min_size=1, max_size=400)
HEADED = st.lists(st.tuples(st.integers(1, 6), st.text(alphabet="ABC ", max_size=60), BODY), min_size=1, max_size=6)


@settings(max_examples=60, deadline=None)
@given(HEADED, st.integers(16, 60), st.sampled_from([words, letters, len]))
def test_every_passage_fits_and_no_text_is_lost(sections, most, count):
    text = "".join(f"{'#' * level} {title}\n\n{body}\n\n" for level, title, body in sections)
    body_letters = [letter for letter in text if letter.islower()]
    if not body_letters or "--" in text or "| " in text:  # underlined headings, repeated heads of tables
        return

    found = cut(text, most, count)

    assert all(count(passage) <= most and passage.strip() == passage != "" for passage in found)
    assert [letter for passage in found for letter in passage if letter.islower()] == body_letters


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=600), st.integers(16, 50))
def test_any_text_at_all_is_cut_to_size(text, most):
    if not text.strip():
        return
    try:
        found = cut(text, most, letters)
    except DocumentError:
        return
    assert all(letters(passage) <= most and passage.strip() for passage in found)


def test_a_tokenizer_that_does_not_add_up_is_checked_at_the_end():
    def dearer_together(text: str) -> int:
        return words(text) + text.count(". ") * 2

    found = cut(sentences(200), 40, dearer_together)

    assert all(dearer_together(text) <= 40 for text in found)


@pytest.mark.parametrize(
    "text",
    [
        sentences(90_000),
        "\n\n".join(f"## Part {n}\n\n{sentences(40)}" for n in range(2_200)),
        "x" * 2_000_000,
        "word " * 400_000,
        "海の島です。" * 110_000,
        "|a|b|\n|-|-|\n" + "| one | two |\n" * 150_000,
        "```\n" + "code\n" * 400_000,
        "# " * 1_000_000,
        "#\n" * 1_000_000 + "x",
        "a\n-\n" * 400_000,
    ],
    ids=[
        "sentences",
        "sections",
        "one word",
        "no stops",
        "no blanks",
        "table",
        "open fence",
        "hashes",
        "empty",
        "lines",
    ],
)
def test_two_megabytes_of_anything_take_seconds_and_are_counted_a_few_times_at_most(text):
    counted = 0

    def count(piece: str) -> int:
        nonlocal counted
        counted += len(piece)
        return letters(piece)

    start = time.thread_time()
    found = cut(text, 500, count)

    assert found and all(letters(passage) <= 500 for passage in found[:50])
    if not set("#|-") & set(text):  # headings and heads of tables are repeated
        assert "".join("".join(found).split()) == "".join(text.split())
    assert counted < 6 * len(text)
    assert time.thread_time() - start < 20


@pytest.fixture
def lesson(tmp_path: Path) -> Path:
    folder = tmp_path / "lesson"
    folder.mkdir()
    (folder / "qna.yaml").write_text("version: 3\n")
    return folder


def test_documents_beside_the_leaf_are_read_in_order(lesson):
    (lesson / "b.md").write_bytes(b"\xef\xbb\xbfTwo\r\nlines\r")
    (lesson / "a.txt").write_text("One")
    (lesson / "parts").mkdir()
    (lesson / "parts" / "c.md").write_text("Three")
    (lesson / "map.png").write_bytes(b"\x89PNG\0")

    found = read_documents(lesson, ("**/*",))

    assert [(document.path.name, document.text) for document in found] == [
        ("a.txt", "One"),
        ("b.md", "Two\nlines\n"),
        ("c.md", "Three"),
    ]
    assert [document.path.name for document in read_documents(lesson, ("*.md", "b.*"))] == ["b.md"]


@pytest.mark.parametrize("pattern", ["../*.md", "/etc/*.md", "a/../../*.md", "C:\\x.md", "..\\x.md", "**x.md", "."])
def test_a_pattern_never_leads_out_of_the_folder(pattern, lesson):
    (lesson.parent / "secret.md").write_text("Secret")

    with pytest.raises(DocumentError):
        read_documents(lesson, (pattern,))


def test_a_link_never_leads_out_of_the_folder(lesson):
    (lesson.parent / "secret.md").write_text("Secret")
    (lesson / "own.md").symlink_to(lesson.parent / "secret.md")

    with pytest.raises(DocumentError, match="link to a file outside"):
        read_documents(lesson, ("*.md",))


@pytest.mark.parametrize(
    ("name", "data", "says"),
    [
        ("a.md", b"", "is empty"),
        ("a.md", b" \n\n", "is empty"),
        ("a.md", b"one\ntwo \xe9", r"not UTF-8 \(line 2\)"),
        ("a.md", "text".encode("utf-16"), "not UTF-8"),
        ("a.md", b"te\0xt", "zero bytes"),
        ("a.pdf", b"%PDF-1.7", "not Markdown or plain text"),
        ("a.docx", b"PK", "not Markdown or plain text"),
        ("a.png", b"\x89PNG", "No document matches"),
        (".a.md", b"hidden", "No document matches"),
    ],
)
def test_a_document_that_cannot_be_used_is_named_with_what_to_do(name, data, says, lesson):
    (lesson / name).write_bytes(data)

    with pytest.raises(DocumentError, match=says) as caught:
        read_documents(lesson, ("*",))
    assert caught.value.hint


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_a_document_without_permission_is_named(lesson):
    (lesson / "a.md").write_text("x")
    (lesson / "a.md").chmod(0)

    with pytest.raises(DocumentError, match="cannot be opened"):
        read_documents(lesson, ("*.md",))
