"""Publishing a trained model: the sheet that shows what goes out, to whom, under which licence; and how far it is."""

from __future__ import annotations

import functools
from pathlib import Path

from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QDesktopServices, QTextBlockFormat, QTextCursor, QTextDocument, QTextFrameFormat, QTextTable
from PySide6.QtWidgets import QDialog, QLayout, QLineEdit, QStackedWidget, QTextBrowser, QWidget

from lab_desktop.errors import LabError
from lab_desktop.jobs.errands import PublishRequest
from lab_desktop.models import account, card
from lab_desktop.models.account import Account
from lab_desktop.models.card import Card as ModelCard
from lab_desktop.models.card import Demands, Origin
from lab_desktop.ui.background import Errands
from lab_desktop.ui.errand import ErrandState
from lab_desktop.ui.session import Session
from lab_desktop.ui.theme import look
from lab_desktop.ui.widgets.basic import (
    Banner,
    Button,
    Card,
    Label,
    Segmented,
    Tone,
    announce,
    column,
    nothing_yet,
    row,
    scrolled,
)
from lab_desktop.ui.widgets.meters import Bar
from lab_desktop.ui.widgets.panel import Switch
from lab_desktop.ui.words import errand_words, size

_LEFT_WIDE = 320


class PublishSheet(QDialog):
    """Signing in, then one page: name, who sees it, which sizes, the licence, and the text that goes out.

    Attributes:
        is_private: as chosen; private at first.
    """

    def __init__(self, parent: QWidget, session: Session, run: Path, files: dict[str, Path], chosen: str) -> None:
        """
        Args:
            files: the sizes that were made, by kind, with the names that people read.
            chosen: the kind that goes along at first.
        """
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(self.tr("Publish"))
        self._session, self._run = session, run
        self._files = {card.kind_of(path): path for path in files.values()}
        self._account: Account | None = None
        self._demands = Demands()
        self._card: ModelCard | None = None
        self._is_over = False
        self.is_private = True
        self._errands = Errands(self)
        self._banner = Banner("warn", "")
        self._banner.hide()
        self._stack = QStackedWidget()
        self._stack.addWidget(
            nothing_yet(
                "share", self.tr("Asking Hugging Face …"), self.tr("Who you are there, and whether you may publish.")
            )
        )
        self._stack.addWidget(self._sign_in())
        self._stack.addWidget(self._form(files, chosen))
        self._who = Label("", "small", "text2")
        self._out = Button(self.tr("Sign out"), "plain", size="small", on_click=self._sign_out)
        self._publish = Button(self.tr("Publish"), "primary", icon="share", on_click=self.publish)
        for widget in (self._who, self._out, self._publish):
            widget.hide()
        buttons = row(self._who, self._out, -1, Button(self.tr("Close"), on_click=self.reject), self._publish, gap=8)
        body = column(self._banner, self._stack, gap=12)
        body.setStretch(1, 1)
        whole = column(
            Label(self.tr("Publish your model"), "title"), 4,
            Label(self.tr("On huggingface.co, for yourself or for everyone. Only what you see here goes out."), "body",
                  "text2", wraps=True),
            12, body, 12, buttons, margins=(24, 20, 24, 20),
        )  # fmt: skip
        whole.setStretch(4, 1)
        self.setLayout(whole)
        self.setMinimumSize(look().grown(720), look().grown(480))
        self.resize(look().grown(880), look().grown(600))
        look().changed.connect(self._show_again)
        self._errands.do(functools.partial(_first_look, run, list(self._files.values())), self._know, self._refuse)
        self._ask()

    # Signing in

    def _sign_in(self) -> QWidget:
        self.token = QLineEdit()
        self.token.setEchoMode(QLineEdit.EchoMode.Password)
        self.token.setAccessibleName(self.tr("Access token"))
        self.token.setPlaceholderText("hf_…")
        self.token.returnPressed.connect(self._use_token)
        self._enter = Button(self.tr("Sign in"), "primary", on_click=self._use_token)
        make = Button(self.tr("Make a token"), on_click=self._open_token_page)
        inside = column(
            Label(self.tr("Sign in to Hugging Face"), "head"), 4,
            Label(self.tr("You need an account there, and an access token of the kind “Write”: a long word by which "
                          "this program may publish for you."), "body", "text2", wraps=True),
            12, row(make, -1), 16, Label(self.tr("Access token"), "label", "text2"), 4,
            row(self.token, self._enter, gap=8), 8,
            Label(self.tr("It is kept in this system's keyring and nowhere else, and goes to huggingface.co only. "
                          "You can sign out at any time."), "small", "text2", wraps=True),
        )  # fmt: skip
        page = QWidget()
        page.setLayout(column(-1, Card(inside), -1))
        return page

    def _open_token_page(self) -> None:
        QDesktopServices.openUrl(QUrl(account.TOKEN_PAGE))

    def _ask(self) -> None:
        self._show(0)
        self._errands.do(_signed_in, self._welcome, self._not_signed_in)

    def _use_token(self) -> None:
        typed = self.token.text()
        self.token.clear()
        self._banner.hide()
        self._show(0)
        self._errands.do(functools.partial(account.sign_in, typed), self._welcome, self._not_signed_in)

    def _not_signed_in(self, error: LabError) -> None:
        self._show(1)
        self._tell("warn", error)
        self.token.setFocus()

    def _welcome(self, found: Account | None) -> None:
        self._account = found
        self._show(1 if found is None else 2)
        if found is None:
            self.token.setFocus()
            return
        self._owner.setText(f"{found.name} /")
        self._who.setText(self.tr("Signed in as {0}").format(found.name))
        self.name.setFocus()

    def _sign_out(self) -> None:
        self._errands.do(account.sign_out, lambda _: self._ask(), self._refuse)

    def _show(self, page: int) -> None:
        self._stack.setCurrentIndex(page)
        for widget in (self._who, self._out, self._publish):
            widget.setVisible(page == 2)

    # What goes out

    def _form(self, files: dict[str, Path], chosen: str) -> QWidget:
        self._owner = Label("", "body", "text2")
        self.name = QLineEdit()
        self.name.setAccessibleName(self.tr("Name of the model"))
        self.name.setMaxLength(96)
        self.name.editingFinished.connect(self._redraw)
        self._sees = Segmented(
            [("private", self.tr("Only me")), ("public", self.tr("Everyone"))], "private", self._choose_who
        )
        self._sees_words = Label("", "small", "text2", wraps=True)
        self._boxes: dict[str, Switch] = {}
        sizes: list[QLayout] = []
        for name, path in files.items():
            kind = card.kind_of(path)
            taken = self._boxes[kind] = Switch(self.tr("{0} goes along").format(name))
            taken.setChecked(kind == chosen)
            taken.toggled.connect(lambda _: self._redraw())
            words = (Label(name, "body"), Label(f"({kind})", "small", "text3"))
            sizes.append(row(*words, -1, Label(size(path.stat().st_size), "body", "text2"), taken, gap=8))
        self._licence = Label("", "body", wraps=True)
        self._licence_words = Label("", "small", "text2", wraps=True)
        left = QWidget()
        left.setLayout(
            column(
                Label(self.tr("Name"), "label", "text2"), 4, row(self._owner, self.name, gap=6), 16,
                Label(self.tr("Who sees it"), "label", "text2"), 4, row(self._sees, -1), 4, self._sees_words, 16,
                Label(self.tr("Which sizes"), "label", "text2"), 4, *sizes, 16,
                Label(self.tr("Licence"), "label", "text2"), 4, self._licence, 2, self._licence_words, -1,
                margins=(0, 0, 12, 0),
            )
        )  # fmt: skip
        scroll = scrolled(left)
        scroll.setFixedWidth(look().grown(_LEFT_WIDE))
        self.preview = QTextBrowser()
        self.preview.setAccessibleName(self.tr("The page that goes out"))
        self.preview.setOpenLinks(False)
        page = QWidget()
        shown = Card(Label(self.tr("Its page"), "label", "text2"), 4, self.preview, padding=(16, 12))
        whole = row(scroll, shown, gap=16)
        whole.setStretch(1, 1)
        page.setLayout(whole)
        self._choose_who("private")
        return page

    def _know(self, found: tuple[Origin, str]) -> None:
        origin, name = found
        self._demands = card.demands_of(origin.licence)
        self.name.setText(name)
        self._licence.setText(origin.licence.name)
        self._licence_words.setText(self._demands.told)
        self._redraw()

    def _choose_who(self, name: str) -> None:
        self.is_private = name == "private"
        self._sees.choose(name)
        self._sees_words.setText(
            self.tr("It lies on huggingface.co, and only you see it there.")
            if self.is_private
            else self.tr("Everyone can download it, and ask it for what it was taught.")
        )

    @property
    def _chosen(self) -> list[Path]:
        return [self._files[kind] for kind, box in self._boxes.items() if box.isChecked()]

    def _redraw(self) -> None:
        if self._is_over:  # the name's field loses the keyboard when the sheet closes
            return
        work = functools.partial(card.write_card, self._run, self.name.text().strip(), self._chosen)
        self._errands.do(work, self._show_card, self._refuse)

    def _show_card(self, made: ModelCard) -> None:
        self._card = made
        document = QTextDocument(self.preview)
        document.setDefaultFont(look().font("body"))
        document.setMarkdown(
            made.text.split("---\n", 2)[2].replace("\n#", "\n##"),  # smaller headings: it is a page within a page
            QTextDocument.MarkdownFeature.MarkdownDialectGitHub | QTextDocument.MarkdownFeature.MarkdownNoHTML,
        )
        _space(document)
        self.preview.setDocument(document)
        if made.left_out:
            self._banner.say(
                "info", self.tr("Left out of the page:"), ", ".join(made.left_out), self.tr("Good"), self._banner.hide
            )
            self._banner.show()

    def _show_again(self) -> None:
        """The colours of the text are set with it."""
        if self._card is not None and not self._is_over:
            self._show_card(self._card)

    def publish(self) -> None:
        """Send what is shown."""
        name, files = self.name.text().strip(), self._chosen
        if not files:
            self._say(self.tr("No size is chosen."), self.tr("Choose at least one."))
        elif not name.lower().startswith(self._demands.begins.lower()):
            self._say(self.tr("The name must begin with “{0}”.").format(self._demands.begins), self._demands.told)
            self.name.setFocus()
        elif self._account is not None:
            self._errands.do(
                functools.partial(_request, self._run, self._account.name, name, files, self.is_private),
                self._begin,
                self._refuse,
            )

    def _begin(self, request: PublishRequest) -> None:
        try:
            self._session.publishing.start(request)
        except LabError as error:
            self._refuse(error)
            return
        self.accept()

    def _refuse(self, error: LabError) -> None:
        self._tell("warn", error)

    def _tell(self, tone: Tone, error: LabError) -> None:
        self._banner.say(tone, error.message, error.hint)
        self._banner.show()

    def _say(self, cause: str, safe: str) -> None:
        self._banner.say("warn", cause, safe)
        self._banner.show()

    def done(self, result: int) -> None:
        self._is_over = True
        self._errands.stop()
        super().done(result)


