"""About: what this program is, whether there is a newer one, and some lines for somebody who helps."""

from __future__ import annotations

import functools
import threading
from pathlib import Path

from PySide6.QtGui import QCloseEvent, QShowEvent
from PySide6.QtWidgets import QLabel, QLayout, QWidget

from lab_desktop import licences, versions
from lab_desktop.ui import icons
from lab_desktop.ui.background import Background
from lab_desktop.ui.details import details
from lab_desktop.ui.guard import guarded
from lab_desktop.ui.session import Session
from lab_desktop.ui.widgets.basic import Button, Card, Flowing, Label, column, row, scrolled
from lab_desktop.ui.widgets.copying import CopyButton
from lab_desktop.ui.widgets.panel import Panel
from lab_desktop.ui.words import news_words

_PICTURE = 48


class AboutWindow(Panel):
    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self.copy = CopyButton(self.tr("Copy details"), lambda: self._looking.start())
        self._looking = Background(functools.partial(_details, session.home), self.copy.take, self)
        self._news = Label("", "body", wraps=True)
        self._news_page = Button(self.tr("Open its page"), on_click=session.news.open_page)
        picture = QLabel()
        picture.setPixmap(icons.program_icon().pixmap(_PICTURE, _PICTURE))
        version = Label(self.tr("Version {0}").format(versions.spoken()), "body", "text2")
        name = column(-1, Label("LAB Desktop", "title"), version, -1, gap=2)
        head = column(
            row(picture, name, -1, gap=14),
            8,
            Label(
                self.tr("Teaches a language model on this computer what you know, and shows whether it learned it."),
                wraps=True,
            ),
            Label(
                self.tr("Licence: {0}. Copyright The LAB Desktop authors.").format(licences.LICENCE),
                "small",
                "text2",
                wraps=True,
            ),
            4,
            self._news,
            row(self._news_page, -1),
            gap=4,
        )
        self._licences = Button(self.tr("Licences"), icon="book", on_click=lambda: session.go("licences"))
        self._report = Button(self.tr("Report a problem"), icon="warn", on_click=lambda: session.go("problem"))
        inside = Flowing(
            column(
                head,
                Card(
                    _offer(
                        self.tr("What it stands on"),
                        self.tr("The work of many others, and a practice model. Every part with its licence."),
                        self._licences,
                    )
                ),
                Card(
                    _offer(
                        self.tr("For somebody who helps you"),
                        self.tr(
                            "Versions, memory, disk and how the last work ended, to paste into your message. Your "
                            "name, this computer's name, folders and files are left out."
                        ),
                        self.copy,
                    )
                ),
                Card(
                    _offer(
                        self.tr("When something went wrong"),
                        self.tr("A report of it, which you read before you send it. Nothing is sent by itself."),
                        self._report,
                    )
                ),
                -1,
                gap=16,
                margins=(28, 24, 28, 24),
            )
        )
        self.furnish(self.tr("About LAB Desktop"), column(scrolled(inside)), (620, 640), (520, 420))
        session.news.changed.connect(self._redraw_news)
        self._redraw_news()

    def _redraw_news(self) -> None:
        news = self._session.news
        self._news.setText(news_words(news) if news.newer is not None else "")
        for shown in (self._news, self._news_page):
            shown.setVisible(news.newer is not None)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.copy.setFocus()

    def closeEvent(self, event: QCloseEvent) -> None:
        guarded(self._looking.stop)
        super().closeEvent(event)


def _offer(title: str, text: str, button: Button) -> QLayout:
    return column(Label(title, "strong"), Label(text, "body", "text2", wraps=True), 4, row(button, -1), gap=4)


def _details(home: Path, stop: threading.Event) -> str:
    return details(home)
