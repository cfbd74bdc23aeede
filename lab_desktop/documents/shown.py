"""A document that has no pages as it can be shown: read in this process, which `safely` makes a child of.

What is shown is written anew from the words and the few elements that a reader needs (an allow list), so nothing in it
can run, load or lead anywhere, and no table or list can be deep or wide enough to hold up who lays it out. Links keep
their words; pictures are handed over as they are stored in the document, and no other is looked for.
"""

from __future__ import annotations

import base64
import contextlib
import itertools
import re
from collections.abc import Iterable, Iterator
from html import escape, unescape
from pathlib import Path

from bs4 import BeautifulSoup, Tag
from bs4.element import PageElement

from lab_desktop.documents import docx, epub, html, plain
from lab_desktop.documents.convert import read_bytes
from lab_desktop.documents.converted import Fetch, Form, Kind, Shown
from lab_desktop.documents.kinds import kind_of
from lab_desktop.documents.places import BEGINNINGS, beginning
from lab_desktop.errors import DocumentError

MOST_PART = 100_000
"""Letters of a part: what is laid out at once."""
_CHAPTER = MOST_PART // 2
"""A chapter begins a part of its own, unless what is before it is shorter."""
_HEADING = re.compile(r"<h[12]>|#{1,2} ")
_MOST_LETTERS = 20_000_000
_MOST_PICTURES = 50_000_000
"""Bytes of all that are handed over."""
_MOST_COUNT = 300
_DRAWN = "drawn"
"""Our element in the place of a picture."""
_MOST_CELLS = 1_000
"""Of one table; the rows after that are in a table of their own."""
_MOST_COLUMNS = 40
_DEEPEST_LIST = 5
_INLINE = {"b": "b", "strong": "b", "i": "i", "em": "i", "u": "u", "s": "s", "del": "s", "sup": "sup", "sub": "sub",
           "code": "code", "tt": "code", "kbd": "code", "cite": "i", "var": "i"}  # fmt: skip
_WITHOUT_BREAKS = {"a", "abbr", "bdi", "bdo", "big", "dfn", "font", "ins", "label", "mark", "q", "ruby", "rb", "samp",
                   "small", "span", "time", "wbr", "br", _DRAWN, *_INLINE}  # fmt: skip


def show(file: Path) -> tuple[Shown, list[bytes]]:
    """A Word document, a web page, an electronic book, Markdown or a plain text; and its pictures as they are stored.

    Raises:
        DocumentError: it is none of these, or cannot be read; the sentence says why and what to do.
    """
    data = read_bytes(file)
    kind = kind_of(data, file.name)
    if kind is Kind.PDF:
        raise DocumentError(f'"{file.name}" has pages, which are drawn.', "Open the original.")
    if kind in (Kind.MARKDOWN, Kind.TEXT):
        text, _ = plain.decode(data)
        form: Form = "markdown" if kind is Kind.MARKDOWN else "text"
        return _in_parts(form, re.split(r"(?<=\n)(?=[ \t]*\n)", plain.regular(text))), []
    try:
        page, fetch = _page(kind, data, file.name)
        pictures = _take_pictures(page, fetch)
        return _in_parts("html", _of_page(page)), pictures
    except RecursionError as error:
        raise DocumentError(f'"{file.name}" is nested too deeply to be shown.', "Open the original.") from error


def _page(kind: Kind, data: bytes, name: str) -> tuple[BeautifulSoup, Fetch]:
    if kind is Kind.DOCX:
        return docx.page_of(data, name)
    if kind is Kind.EPUB:
        return epub.page_of(data, name)
    return html.parsed(html.decoded(data)[0]), _within


def _within(address: str) -> bytes | None:
    """A picture that stands in its own address, which alone is inside a web page."""
    head, _, data = address.partition(",")
    if re.fullmatch(r"data:image/[a-z]+;base64", head, re.IGNORECASE) and len(data) < _MOST_PICTURES:
        with contextlib.suppress(ValueError):
            return base64.b64decode(data)
    return None


def _take_pictures(page: BeautifulSoup, fetch: Fetch) -> list[bytes]:
    """Put the number of each picture, or its description where there is none, in its place."""
    pictures: list[bytes] = []
    numbers: dict[str, int] = {}
    total = 0
    for tag in page.find_all("picture"):
        tag.unwrap()
    for tag in page.find_all("img"):
        address = str(tag.get("src", ""))
        if address not in numbers and len(pictures) < _MOST_COUNT and (data := fetch(address) if address else None):
            total += len(data)
            if total <= _MOST_PICTURES:
                pictures.append(data)
                numbers[address] = len(pictures)
        words = str(tag.get("alt", "")).strip()
        tag.replace_with(Tag(name=_DRAWN, attrs={"number": str(numbers.get(address, 0)), "alt": words}))
    return pictures


def without_picture(words: str) -> str:
    """What stands where a picture is that cannot be shown."""
    return f"[Picture: {words}]" if words else "[Picture]"


def _of_page(page: BeautifulSoup) -> Iterator[str]:
    """The paragraphs, headings, lists and tables of a page, each as HTML of our own. `page` is used up."""
    if html.depth(page) > html.DEEPEST:
        for tag in page.find_all(["script", "style", "template"]):
            tag.decompose()
        return (f"<p>{escape(line)}</p>" for line in page.get_text("\n").split("\n") if line.strip())
    html.drop_unread(page)
    return _blocks(page)


