"""Pages are drawn in a process of their own, and whatever a page does to it, here it is a sentence."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from lab_desktop.documents.converted import Picture
from lab_desktop.documents.drawing import DRAWING, Drawing
from lab_desktop.documents.pdf_pages import MOST_PIXELS
from lab_desktop.documents.reader import Limits
from lab_desktop.errors import Cancelled, DocumentError
from tests.documents.makers import Pdf

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def our_code(monkeypatch: pytest.MonkeyPatch) -> None:
    """The child finds the package that the tests are beside."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))


@pytest.fixture
def draws(tmp_path: Path) -> Iterator[Callable[..., Drawing]]:
    made: list[Drawing] = []

    def open_it(data: bytes, limits: Limits = DRAWING) -> Drawing:
        file = tmp_path / "a.pdf"
        file.write_bytes(data)
        made.append(Drawing(file, limits))
        return made[-1]

    yield open_it
    for drawing in made:
        drawing.close()
    assert children() == []


def pages(count: int) -> bytes:
    pdf = Pdf()
    for number in range(count):
        pdf.page().text(72, 400, f"The island of number {number + 1}", 40)
    return pdf.data()


def slow_page() -> bytes:
    """A page that takes its time and does no harm, after one that takes none."""
    pdf = Pdf().page().text(72, 700, "Quick", 40).page()
    pdf.pages[-1].append(b"0 0 m 900 900 -300 100 600 700 c S\n" * 400_000)
    return pdf.data()


def children() -> list[psutil.Process]:
    found = []
    for child in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):
            if "--draw" in child.cmdline() and child.status() != psutil.STATUS_ZOMBIE:
                found.append(child)
    return found


def busy_child(begun: dict[int, float]) -> psutil.Process | None:
    """The child that has worked at a page for a while.

    Args:
        begun: what each had worked when it was first seen; kept from call to call.
    """
    for child in children():
        with contextlib.suppress(psutil.Error):
            used = sum(child.cpu_times()[:2])
            if used - begun.setdefault(child.pid, used) > 0.1:
                return child
    return None


def until_it_draws() -> psutil.Process:
    begun: dict[int, float] = {}
    deadline = time.monotonic() + 60
    while (child := busy_child(begun)) is None:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return child


def ink(picture: Picture) -> tuple[int, int]:
    """(leftmost column, topmost row) that is dark."""
    rows = [picture.pixels[at : at + 4 * picture.width : 4] for at in range(0, len(picture.pixels), 4 * picture.width)]
    dark = [(column, row) for row, line in enumerate(rows) for column, blue in enumerate(line) if blue < 100]
    return min(column for column, _ in dark), min(row for _, row in dark)


def test_a_page_is_drawn_as_wide_as_it_is_asked_for(draws):
    drawing = draws(Pdf().page().text(72, 700, "Hello", 40).page(turn=90).text(72, 700, "Hello", 40).data())

    assert drawing.sizes() == ((612.0, 792.0), (792.0, 612.0))
    small, large, turned = drawing.draw(0, 306), drawing.draw(0, 1224), drawing.draw(1, 792)
    assert [(each.width, each.height) for each in (small, large, turned)] == [(306, 396), (1224, 1584), (792, 612)]
    left, top = ink(small)
    assert 36 <= left <= 40 and 28 <= top <= 34 and ink(large)[0] == pytest.approx(4 * left, abs=6)
    assert small.pixels[:3] == b"\xff\xff\xff"


def test_the_sizes_of_300_pages_are_known_before_any_is_drawn(draws):
    drawing = draws(pages(300))

    assert len(drawing.sizes()) == 300
    assert drawing.draw(299, 200).pixels != drawing.draw(0, 200).pixels
    assert len(children()) == 1


@pytest.mark.parametrize("box", [b"[0 0 99999 9]", b"[0 0 9 99999]", b"[0 0 14000 14000]", b"[0 0 1e-9 1]"])
def test_a_page_of_any_size_is_drawn_and_takes_no_more_than_it_may(draws, box):
    drawing = draws(pages(1).replace(b"[0 0 612 792]", box))

    drawn = drawing.draw(0, 5000)

    ((wide, high),) = drawing.sizes()
    assert 0 < drawn.width * drawn.height <= 1.1 * MOST_PIXELS and wide > 0 and high > 0


def test_a_locked_and_a_broken_document_are_sentences(draws):
    with pytest.raises(DocumentError, match=r'"a\.pdf" is locked with a password'):
        draws(Pdf().page().data("secret")).sizes()
    with pytest.raises(DocumentError, match=r'"a\.pdf" is damaged: no page of it can be read'):
        draws(b"%PDF-1.5\nnothing").sizes()
    with pytest.raises(DocumentError, match="cannot be opened: No such file"):
        Drawing(Path("gone.pdf")).sizes()


def test_a_page_that_is_not_there_harms_no_other(draws):
    drawing = draws(pages(2))

    with pytest.raises(DocumentError, match="Page 8 cannot be shown"):
        drawing.draw(7, 100)
    assert drawing.draw(1, 100).width == 100


@pytest.mark.slow
def test_a_page_that_takes_too_long_is_given_up_and_the_next_is_drawn(draws):
    drawing = draws(slow_page(), Limits(time_s=1.0))

    with pytest.raises(DocumentError, match="took longer than"):
        drawing.draw(1, 1500)
    assert drawing.draw(0, 100).width == 100


@pytest.mark.slow
def test_a_document_that_takes_too_much_memory_is_given_up(draws):
    with pytest.raises(DocumentError, match="needs more memory"):
        draws(slow_page(), Limits(memory_bytes=60_000_000)).draw(1, 1500)


@pytest.mark.slow
def test_a_child_that_is_killed_in_the_middle_is_a_sentence_and_the_next_page_is_drawn(draws):
    drawing = draws(slow_page())
    drawing.sizes()

    killer = threading.Thread(target=lambda: until_it_draws().kill())
    killer.start()
    with pytest.raises(DocumentError, match=r'A page of "a\.pdf" could not be shown'):
        drawing.draw(1, 1500)
    killer.join()

    assert drawing.draw(0, 100).width == 100


def test_a_child_that_died_while_nobody_asked_is_started_again_without_a_word(draws):
    drawing = draws(pages(1))
    drawing.sizes()
    (child,) = children()
    child.kill()
    child.wait()

    assert drawing.draw(0, 100).width == 100


@pytest.mark.slow
def test_closing_does_not_wait_for_a_page(draws):
    drawing = draws(slow_page())
    drawing.sizes()

    def close() -> None:
        until_it_draws()
        drawing.close()

    closer = threading.Thread(target=close)
    closer.start()

    with pytest.raises(Cancelled):
        drawing.draw(1, 1500)
    closer.join()
    assert children() == []
    with pytest.raises(Cancelled):
        drawing.draw(0, 100)


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="asks Unix about processes")
def test_a_child_whose_caller_was_killed_ends_too(tmp_path):
    (tmp_path / "a.pdf").write_bytes(slow_page())
    script = (
        "from pathlib import Path; from lab_desktop.documents.drawing import Drawing; "
        f"d = Drawing(Path({str(tmp_path / 'a.pdf')!r})); d.sizes(); print(1, flush=True); d.draw(1, 1500)"
    )
    caller = subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE)
    assert caller.stdout and caller.stdout.readline()
    (child,) = children()

    caller.kill()
    caller.wait()
    caller.stdout.close()

    with contextlib.suppress(psutil.NoSuchProcess):
        child.wait(15)
    assert not child.is_running()
