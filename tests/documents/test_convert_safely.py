"""A hostile document harms only the process that reads it, and the person gets a sentence."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lab_desktop import cli, problems
from lab_desktop.documents.convert import convert
from lab_desktop.documents.converted import Converted, Kind
from lab_desktop.documents.safely import Limits, Pasted, convert_safely
from lab_desktop.errors import Cancelled, DocumentError
from tests.documents.makers import Pdf, W, archive, book, paragraph, word

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def our_code(monkeypatch):
    """The child finds the package that the tests are beside."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setattr(problems, "_of_readers", set())


def long_pdf(pages: int) -> bytes:
    pdf = Pdf("Long")
    for number in range(pages):
        pdf.page()
        for line in range(50):
            pdf.text(72, 740 - 13 * line, f"Line {line} of page {number} has some words to read, and a full stop.")
    return pdf.data()


def slow_html(folder: Path) -> Path:
    """Minutes of work, no harm otherwise."""
    file = folder / "slow.html"
    file.write_text("<b>word</b> " * 2_000_000)
    return file


def children() -> list[psutil.Process]:
    found = []
    for child in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):
            if "--convert" in child.cmdline() and child.status() != psutil.STATUS_ZOMBIE:
                found.append(child)
    return found


def test_a_document_is_read_in_a_child_which_tells_its_progress(tmp_path):
    file = tmp_path / "Ünlü name.pdf"
    file.write_bytes(long_pdf(20))
    seen: list[tuple[int, int]] = []

    converted = convert_safely(file, lambda done, total: seen.append((done, total)))

    assert converted == convert(file)
    assert converted.pages == 20 and seen[0] == (0, 20) and seen[-1] == (20, 20) and seen == sorted(seen)
    assert children() == []


def test_what_was_pasted_is_read_in_a_child_too():
    assert convert_safely(Pasted("<h1>Title</h1><p>Tëxt \ud800", is_html=True)).text.startswith("# Title\n\nTëxt")
    assert convert_safely(Pasted("# Title\n\n*a*")) == Converted("# Title\n\n*a*\n", "Title", Kind.MARKDOWN)
    with pytest.raises(DocumentError, match="What was pasted has no text"):
        convert_safely(Pasted("  "))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes with names are a thing of Unix")
def test_a_pipe_a_device_and_a_folder_are_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / "pipe.pdf")
    (tmp_path / "link.txt").symlink_to("/dev/zero")
    began = time.monotonic()

    for file, says in (
        (tmp_path / "pipe.pdf", "not an ordinary file"),
        (tmp_path / "link.txt", "not an ordinary file"),
        (tmp_path, "is a folder"),
        (tmp_path / "gone.pdf", "cannot be opened: No such file"),
        (tmp_path / ("x" * 300), "cannot be opened"),
    ):
        with pytest.raises(DocumentError, match=says):
            convert_safely(file)
    assert time.monotonic() - began < 60


@pytest.mark.parametrize("kind", ["docx", "epub"])
def test_a_zip_bomb_is_refused_before_it_is_large(kind, tmp_path):
    text = b"<w:document xmlns:w='x'><w:body>" + b" " * 300_000_000 + b"</w:body></w:document>"
    parts = {"word/document.xml": text} if kind == "docx" else {"META-INF/container.xml": text}
    (tmp_path / f"bomb.{kind}").write_bytes(archive(parts))
    assert (tmp_path / f"bomb.{kind}").stat().st_size < 1_000_000

    with pytest.raises(DocumentError, match="unpacks to more than 100 MB"):
        convert_safely(tmp_path / f"bomb.{kind}", limits=Limits(memory_bytes=600_000_000))


def test_pictures_and_macros_that_are_bombs_are_not_even_unpacked(tmp_path):
    more = {"word/media/a.png": b"\0" * 300_000_000, "word/vbaProject.bin": b"\0" * 1000}
    (tmp_path / "a.docx").write_bytes(word(paragraph("Text."), more=more))

    assert convert_safely(tmp_path / "a.docx", limits=Limits(memory_bytes=300_000_000)).text == "Text.\n"


def test_a_document_that_wants_too_much_memory_is_given_up(tmp_path):
    (tmp_path / "a.html").write_text("<p><b>word</b></p>" * 1_000_000)

    with pytest.raises(DocumentError, match=r'"a\.html" needs more memory'):
        convert_safely(tmp_path / "a.html", limits=Limits(memory_bytes=250_000_000))
    assert problems.reports() == []


