"""The page of a lesson: everything in it can be read, nothing in it loads or runs."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from lab_desktop.contribution import reading
from lab_desktop.contribution.parcel import Parcel, prepare
from lab_desktop.contribution.reading import page
from tests.contribution.lessons import CREDITS, DOCUMENTS, FACTS, SKILL, lesson, plain_library
from tests.taxonomy import leaves

HOSTILE = "</td><script>alert(1)</script><img src=x onerror=a()><a href='javascript:b()'>\"'&amp; \u202ex"
VOID = {"meta", "br"}


class Reader(HTMLParser):
    """What a page has: its text, its elements, what leads out of it; and whether every element is closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = ""
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attributes]
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open[-1:] != ["style"]:
            self.text += data


@pytest.fixture
def made(tmp_path: Path) -> Parcel:
    root = plain_library(tmp_path / "library")
    text = leaves.knowledge().replace("Bay 1 has a pier.", "# The pier\\n\\nIt is long.")
    return prepare(root, lesson(root, text=text))


def test_everything_of_a_lesson_can_be_read(made: Parcel) -> None:
    found = Reader(page(made))

    words = " ".join(found.text.split())
    for text in ("Facts ▸ Places", "Orra", "The island.", "5 passages · 15 questions · 1 document", "Passage 1",
                 "Bay 0 has a pier.", "2 The pier It is long.", "Item 42?", "Fact 42.", "island 13 words",
                 "It was built in 1744.", "Wikipedia authors", "share alike (Wikipedia) (CC-BY-SA-4.0)"):  # fmt: skip
        assert text in words, text
    assert ("href", "https://en.wikipedia.org/wiki/Orra_Island") in found.attributes
    assert found.tags.count("tr") == 5 * 4


def test_headings_tables_and_code_of_a_document_are_drawn_as_such(made: Parcel) -> None:
    text = (
        "# Orra\n\nIt **shines**.\n\n## Light\n\n| Year | Colour |\n|---|---|\n| 1744 | a \\| b |\n\n```\nx < 1\n```\n"
    )

    drawn = page(replace(made, documents={f"{FACTS}/a.md": text.encode()}))

    for part in ('<h3 dir="auto">Orra</h3>', "<strong>shines</strong>", '<h4 dir="auto">Light</h4>',
                 '<th dir="auto">Colour</th>', '<td dir="auto">1744</td>', "<pre>x &lt; 1</pre>"):  # fmt: skip
        assert part in drawn, part
    assert drawn.count(">Orra</h3>") == 1
    Reader(drawn)


def test_a_skill_shows_its_task_and_its_examples(tmp_path: Path) -> None:
    root = plain_library(tmp_path / "library")
    folder = lesson(root, "compositional_skills/grounded/writing/shout")

    words = " ".join(Reader(page(prepare(root, folder))).text.split())

    assert "Skill ▸ Writing Shout Rhyme. 5 examples" in words
    assert "Example 2 The text Bay 1 The task Rhyme on 1? The answer Number 1." in words
    assert "The text" not in page(prepare(root, lesson(root, SKILL)))


def test_nothing_of_a_lesson_becomes_more_than_text(tmp_path: Path) -> None:
    root = plain_library(tmp_path / "library")
    quoted = HOSTILE.replace('"', '\\"')
    text = leaves.knowledge().replace("Fact 00.", quoted).replace("Bay 0", quoted).replace("The island.", quoted)
    credits = CREDITS.replace("Orra", HOSTILE).replace("https://en", "javascript:x https://en")
    made = prepare(root, lesson(root, text=text, credits=credits, documents={"island.md": HOSTILE}))

    found = Reader(page(replace(made, title=HOSTILE, documents={f"{FACTS}/{HOSTILE}.md": HOSTILE.encode()})))

    assert not {"script", "img", "iframe", "object", "link", "form", "svg"} & set(found.tags)
    assert {name for name, _ in found.attributes} <= {
        "lang", "charset", "http-equiv", "content", "name", "class", "dir", "scope",
    }  # fmt: skip
    assert found.text.count("alert(1)") == 9
    assert "\u202e" not in found.text


def test_the_page_loads_nothing_and_runs_nothing(made: Parcel) -> None:
    text = page(made)

    assert "default-src 'none'; style-src 'unsafe-inline'" in text
    assert not re.search(r"url\(|@import|src=|<link|<script", text)


def test_a_long_document_is_shortened_and_says_so(made: Parcel) -> None:
    long = "word " * (reading.MOST_LETTERS // 4)

    text = page(replace(made, documents={f"{FACTS}/long.md": long.encode()}))

    assert len(text) < reading.MOST_LETTERS + 30_000
    assert "The rest is in the document itself." in text and f"{len(long.split()):,} words" in text
    assert "The rest is" not in page(made) and DOCUMENTS["island.md"].split("\n")[-2] in page(made)


@pytest.mark.parametrize("part", [":root {", "@media (prefers-color-scheme: dark) {"])
def test_every_text_can_be_told_from_its_ground_in_light_and_dark(made: Parcel, part: str) -> None:
    rules = page(made).split(part, 1)[1].split("}", 1)[0]
    colors = dict(re.findall(r"--(\w+): #([0-9a-f]{6})", rules))

    def light(color: str) -> float:
        parts = [int(color[at : at + 2], 16) / 255 for at in (0, 2, 4)]
        linear = [each / 12.92 if each <= 0.03928 else ((each + 0.055) / 1.055) ** 2.4 for each in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    for ground in ("ground", "card"):
        for name in ("text", "quiet", "accent"):
            high, low = sorted((light(colors[name]), light(colors[ground])), reverse=True)
            assert (high + 0.05) / (low + 0.05) >= 4.5, (name, ground)
