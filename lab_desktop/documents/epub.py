"""Electronic books (EPUB 2 and 3) as Markdown: the chapters in reading order, notes from their own chapter included."""

from __future__ import annotations

import posixpath
import re
from urllib.parse import unquote
from xml.etree.ElementTree import Element

from bs4 import BeautifulSoup, Tag

from lab_desktop.documents import html
from lab_desktop.documents.archive import Archive
from lab_desktop.documents.converted import Converted, Fetch, Kind, Note, Progress, counted
from lab_desktop.documents.plain import decode, first_heading, regular
from lab_desktop.errors import DocumentError

_CONTAINER = "META-INF/container.xml"
_ENCRYPTION = "META-INF/encryption.xml"
_PAGES = ("application/xhtml+xml", "text/html", "application/x-dtbook+xml")
_SCRAMBLED_FONTS = ("http://www.idpf.org/2008/embedding", "http://ns.adobe.com/pdf/enc#RC")


def from_epub(data: bytes, name: str, on_progress: Progress) -> Converted:
    """An electronic book.

    Raises:
        DocumentError: it is damaged, copy-protected, or made to do harm.
    """
    book, missing, root = _book(Archive(data, name), name, on_progress)
    markdown, notes = html.to_markdown(book)
    title = next((regular(element.text or "").strip() for element in root.iter() if _is(element, "title")), "")
    if missing:
        text = f"{counted(missing, 'chapter')} named in the book {'is' if missing == 1 else 'are'} not in the file."
        notes = (Note("missing", text, needs_a_look=True), *notes)
    return Converted(markdown, title or first_heading(markdown), Kind.EPUB, notes=notes)


def page_of(data: bytes, name: str) -> tuple[BeautifulSoup, Fetch]:
    """An electronic book as elements of HTML, its chapters one after the other, and what gives its pictures.

    Raises:
        DocumentError: as in `from_epub`.
    """
    archive = Archive(data, name)
    return _book(archive, name, lambda done, total: None)[0], archive.picture


def _book(archive: Archive, name: str, on_progress: Progress) -> tuple[BeautifulSoup, int, Element]:
    """(chapters, how many are named but not there, what the book says of itself)"""
    _refuse_protected(archive, name)
    package = _package_path(archive, name)
    root = archive.xml(package)
    chapters, missing = _chapters(root, posixpath.dirname(package), set(archive.names), name)
    book = BeautifulSoup("", "html.parser")
    for done, entry in enumerate(chapters):
        on_progress(done, len(chapters))
        text, _ = decode(archive.read(entry))
        chapter = html.parsed(text)
        _name_apart(chapter, entry)
        part = chapter.body or chapter
        part.name = "section"
        part["id"] = entry
        book.append(part.extract() if chapter.body else _as_section(book, chapter, entry))
    on_progress(len(chapters), len(chapters))
    return book, missing, root


def _as_section(book: BeautifulSoup, chapter: BeautifulSoup, entry: str) -> Tag:
    section = book.new_tag("section", id=entry)
    for child in list(chapter.children):
        section.append(child.extract())
    return section


def _refuse_protected(archive: Archive, name: str) -> None:
    locked = {"META-INF/rights.xml", "META-INF/sinf.xml"} & set(archive.names)
    if _ENCRYPTION in archive.names and not locked:
        methods = {
            element.get("Algorithm", "")
            for element in archive.xml(_ENCRYPTION).iter()
            if _is(element, "EncryptionMethod")
        }
        locked = {method for method in methods if not method.startswith(_SCRAMBLED_FONTS)}
    if locked:
        raise DocumentError(
            f'"{name}" is copy-protected (DRM), so its text cannot be read.',
            "Choose an edition without copy protection.",
        )


def _package_path(archive: Archive, name: str) -> str:
    for element in archive.xml(_CONTAINER).iter():
        if _is(element, "rootfile") and (path := _inside("", element.get("full-path", ""), name)):
            return path
    raise DocumentError(f'"{name}" is damaged: it does not say where its text is.', "Copy or download it again.")


def _chapters(root: Element, folder: str, names: set[str], name: str) -> tuple[list[str], int]:
    """(files in reading order, how many are named but not there); tables of contents are left out."""
    files: dict[str, str] = {}
    for item in root.iter():
        is_page = item.get("media-type", "") in _PAGES and "nav" not in item.get("properties", "").split()
        if _is(item, "item") and is_page:
            files[item.get("id", "")] = _inside(folder, item.get("href", ""), name)
    spine = [files[ref] for item in root.iter() if _is(item, "itemref") and (ref := item.get("idref", "")) in files]
    chapters = list(dict.fromkeys(entry for entry in spine if entry in names))
    if not chapters:
        raise DocumentError(f'"{name}" is damaged: none of its chapters is in the file.', "Copy or download it again.")
    return chapters, len(set(spine) - names)


def _inside(folder: str, href: str, name: str) -> str:
    """The file of the archive that a link in `folder` means.

    Raises:
        DocumentError: it leads out of the archive.
    """
    path = posixpath.normpath(posixpath.join(folder, unquote(href.partition("#")[0])))
    if path.startswith(("../", "/")) or path == ".." or re.match(r"[a-z][a-z0-9+.-]*:", href, re.IGNORECASE):
        raise DocumentError(
            f'"{name}" was not opened: a chapter would lie outside of it ("{href[:60]}"). It may be made to do harm.',
            "If you trust it, open it in the program that made it and save it anew.",
        )
    return path


def _name_apart(chapter: BeautifulSoup, entry: str) -> None:
    """Names within a chapter become names within the book, so that links to notes in other chapters lead there."""
    folder = posixpath.dirname(entry)
    for picture in chapter.find_all("img", src=True):
        picture["src"] = posixpath.normpath(posixpath.join(folder, unquote(str(picture["src"]))))
    for tag in chapter.find_all(id=True):
        tag["id"] = f"{entry}#{tag['id']}"
    for link in chapter.find_all("a", href=True):
        path, _, part = str(link["href"]).partition("#")
        if not re.match(r"[a-z][a-z0-9+.-]*:", path, re.IGNORECASE):
            target = posixpath.normpath(posixpath.join(folder, unquote(path))) if path else entry
            link["href"] = f"#{target}#{part}"


def _is(element: Element, name: str) -> bool:
    return isinstance(element.tag, str) and element.tag.rpartition("}")[2] == name
