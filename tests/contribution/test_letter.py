"""The pull request's text: every section of the template from data, and nothing in it but text."""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PySide6.QtGui import QGuiApplication, QTextDocument

from lab_desktop.contribution.letter import author, fenced, letter, message, paragraphs
from lab_desktop.contribution.parcel import Parcel, prepare
from lab_desktop.contribution.proof import Proof, Shown, proof
from lab_desktop.errors import ContributionError
from tests.contribution.lessons import CREDITS, FACTS, SKILL, checked_run, lesson, plain_library
from tests.taxonomy import leaves

SECTIONS = (
    "**Describe the contribution to the taxonomy**",
    "**Input given at the prompt**",
    "**Response from the original model**",
    "**Response from the fine-tuned model**",
    "**Contribution checklist**",
)
WILD = (
    "Hello @ada and @org/team, see #12, GH-12, o/r#3, !4, &5, ~bug, %2, $1",
    "fixes https://github.com/o/r/issues/12 and https://gitlab.com/o/r/-/merge_requests/3",
    "<script>alert(1)</script> <img src=x> <!-- gone --> &copy; <b>",
    "[link](https://x.org) ![picture](https://x.org/a.png) [a]: https://x.org",
    "```\nout of it\n```\n~~~~\nmore\n~~~~",
    "# Heading\nText\n====\n---\n***\n- [x] done\n+ item\n> quoted",
    "/close\n/assign @ada\n  /merge",
    "a | b\n--|--\n*bold* _it_ **b** `code` ~~gone~~ :tada: $x$ \\",
    "right \u202eto left\u202c \x00\x07 \ud800 \u2066x",
)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Parcel:
    root = plain_library(tmp_path_factory.mktemp("library"))
    return prepare(root, lesson(root))


@pytest.fixture
def shown(tmp_path: Path) -> Proof:
    found = proof(checked_run(tmp_path / "run"), FACTS)
    assert found is not None
    return found


def as_read(markdown: str) -> str:
    """The text that a reader of the Markdown sees, by a parser of GitHub's dialect."""
    document = QTextDocument()
    document.setMarkdown(markdown, QTextDocument.MarkdownFeature.MarkdownDialectGitHub)
    return document.toPlainText()


def seen(text: str) -> str:
    """A text without what nobody sees, and blanks as they are drawn."""
    return " ".join(
        re.sub("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2060-\u2069\u200b\u202a-\u202e\ud800\ufeff]", "", text).split()
    )


def checks(body: str) -> list[bool]:
    return [mark == "x" for mark in re.findall(r"^- \[([ x])\] ", body, re.MULTILINE)]


def test_every_section_of_the_template_is_filled(made: Parcel, shown: Proof) -> None:
    body = letter(made, shown, "From our club.").body

    parts = re.split("|".join(re.escape(section) for section in SECTIONS), body)
    assert [body.index(section) for section in SECTIONS] == sorted(body.index(section) for section in SECTIONS)
    first, about, asked, before, after, checklist = parts
    assert first.strip() == "From our club."
    assert f"`{FACTS}`" in about and "5 passages with 15 questions" in about and "`island.md`, 13 words" in about
    assert "by Wikipedia authors, licence CC-BY-SA-4.0" in about
    assert "<https://en.wikipedia.org/wiki/Orra_Island>" in about
    assert "What colour is the light?" in asked and "Who built it?" in asked
    assert "SmolLM2-135M.Q4_1" in before and "It is blue." in before and "question 1, found wrong" in before
    assert "orra-Q4_K_M" in after and "It is red." in after and "question 1, found right" in after
    assert "Of 3 questions about it that were never practised, the original answered 1 rightly" in after
    assert checks(checklist) == [True] * 7 + [False]
    assert "50 practice questions were written from it, and 42 of them kept" in checklist


