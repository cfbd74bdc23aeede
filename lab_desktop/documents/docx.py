"""Word documents as Markdown, by way of HTML. Macros, pictures and whatever is linked from outside are never opened."""

from __future__ import annotations

import re
from typing import Any
from xml.parsers.expat import ExpatError

import mammoth
from bs4 import BeautifulSoup

from lab_desktop.documents import html
from lab_desktop.documents.archive import Archive
from lab_desktop.documents.converted import Converted, Fetch, Kind, Note, counted
from lab_desktop.documents.plain import first_heading, regular
from lab_desktop.errors import DocumentError

_STYLES = """
p[style-name='Title'] => h1:fresh
p[style-name='Subtitle'] => p:fresh
p[style-name='Quote'] => blockquote > p:fresh
p[style-name='Intense Quote'] => blockquote > p:fresh
p[style-name='Code'] => pre:separator('\\n')
p[style-name='HTML Preformatted'] => pre:separator('\\n')
r[style-name='Strong'] => strong
r[style-name='Emphasis'] => em
comment-reference =>
"""
_DC = "{http://purl.org/dc/elements/1.1/}"


def from_docx(data: bytes, name: str) -> Converted:
    """A Word document.

    Raises:
        DocumentError: it is damaged, or made to do harm.
    """
    archive = Archive(data, name)
    texts = _texts(archive)
    page, pictures = _page(archive, texts, name, is_shown=False)
    markdown, notes = html.to_markdown(page)
    main = next((entry for entry in texts if re.fullmatch(r"word/document\d*\.xml", entry)), "")
    formulas = len(re.findall(rb"<m:oMath[ >]", archive.read(main))) if main else 0
    said = list(notes)
    if formulas:
        text = f"{counted(formulas, 'formula')} could not be read and left out."
        said.append(Note("formulas", text, needs_a_look=True))
    if pictures:
        said.append(Note("pictures", f"{counted(pictures, 'picture')} left out."))
    return Converted(markdown, _title(archive, texts) or first_heading(markdown), Kind.DOCX, notes=tuple(said))


def page_of(data: bytes, name: str) -> tuple[BeautifulSoup, Fetch]:
    """A Word document as elements of HTML, and what gives its pictures by their `src`.

    Raises:
        DocumentError: as in `from_docx`.
    """
    archive = Archive(data, name)
    return _page(archive, _texts(archive), name, is_shown=True)[0], archive.picture


def _texts(archive: Archive) -> list[str]:
    """Only the texts: macros, pictures, fonts and settings are not even unpacked."""
    return [entry for entry in archive.names if entry.endswith((".xml", ".rels")) and not _is_ballast(entry)]


def _page(archive: Archive, texts: list[str], name: str, *, is_shown: bool) -> tuple[BeautifulSoup, int]:
    """(elements, pictures)"""
    media = [entry for entry in archive.names if entry.startswith("word/media/")] if is_shown else []
    copy = archive.only(texts, media)
    pictures = 0

    def leave_out(image: Any) -> list[Any]:
        nonlocal pictures
        pictures += 1
        if not is_shown:
            return []
        words = {"alt": str(image.alt_text or "")}
        try:
            with image.open() as stream:
                words["src"] = stream.read().decode()
        except (KeyError, OSError, ValueError):
            pass  # it is outside of the document, or missing
        return [mammoth.html.element("img", words)]

    try:
        result = mammoth.convert_to_html(
            copy,
            style_map=_STYLES,
            include_embedded_style_map=False,
            convert_image=leave_out,
            external_file_access=False,
        )
    except (KeyError, AttributeError, IndexError, TypeError, ValueError, OSError, StopIteration, ExpatError) as error:
        raise DocumentError(
            f'"{name}" is damaged: it is no Word document that can be read.',
            "Open it in Word or LibreOffice and save it anew.",
            repr(error),
        ) from error
    return html.parsed(result.value), pictures


def _is_ballast(entry: str) -> bool:
    return entry.startswith(("word/theme/", "word/glossary/", "customXml/", "word/webSettings", "word/fontTable"))


def _title(archive: Archive, texts: list[str]) -> str:
    if "docProps/core.xml" not in texts:
        return ""
    found = archive.xml("docProps/core.xml").find(f"{_DC}title")
    title = regular((found.text or "") if found is not None else "").strip()
    return "" if title.lower() in ("", "untitled", "word document", "microsoft word document") else title
