"""Signing in to a host of repositories: by a code that is typed there, by a token, or by this computer's own sign-in.

Every way ends in the system's keyring and nowhere else. Whoever asks the host does so in a thread.
"""

from __future__ import annotations

import functools
import threading
import time
from typing import Literal

from PySide6.QtCore import Qt, QTimer, QUrl, Signal
from PySide6.QtGui import QDesktopServices, QKeyEvent, QShowEvent
from PySide6.QtWidgets import QDialog, QLineEdit, QStackedWidget, QWidget

from lab_desktop.contribution import accounts
from lab_desktop.contribution.accounts import Account, Code
from lab_desktop.errors import Cancelled, ContributionError, LabError
from lab_desktop.repository.outgoing import machine_credentials
from lab_desktop.ui.background import Errands
from lab_desktop.ui.guard import guarded
from lab_desktop.ui.theme import look
from lab_desktop.ui.widgets.basic import Banner, Button, Card, Label, announce, column, row, scrolled
from lab_desktop.ui.widgets.copying import CopyButton
from lab_desktop.ui.words import tr

FORGE_NAMES = {"github": "GitHub", "gitlab": "GitLab"}
_LOOK_MS = 100


class SignIn(QWidget):
    """The ways to sign in at one host, as a part of a sheet.

    Attributes:
        token: where a token is pasted.
        use_code, use_token, use_machine: the three ways.
    """

    signed_in = Signal(object)
    """The Account."""

    def __init__(self, forge: Literal["github", "gitlab"], host: str, address: str = "") -> None:
        """
        Args:
            host: "github.com", with its port where it has one.
            address: of a repository there, for which this computer may have a sign-in of its own.
        """
        super().__init__()
        self._forge, self._host, self._address = forge, host, address or f"https://{host}/"
        self._name = host if host not in ("github.com", "gitlab.com") else FORGE_NAMES[forge]
        self._has_code = forge == "github" and bool(accounts.client_id(host))
        self._waiting = _Waiting()
        self._errands = Errands(self)
        self._timer = QTimer(self, interval=_LOOK_MS)
        self._timer.timeout.connect(self._look)
        self.banner = Banner("warn", "")
        self.banner.hide()
        self._stack = QStackedWidget()
        self._stack.addWidget(self._ways())
        self._stack.addWidget(self._code())
        whole = column(self.banner, self._stack, gap=12)
        whole.setStretch(1, 1)
        self.setLayout(whole)

    # The ways

    def _ways(self) -> QWidget:
        self.use_code = Button(self.tr("Sign in with a code"), "primary", on_click=self._ask_for_code)
        self.token = QLineEdit()
        self.token.setEchoMode(QLineEdit.EchoMode.Password)
        self.token.setAccessibleName(self.tr("Access token"))
        self.token.setPlaceholderText("ghp_…" if self._forge == "github" else "glpat-…")
        self.token.returnPressed.connect(self._take_token)
        self.use_token = Button(self.tr("Sign in"), "" if self._has_code else "primary", on_click=self._take_token)
        self.use_token.setAccessibleName(self.tr("Sign in with this token"))
        self._make = Button(self.tr("Make a token"), "plain", on_click=self._open_token_page)
        self.use_machine = Button(self.tr("Use this computer's sign-in"), on_click=self._take_machine)
        self._said = Label("", "small", "text2", wraps=True)
        parts: list[QWidget | int] = []
        if self._has_code:
            parts += [
                _way(self.tr("With a code"), self.tr("You type a short code at {0}; no password passes through "
                                                     "this program.").format(self._host), self.use_code),
                12,
            ]  # fmt: skip
        token = QWidget()
        token.setLayout(row(self.token, self.use_token, gap=8))
        about = self.tr("A long word by which this program may send for you. {0} shows it once.").format(self._name)
        pasted = Card(
            row(Label(self.tr("With an access token"), "strong"), -1, self._make), 2,
            Label(about, "body", "text2", wraps=True), 10, token, padding=(16, 12),
        )  # fmt: skip
        machine = _way(
            self.tr("As this computer does"),
            self.tr("If you use git here already: its sign-in is asked once, and kept for this program too."),
            self.use_machine,
        )
        inside = QWidget()
        inside.setLayout(column(*parts, pasted, 12, machine, 12, self._said, -1))
        self._rest()
        page = scrolled(inside)
        page.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        return page

    def _rest(self) -> None:
        self._said.setText(
            self.tr("It is kept in this system's keyring and nowhere else, and told to {0} only. You can sign out at "
                    "any time, under Settings ▸ Sharing accounts.").format(self._host)
        )  # fmt: skip
        for button in (self.use_code, self.use_token, self.use_machine):
            button.setEnabled(True)
            button.setAccessibleDescription("")

    def _ask(self, words: str) -> None:
        """Nobody can press twice while the host is asked."""
        self.banner.hide()
        self._said.setText(words)
        for button in (self.use_code, self.use_token, self.use_machine):
            button.setEnabled(False)
            button.setAccessibleDescription(words)

    def _open_token_page(self) -> None:
        QDesktopServices.openUrl(QUrl(accounts.token_page(self._forge, self._host)))

    def _take_token(self) -> None:
        typed = self.token.text()
        self.token.clear()
        if not typed.strip():
            self.token.setFocus()
            self._said.setText(self.tr("First paste the token into the field."))
            return
        self._ask(self.tr("Asking {0} who you are …").format(self._name))
        self._errands.do(functools.partial(accounts.sign_in, self._forge, self._host, typed), self._done, self._refuse)

    def _take_machine(self) -> None:
        self._ask(self.tr("Asking this computer's git …"))
        work = functools.partial(_as_machine, self._forge, self._host, self._address)
        self._errands.do(work, self._done, self._refuse)

    # The code

    def _code(self) -> QWidget:
        self.code = QLineEdit()
        self.code.setReadOnly(True)
        self.code.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.code.setAccessibleName(self.tr("The code"))
        self._copy = CopyButton(self.tr("Copy"), self._copy_code)
        self._open = Button(self.tr("Copy and open {0}").format(self._host), "primary", on_click=self._open_code_page)
        self._until = Label("", "small", "text2", wraps=True)
        self._stop = Button(self.tr("Another way"), on_click=self.stop_waiting)
        page = QWidget()
        page.setLayout(
            column(
                Card(
                    Label(self.tr("Type this code at {0}").format(self._host), "strong"), 4,
                    Label(self.tr("A page opens in your browser. It asks for the code, and whether this program may "
                                  "send for you."), "body", "text2", wraps=True),
                    16, self.code, 16, row(-1, self._copy, self._open, -1, gap=8), 12, self._until, padding=(20, 16),
                ),
                12, row(self._stop, -1), -1,
            )
        )  # fmt: skip
        look().changed.connect(self._fit)
        self._fit()
        return page

    def _fit(self) -> None:
        font = look().font("hero")
        self.code.setFont(font)
        size = font.pixelSize()
        self.code.setStyleSheet(f"QLineEdit {{ font-size: {size}px; min-height: {size + 24}px; font-weight: 600; }}")

    def _ask_for_code(self) -> None:
        self._ask(self.tr("Asking {0} for a code …").format(self._name))
        self._waiting = waiting = _Waiting()
        self._timer.start()
        self._errands.do(functools.partial(_by_code, self._host, waiting), self._done, self._refuse)

    def _look(self) -> None:
        code = self._waiting.code
        if code is None:
            return
        if self._stack.currentIndex() == 0:
            self.code.setText(code.user_code)
            self._stack.setCurrentIndex(1)
            self._open.setFocus()
            announce(self, self.tr("The code is {0}").format(" ".join(code.user_code)))
        minutes = max(0, round((code.expires_at - time.time()) / 60))
        self._until.setText(
            self.tr("Waiting for you at {0} … The code holds for {1} minutes.").format(self._host, minutes)
        )

    def _copy_code(self) -> None:
        self._copy.take(self.code.text())

    def _open_code_page(self) -> None:
        self._copy_code()
        if self._waiting.code is not None:
            QDesktopServices.openUrl(QUrl(self._waiting.code.page))

    def stop_waiting(self) -> None:
        """Nobody will type the code."""
        self._waiting.stop.set()
        self._timer.stop()
        self._stack.setCurrentIndex(0)
        self._rest()

    # What came of it

    def _done(self, account: Account | None) -> None:
        self.stop_waiting()
        if account is not None:
            self.signed_in.emit(account)

    def _refuse(self, error: LabError) -> None:
        self.stop_waiting()
        self.banner.say("warn", error.message, error.hint)
        self.banner.show()
        self.token.setFocus()

    @property
    def controls(self) -> list[QWidget]:
        """Where the keyboard goes, in its order."""
        code: list[QWidget] = [self.code, self._copy, self._open, self._stop]
        return [self.use_code, self._make, self.token, self.use_token, self.use_machine, *code]

    def entrance(self) -> QWidget:
        """Where the keyboard begins."""
        return self.use_code if self._has_code else self.token

    def stop(self) -> None:
        """Nobody waits for an answer any more."""
        self._waiting.stop.set()
        self._timer.stop()
        self._errands.stop()


