"""PDF as words with their places. What they mean together, `layout` says.

Nothing of a PDF runs here: no script, no form, no font program beyond what tells a letter's width and code.
"""

from __future__ import annotations

import ctypes
import math
import re
from typing import Any

import pypdfium2
import pypdfium2.raw as pdfium

from lab_desktop.documents import layout
from lab_desktop.documents.converted import Converted, Kind, Note, Progress, counted, on_pages
from lab_desktop.documents.pieces import Page, Word
from lab_desktop.documents.plain import first_heading, regular
from lab_desktop.errors import DocumentError

MOST_PAGES = 10_000
_MOST_OBJECTS = 5_000
"""Of a page, looked through for pictures."""
_FEW_LETTERS = 25
"""A page with a picture and fewer letters is a picture of text."""
_PICTURE_SHARE = 0.4
"""Of the page that its pictures cover at least, for that."""
_BLANKS = frozenset([0, 9, 10, 11, 12, 13, 32, 0xA0, 0x2028, 0x2029, *range(0x2000, 0x200B), 0x202F, 0x3000])
_HYPHENS = frozenset([2, 0xAD, 0xFFFE])
"""What the library gives for a hyphen at the end of a line."""
_SYMBOLS = {0xF0B7: "•", 0xF0A7: "▪", 0xF0D8: "•", 0xF0FC: "•", 0xF02D: "-"}
_PROGRAM_TITLE = re.compile(
    r"^(untitled|microsoft (word|powerpoint) - .*|.*\.(docx?|pdf|indd|tex|qxd|pages|rtf))$", re.I
)


def from_pdf(data: bytes, name: str, on_progress: Progress) -> Converted:
    """A PDF.

    Raises:
        DocumentError: it is locked, damaged, or has no text at all, only pictures of it.
    """
    document = opened(data, name)
    try:
        count = len(document)
        if not 0 < count <= MOST_PAGES:
            raise DocumentError(
                f'"{name}" has {count:,} pages; at most {MOST_PAGES:,} can be read.',
                "Save the chapters you need as a file of their own.",
            )
        pages = []
        for number in range(count):
            on_progress(number, count)
            pages.append(_page(document, number))
        title = regular(document.get_metadata_value("Title")).strip()
    finally:
        document.close()
    notes = _notes(pages, name)
    markdown, tables, contents, starts = layout.to_markdown(pages)
    if contents:
        text = (
            f"Lines that lead to page numbers, a table of contents or an index, were left out ({on_pages(contents)})."
        )
        notes.append(Note("contents", text, tuple(contents)))
    if tables:
        text = f"{counted(len(tables), 'table')} need{'s' * (len(tables) == 1)} a look ({on_pages(tables)})."
        notes.insert(0, Note("tables", text, tuple(sorted(set(tables))), needs_a_look=True))
    on_progress(count, count)
    if _PROGRAM_TITLE.match(title):
        title = ""
    return Converted(markdown, title or first_heading(markdown), Kind.PDF, count, tuple(notes), starts=starts)


def opened(data: bytes, name: str) -> Any:
    """A document of the library; whoever has it closes it.

    Raises:
        DocumentError: it is locked or damaged.
    """
    try:
        return pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        if error.err_code in (pdfium.FPDF_ERR_PASSWORD, pdfium.FPDF_ERR_SECURITY):
            raise DocumentError(
                f'"{name}" is locked with a password.',
                "Open it, save it without a password (on a Mac: Preview, File ▸ Export), then choose that.",
            ) from error
        raise DocumentError(
            f'"{name}" is damaged: no page of it can be read.', "Copy or download it again.", str(error)
        ) from error


def _notes(pages: list[Page], name: str) -> list[Note]:
    scanned = [page.number for page in pages if page.is_scanned]
    if scanned and not any(page.words for page in pages if not page.is_scanned):
        raise DocumentError(
            f'"{name}" is a picture of text: its pages were scanned, and text in pictures cannot be read yet.',
            "Choose a version with text, or let another program recognise the text (OCR) first.",
        )
    notes = []

    def say(about: str, numbers: list[int], text: str, *, needs_a_look: bool = True) -> None:
        if numbers:
            notes.append(Note(about, text.format(on_pages(numbers)), tuple(numbers), needs_a_look))

    say("scanned", scanned, "This PDF is a picture of text on {}; what it says there is missing.")
    damaged = [page.number for page in pages if page.is_damaged]
    say("missing", damaged, "What stands on {} could not be read: the file is damaged there.")
    garbled = [page.number for page in pages if page.unreadable > max(3, 0.03 * page.letters)]
    say("letters", garbled, "Some letters on {} are missing: the file does not say which they are.")
    sideways = [page.number for page in pages if page.sideways > 2]
    say("sideways", sideways, "Text that runs sideways was left out ({}).", needs_a_look=False)
    pictured = [page.number for page in pages if page.pictures and not page.is_scanned]
    say("pictures", pictured, "Pictures were left out ({}).", needs_a_look=False)
    return notes