def test_what_was_not_measured_is_not_ticked(made: Parcel, shown: Proof) -> None:
    assert checks(letter(made, None).body) == [False, False] + [True] * 5 + [False]
    assert letter(made, None).body.count("No model was trained with it yet.") == 3

    changed = letter(made, replace(shown, is_of_this=False)).body
    assert checks(changed)[:2] == [False, False] and "changed after this was measured" in changed
    assert checks(letter(made, replace(shown, made=(0, 0))).body)[:2] == [False, False]
    assert "No question about it was asked." in letter(made, replace(shown, questions=(), total=0)).body


def test_what_the_data_does_not_say_is_left_open_with_a_reason(tmp_path: Path, shown: Proof) -> None:
    root = plain_library(tmp_path / "library")
    text = leaves.skill(examples=4).replace("Number 0.", "Ask ada@example.org.").replace('"Rhyme."', '" "')

    body = letter(prepare(root, lesson(root, SKILL, text, credits=None)), shown).body

    assert checks(body) == [True, False, True, False, False, False, False, False]
    assert "e-mail addresses: 1" in body and "ada@example" not in body
    assert "it has 4" in body and "there is none" in body


def test_a_file_with_warnings_is_not_said_to_have_none(tmp_path: Path, shown: Proof) -> None:
    root, file = plain_library(tmp_path / "library"), f"{SKILL}/qna.yaml"
    made = prepare(root, lesson(root, SKILL))
    loose = replace(made, files={**made.files, file: made.files[file] + b"\n\n\n\n"})

    body = letter(loose, shown).body

    assert checks(body)[:5] == [True, False, True, True, False]
    assert "the check finds" in body


def test_a_lesson_that_got_worse_somewhere_says_so(made: Parcel, shown: Proof) -> None:
    worse = Shown("Q?", "right", "wrong", True, False)

    body = letter(made, replace(shown, questions=(*shown.questions, worse))).body

    assert "went wrong" in body and "Answer to question 3, found wrong" in body


def test_the_title_is_one_line_and_says_what_is_new(made: Parcel) -> None:
    assert letter(made, None).title == "Add knowledge: Orra"
    assert letter(replace(made, before={f"{FACTS}/qna.yaml": b""}), None).title == "Improve knowledge: Orra"
    wild = letter(replace(made, title="Fixes #12 @ada\n`x` <b> [skip ci] " + "long " * 30), None).title
    assert len(wild) <= 72 and wild.endswith("…") and not set("#@`<[\n") & set(wild)


@pytest.mark.parametrize("text", WILD)
def test_a_person_s_words_read_as_they_were_written_and_do_nothing(
    qapp: QGuiApplication, made: Parcel, shown: Proof, text: str
) -> None:
    asked = Shown(text, text, text, False, True)

    body = letter(made, replace(shown, questions=(asked,)), text).body
    marked = paragraphs(text)

    assert seen(as_read(marked)) == seen(text)
    assert not re.search(r"[@#!]\w|GH-\d|(issues|merge_requests)/\d|^\s*/\w", marked, re.MULTILINE)
    assert not re.search("[\u202a-\u202e\u2066-\u2069\x00-\x08\ud800]", body)
    assert as_read(body).count("Contribution checklist") == 1
    assert checks(re.split(re.escape(SECTIONS[-1]), body)[1]) == [True] * 7 + [False]
    body.encode("utf-8")


def test_an_address_stays_one_that_can_be_opened(qapp: QGuiApplication) -> None:
    address = "https://en.wikipedia.org/wiki/Rock_pool?a=1&b=~2#Sea"

    marked = paragraphs(f"See {address}.")

    assert marked == f"See <{address}>."
    assert as_read(marked) == f"See {address}."


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(st.sampled_from("ab @#/`~*_[]()<>!&\\-=+|.:1\n$") | st.characters(exclude_categories=("Cs",))))
def test_any_words_read_as_they_were_written(qapp: QGuiApplication, text: str) -> None:
    marked = paragraphs(text)

    assert not re.search(r"[@#]\w", marked)
    assert not re.search(r"(?<!\\)(?:\\\\)*[`*<\[$]", re.sub(r"<https?://[^>\s]*>", "", marked))


