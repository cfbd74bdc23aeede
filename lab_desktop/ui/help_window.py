"""Help: short articles and the words of the window, on this computer, found by any word."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from PySide6.QtCore import QMimeData, Qt, QUrl
from PySide6.QtGui import (
    QCloseEvent,
    QKeySequence,
    QShortcut,
    QTextBlockFormat,
    QTextCharFormat,
    QTextCursor,
    QTextDocument,
    QTextFormat,
    QTextFrameFormat,
    QTextLength,
    QTextTable,
)
from PySide6.QtWidgets import QDialog, QFrame, QListWidgetItem, QTextBrowser, QTextEdit, QWidget

from lab_desktop import paths
from lab_desktop.ui.help_pictures import PICTURE, PLACE, Pictures, picture_format
from lab_desktop.ui.help_texts import Article, Word, find_articles, find_words, read_articles, read_words
from lab_desktop.ui.theme import TYPE, TypeStyle, look
from lab_desktop.ui.widgets.basic import Button, Segmented, column, row, rule
from lab_desktop.ui.widgets.panel import NameList, Panel, Side, search_field

_NAMES_WIDE = 264
_WIDEST = 640
"""Longer lines are hard to read."""
_SHORTEST_MARKED = 3
_IS_CAPTION = QTextFormat.Property.UserProperty.value + 2


class HelpWindow(Panel):
    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        folder = paths.resources() / "help"
        self._articles: list[Article] = []
        self._words: list[Word] = []
        self._is_there = True
        try:
            self._articles = read_articles(folder)
            self._words = read_words(folder / "glossary.yaml")
        except (OSError, ValueError):
            self._is_there = False
        self._shown = ""
        self._past: list[tuple[str, int]] = []
        self._wanted = "articles"

        self._kind = Segmented(
            [("articles", self.tr("Articles")), ("words", self.tr("Words"))], "articles", self.show_kind
        )
        self.names = NameList()
        self.names.setAccessibleName(self.tr("What there is to read"))
        self.search = search_field(self.tr("Search help and words"), self.names.take_first)
        self.search.textChanged.connect(lambda _: self._find())
        self.names.currentItemChanged.connect(self._chosen)
        left = Side(column(self.search, self._kind, self.names, gap=12, margins=(16, 16, 12, 12)), _NAMES_WIDE)

        self._back = Button(self.tr("Back"), "plain", icon="chevron-left", on_click=self.back)
        self.page = _Page(self._pages().keys(), {path.name: path for path in (folder / "pictures").glob("*.svg")})
        self.page.setAccessibleName(self.tr("Help text"))
        self.page.anchorClicked.connect(self._follow)
        top = QWidget()
        top.setFixedHeight(44)
        top.setLayout(row(self._back, -1, margins=(16, 0, 16, 0)))
        right = column(top, self.page)
        whole = row(left, rule(is_upright=True), right)
        whole.setStretch(2, 1)
        self.furnish(self.tr("Help"), whole, (980, 700), (640, 480), self.search)
        QShortcut(QKeySequence.StandardKey.Back, self, self.back)
        look().changed.connect(self._draw)
        self.show_kind("articles")

    def show_kind(self, kind: str) -> None:
        """Show the articles or the words; the search starts anew."""
        self._wanted = kind
        self._kind.choose(kind)
        if self.search.text():
            self.search.clear()
        else:
            self._list()
        self.search.setFocus()

    def open(self, name: str) -> None:
        """Show an article or a word by its name."""
        if name != self._shown and name in self._pages():
            self._past.clear()
            self._shown = name
            self._draw()

    def back(self) -> None:
        """Show what was read before a link was followed, at the place where it was left."""
        if self._past:
            self._shown, place = self._past.pop()
            self._draw()
            self.page.verticalScrollBar().setValue(place)
            self.page.setFocus()  # the button may be gone now

    def stand_before(self, window: QWidget) -> None:
        """Belong to a window, which then does not block this one; opened before a sheet, it leaves it in sight."""
        if self.windowHandle() is None:
            self.create()
        if self.windowHandle().transientParent() is not window.windowHandle():
            self.windowHandle().setTransientParent(window.windowHandle())
            if isinstance(window, QDialog):
                window.finished.connect(self._stand_before_parent)
                if not self.isVisible():
                    self._stand_beside(window)

    def _stand_before_parent(self) -> None:
        """The sheet is gone."""
        if (parent := self.parentWidget()) is not None:
            self.windowHandle().setTransientParent(parent.window().windowHandle())

    def _stand_beside(self, window: QWidget) -> None:
        """Go to the side where more of a window stays in sight."""
        room, its = window.screen().availableGeometry(), window.frameGeometry()
        mine = self.size() + its.size() - window.size()  # before it is shown nobody knows its own frame
        is_right = room.right() - its.right() >= its.left() - room.left()
        left = min(its.right() + 1, room.right() + 1 - mine.width()) if is_right else its.left() - mine.width()
        top = min(its.top(), room.bottom() + 1 - mine.height())
        self.move(max(left, room.left()), max(top, room.top()))

    def closeEvent(self, event: QCloseEvent) -> None:
        super().closeEvent(event)
        before = self.windowHandle().transientParent() if self.isActiveWindow() else None
        if before is not None:
            before.requestActivate()  # the keyboard goes back to what was asked about

    def _pages(self) -> dict[str, Article | Word]:
        return {article.name: article for article in self._articles} | {
            f"word:{word.word}": word for word in self._words
        }

    def _find(self) -> None:
        """Show what is found: of the kind that was asked for, unless only the other has something."""
        found = {
            "articles": find_articles(self._articles, self.search.text()),
            "words": find_words(self._words, self.search.text()),
        }
        other = "words" if self._wanted == "articles" else "articles"
        self._kind.choose(other if found[other] and not found[self._wanted] else self._wanted)
        self._list()

    def _list(self) -> None:
        wanted = self.search.text()
        articles, words = find_articles(self._articles, wanted), find_words(self._words, wanted)
        for kind, text, some in (("articles", self.tr("Articles"), articles), ("words", self.tr("Words"), words)):
            self._kind.set_text(kind, f"{text}  {len(some)}" if wanted else text)
        named: Sequence[tuple[str, str, str]] = (
            [(article.name, article.title, "") for article in articles]
            if self._kind.chosen == "articles"
            else [(f"word:{word.word}", word.word, word.term) for word in words]
        )
        self.names.blockSignals(True)
        self.names.clear()
        for name, title, term in named:
            self.names.add(name, title, term)
        self.names.blockSignals(False)
        if named:
            self.names.setCurrentRow(0)
        else:
            self._shown = ""
            self._draw()
        self.page.mark(wanted.split())

    def _chosen(self, item: QListWidgetItem | None) -> None:
        if item is not None:
            self.open(item.data(Qt.ItemDataRole.UserRole))

    def _follow(self, link: QUrl) -> None:
        if (name := link.toString()) in self._pages():
            self._past.append((self._shown, self.page.verticalScrollBar().value()))
            self._shown = name
            self._draw()

    def _draw(self) -> None:
        self._back.setVisible(bool(self._past))
        shown = self._pages().get(self._shown)
        self.page.show_markdown(self._text(shown))
        self.page.mark(self.search.text().split())
        for number in range(self.names.count()):
            item = self.names.item(number)
            if item.data(Qt.ItemDataRole.UserRole) == self._shown:
                self.names.blockSignals(True)
                self.names.setCurrentItem(item)
                self.names.blockSignals(False)

    def _text(self, shown: Article | Word | None) -> str:
        if isinstance(shown, Article):
            return shown.text
        if isinstance(shown, Word):
            more = next((article for article in self._articles if article.name == shown.article), None)
            link = f"\n\n{self.tr('Read more:')} [{more.title}]({more.name})" if more else ""
            said = self.tr("In books and articles: {0}").format(shown.term)
            return f"# {shown.word}\n\n{shown.means}\n\n*{said}*{link}"
        if not self._is_there:
            return self.tr("The help texts cannot be read. Set the program up again to get them back.")
        return self.tr("Nothing is written about “{0}”. Try a shorter or another word.").format(
            self.search.text().strip()
        )


class _Page(QTextBrowser):
    """A page of Markdown in our own type; nothing is fetched, and only links to other pages are links."""

    def __init__(self, names: Collection[str], pictures: Mapping[str, Path]) -> None:
        super().__init__()
        self._names, self._pictures = names, pictures
        self.document().documentLayout().registerHandler(PICTURE, Pictures(self))
        self.setOpenLinks(False)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)

    def loadResource(self, kind: int, name: QUrl | str) -> object:
        return None

    def show_markdown(self, text: str) -> None:
        document = self.document()
        document.setDefaultFont(look().font("reading"))
        document.setDocumentMargin(0)
        features = QTextDocument.MarkdownFeature.MarkdownNoHTML | QTextDocument.MarkdownFeature.MarkdownDialectGitHub
        document.setMarkdown(text, features)
        self._show_pictures(document)
        self._dress(document)
        self.moveCursor(QTextCursor.MoveOperation.Start)
        self.verticalScrollBar().setValue(0)
        self._fit()

    def mark(self, words: Sequence[str]) -> None:
        """Mark these words wherever they stand, and bring the first one in sight."""
        found = []
        for word in words:
            cursor = self.document().find(word)
            while len(word) >= _SHORTEST_MARKED and not cursor.isNull():
                piece = QTextEdit.ExtraSelection()
                piece.cursor, piece.format = cursor, QTextCharFormat()
                piece.format.setBackground(look().theme.color("mark2"))
                found.append(piece)
                cursor = self.document().find(word, cursor)
        self.setExtraSelections(found)
        if found:
            first = min((piece.cursor for piece in found), key=QTextCursor.position)
            top = self.cursorRect(first).top()
            if not 0 <= top < self.viewport().height() * 3 // 4:
                bar = self.verticalScrollBar()
                bar.setValue(bar.value() + top - self.viewport().height() // 3)

    def createMimeDataFromSelection(self) -> QMimeData:
        """What is copied: text, without the letters that stand for pictures."""
        # Changed and not made anew: the clipboard outlives Python, and cannot then delete what Python made.
        data = super().createMimeDataFromSelection()
        text = data.text().replace(f"{PLACE}\n", "")
        data.clear()
        data.setText(text)
        return data

    def _show_pictures(self, document: QTextDocument) -> None:
        """A picture of ours comes into its place, and what it shows stands below it; any other is only told."""
        for start, length, letters in reversed(_pieces(document)):
            if not letters.isImageFormat():
                continue
            name = letters.toImageFormat().name()
            told = letters.property(QTextFormat.Property.ImageAltText)
            cursor = QTextCursor(document)
            cursor.setPosition(start)
            cursor.setPosition(start + length, QTextCursor.MoveMode.KeepAnchor)
            if name in self._pictures:
                cursor.insertText(PLACE, picture_format(self._pictures[name]))
                below = QTextBlockFormat()
                below.setProperty(_IS_CAPTION, True)
                cursor.insertBlock(below)
            cursor.insertText(told, QTextCharFormat())

    def _dress(self, document: QTextDocument) -> None:
        theme = look().theme
        block = document.begin()
        while block.isValid():
            level = block.blockFormat().headingLevel()
            is_caption = bool(block.blockFormat().property(_IS_CAPTION))
            plain: TypeStyle = "small" if is_caption else "reading"
            style: TypeStyle = {1: "title", 2: "head"}.get(level, plain)  # type: ignore[assignment]
            in_table = QTextCursor(block).currentTable() is not None
            in_list = block.textList() is not None
            cursor = QTextCursor(block)
            shape = QTextBlockFormat()
            shape.setLineHeight(
                TYPE[style][1] * look().text_size, int(QTextBlockFormat.LineHeightTypes.MinimumHeight.value)
            )
            is_picture = block.text() == PLACE
            above = {1: 0.0, 2: 20.0}.get(level, 6.0 if is_picture else 0.0)
            shape.setTopMargin(0 if in_table else above)
            shape.setBottomMargin(0 if in_table or is_picture else 6 if in_list or level == 2 else 12)
            cursor.mergeBlockFormat(shape)
            cursor.setBlockCharFormat(QTextCharFormat())  # a first link would be kept in it
            if level or is_caption:
                cursor.movePosition(QTextCursor.MoveOperation.EndOfBlock, QTextCursor.MoveMode.KeepAnchor)
                letters = QTextCharFormat()  # set, not merged: Markdown's own size of headings has to go
                letters.setFont(look().font(style))
                letters.setForeground(theme.color("text2" if is_caption else "text"))
                cursor.setCharFormat(letters)
            block = block.next()
        self._mend_links(document)
        for frame in document.rootFrame().childFrames():
            if isinstance(frame, QTextTable):
                shape_of_table = frame.format()
                shape_of_table.setBorder(1)
                shape_of_table.setBorderStyle(QTextFrameFormat.BorderStyle.BorderStyle_Solid)
                shape_of_table.setBorderBrush(theme.color("line"))
                shape_of_table.setBorderCollapse(True)
                shape_of_table.setCellPadding(8)
                shape_of_table.setWidth(QTextLength(QTextLength.Type.PercentageLength, 100))
                shape_of_table.setTopMargin(12)
                shape_of_table.setBottomMargin(16)
                frame.setFormat(shape_of_table)

    def _mend_links(self, document: QTextDocument) -> None:
        """Links to other pages get our colour; those to elsewhere become text with their address."""
        for start, length, piece in reversed(_pieces(document)):
            if not piece.isAnchor():
                continue
            link = piece.anchorHref()
            cursor = QTextCursor(document)
            cursor.setPosition(start)
            cursor.setPosition(start + length, QTextCursor.MoveMode.KeepAnchor)
            letters = cursor.charFormat()
            letters.setForeground(look().theme.color("accent" if link in self._names else "text"))
            if link not in self._names:
                letters.setAnchor(False)
                letters.setAnchorHref("")
                letters.setFontUnderline(False)
            cursor.setCharFormat(letters)
            if link not in self._names:
                cursor.setPosition(start + length)
                cursor.insertText(f" ({link})", letters)

    def _fit(self) -> None:
        """The text in the middle, no wider than is good to read."""
        side = max(28, (self.width() - round(_WIDEST * look().text_size)) // 2)
        self.setViewportMargins(side, 8, side - 12, 24)
        self.document().setTextWidth(self.viewport().width())

    def resizeEvent(self, event: object) -> None:
        super().resizeEvent(event)  # type: ignore[arg-type]
        self._fit()


def _pieces(document: QTextDocument) -> list[tuple[int, int, QTextCharFormat]]:
    """Where each run of letters of one kind begins, how long it is, and its kind."""
    found = []
    block = document.begin()
    while block.isValid():
        inside = block.begin()
        while not inside.atEnd():
            piece = inside.fragment()
            found.append((piece.position(), piece.length(), piece.charFormat()))
            inside += 1
        block = block.next()
    return found