def _page(document: Any, number: int) -> Page:
    try:
        page = document[number]
        try:
            width, height = page.get_size()
            text = page.get_textpage()
            try:
                words, letters, unreadable, sideways = _Reader(text.raw, width, height).read()
            finally:
                text.close()
            pictures, covered = _pictures(page.raw)
            is_scanned = letters < _FEW_LETTERS and covered >= _PICTURE_SHARE * width * height
        finally:
            page.close()
    except pypdfium2.PdfiumError:
        return Page(number + 1, 0.0, 0.0, [], is_damaged=True)
    return Page(number + 1, width, height, words, letters, unreadable, sideways, pictures, is_scanned)


def _pictures(page: Any) -> tuple[int, float]:
    """(how many pictures, the area they cover), those within forms included."""
    found, covered, seen = 0, 0.0, 0
    left, bottom, right, top = (ctypes.c_float() for _ in range(4))
    waiting = [(pdfium.FPDFPage_GetObject, page, pdfium.FPDFPage_CountObjects(page), 0)]
    while waiting and seen < _MOST_OBJECTS:
        get, parent, count, depth = waiting.pop()
        for place in range(min(count, _MOST_OBJECTS - seen)):
            seen += 1
            thing = get(parent, place)
            kind = pdfium.FPDFPageObj_GetType(thing)
            if kind == pdfium.FPDF_PAGEOBJ_FORM and depth < 3:
                waiting.append((pdfium.FPDFFormObj_GetObject, thing, pdfium.FPDFFormObj_CountObjects(thing), depth + 1))
            elif kind == pdfium.FPDF_PAGEOBJ_IMAGE and pdfium.FPDFPageObj_GetBounds(thing, left, bottom, right, top):
                area = abs((right.value - left.value) * (top.value - bottom.value))
                if area > 100:  # square points: smaller ones are rules and dots
                    found += 1
                    covered += area
    return found, covered


