"""A lesson as a reader sees it: its passages with their questions, or its examples; no word of how it is kept."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence

from PySide6.QtGui import QFontDatabase, QTextCursor, QTextOption
from PySide6.QtWidgets import QFrame, QTextBrowser

from lab_desktop.artifacts import Leaf, LeafKind, SeedExample, title_of
from lab_desktop.ui.theme import look
from lab_desktop.ui.words import number, tr

_MOST_SHOWN, _MOST_PAIRS, _MOST_LETTERS = 60, 20, 4_000
"""Passages, questions of one, and letters of a text; a page that is drawn at once takes no more."""
_HEADING = re.compile(r"#{1,6}[ \t]+(\S[^\n]{0,120})(?:\n|\Z)")


class Reader(QTextBrowser):
    """Text only: nothing in a lesson is taken for a link, a picture or a page."""

    def __init__(self) -> None:
        super().__init__()
        self._leaf: Leaf | None = None
        self._title = ""
        self.setAccessibleName(self.tr("The lesson as others read it"))
        self.setOpenLinks(False)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.document().setDocumentMargin(0)
        self.setViewportMargins(0, 0, 10, 0)
        look().changed.connect(self._redraw)

    def show_leaf(self, leaf: Leaf, title: str) -> None:
        self._leaf, self._title = leaf, title
        self._redraw()

    def _redraw(self) -> None:
        if self._leaf is None:
            return
        at = self.verticalScrollBar().value()
        self.document().setDefaultFont(look().font("body"))
        self.setHtml(_page(self._leaf, self._title))
        self.verticalScrollBar().setValue(at)


class ChangeView(QTextBrowser):
    """The files that are sent and what changes in them, line by line."""

    def __init__(self) -> None:
        super().__init__()
        self._lines: Sequence[str] = ()
        self.setAccessibleName(self.tr("The files and what changes in them"))
        self.setOpenLinks(False)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setViewportMargins(0, 0, 10, 0)
        self.setWordWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        look().changed.connect(self._redraw)

    def show_lines(self, lines: Sequence[str]) -> None:
        self._lines = lines
        self._redraw()

    def _redraw(self) -> None:
        font = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
        font.setPixelSize(look().font("small").pixelSize())
        self.document().setDocumentMargin(0)
        self.document().setDefaultFont(font)
        self.clear()
        cursor = QTextCursor(self.document())
        theme = look().theme
        roles = {"+": "good", "-": "bad", "@": "accent"}
        form = cursor.charFormat()
        for line in self._lines:
            is_name = line.startswith(("--- ", "+++ "))
            form.setForeground(theme.color("text2" if is_name else roles.get(line[:1], "text")))
            form.setFontWeight(600 if is_name else 400)
            cursor.insertText(line + "\n", form)
        self.moveCursor(QTextCursor.MoveOperation.Start)


def about(leaf: Leaf) -> str:
    """Its kind, its topic and how much it holds: "Facts ▸ Islands · 5 passages, 15 questions"."""
    kind = tr("Facts") if leaf.kind is LeafKind.KNOWLEDGE else tr("Skill")
    above = [part for part in leaf.node[1:-1] if part != "grounded"]
    where = " ▸ ".join([kind, *(title_of(part) for part in above[-1:])])
    return f"{where} · {amount(leaf)}"


def amount(leaf: Leaf) -> str:
    """ "5 passages and 15 questions" """
    parts = len(leaf.seed_examples)
    if leaf.kind is not LeafKind.KNOWLEDGE:
        return tr("1 example") if parts == 1 else tr("{0} examples").format(number(parts))
    questions = sum(len(example.pairs) for example in leaf.seed_examples)
    passages = tr("1 passage") if parts == 1 else tr("{0} passages").format(number(parts))
    asked = tr("1 question") if questions == 1 else tr("{0} questions").format(number(questions))
    return tr("{0} and {1}").format(passages, asked)


def _page(leaf: Leaf, title: str) -> str:
    theme = look().theme
    head, small = look().font("head").pixelSize(), look().font("small").pixelSize()
    parts = [
        f'<p style="font-size:{head}px; font-weight:600; margin:0 0 4px 0">{html.escape(title)}</p>',
        f'<p style="font-size:{small}px; color:{theme.text2}; margin:0 0 12px 0">{html.escape(about(leaf))}</p>',
    ]
    if leaf.task_description:
        parts.append(f'<p style="margin:0 0 12px 0">{_text(leaf.task_description)}</p>')
    for place, example in enumerate(leaf.seed_examples[:_MOST_SHOWN], start=1):
        parts.append(_example(place, example, leaf.kind is LeafKind.KNOWLEDGE))
    if len(leaf.seed_examples) > _MOST_SHOWN:
        more = _more(len(leaf.seed_examples) - _MOST_SHOWN)
        parts.append(f'<p style="color:{theme.text2}; margin:14px 0 0 0">{more}</p>')
    return f'<div style="color:{theme.text}">{"".join(parts)}</div>'


def _example(place: int, example: SeedExample, is_facts: bool) -> str:
    theme = look().theme
    context = (example.context or "").strip()
    name = (tr("Passage {0}") if is_facts else tr("Example {0}")).format(place)
    if found := _HEADING.match(context):
        name, context = f"{place}   {found[1].strip()}", context[found.end() :].strip()
    made = f'<p style="font-weight:600; margin:14px 0 4px 0; white-space:pre-wrap">{html.escape(name)}</p>'
    if context:
        made += f'<p style="color:{theme.text2}; margin:0; line-height:125%">{_text(context)}</p>'
    rows = "".join(
        f'<tr><td width="44%" style="border-top:1px solid {theme.line}; padding:6px 14px 6px 0">{_text(pair.question)}'
        f'</td><td style="border-top:1px solid {theme.line}; padding:6px 0; color:{theme.text2}">{_text(pair.answer)}'
        "</td></tr>"
        for pair in example.pairs[:_MOST_PAIRS]
    )
    if not rows:
        return made
    if len(example.pairs) > _MOST_PAIRS:
        rows += f'<tr><td colspan="2" style="color:{theme.text2}">{_more(len(example.pairs) - _MOST_PAIRS)}</td></tr>'
    return f'{made}<table width="100%" cellspacing="0" style="margin-top:10px; border-collapse:collapse">{rows}</table>'


def _more(count: int) -> str:
    return tr("And {0} more; all of them stand under Details.").format(number(count))


def _text(text: str) -> str:
    text = text if len(text) <= _MOST_LETTERS else text[:_MOST_LETTERS] + " …"
    return html.escape(text).replace("\n", "<br>")