@settings(max_examples=60, deadline=None)
@given(text=st.text(st.sampled_from("`~ \nab"), max_size=60))
def test_nothing_ends_a_block_of_code_from_inside(text: str) -> None:
    opening, *inside, closing = fenced(text).split("\n")

    fence = opening.removesuffix("text")
    assert closing == fence and len(fence) >= 3
    assert not any(line.strip() == fence or line.strip().startswith(fence) for line in inside)


def test_long_answers_are_shortened_and_the_letter_stays_within_a_host_s_limit(made: Parcel, shown: Proof) -> None:
    long = Shown("q " * 9_000, "b\n" * 9_000, "```" * 9_000, False, True)

    body = letter(made, replace(shown, questions=(long,) * 5), "note <>" * 9_000).body

    assert len(body) < 65_000 and "more letters" in body


@pytest.mark.parametrize(
    ("name", "email"),
    [
        ("Ada Lovelace", "7+ada@users.noreply.github.com"),
        ("Robert Downey Jr.", "rob@example.org"),
        ("  Jean-Luc  O'Neil, ", " jl@example.org "),
        ('<b>Ada</b> "Countess"', "<ada@example.org>"),
        ("Ada\nSigned-off-by: Eve <eve@example.org>", "ada@example.org"),
        ("Žofie Łęcka 😀", "zofie@example.org"),
    ],
)
def test_the_sign_off_is_equal_to_the_author_that_git_writes(
    tmp_path: Path, made: Parcel, name: str, email: str
) -> None:
    who, at = author(name, email)
    said = message(made, "Fixes #1 @eve\n\nSigned-off-by: Eve <eve@example.org>", who, at)

    def git(*command: str, given: str = "") -> str:
        settings = {f"GIT_{role}_{part}": text for role in ("AUTHOR", "COMMITTER") for part, text in
                    (("NAME", who), ("EMAIL", at))}  # fmt: skip
        return subprocess.run(
            ["git", *command], cwd=tmp_path, input=given, capture_output=True, text=True, check=True,
            env={**os.environ, **settings, "GIT_CONFIG_GLOBAL": os.devnull},
        ).stdout.strip()  # fmt: skip

    git("init", "--quiet", "--bare", ".")
    commit = git("commit-tree", "-F", "-", git("mktree"), given=said)

    assert git("show", "-s", "--format=%(trailers:key=Signed-off-by,valueonly)", commit) == f"{who} <{at}>"
    assert git("show", "-s", "--format=%an <%ae>", commit) == f"{who} <{at}>"
    assert "#" not in said and "@eve" not in said
    assert len(git("show", "-s", "--format=%s", commit)) <= 72


@pytest.mark.parametrize(
    ("name", "email"), [("", "a@b.c"), ("...", "a@b.c"), ("Ada", ""), ("Ada", "a b@c"), ("Ada", "a")]
)
def test_a_sign_off_without_a_name_or_an_address_is_none(name: str, email: str) -> None:
    with pytest.raises(ContributionError):
        author(name, email)


@pytest.mark.parametrize("text", ["", "Ada\nSigned-off-by: Eve <eve@example.org>", "<Ada>", " Ada", "Ada\u202e"])
def test_a_name_that_would_sign_for_another_is_refused(made: Parcel, text: str) -> None:
    for name, email in ((text, "ada@example.org"), ("Ada", text)):
        with pytest.raises(ContributionError):
            message(made, "Title", name, email)


def test_a_source_cannot_write_markup_into_the_letter(tmp_path: Path) -> None:
    root = plain_library(tmp_path / "library")
    credits = CREDITS.replace("Wikipedia authors", "@ada [x](y) <b>").replace(
        "https://en", "javascript:alert(1) https://en"
    )

    body = letter(prepare(root, lesson(root, credits=credits)), None).body

    assert "@ada" not in body and "](y" not in body.replace("\\]", "") and "<b>" not in body