class _Reader:
    """Puts the letters of one page together to words. The library gives those from right to left as they are read."""

    def __init__(self, text: Any, width: float, height: float) -> None:
        self._text = text
        self._size = width, height
        self._count = max(0, pdfium.FPDFText_CountChars(text))
        self._turn = self._turned()
        self._words: list[Word] = []
        self._letters: list[int] = []
        self._sideways = self._unreadable = self._read = 0
        self._fonts: dict[tuple[bytes, int], tuple[bool, bool, bool]] = {}
        self._name = ctypes.create_string_buffer(200)

    def read(self) -> tuple[list[Word], int, int, int]:
        """(words, letters, letters without a meaning, letters that run another way)."""
        text, turn = self._text, self._turn
        get_code, get_box = pdfium.FPDFText_GetUnicode, pdfium.FPDFText_GetLooseCharBox
        box = pdfium.FS_RECTF()
        pointer = ctypes.byref(box)
        is_spaced = True
        left = right = bottom = top = 0.0
        start = 0
        letters = self._letters
        for place in range(self._count):
            code = get_code(text, place)
            if code in _BLANKS or not get_box(text, place, pointer):
                if letters:
                    self._add(start, left, bottom, right, top, is_spaced)
                is_spaced = True
                continue
            if turn:
                x0, y0, x1, y1 = self._upright(box.left, box.bottom, box.right, box.top)
            else:
                x0, y0, x1, y1 = box.left, box.bottom, box.right, box.top
            if letters:
                near = 0.25 * (top - bottom)
                is_same = abs(y0 - bottom) < near and abs(y1 - top) < near and x0 - right < near and left - x1 < near
                if not is_same:
                    self._add(start, left, bottom, right, top, is_spaced)
                    is_spaced = False
            if letters:
                left, right = min(left, x0), max(right, x1)
            else:
                start, left, right, bottom, top = place, x0, x1, y0, y1
            letters.append(code)
        if letters:
            self._add(start, left, bottom, right, top, is_spaced)
        return self._words, self._read, self._unreadable, self._sideways

    def _add(self, start: int, left: float, bottom: float, right: float, top: float, is_spaced: bool) -> None:
        text = self._word()
        if not text.strip():
            return
        angle = pdfium.FPDFText_GetCharAngle(self._text, start)
        if abs(math.remainder(angle - self._turn * math.pi / 2, 2 * math.pi)) > 0.1:
            self._sideways += len(text)
            return
        size, base = self._size_and_base(start, bottom, top)
        width, height = self._size if self._turn % 2 == 0 else self._size[::-1]
        if not self._turn and (right < -1 or left > width + 1 or top < -1 or bottom > height + 1):
            return  # beside the page, where printers put marks
        is_bold, is_italic, is_code = self._style(start)
        self._words.append(Word(text, left, right, base, size, is_bold, is_italic, is_spaced, is_code))

    def _word(self) -> str:
        """The letters collected, as text; those without a meaning are counted."""
        codes = list(self._letters)
        self._letters.clear()
        if min(codes) > 32 and max(codes) < 127:
            self._read += len(codes)
            return "".join(map(chr, codes))
        codes = [code for code in codes[:-1] if code not in _HYPHENS] + codes[-1:]  # soft ones within a word
        text = "".join(_SYMBOLS.get(code) or ("-" if code in _HYPHENS else chr(code)) for code in codes)
        if any(0xD800 <= code < 0xE000 for code in codes):
            text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        bare = "".join(letter for letter in text if not ("\ue000" <= letter <= "\uf8ff" or letter == "\ufffd"))
        self._unreadable += len(text) - len(bare)
        self._read += len(bare)
        return regular(bare)

    def _size_and_base(self, place: int, bottom: float, top: float) -> tuple[float, float]:
        matrix = pdfium.FS_MATRIX()
        size = pdfium.FPDFText_GetFontSize(self._text, place)
        if pdfium.FPDFText_GetMatrix(self._text, place, matrix):
            size *= math.hypot(matrix.c, matrix.d)
        if not 0.2 * (top - bottom) < size < 3 * (top - bottom):
            size = top - bottom
        x, y = ctypes.c_double(), ctypes.c_double()
        if not pdfium.FPDFText_GetCharOrigin(self._text, place, x, y):
            return size, bottom
        return size, self._upright(x.value, y.value, x.value, y.value)[1] if self._turn else y.value

    def _style(self, place: int) -> tuple[bool, bool, bool]:
        """Is the font of this letter bold, italic, of equally wide letters?"""
        flags = ctypes.c_int()
        pdfium.FPDFText_GetFontInfo(self._text, place, self._name, 200, flags)
        key = self._name.value, flags.value
        if key not in self._fonts:
            name = self._name.value.lower()
            is_bold = any(word in name for word in (b"bold", b"black", b"heavy", b"semibold", b"-bd")) or (
                pdfium.FPDFText_GetFontWeight(self._text, place) >= 650
            )
            is_italic = b"italic" in name or b"oblique" in name or bool(flags.value & 64)
            is_code = bool(flags.value & 1) or any(word in name for word in (b"courier", b"mono", b"consol", b"cmtt"))
            self._fonts[key] = is_bold, is_italic, is_code
        return self._fonts[key]

    def _turned(self) -> int:
        """The quarter turns, with the clock, in which most of the page is written."""
        votes = [0, 0, 0, 0]
        for place in range(0, self._count, max(1, self._count // 60)):
            if pdfium.FPDFText_GetUnicode(self._text, place) not in _BLANKS:
                angle = pdfium.FPDFText_GetCharAngle(self._text, place)
                votes[round(angle / (math.pi / 2)) % 4] += 1
        return votes.index(max(votes))

    def _upright(self, x0: float, y0: float, x1: float, y1: float) -> tuple[float, float, float, float]:
        """A box of a turned page, as if it lay as it is read."""
        if self._turn == 1:
            return -y1, x0, -y0, x1
        if self._turn == 2:
            return -x1, -y1, -x0, -y0
        return y0, -x1, y1, -x0
