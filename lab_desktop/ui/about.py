"""About: what this program is, whether there is a newer one, and some lines for somebody who helps."""

from __future__ import annotations

import functools
import threading
from pathlib import Path

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QCloseEvent, QGuiApplication, QKeyEvent, QShowEvent
from PySide6.QtWidgets import QLayout, QWidget

from lab_desktop import licences, versions
from lab_desktop.ui.background import Background
from lab_desktop.ui.details import details
from lab_desktop.ui.guard import guarded
from lab_desktop.ui.session import Session
from lab_desktop.ui.theme import look
from lab_desktop.ui.widgets.basic import Button, Card, Icon, Label, column, row, scrolled
from lab_desktop.ui.widgets.panel import as_panel
from lab_desktop.ui.words import news_words

_SAID_MS = 4000
_NARROWEST = 520


class AboutWindow(QWidget):
    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self.copy = Button(self.tr("Copy details"), icon="copy", on_click=self._copy)
        self._said = Label("", "small", "good")
        self._said.hide()
        self._quiet = QTimer(self, singleShot=True, interval=_SAID_MS)
        self._quiet.timeout.connect(self._said.hide)
        self._news = Label("", "body", wraps=True)
        self._news_page = Button(self.tr("Open its page"), on_click=session.news.open_page)
        head = column(
            row(Icon("improve", "accent", 32), Label("LAB Desktop", "title"), -1, gap=12),
            8,
            Label(self.tr("Version {0}").format(versions.spoken()), "strong"),
            Label(
                self.tr("Licence: {0}. Copyright The LAB Desktop authors.").format(licences.LICENCE), "body", "text2"
            ),
            Label(
                self.tr("Teaches a language model on this computer what you know, and shows whether it learned it."),
                "body",
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
        inside = QWidget()
        inside.setLayout(
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
                            "Versions, memory, disk and how the last work ended. Your name, this computer's name, "
                            "folders and files are left out."
                        ),
                        self.copy,
                        self._said,
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
        as_panel(self, self.tr("About LAB Desktop"), column(scrolled(inside)))
        self.resize(620, 640)
        look().changed.connect(self._fit)
        session.news.changed.connect(self._redraw_news)
        self._fit()
        self._redraw_news()
        self._looking = Background(functools.partial(_details, session.home), self._take_details, self)

    def _copy(self) -> None:
        self._looking.start()

    def _take_details(self, text: str) -> None:
        QGuiApplication.clipboard().setText(text)
        self._said.setText(self.tr("Copied. Paste it into your message."))
        self._said.show()
        self._quiet.start()

    def _redraw_news(self) -> None:
        news = self._session.news
        self._news.setText(news_words(news) if news.newer is not None else "")
        for shown in (self._news, self._news_page):
            shown.setVisible(news.newer is not None)

    def _fit(self) -> None:
        self.setMinimumSize(round(_NARROWEST * max(1.0, look().text_size)), 420)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.copy.setFocus()

    def closeEvent(self, event: QCloseEvent) -> None:
        guarded(self._looking.stop)
        super().closeEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.close()
        else:
            super().keyPressEvent(event)


def _offer(title: str, text: str, button: Button, *more: QWidget) -> QLayout:
    return column(
        Label(title, "strong"), Label(text, "body", "text2", wraps=True), 4, row(button, *more, -1, gap=10), gap=4
    )


def _details(home: Path, stop: threading.Event) -> str:
    return details(home)