def _in_parts(form: Form, blocks: Iterable[str]) -> Shown:
    parts: list[str] = []
    starts: list[tuple[int, str]] = []
    part, begun, total = "", 0, 0
    for block in itertools.chain.from_iterable(_short(form, block) for block in blocks):
        total += len(block)
        if total > _MOST_LETTERS:
            break
        is_full = len(part) + len(block) > MOST_PART or (len(part) > _CHAPTER and _HEADING.match(block))
        if part and is_full:
            parts.append(part)
            part, begun = "", 0
        part += block
        if begun < BEGINNINGS and (letters := beginning(_words(form, block))):
            starts.append((len(parts) + 1, letters))
            begun += 1
    return Shown(form, (*parts, part), tuple(starts))


def _short(form: Form, block: str) -> Iterator[str]:
    """A block, or where it is longer than a part, its words in several."""
    if len(block) <= MOST_PART:
        yield block
        return
    words = _words(form, block)
    for start in range(0, len(words), MOST_PART // 2):
        piece = words[start : start + MOST_PART // 2]
        yield f"<p>{escape(piece)}</p>" if form == "html" else piece


def _words(form: Form, block: str) -> str:
    return unescape(re.sub(r"<[^>]*>", " ", block)).strip() if form == "html" else block


def _blocks(parent: Tag) -> Iterator[str]:
    run = ""
    for child in parent.children:
        if isinstance(child, Tag) and (child.name not in _WITHOUT_BREAKS or _has_block(child)):
            yield from _paragraph(run)
            run = ""
            yield from _block(child)
        else:
            run += _inline(child)
    yield from _paragraph(run)


def _block(tag: Tag) -> Iterator[str]:
    name = tag.name
    if re.fullmatch("h[1-6]", name):
        if text := _inside(tag).strip():
            yield f"<{name}>{text}</{name}>"
    elif name == "pre":
        yield f"<pre>{escape(tag.get_text())}</pre>"
    elif name in ("ul", "ol"):
        yield _list(tag, name, 1)
    elif name == "table":
        yield from _table(tag)
    elif name == "dt":
        yield from _paragraph(f"<b>{_inside(tag)}</b>")
    elif name == "blockquote":
        yield from (f"<blockquote>{block}</blockquote>" for block in _blocks(tag))
    else:
        yield from _blocks(tag)


def _paragraph(inside: str) -> Iterator[str]:
    if re.sub(r"<(?!img)[^>]*>", "", inside).strip():
        yield f"<p>{inside.strip()}</p>"


def _inline(node: PageElement) -> str:
    """An element within a line, and what is in it."""
    if not isinstance(node, Tag):
        return escape(re.sub(r"\s+", " ", plain.regular(str(node))))
    if node.name == "br":
        return "<br>"
    if node.name == _DRAWN:
        number, words = str(node.get("number", "")), escape(str(node.get("alt", "")))
        return (
            f'<img src="picture:{number}" alt="{words}">'
            if re.fullmatch(r"[1-9]\d{0,3}", number)
            else (without_picture(words))
        )
    inside = _inside(node)
    if node.name in _INLINE:
        return f"<{_INLINE[node.name]}>{inside}</{_INLINE[node.name]}>"
    return inside if node.name in _WITHOUT_BREAKS else f" {inside} "


def _inside(tag: Tag) -> str:
    return "".join(_inline(child) for child in tag.children)


def _list(tag: Tag, name: str, depth: int) -> str:
    return f"<{name}>{''.join(_items(tag, depth))}</{name}>"


def _items(tag: Tag, depth: int) -> Iterator[str]:
    """The items of a list, also those that lie in each other because nothing ends them."""
    for item in tag.find_all(True, recursive=False):
        inside, deeper, after = "", "", []
        for child in item.children:
            if isinstance(child, Tag) and child.name == "li":
                after.append(child)
            elif isinstance(child, Tag) and child.name in ("ul", "ol") and depth < _DEEPEST_LIST:
                deeper += _list(child, child.name, depth + 1)
            else:
                inside += _inline(child)
        for child in after:
            child.extract()
        yield f"<li>{inside.strip()}{deeper}</li>"
        for child in after:
            holder = Tag(name="ul")
            holder.append(child)
            yield from _items(holder, depth)


def _table(tag: Tag) -> Iterator[str]:
    """A table, or several where it is long; a table within a cell is the words in it."""
    caption = tag.find("caption", recursive=False)
    if caption is not None:
        yield from _paragraph(_inside(caption))
    rows, cells = "", 0
    for row in html.rows_of(tag):
        line, wide = "", 0
        for cell in row.find_all(["td", "th"], recursive=False):
            across = min(html.span(cell, "colspan"), _MOST_COLUMNS - wide)
            if across < 1:
                break
            wide += across
            inside = _inside(cell).strip()
            line += f'<{cell.name} colspan="{across}">{inside}</{cell.name}>'
        rows += f"<tr>{line}</tr>"
        cells += wide
        if cells > _MOST_CELLS:
            yield _TABLE.format(rows)
            rows, cells = "", 0
    if rows:
        yield _TABLE.format(rows)


_TABLE = '<table border="1" cellspacing="0" cellpadding="5">{0}</table>'


def _has_block(tag: Tag) -> bool:
    return any(isinstance(inner, Tag) and inner.name not in _WITHOUT_BREAKS for inner in tag.descendants)