class SignInSheet(QDialog):
    """Signing in, as a small sheet of its own."""

    signed_in = Signal(object)
    """The Account."""

    def __init__(
        self, forge: Literal["github", "gitlab"], host: str, parent: QWidget | None = None, address: str = ""
    ) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(self.tr("Sign in"))
        self.ways = SignIn(forge, host, address)
        self.ways.signed_in.connect(self._take)
        whole = column(
            Label(sign_in_title(forge, host), "title"), 4, Label(sign_in_words(), "body", "text2", wraps=True), 16,
            self.ways, 12, row(-1, Button(self.tr("Cancel"), on_click=self.reject)), margins=(24, 20, 24, 20),
        )  # fmt: skip
        whole.setStretch(4, 1)
        self.setLayout(whole)
        self.setMinimumWidth(look().grown(440))
        self.resize(look().grown(520), look().grown(480))

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        guarded(self.ways.entrance().setFocus)

    def _take(self, account: Account) -> None:
        self.signed_in.emit(account)
        self.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() not in (Qt.Key.Key_Return, Qt.Key.Key_Enter):  # in a field it presses no button elsewhere
            super().keyPressEvent(event)

    def done(self, result: int) -> None:
        self.ways.stop()
        super().done(result)


def sign_in_title(forge: str, host: str) -> str:
    """What the page is headed."""
    if host in ("github.com", "gitlab.com"):
        return tr("Sign in to {0}").format(FORGE_NAMES[forge])
    return tr("Sign in to {0}").format(host)


def sign_in_words() -> str:
    return tr("So that what you send bears your name, and you can answer those who look at it.")


class _Waiting:
    """What a thread that waits for a code tells, and when it is to stop."""

    def __init__(self) -> None:
        self.code: Code | None = None
        self.stop = threading.Event()

    def show(self, code: Code) -> None:
        self.code = code


def _by_code(host: str, waiting: _Waiting) -> Account | None:
    try:
        return accounts.sign_in_by_code(host, waiting.show, waiting.stop.is_set)
    except Cancelled:
        return None


def _as_machine(forge: Literal["github", "gitlab"], host: str, address: str) -> Account:
    """
    Raises:
        ContributionError: git here has no sign-in for the host, or the host refuses it.
        KeyringError, StorageError
    """
    found = machine_credentials(address)
    if found is None:
        raise ContributionError(
            f"This computer's git has no sign-in for {host}.", "Sign in with an access token instead."
        )
    return accounts.sign_in(forge, host, found.secret)


def _way(title: str, text: str, button: Button) -> Card:
    words = column(Label(title, "strong"), Label(text, "body", "text2", wraps=True), gap=2)
    line = row(words, button, gap=16)
    line.setStretch(0, 1)
    return Card(line, padding=(16, 12))