def test_a_document_that_takes_too_long_is_given_up(tmp_path):
    began = time.monotonic()

    with pytest.raises(DocumentError, match="took longer than"):
        convert_safely(slow_html(tmp_path), limits=Limits(time_s=2.0))
    with pytest.raises(DocumentError, match="took longer than"):
        convert_safely(tmp_path / "slow.html", limits=Limits(silence_s=2.0))
    assert time.monotonic() - began < 30 and children() == []


def test_a_result_that_is_too_large_is_none(tmp_path):
    (tmp_path / "a.txt").write_text("word " * 100_000)

    with pytest.raises(DocumentError, match="stopped in the middle"):
        convert_safely(tmp_path / "a.txt", limits=Limits(output_bytes=10_000))


def test_stopping_ends_the_child_at_once(tmp_path):
    file = slow_html(tmp_path)
    began = time.monotonic()

    with pytest.raises(Cancelled):
        convert_safely(file, is_cancelled=lambda: time.monotonic() - began > 1.5)
    assert time.monotonic() - began < 15 and children() == []


def end_of_child(tmp_path: Path, by: signal.Signals) -> DocumentError:
    """What is said of a document in the middle of which its reader got a signal."""

    def kill() -> None:
        while not children():
            time.sleep(0.05)
        child = children()[0]
        while child.cpu_times().user < 1.5:  # it has begun
            time.sleep(0.05)
        child.send_signal(by)

    threading.Thread(target=kill, daemon=True).start()
    with pytest.raises(DocumentError, match=r'"slow\.html" could not be read: the reader stopped') as caught:
        convert_safely(slow_html(tmp_path))
    return caught.value


def test_a_child_that_is_ended_leaves_a_sentence_and_no_half_text(tmp_path):
    error = end_of_child(tmp_path, signal.SIGKILL)

    assert f"exit status {-signal.SIGKILL}" in error.details
    assert problems.reports() == []


@pytest.mark.skipif(os.name == "nt", reason="signals of Unix")
def test_a_child_that_crashes_leaves_a_report_without_the_document(tmp_path):
    end_of_child(tmp_path, signal.SIGSEGV)

    (report,) = problems.reports()
    said = report.read_text(encoding="utf-8")
    assert "Where: reader of documents" in said and "the program went on" in said
    assert "Fatal Python error: Segmentation fault" in said and "lab_desktop/documents/html.py" in said
    assert "slow" not in said and "word</b>" not in said

    end_of_child(tmp_path, signal.SIGTRAP)  # of which the interpreter tells nothing
    assert [line for file in problems.reports() for line in file.read_text().splitlines() if "SIGTRAP" in line] == [
        "It ended with SIGTRAP."
    ]


def test_what_nobody_foresaw_leaves_one_report_without_the_document(tmp_path, monkeypatch):
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "sitecustomize.py").write_text(
        "import lab_desktop.documents.convert as ours\n"
        "def convert(file, on_progress):\n    return {}[file.read_text()]\n"
        "ours.convert = convert\n"
    )
    monkeypatch.setenv("PYTHONPATH", f"{broken}{os.pathsep}{ROOT}")
    for name in ("plums.txt", "pears.txt"):
        (tmp_path / name).write_text("A secret recipe.")
        with pytest.raises(DocumentError, match=f'"{name}" could not be read: something in it was not foreseen'):
            convert_safely(tmp_path / name)

    (report,) = problems.reports()
    said = report.read_text(encoding="utf-8")
    assert "KeyError: …" in said and "in convert" in said
    assert "secret" not in said and "plums" not in said


@pytest.mark.skipif(os.name == "nt", reason="asks Unix about processes")
def test_a_child_whose_caller_was_killed_ends_too(tmp_path):
    file = slow_html(tmp_path)
    script = (
        "from pathlib import Path; from lab_desktop.documents.safely import convert_safely; "
        f"convert_safely(Path({str(file)!r}))"
    )
    caller = subprocess.Popen([sys.executable, "-c", script], cwd=ROOT)
    deadline = time.monotonic() + 60
    while not (found := children()) and time.monotonic() < deadline:
        time.sleep(0.05)
    (child,) = found

    caller.kill()
    caller.wait()

    with contextlib.suppress(psutil.NoSuchProcess):
        child.wait(30)
    assert not child.is_running()