class Sending(QWidget):
    """The model that is being published: how far it is, Pause, what failed, and its page at the end."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._publishing = session.publishing
        self._what = Label("", "strong")
        self._detail = Label("", "body", "text2")
        self._bar = Bar()
        self._pause = Button(self.tr("Pause"), icon="pause", on_click=self._publishing.pause)
        self._card = Card(row(self._what, self._detail, -1, self._pause, gap=10), 8, self._bar, padding=(20, 12))
        self.banner = Banner("info", "")
        self._dismiss = Button("", on_click=self._publishing.forget)
        inside = self.banner.layout()
        assert inside is not None
        inside.addWidget(self._dismiss)
        self.setLayout(column(self._card, self.banner, margins=(24, 0, 24, 12)))
        self._publishing.changed.connect(self.refresh)
        self._publishing.said.connect(self._count)
        self.refresh()

    def refresh(self) -> None:
        """Show the state that it has now."""
        publishing, state = self._publishing, self._publishing.state
        is_sending = state in (ErrandState.RUNNING, ErrandState.STOPPING)
        self.setVisible(state is not ErrandState.NONE)
        self._card.setVisible(is_sending)
        self.banner.setVisible(state is not ErrandState.NONE and not is_sending)
        name = publishing.request.repo.partition("/")[2] if publishing.request is not None else ""
        self._what.setText(self.tr("Publishing {0}").format(name))
        self._pause.setVisible(state is ErrandState.RUNNING)
        self._dismiss.setText(self.tr("Do not publish") if state is not ErrandState.DONE else self.tr("Good"))
        if state is ErrandState.PAUSED:
            cause = self.tr("{0} is not published yet.").format(name)
            safe = self.tr("Files that arrived whole are not sent again.")
            self.banner.say("info", cause, safe, self.tr("Go on"), publishing.go_on)
        elif state is ErrandState.FAILED:
            self.banner.say("warn", publishing.text, publishing.hint, self.tr("Try again"), publishing.go_on)
        elif state is ErrandState.DONE:
            cause = self.tr("{0} is published.").format(name)
            self.banner.say("good", cause, self._address, self.tr("Open its page"), self._open_page)
        self._count()

    def _count(self) -> None:
        progress = self._publishing.progress
        self._bar.show_share(progress.done / progress.total if progress and progress.total else 0.0)
        self._detail.setText(errand_words(self._publishing))
        if self.isVisible() and self._publishing.state is ErrandState.DONE:
            announce(self, self.banner.accessibleName())

    @property
    def _address(self) -> str:
        return str(self._publishing.result.get("url", ""))

    def _open_page(self) -> None:
        QDesktopServices.openUrl(QUrl(self._address))


def _space(document: QTextDocument) -> None:
    """Room above headings and paragraphs, which Markdown leaves out."""
    block = document.begin()
    while block.isValid():
        cursor = QTextCursor(block)
        if cursor.currentTable() is None:
            shape = QTextBlockFormat()
            shape.setTopMargin(0 if not block.position() else 16 if block.blockFormat().headingLevel() else 4)
            shape.setBottomMargin(4)
            cursor.mergeBlockFormat(shape)
        block = block.next()
    for frame in document.rootFrame().childFrames():
        if isinstance(frame, QTextTable):
            shape_of_table = frame.format()
            shape_of_table.setBorder(1)
            shape_of_table.setBorderStyle(QTextFrameFormat.BorderStyle.BorderStyle_Solid)
            shape_of_table.setBorderBrush(look().theme.color("line2"))
            shape_of_table.setBorderCollapse(True)
            shape_of_table.setCellPadding(5)
            frame.setFormat(shape_of_table)


def _signed_in() -> Account | None:
    return account.who() if account.is_signed_in() else None


def _first_look(run: Path, files: list[Path]) -> tuple[Origin, str]:
    return card.origin_of(run), card.suggested_name(run, files)


def _request(run: Path, owner: str, name: str, files: list[Path], is_private: bool) -> PublishRequest:
    """
    Raises:
        PublishError: the hub allows no such name.
        RunError: as in `write_card`.
    """
    account.require_name(f"{owner}/{name}")
    made = card.write_card(run, name, files)
    there = tuple((path, card.name_there(name, path)) for path in files)
    return PublishRequest(f"{owner}/{name}", there, made.text, is_private)
