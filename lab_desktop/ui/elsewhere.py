"""A teacher elsewhere, in the settings: its address, its key, its model, a test, and what the person agreed to."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QLineEdit, QWidget

from lab_desktop import keys, servers
from lab_desktop.errors import Cancelled, LabError
from lab_desktop.servers import Place, Server
from lab_desktop.ui.background import Errands
from lab_desktop.ui.session import Session
from lab_desktop.ui.settings_parts import Group, Setting
from lab_desktop.ui.theme import look
from lab_desktop.ui.widgets.basic import Button, announce, row

_FIELD_WIDE, _GAP = 260, 8


@dataclass(frozen=True)
class _Answer:
    """What came of a test: the server's models, which one was tried, and a sentence about it."""

    models: tuple[str, ...]
    tried: str
    sentence: str


class TeacherElsewhere(Group):
    """The group of settings; nothing is sent but by Test, which sends no text of the person's."""

    def __init__(self, session: Session) -> None:
        self._preferences = session.preferences
        self._server: Server | None = None
        self._stop = threading.Event()
        self._is_testing = False
        self._models: tuple[str, ...] = ()
        self.address = _field(self.tr("Address of the server"), "https://teacher.example.org/v1")
        self.key = _field(self.tr("Key"), "")
        self.key.setEchoMode(QLineEdit.EchoMode.Password)
        self._keep = Button(self.tr("Keep"), on_click=self._keep_key)
        self._keep.setAccessibleName(self.tr("Keep the key"))
        self._forget = Button(self.tr("Forget"), on_click=self._forget_key)
        self._forget.setAccessibleName(self.tr("Forget the key"))
        key = QWidget()
        key.setLayout(row(self.key, self._keep, self._forget, gap=_GAP))
        self.model = QComboBox()
        self.model.setAccessibleName(self.tr("Model"))
        self.model.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.test = Button(self.tr("Test"), on_click=self._try)
        self._agree = Button("", on_click=self._change_agreement)
        found_by = self.tr("remote server cloud online api openai vllm ollama lm studio llama bigger teacher url")
        self._address_setting = Setting(self.tr("Address"), "", self.address, found_by)
        self._key_setting = Setting(self.tr("Key"), "", key, self.tr("password token api secret keyring keychain"))
        self._model_setting = Setting(self.tr("Model"), "", self.model, found_by)
        self._test_setting = Setting(self.tr("Connection"), "", self.test, self.tr("try check server test"))
        self._agree_setting = Setting(
            self.tr("What leaves this computer"), "", self._agree, self.tr("privacy agree consent send text server")
        )
        super().__init__(
            self.tr("Teacher elsewhere"), self._address_setting, self._key_setting, self._model_setting,
            self._test_setting, self._agree_setting,
        )  # fmt: skip
        self.address.editingFinished.connect(self._take_address)
        self.key.returnPressed.connect(self._keep_key)
        self.model.activated.connect(lambda _: self._take_model())
        self._errands = Errands(self)
        self._preferences.changed.connect(self._redraw)
        look().changed.connect(self._fit)
        self._fit()
        self._redraw()

    def stop(self) -> None:
        """Nobody waits for a test any more."""
        self._stop.set()

    # What the person does

    def _take_address(self) -> None:
        text = self.address.text().strip()
        if self._server is not None and text == self._server.address:
            return
        try:
            server = servers.parse(text) if text else None
        except LabError as error:
            self._address_setting.say(f"{error.message} {error.hint}")
            announce(self.address, error.message)
            return
        self._models = ()
        self._test_setting.show_value("")
        self._key_setting.show_value("")
        self._choose(server)

    def _take_model(self) -> None:
        if self._server is not None:
            self._choose(self._server.with_model(str(self.model.currentData())))

    def _choose(self, server: Server | None) -> None:
        self.stop()
        self._preferences.choose(replace(self._preferences.choices, server=str(server) if server else ""))
        self._redraw()

    def _keep_key(self) -> None:
        key, server = self.key.text().strip(), self._server
        if server is None:
            self._key_setting.show_value(self.tr("First enter the address."))
        elif not key:
            self._key_setting.show_value(self.tr("First enter the key."))
        else:
            self.key.clear()
            work = functools.partial(keys.keep, servers.KEYS, server.origin, key)
            self._ask_keyring(work, self.tr("The key of {0} is in the system's keyring.").format(server.host))

    def _forget_key(self) -> None:
        if self._server is not None:
            work = functools.partial(keys.forget, servers.KEYS, self._server.origin)
            self._ask_keyring(work, self.tr("No key of {0} is kept.").format(self._server.host))

    def _ask_keyring(self, work: Callable[[], None], words: str) -> None:
        self._errands.do(work, lambda _: self._say_key(words), lambda error: self._say_key(_both(error)))

    def _say_key(self, words: str) -> None:
        self._key_setting.show_value(words)
        announce(self.key, words)

    def _try(self) -> None:
        if self._is_testing:
            self.stop()
            return
        self._take_address()
        if self._server is None:
            self._test_setting.show_value(self.tr("First enter the address."))
            return
        self._stop = threading.Event()
        self._is_testing = True
        self.test.setText(self.tr("Stop"))
        self._test_setting.show_value(self.tr("Asking {0} …").format(self._server.host))
        self._errands.do(functools.partial(_tried, self._server, self._stop), self._show_answer, self._show_problem)

    def _show_answer(self, answer: _Answer | None) -> None:
        self._end_test()
        if answer is None:
            self._test_setting.show_value("")
            return
        chosen = self._server.model if self._server is not None else ""
        self._models = answer.models
        self._fill(answer.tried or chosen)
        self._say_test(answer.sentence)
        if self._server is not None and answer.tried and answer.tried != chosen:
            self._choose(self._server.with_model(answer.tried))

    def _show_problem(self, error: LabError) -> None:
        self._end_test()
        self._say_test(_both(error))

    def _end_test(self) -> None:
        self._is_testing = False
        self.test.setText(self.tr("Test"))

    def _say_test(self, words: str) -> None:
        self._test_setting.show_value(words)
        announce(self.test, words)

    def _change_agreement(self) -> None:
        if self._server is None:
            return
        try:
            (servers.withdraw if servers.has_agreed(self._server) else servers.agree)(self._server)
        except LabError as error:
            self._agree_setting.show_value(_both(error))
            return
        self._redraw()

    # What is shown

    def _redraw(self) -> None:
        chosen = self._preferences.choices.server
        try:
            self._server = servers.parse(chosen) if chosen else None
        except LabError:  # the file was changed by something else
            self._server = None
        server = self._server
        if not self.address.hasFocus() or self.address.text().strip() != (server.address if server else ""):
            self.address.setText(server.address if server else "")
        self._address_setting.say(
            self.tr(
                "Of a server with a bigger model: vLLM, llama-server, LM Studio, Ollama and others that speak as "
                "OpenAI's does. It is used only where you choose it, in Improve."
            )
        )
        self._key_setting.say(
            self.tr("Kept in the system's keyring and nowhere else. Leave it out where the server wants none.")
        )
        self._model_setting.say(self.tr("Test asks the server which it has."))
        self._test_setting.say(self.tr("Asks for the list of models, and says hello to the chosen one."))
        self._fill(server.model if server else "")
        self._show_agreement(server)

    def _show_agreement(self, server: Server | None) -> None:
        is_needed = server is not None and server.place is not Place.HERE
        self._agree.setVisible(is_needed)
        if server is None:
            self._agree_setting.say(self.tr("Nothing. No server is entered."))
            self._agree_setting.show_value("")
            return
        self._agree_setting.say(server.notice)
        has_agreed = servers.has_agreed(server)
        self._agree.setText(self.tr("Take back") if has_agreed else self.tr("I agree"))
        self._agree_setting.show_value(self.tr("You agreed to this.") if is_needed and has_agreed else "")

    def _fill(self, chosen: str) -> None:
        self.model.clear()
        if not chosen:
            self.model.addItem(self.tr("None chosen"), "")
        for name in dict.fromkeys((*self._models, *([chosen] if chosen else []))):
            self.model.addItem(name, name)
            self.model.setItemData(self.model.count() - 1, name, Qt.ItemDataRole.ToolTipRole)
        self.model.setCurrentIndex(max(0, self.model.findData(chosen)))

    def _fit(self) -> None:
        for field in (self.address, self.model):
            field.setFixedWidth(look().grown(_FIELD_WIDE))
        beside = self._keep.sizeHint().width() + self._forget.sizeHint().width() + 2 * _GAP
        self.key.setFixedWidth(max(80, look().grown(_FIELD_WIDE) - beside))


def _tried(server: Server, stop: threading.Event) -> _Answer | None:
    """Ask a server what it has, and try the model out that is chosen, or its only one; None: it was stopped."""
    from lab_desktop.models.remote import RemoteModel, offer

    try:
        key = keys.get(servers.KEYS, server.origin) or ""
        models = offer(server, key, is_cancelled=stop.is_set).models
        if not server.model and len(models) != 1:
            return _Answer(models, "", f"{server.host} has {len(models)} models. Choose one, and test again.")
        with RemoteModel(server, key, is_cancelled=stop.is_set) as model:
            return _Answer(models, model.name, model.try_out(stop.is_set).sentence)
    except Cancelled:
        return None


def _both(error: LabError) -> str:
    return f"{error.message} {error.hint}".strip()


def _field(name: str, example: str) -> QLineEdit:
    made = QLineEdit()
    made.setAccessibleName(name)
    made.setPlaceholderText(example)
    return made
