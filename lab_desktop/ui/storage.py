"""Models and storage, in the settings: where models lie and what they take, moving them, their bin, the hub's token."""

from __future__ import annotations

import functools
from pathlib import Path

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QFileDialog, QLineEdit, QWidget

from lab_desktop import paths
from lab_desktop.bins import BIN_DAYS
from lab_desktop.errors import LabError
from lab_desktop.files import stamp
from lab_desktop.jobs.errands import MoveRequest
from lab_desktop.models import account, store
from lab_desktop.models.account import Account
from lab_desktop.ui.background import Errands
from lab_desktop.ui.session import Session
from lab_desktop.ui.settings_parts import Group, Setting
from lab_desktop.ui.widgets.basic import Button, announce, row
from lab_desktop.ui.words import errand_words, number, size


class ModelsAndStorage(Group):
    """The group of settings; only signing in asks the network."""

    def __init__(self, session: Session) -> None:
        self._session, self._moving = session, session.moving
        self._is_sure = False
        self._show = Button(self.tr("Show in folder"), icon="folder", on_click=self._show_folder)
        self._show.setAccessibleName(self.tr("Show the folder of the models"))
        self._move = Button(self.tr("Move…"), on_click=self._press_move)
        self._move.setAccessibleName(self.tr("Move the models"))
        self._back = Button(self.tr("Leave them"), on_click=self._moving.forget)
        self._home = Button(self.tr("Move back"), on_click=functools.partial(self.move_to, None))
        self._empty = Button(self.tr("Empty the bin"), on_click=self._press_empty)
        self.token = QLineEdit()
        self.token.setEchoMode(QLineEdit.EchoMode.Password)
        self.token.setAccessibleName(self.tr("Access token"))
        self.token.setPlaceholderText("hf_…")
        self.token.returnPressed.connect(self._sign_in)
        self._in = Button(self.tr("Sign in"), on_click=self._sign_in)
        self._in.setAccessibleName(self.tr("Sign in to Hugging Face"))
        self._make = Button(self.tr("Make a token"), "plain", on_click=self._open_token_page)
        self._out = Button(self.tr("Sign out"), on_click=self._sign_out)
        self._out.setAccessibleName(self.tr("Sign out of Hugging Face"))
        found_by = self.tr("folder storage disk space where data move external drive gguf")
        self._place = Setting(self.tr("Models"), "", self._show, found_by)
        self._moves = Setting(
            self.tr("Another place for them"), self.tr("For example on another disk. All projects find them there."),
            _beside(self._home, self._back, self._move), found_by,
        )  # fmt: skip
        self._bin = Setting(self.tr("Bin of models"), "", self._empty, self.tr("trash delete free space storage disk"))
        self._hub = Setting(
            self.tr("Hugging Face"),
            "",
            _beside(self.token, self._in, self._make, self._out),
            self.tr("account token sign in login publish hub gated key"),
        )
        super().__init__(self.tr("Models & storage"), self._place, self._moves, self._bin, self._hub)
        self._errands = Errands(self)
        self._hub.show_value(self.tr("Looking into the keyring …"))
        for widget in (self._out, *(self._make, self.token, self._in)):
            widget.hide()
        self._moving.changed.connect(self._redraw_move)
        self._moving.said.connect(self._redraw_move)
        self._moving.done.connect(self.look)
        self._redraw_move()

    def look(self) -> None:
        """Look at the disk and the keyring again."""
        self._is_sure = False
        self._errands.do(_amounts, self._show_amounts, self._refuse)
        self._errands.do(account.is_signed_in, self._show_account, self._refuse)

    def stop(self) -> None:
        """Nobody looks any more."""
        self._is_sure = False

    # What the person does

    def move_to(self, target: Path | None) -> None:
        """Move the models to a folder; None: back to where they were at first."""
        try:
            self._moving.start(MoveRequest(target))
        except LabError as error:
            self._refuse(error)

    def _press_move(self) -> None:
        if self._moving.is_busy:
            self._moving.pause()
        elif self._moving.is_left:
            self._moving.go_on()
        elif chosen := QFileDialog.getExistingDirectory(self, self.tr("An empty folder for the models")):
            self.move_to(Path(chosen))

    def _show_folder(self) -> None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(paths.models().resolve()))

    def _press_empty(self) -> None:
        if not self._is_sure:
            self._is_sure = True
            self._empty.setText(self.tr("Delete for good"))
            announce(self._empty, self._empty.text())
            return
        self._errands.do(functools.partial(store.empty_bin, days=-1), self._emptied, self._refuse)

    def _emptied(self, freed: int) -> None:
        self._bin.show_value(self.tr("{0} are free again.").format(size(freed)))
        self.look()

    def _sign_in(self) -> None:
        typed = self.token.text()
        self.token.clear()
        self._hub.show_value(self.tr("Asking Hugging Face …"))
        work = functools.partial(account.sign_in, typed, writes=False)
        self._errands.do(work, self._welcome, lambda error: self._tell_hub(_both(error)))

    def _welcome(self, found: Account) -> None:
        self._show_account(True)
        words = self.tr("Signed in as {0}.").format(found.name)
        if not found.may_write:
            words += " " + self.tr("The token may only read: enough to download models, not to publish one.")
        self._tell_hub(words)

    def _tell_hub(self, words: str) -> None:
        self._hub.show_value(words)
        announce(self.token, words)

    def _open_token_page(self) -> None:
        QDesktopServices.openUrl(QUrl(account.TOKEN_PAGE))

    def _sign_out(self) -> None:
        self._errands.do(account.sign_out, lambda _: self.look(), lambda error: self._tell_hub(_both(error)))

    # What is shown

    def _redraw_move(self) -> None:
        moving = self._moving
        is_moving, is_left = moving.is_busy, moving.is_left
        self._place.say(_breakable(paths.models().resolve()))
        self._back.setVisible(is_left)
        self._home.setVisible(paths.models().is_symlink() and not is_moving and not is_left)
        self._move.setText(self.tr("Pause") if is_moving else self.tr("Go on moving") if is_left else self.tr("Move…"))
        if is_moving:
            self._moves.show_value(f"{self.tr('Moving them')} · {errand_words(moving)}")
        elif moving.text:
            self._moves.show_value(f"{moving.text} {moving.hint}")
            announce(self._move, moving.text)
        elif is_left:
            self._moves.show_value(self.tr("Moving them is not finished; they are still here, and whole."))
        else:
            self._moves.show_value("")

    def _show_amounts(self, found: tuple[int, int, int, int]) -> None:
        count, taken, thrown, thrown_bytes = found
        self._place.show_value(self._words(count, taken) if count else self.tr("Nothing yet"))
        self._bin.say(self.tr("Models that you removed can be put back for {0} days.").format(BIN_DAYS))
        self._bin.show_value(self._words(thrown, thrown_bytes) if thrown else self.tr("It is empty."))
        self._empty.setText(self.tr("Empty the bin"))
        self._empty.setVisible(thrown > 0)

    def _words(self, count: int, size_bytes: int) -> str:
        if count == 1:
            return self.tr("1 model, {0}").format(size(size_bytes))
        return self.tr("{0} models, {1}").format(number(count), size(size_bytes))

    def _show_account(self, is_signed_in: bool) -> None:
        self._hub.say(
            self.tr(
                "For publishing, and for models that want an account. The token lies in this system's keyring and goes "
                "to Hugging Face only."
            )
        )
        self._hub.show_value(self.tr("You are signed in.") if is_signed_in else self.tr("Not signed in."))
        self._out.setVisible(is_signed_in)
        for widget in (self._make, self.token, self._in):
            widget.setVisible(not is_signed_in)

    def _refuse(self, error: LabError) -> None:
        self._moves.show_value(_both(error))


def _beside(*widgets: QWidget) -> QWidget:
    made = QWidget()
    made.setLayout(row(*widgets, gap=8))
    return made


def _amounts() -> tuple[int, int, int, int]:
    """How many models lie in their folder and what they take, and the same of the bin."""
    thrown = store.binned()
    place = paths.models().resolve()
    files = (file.relative_to(place) for file in place.rglob("*.gguf"))
    sizes = [stamp(place / file)[0] for file in files if not any(part.startswith(".") for part in file.parts)]
    return len(sizes), sum(sizes), len(thrown), sum(each.size_bytes for each in thrown)


def _breakable(path: Path) -> str:
    """A path that may go on in the next line after each folder."""
    return str(path).replace("/", "/\u200b").replace("\\", "\\\u200b")


def _both(error: LabError) -> str:
    return f"{error.message} {error.hint}".strip()