def test_nothing_is_fetched(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        at = f"http://127.0.0.1:{server.getsockname()[1]}"
        page = (
            f'<html><head><link rel=stylesheet href="{at}/a.css"><base href="{at}"></head><body onload="fetch()">'
            f'<img src="{at}/a.png"><script src="{at}/a.js"></script><iframe src="{at}"></iframe><p>Text</p></body>'
        )
        (tmp_path / "a.html").write_text(page)
        (tmp_path / "a.epub").write_bytes(book({"a.xhtml": page}))
        (tmp_path / "a.docx").write_bytes(
            word(
                paragraph("Text"),
                links=f'<Relationship Id="x" Type="http://x/attachedTemplate" Target="{at}" TargetMode="External"/>',
            )
        )
        for name in ("a.html", "a.epub", "a.docx"):
            assert convert_safely(tmp_path / name).text == "Text\n"
        with pytest.raises(TimeoutError):
            server.accept()


def test_a_pdf_that_was_cut_off_or_scribbled_in_never_hangs_or_crashes_us(tmp_path):
    data = long_pdf(3)
    file = tmp_path / "a.pdf"
    for number in range(6):
        broken = bytearray(data[: len(data) * (number + 4) // 10] if number % 2 else data)
        for place in range(number * 37, len(broken), 211):
            broken[place] = (broken[place] * 7 + number) % 256
        file.write_bytes(bytes(broken))
        try:
            assert convert_safely(file, limits=Limits(time_s=60)).text.strip()
        except DocumentError as error:
            assert error.message.endswith(".") and error.hint


PART = st.binary(max_size=30) | st.sampled_from(
    [b"<w:tbl/>", b"<w:p>", b"<w:r><w:t>x</w:t></w:r>", b'w:val="', b"<w:tc/>"]
)
PIECES = [
    "<p>", "</p>", "<table>", "<tr>", "<td rowspan=3>", "</td>", "<ul>", "<li>", "</ul>", "<sup>", '<a href="#a">1</a>',
    '<p id="a">', "<b>", "</b>", "<h1>", "</h1>", "<pre>", "</pre>", "word ", "<", "&#0;", "&amp;", "<![CDATA[", "<!--",
    "<br>", "|",
]  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 600), st.integers(0, 60), PART)
@example(21, 0, b"\t")
def test_any_word_document_at_all_is_read_or_refused_in_words(tmp_path_factory, start, length, part):
    body = f"{paragraph('One')}<w:tbl><w:tr><w:tc>{paragraph('Cell')}</w:tc></w:tr></w:tbl>{paragraph('Two', number=1)}"
    text = f"<w:document {W}><w:body>{body}</w:body></w:document>".encode()
    file = tmp_path_factory.mktemp("fuzz") / "a.docx"
    file.write_bytes(word("", more={"word/document.xml": text[:start] + part + text[start + length :]}))
    try:
        assert convert(file).text
    except DocumentError as error:
        assert error.message and error.hint


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=60))
def test_any_html_at_all_becomes_text_or_a_sentence(parts):
    from lab_desktop.documents.convert import convert_html

    html = "".join(parts)
    try:
        text = convert_html(html).text
    except DocumentError:
        return
    assert text.strip() and not re.search(r"[\x00-\x08]", text)


def test_the_command_writes_markdown_and_says_the_notes_beside_it(tmp_path, capsys):
    file = tmp_path / "a.html"
    file.write_text("<h1>Velmora</h1><p>An island.</p><img src=x>")

    assert cli.main(["convert", str(file)]) == 0
    out, err = capsys.readouterr()
    assert (out, err.strip().split("\n")[-1]) == ("# Velmora\n\nAn island.\n", "1 picture left out.")

    assert cli.main(["convert", str(file), "-o", str(tmp_path / "out.md")]) == 0
    assert (tmp_path / "out.md").read_text() == "# Velmora\n\nAn island.\n"

    file.write_bytes(b"{\\rtf1 text}")
    assert cli.main(["convert", str(file), "-o", str(tmp_path / "none.md")]) == 1
    assert "RTF" in capsys.readouterr().err and not (tmp_path / "none.md").exists()
