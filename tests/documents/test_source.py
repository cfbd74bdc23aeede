"""A lesson keeps what was brought, byte for byte, and its Markdown is the person's."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from lab_desktop.documents.convert import convert, convert_html
from lab_desktop.documents.passages import read_documents
from lab_desktop.documents.safely import Pasted
from lab_desktop.documents.source import keep, note_starts, record_of, source_of, sources
from lab_desktop.errors import DocumentError, StorageError
from tests.documents.makers import Pdf

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def lesson(tmp_path: Path) -> Path:
    folder = tmp_path / "lesson"
    folder.mkdir()
    (folder / "qna.yaml").write_text("version: 3\n")
    return folder


@pytest.fixture
def page(tmp_path: Path) -> Path:
    file = tmp_path / "All about: Velmora?.html"
    file.write_text("<title>Velmora</title><h1>Velmora</h1><p>An island.</p><img src=x>")
    return file


def test_the_original_and_its_markdown_are_kept(lesson, page):
    kept = keep(lesson, page, convert(page))

    assert kept.text == lesson / "All about Velmora.md" and kept.text.read_text() == "# Velmora\n\nAn island.\n"
    assert kept.original == lesson / ".originals" / "All about Velmora.html"
    assert kept.original.read_bytes() == page.read_bytes()
    assert (kept.name, kept.title, kept.kind) == ("All about: Velmora?.html", "Velmora", "html")
    assert [note.about for note in kept.notes] == ["pictures"] and not kept.is_edited
    assert sources(lesson) == [kept]


def test_a_leaf_reads_the_markdown_and_never_the_original(lesson, tmp_path):
    file = tmp_path / "notes.md"
    file.write_text("# One\n\nText.\n")
    keep(lesson, file, convert(file))

    assert [document.path.name for document in read_documents(lesson, ("**/*", "*"))] == ["notes.md"]


def test_a_text_knows_its_original_even_when_that_is_gone(lesson, page, tmp_path):
    kept = keep(lesson, page, convert(page))
    (lesson / "own.md").write_text("Mine.\n")

    assert source_of(kept.text) == kept and source_of(lesson / "own.md") is None
    kept.original.unlink()
    assert source_of(kept.text) == kept and sources(lesson) == []
    record_of(kept.text).write_text("{")
    assert source_of(kept.text) is None


def test_how_the_pages_begin_is_noted_and_can_be_noted_later(lesson, tmp_path):
    file = tmp_path / "a.pdf"
    pdf = Pdf()
    for number in range(2):
        pdf.page().prose(72, 700, 460, f"Page {number} tells of the island in so many words that it is a paragraph.")
    file.write_bytes(pdf.data())
    kept = keep(lesson, file, convert(file))
    assert [page for page, _ in kept.starts] == [1, 2] and source_of(kept.text) == kept

    record = json.loads(record_of(kept.text).read_text())
    del record["starts"]  # as it was written before starts were noted
    record_of(kept.text).write_text(json.dumps(record))
    before = source_of(kept.text)
    assert before is not None and before.starts == ()

    note_starts(before, kept.starts)
    assert source_of(kept.text) == kept


def test_only_documents_are_opened_with_the_system(lesson, page, tmp_path):
    assert keep(lesson, page, convert(page)).may_be_opened
    script = tmp_path / "notes.command"
    script.write_text("A text that the system would run.\n")
    assert not keep(lesson, script, convert(script)).may_be_opened


def test_git_does_not_see_the_originals(lesson, page):
    subprocess.run(["git", "init", "-q", str(lesson)], check=True)
    keep(lesson, page, convert(page))

    listed = subprocess.run(
        ["git", "-C", str(lesson), "status", "--porcelain", "-uall"], capture_output=True, text=True, check=True
    ).stdout

    assert listed.split("\n")[:-1] == ['?? "All about Velmora.md"', "?? qna.yaml"]


def test_the_same_document_is_kept_once_and_another_of_that_name_beside_it(lesson, page):
    first = keep(lesson, page, convert(page))
    first.text.write_text("Mine.\n")
    assert keep(lesson, page, convert(page)) == first and first.text.read_text() == "Mine.\n"

    page.write_text("<p>Another.</p>")
    second = keep(lesson, page, convert(page))

    assert second.text.name == "All about Velmora 2.md" and second.original.name == "All about Velmora 2.html"
    assert [source.text for source in sources(lesson)] == [second.text, first.text]
    assert first.text.read_text() == "Mine.\n"


def test_a_document_that_changed_since_is_not_kept(lesson, page):
    converted = convert(page)
    page.write_text("<p>Something else.</p>")

    with pytest.raises(DocumentError, match="changed after it was converted"):
        keep(lesson, page, converted)
    assert [entry.name for entry in lesson.iterdir()] == ["qna.yaml"]


def test_what_was_pasted_is_kept_under_its_title(lesson):
    pasted = Pasted("<h1>Salt & wool</h1><p>Text.</p>", is_html=True)

    kept = keep(lesson, pasted, convert_html(pasted.text))

    assert (kept.text.name, kept.original.name, kept.name) == ("Salt & wool.md", "Salt & wool.html", "Pasted text")
    assert kept.original.read_text() == pasted.text


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("qna.html", "qna document.md"),
        ("attribution.txt", "attribution document.md"),
        ("CON.html", "CON document.md"),
        ("...html", "Document.md"),
        ("a[1]*{b}.txt", "a 1 b.md"),
        ("-o.txt", "o.md"),
        ("ü" * 100 + ".txt", "ü" * 60 + ".md"),
        ("evil\u202etxt.\u200btxt", "eviltxt.md"),
    ],
)
def test_names_are_made_safe(name, text, lesson, tmp_path):
    file = tmp_path / name
    file.write_text("Some text.")

    assert keep(lesson, file, convert(file)).text.name == text


def test_a_record_that_leads_elsewhere_is_left_out(lesson, page, tmp_path):
    kept = keep(lesson, page, convert(page))
    record = lesson / ".originals" / "All about Velmora.json"
    value = json.loads(record.read_text())
    (tmp_path / "secret.md").write_text("Secret")

    for change in ({"text": "../secret.md"}, {"original": "/etc/passwd"}, {"notes": 3}, {"kind": "exe"}, {"more": 1}):
        record.write_text(json.dumps({**value, **change}))
        assert sources(lesson) == []
    record.write_text("{")
    assert sources(lesson) == []
    assert kept.text.is_file()

    record.write_text(json.dumps(value))
    assert sources(lesson) == [kept]
    kept.text.unlink()
    kept.text.symlink_to(tmp_path / "secret.md")
    assert sources(lesson) == []


def test_a_folder_of_originals_that_is_a_link_is_not_written_to(lesson, page, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (lesson / ".originals").symlink_to(tmp_path / "elsewhere")

    with pytest.raises(DocumentError, match="link to another folder"):
        keep(lesson, page, convert(page))
    assert list((tmp_path / "elsewhere").iterdir()) == []


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_a_lesson_that_cannot_be_written_says_so(lesson, page):
    lesson.chmod(0o500)
    try:
        with pytest.raises(StorageError):
            keep(lesson, page, convert(page))
    finally:
        lesson.chmod(0o700)


@pytest.mark.skipif(os.name == "nt", reason="kills as Unix does")
@pytest.mark.parametrize("after", range(4))
def test_killed_at_any_write_nothing_half_is_listed_and_it_can_be_done_again(after, lesson, page):
    script = f"""
import os, signal
from pathlib import Path
from lab_desktop.documents.convert import convert
from lab_desktop.documents.source import keep
real, left = Path.replace, [{after}]
def replace(self, target):
    if not left[0]:
        os.kill(os.getpid(), signal.SIGKILL)
    left[0] -= 1
    return real(self, target)
Path.replace = replace
file = Path({str(page)!r})
keep(Path({str(lesson)!r}), file, convert(file))
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)})
    assert done.returncode == -signal.SIGKILL

    assert sources(lesson) == [] and not list(lesson.glob("*.md"))
    kept = keep(lesson, page, convert(page))
    assert kept.text.name == "All about Velmora.md" and sources(lesson) == [kept]
