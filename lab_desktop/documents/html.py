"""HTML as Markdown: what is read stays, what a browser does with it (menus, scripts, forms, pictures) is left out.

Links keep their words. Notes at the foot become Markdown footnotes, tables are written with all their cells, a number
set high or low becomes one (m², H₂O). Also Word documents and EPUBs come this way.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from bs4 import BeautifulSoup, Tag
from bs4.element import NavigableString, PreformattedString
from bs4.exceptions import ParserRejectedMarkup
from markdownify import MarkdownConverter

from lab_desktop.documents.converted import Converted, Kind, Note, counted
from lab_desktop.documents.markdown import MOST_HEADING
from lab_desktop.documents.plain import decode, encoding_note, first_heading, regular, tidy, with_notes

DEEPEST = 200
"""Elements within elements. Only what is made to do harm is deeper; its text is kept without its form."""
_DROPPED = [
    "script", "style", "noscript", "template", "iframe", "object", "embed", "svg", "canvas", "audio", "video", "map",
    "button", "input", "select", "textarea", "dialog", "nav", "head", "title", "frameset", "link", "meta", "base",
    "rp", "rt",
]  # fmt: skip
_FURNITURE = ".mw-editsection, .mw-cite-backlink, .headerlink, .noprint"
"""What encyclopaedias and manuals put beside their headings and notes for the mouse."""
_BLOCKS = {
    "p", "div", "section", "article", "ul", "ol", "li", "dl", "table", "h1", "h2", "h3", "h4", "h5", "h6", "pre",
    "blockquote", "figure", "figcaption", "aside", "main", "header", "footer", "form", "fieldset", "address", "details",
    "summary", "center",
}  # fmt: skip
_DECLARED = re.compile(
    rb"charset\s*=\s*[\"']?\s*([A-Za-z0-9_:.-]+)|encoding\s*=\s*[\"']([A-Za-z0-9_.-]+)", re.IGNORECASE
)
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
_DECLARATION = re.compile(r"<!\[[^>]*>?")
_MOST_CELLS = 100_000
_MOST_SPAN = 100
_BULLET = re.compile(r"^[·•▪§o‣●○■][\s\xa0]+")
_RAISED = str.maketrans("0123456789+-−=()n", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁼⁽⁾ⁿ")
_LOWERED = str.maketrans("0123456789+-−=()", "₀₁₂₃₄₅₆₇₈₉₊₋₋₌₍₎")


def from_html_bytes(data: bytes, name: str) -> Converted:
    """A file of HTML; its encoding as its mark, its letters or its head say."""
    text, encoding, declared = decoded(data)
    converted = from_html(text)
    notes = converted.notes if encoding == declared.lower() else (*converted.notes, *encoding_note(encoding))
    return Converted(converted.text, converted.title, Kind.HTML, notes=notes)


def decoded(data: bytes) -> tuple[str, str, str]:
    """(text, its encoding, the encoding that its head declares) of a file of HTML."""
    found = _DECLARED.search(data[:4096])
    declared = (found.group(1) or found.group(2)).decode("ascii") if found else ""
    return *decode(data, declared), declared


def from_html(text: str) -> Converted:
    """HTML, as a page or as a piece of one."""
    soup = parsed(text)
    title = regular(soup.title.get_text(" ", strip=True)) if soup.title else ""
    markdown, notes = to_markdown(soup, is_page=True)
    return Converted(markdown, title or first_heading(markdown), Kind.HTML, notes=notes)


def parsed(text: str) -> BeautifulSoup:
    """The elements of an HTML text, however wrong it is."""
    try:
        return BeautifulSoup(text, "html.parser")
    except ParserRejectedMarkup:  # "<![" without a proper name, which browsers take for a comment
        return BeautifulSoup(_DECLARATION.sub("", text), "html.parser")


def to_markdown(soup: BeautifulSoup, *, is_page: bool = False) -> tuple[str, tuple[Note, ...]]:
    """(Markdown, notes) of a document. `soup` is used up.

    Args:
        is_page: from the web: where it names its main part, menus and the like around that are left out.
    """
    if depth(soup) > DEEPEST:
        for tag in soup.find_all(["script", "style", "template"]):
            tag.decompose()
        note = Note("nested", "The page is nested very deeply; only its words were kept.", needs_a_look=True)
        return tidy(regular(soup.get_text("\n"))), (note,)
    notes: list[Note] = []
    pictures = len(soup.find_all(["img", "svg", "canvas", "picture"]))
    formulas = len(soup.find_all("math"))
    drop_unread(soup)
    if is_page and _keep_main(soup):
        notes.append(Note("around", "Menus and the like around the main text were left out."))
    footnotes = _footnotes(soup)
    _mend(soup)
    writer = _Writer()
    markdown = writer.convert_soup(soup)
    markdown = with_notes(markdown, {number: writer.one_line(note) for number, note in footnotes})
    markdown = tidy(regular(markdown))  # now, for a letter may be written as its number
    if writer.merged_tables:
        text = f"{counted(writer.merged_tables, 'table')} had merged cells, which Markdown has not; have a look."
        notes.append(Note("tables", text, needs_a_look=True))
    if pictures:
        notes.append(Note("pictures", f"{counted(pictures, 'picture')} left out."))
    if formulas:
        text = f"{counted(formulas, 'formula')} kept as plain letters."
        notes.append(Note("formulas", text, needs_a_look=True))
    return markdown, tuple(notes)


def depth(soup: BeautifulSoup) -> int:
    """How deep the deepest element is; walked along, not down, so that depth costs no stack."""
    deepest = 0
    depths: dict[int, int] = {id(soup): 0}
    for tag in soup.find_all(True):
        depth = depths[id(tag.parent)] + 1 if tag.parent else 1
        depths[id(tag)] = depth
        deepest = max(deepest, depth)
    return deepest


def drop_unread(soup: BeautifulSoup) -> None:
    """Leave out what is not read: scripts, styles, menus, forms, pictures, comments, and what is hidden."""
    for tag in [*soup.find_all(_DROPPED), *soup.select(_FURNITURE)]:
        if not tag.decomposed:
            tag.decompose()
    for text in soup.find_all(string=lambda string: isinstance(string, PreformattedString)):
        text.extract()  # comments, declarations
    for tag in soup.find_all(["img", "picture", "source", "hr", "wbr"]):
        if tag.name == "hr":
            tag.replace_with("\n")
        elif not tag.decomposed:
            tag.decompose()
    for tag in soup.find_all(True):
        if tag.decomposed:
            continue
        style = str(tag.get("style", ""))
        is_hidden = tag.has_attr("hidden") or (style and _HIDDEN.search(style)) or tag.get("role") == "navigation"
        if is_hidden and tag.name not in ("body", "html"):
            tag.decompose()


def _keep_main(soup: BeautifulSoup) -> bool:
    """Keep what the page itself calls its main part, if most of the words are in it; True when words were dropped."""
    whole = len(soup.get_text(strip=True))
    candidates = soup.find_all("main") or soup.select("[role=main]") or soup.find_all("article")
    if len(candidates) != 1:
        return False
    main = candidates[0]
    inside = len(main.get_text(strip=True))
    # Notes may stand below the main part; a page that links there is left whole.
    ids = {str(tag["id"]) for tag in main.find_all(id=True)}
    leads_out = any(
        (target := str(link["href"])).startswith("#") and target[1:] not in ids and soup.find(id=target[1:])
        for link in main.find_all("a", href=True)
    )
    if inside * 2 < whole or leads_out or inside == whole:
        return False
    main.extract()
    soup.clear()
    soup.append(main)
    return True


def _footnotes(soup: BeautifulSoup) -> list[tuple[int, Tag]]:
    """Take the notes at the foot out of the text and put [^1] where they were called: (number, its element)."""
    by_id = {str(tag["id"]): tag for tag in soup.find_all(id=True)}
    by_id |= {
        str(tag["name"]): tag for tag in soup.find_all("a", attrs={"name": True}) if str(tag["name"]) not in by_id
    }
    order = {id(tag): place for place, tag in enumerate(soup.find_all(True))}
    numbers: dict[int, int] = {}
    found: list[tuple[int, Tag]] = []
    for link in soup.find_all("a", href=True):
        target = by_id.get(str(link["href"])[1:]) if str(link["href"]).startswith("#") else None
        if target is None or not _is_call(link) or order[id(target)] < order[id(link)]:
            continue
        note = _note_of(target)
        if note is None or _is_inside(link, note):
            continue
        if id(note) not in numbers:
            numbers[id(note)] = len(numbers) + 1
            found.append((numbers[id(note)], note))
        call = link.find_parent("sup") or link
        call.name = "span"
        call.string = f"[^{numbers[id(note)]}]"
    for _, note in found:
        for back in note.find_all("a", href=True):
            if str(back["href"]).startswith("#") and len(back.get_text(strip=True)) <= 4:
                back.decompose()
        note.extract()
    for heading in soup.find_all(re.compile("^h[1-6]$")):
        # "Notes" above notes that are gone
        if found and not _text_after(heading) and len(heading.get_text(strip=True)) < 30:
            heading.decompose()
    return found


def _is_call(link: Tag) -> bool:
    kind = f"{link.get('epub:type', '')} {link.get('role', '')}"
    if "noteref" in kind:
        return True
    text = link.get_text(strip=True).strip("[]()")
    is_mark = bool(re.fullmatch(r"\d{1,4}|[*†‡§]{1,3}|[a-z]|[ivxl]{1,5}", text))
    return is_mark and (
        link.find_parent("sup") is not None or link.find("sup") is not None or "note" in str(link["href"])
    )


def _note_of(target: Tag) -> Tag | None:
    """The whole note that a link leads to: the element itself, or the paragraph or list item around an anchor."""
    if target.name in ("li", "p", "aside", "dd", "div", "section"):
        return target if len(target.get_text(strip=True)) < 5_000 else None
    return target.find_parent(["li", "p", "aside", "dd"])


def _is_inside(tag: Tag, other: Tag) -> bool:
    return any(parent is other for parent in tag.parents)


def _text_after(heading: Tag) -> str:
    for element in heading.next_elements:
        if isinstance(element, NavigableString) and not _is_inside_string(element, heading) and element.strip():
            return str(element)
    return ""


def _is_inside_string(text: NavigableString, tag: Tag) -> bool:
    return any(parent is tag for parent in text.parents)


def _mend(soup: BeautifulSoup) -> None:
    """What Markdown would say wrongly: bold that is none, headings that are none, lists that Word wrote out."""
    for tag in soup.find_all(["b", "strong", "i", "em"]):
        style = str(tag.get("style", "")).replace(" ", "").lower()
        # A clipboard wraps whole pages in a <b> that is not bold; and bold around paragraphs is no emphasis.
        if "font-weight:normal" in style or "font-style:normal" in style or _has_block(tag):
            tag.unwrap()
    for tag in soup.find_all(re.compile("^h[1-6]$")):
        for bold in tag.find_all(["b", "strong", "i", "em"]):
            bold.unwrap()
        text = tag.get_text(" ", strip=True)
        if not text:
            tag.decompose()
        elif len(text) > MOST_HEADING:
            tag.name = "p"
    for tag in soup.find_all("p", class_=re.compile("^MsoListParagraph")):
        text = tag.get_text(" ", strip=True)
        if _BULLET.match(text):
            tag.string = "- " + _BULLET.sub("", text)
    soup.smooth()


def _has_block(tag: Tag) -> bool:
    return any(isinstance(inner, Tag) and inner.name in _BLOCKS for inner in tag.descendants)


class _Writer(MarkdownConverter):
    """Markdown of elements; pictures and scripts are gone before.

    Attributes:
        merged_tables: tables in which a cell spanned others.
    """

    def __init__(self) -> None:
        super().__init__(heading_style="atx", bullets="-", wrap=True, wrap_width=None)
        self.merged_tables = 0
        self._cells: dict[int, str] = {}
        self._numbers: dict[int, int] = {}

    def one_line(self, tag: Tag) -> str:
        """An element as one line of Markdown."""
        tag.name = "span"
        written: str = self.process_tag(tag, parent_tags={"_inline"})  # type: ignore[attr-defined] # left out of its stubs
        return " ".join(written.split()).lstrip("^↑↩⤴ ")

    def escape(self, text: str, parent_tags: set[str]) -> str:
        """A teacher reads this, not a browser: only what would turn a paragraph into a heading is marked."""
        return re.sub(r"^(\s*)(#{1,6}\s)", r"\1\\\2", text) if text.lstrip()[:1] == "#" else text

    def convert_a(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        return text

    def convert_br(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        return " " if "_inline" in parent_tags else "\n"

    def convert_p(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        text = re.sub(r"[ \t]*\n[ \t]*", "\n", text.strip())
        if "_inline" in parent_tags:
            return f" {text} "
        return f"\n\n{text}\n\n" if text else ""

    def convert_sup(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        return _set_off(text, _RAISED)

    def convert_sub(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        return _set_off(text, _LOWERED)

    def convert_dt(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        text = " ".join(text.split())
        return f"\n\n**{text.strip('*')}**\n" if text else ""

    def convert_dd(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        return f"\n{text.strip()}\n\n" if text.strip() else ""

    def convert_li(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        text = text.strip()
        if not text:
            return "\n"
        bullet = "- "
        if el.parent is not None and el.parent.name == "ol":
            bullet = f"{self._number(el)}. "
        indented = "\n".join(" " * len(bullet) + line if line else "" for line in text.split("\n"))
        return f"{bullet}{indented[len(bullet) :]}\n"

    def convert_table(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        """All cells in a grid, the first row as its head; a table that only arranges things is taken apart."""
        if "_inline" in parent_tags:  # inside a cell
            return " " + " ".join(text.replace("|", " ").split()) + " "
        caption = el.find("caption", recursive=False)
        above = f"\n\n{caption.get_text(' ', strip=True)}" if isinstance(caption, Tag) else ""
        rows = self._grid(el)
        if not rows:
            return above
        if len(rows) == 1 or len(rows[0]) == 1 or el.get("role") == "presentation":
            return f"{above}\n\n" + "\n\n".join(cell for row in rows for cell in row if cell) + "\n\n"
        head, *body = rows
        lines = [head, ["---"] * len(head), *body]
        return f"{above}\n\n" + "\n".join(f"| {' | '.join(row)} |" for row in lines) + "\n\n"

    def convert_caption(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        return ""  # written by the table

    def convert_tr(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        return text

    def convert_td(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        # Kept beside the cell: the table asks for it when it has been through all its cells.
        text = " ".join(text.split())
        self._cells[id(el)] = text.replace("\\|", "|").replace("|", "\\|")
        return f" {text} "

    convert_th = convert_td

    def _number(self, item: Tag) -> int:
        """Of an item in its list. Each list is counted once, not once an item."""
        if id(item) not in self._numbers:
            assert item.parent is not None
            start = str(item.parent.get("start", ""))
            first = int(start) if start.isdecimal() and len(start) < 7 else 1
            for place, sibling in enumerate(item.parent.find_all("li", recursive=False)):
                self._numbers[id(sibling)] = first + place
        return self._numbers.get(id(item), 1)

    def _grid(self, table: Tag) -> list[list[str]]:
        grid: list[dict[int, str]] = []
        waiting: dict[int, tuple[int, str]] = {}  # column: rows still to fill, text
        has_merged = False
        cells = 0
        for row in rows_of(table):
            line: dict[int, str] = {}
            column = 0
            for column, (left, text) in list(waiting.items()):
                line[column] = text
                if left > 1:
                    waiting[column] = left - 1, text
                else:
                    del waiting[column]
            column = 0
            for cell in row.find_all(["td", "th"], recursive=False):
                while column in line:
                    column += 1
                wide, high = span(cell, "colspan"), span(cell, "rowspan")
                has_merged = has_merged or wide > 1 or high > 1
                text = self._cells.get(id(cell), "")
                for place in range(column, column + wide):
                    line[place] = text if place == column else ""
                    if high > 1:
                        waiting[place] = high - 1, text if place == column else ""
                column += wide
                cells += wide
            if any(line.values()):
                grid.append(line)
            if cells > _MOST_CELLS:
                break
        width = max((max(line) + 1 for line in grid if line), default=0)
        used = [column for column in range(width) if any(line.get(column) for line in grid)]
        self.merged_tables += has_merged and len(grid) > 1 and len(used) > 1
        return [[line.get(column, "") for column in used] for line in grid]


def rows_of(table: Tag) -> Iterator[Tag]:
    """The rows of a table, not those of tables within it."""
    for child in table.find_all(["tr", "thead", "tbody", "tfoot"], recursive=False):
        if child.name == "tr":
            yield child
        else:
            yield from child.find_all("tr", recursive=False)


def span(cell: Tag, name: str) -> int:
    """How many columns ("colspan") or rows ("rowspan") a cell takes."""
    value = str(cell.get(name, "1")).strip()
    return max(1, min(_MOST_SPAN, int(value))) if value.isdecimal() and len(value) < 6 else 1


def _set_off(text: str, table: dict[int, int]) -> str:
    """Letters set high or low: as the sign for it where all have one, else as they are."""
    bare = text.strip()
    if bare and all(ord(letter) in table for letter in bare):
        return text.replace(bare, bare.translate(table))
    return text
