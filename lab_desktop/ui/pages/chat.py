"""Chat: talk to the original or to what it became, alone or both side by side."""

from __future__ import annotations

import functools
import random
import time
from collections.abc import Callable
from dataclasses import replace

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QGuiApplication, QKeyEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QPlainTextEdit,
    QStackedWidget,
    QWidget,
)

from lab_desktop import chats
from lab_desktop.artifacts import ChatMessage
from lab_desktop.chats import Chat, Turn
from lab_desktop.errors import LabError
from lab_desktop.taxonomy.qna import read_leaf
from lab_desktop.taxonomy.tree import find_leaves
from lab_desktop.ui.chat_process import Done
from lab_desktop.ui.session import Session
from lab_desktop.ui.theme import look
from lab_desktop.ui.widgets.basic import Banner, Button, Label, Segmented, column, row, rule
from lab_desktop.ui.widgets.messages import Message, MessageList
from lab_desktop.ui.widgets.meters import Bar

STYLES = {"careful": 0.0, "balanced": 0.4, "creative": 0.9}
"""Presets by temperature."""
_SEARCH_MS = 120
_SECONDS_SHOWN = 1.0


class ChatPage(QWidget):
    answered = Signal()
    """An answer is complete."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._chat = chats.new()
        self._style: str = session.preferences.choices.answers
        self._is_compare = False
        self._is_blind = False
        self._order = [0, 1]
        self._asked: dict[int, int] = {}
        """Number of a question under way → column."""
        self._rows: dict[int, int] = {}
        """Column → row of the answer that is being written."""
        self._queue: list[int] = []
        self._seed = 0
        self._loading_since = 0.0

        self._saved = QListWidget()
        self._saved.setAccessibleName(self.tr("Saved chats"))
        self._saved.itemClicked.connect(self._open_saved)
        self._saved.itemActivated.connect(self._open_saved)
        self._search = QLineEdit()
        self._search.setPlaceholderText(self.tr("Search chats"))
        self._search.setAccessibleName(self.tr("Search chats"))
        self._search.setClearButtonEnabled(True)
        self._search_timer = QTimer(self, singleShot=True, interval=_SEARCH_MS)
        self._search_timer.timeout.connect(self._list_saved)
        self._search.textChanged.connect(lambda _: self._search_timer.start())
        left = QWidget()
        left.setFixedWidth(232)
        new = Button(self.tr("New chat"), icon="plus", on_click=self.new_chat)
        left.setLayout(
            column(
                row(Label(self.tr("Chats"), "head"), -1, new),
                self._search,
                self._saved,
                gap=10,
                margins=(16, 16, 16, 16),
            )
        )

        self._mode = Segmented(
            [("one", self.tr("One")), ("compare", self.tr("Compare")), ("blind", self.tr("Blind"))],
            "one",
            self._set_mode,
        )
        self._styles = Segmented(
            [("careful", self.tr("Careful")), ("balanced", self.tr("Balanced")), ("creative", self.tr("Creative"))],
            self._style, self._set_style,
        )  # fmt: skip
        top = QWidget()
        top.setLayout(
            row(
                self._mode,
                -1,
                Label(self.tr("Answers"), "small", "text2"),
                self._styles,
                gap=10,
                margins=(24, 12, 24, 12),
            )
        )

        self._banner = Banner("warn", "", "")
        self._banner.hide()
        self._lists = [MessageList(), MessageList()]
        self._names = [Label("", "label", "text2"), Label("", "label", "text2")]
        self._columns = QHBoxLayout()
        self._columns.setSpacing(0)
        self._sides: list[QWidget] = []
        for number in range(2):
            side = QWidget()
            self._names[number].setContentsMargins(24, 8, 24, 4)
            side.setLayout(column(self._names[number], self._lists[number]))
            self._lists[number].acted.connect(lambda row, name, number=number: self._act(number, row, name))
            self._sides.append(side)
            self._columns.addWidget(side, 1)
        talk = QWidget()
        talk.setLayout(self._columns)
        self._empty = _Empty(self._use_chip)
        self._stack = QStackedWidget()
        self._stack.addWidget(self._empty)
        self._stack.addWidget(talk)

        self._vote = _Vote(self._voted)
        self._vote.hide()
        self._input = _Input(self.send)
        self._send = Button(self.tr("Send"), "primary", icon="send", on_click=self.send)
        self._stop = Button(self.tr("Stop"), icon="stop", on_click=self.stop)
        self._stop.hide()
        self._memory = Bar(4)
        self._memory.setFixedWidth(90)
        self._memory_words = Label("", "small", "text3")
        foot = QWidget()
        box = row(self._input, self._send, self._stop, gap=10)
        box.setStretch(0, 1)
        box.setAlignment(self._send, Qt.AlignmentFlag.AlignBottom)
        box.setAlignment(self._stop, Qt.AlignmentFlag.AlignBottom)
        meter = row(self._memory_words, self._memory, -1, gap=8)
        foot.setLayout(column(self._vote, box, meter, gap=8, margins=(24, 12, 24, 12)))

        right = QWidget()
        holder = row(self._banner, margins=(24, 0, 24, 8))
        inside = column(top, rule(), holder, self._stack, rule(), foot)
        inside.setStretch(3, 1)
        right.setLayout(inside)
        whole = row(left, rule(is_upright=True), right)
        whole.setStretch(2, 1)
        self.setLayout(whole)
        self.setFocusProxy(self._input)

        chat = session.chat
        chat.loading.connect(self._loading)
        chat.ready.connect(self._ready)
        chat.piece.connect(self._piece)
        chat.done.connect(self._done)
        chat.failed.connect(self._failed)
        session.changed.connect(self._session_changed)
        session.preferences.changed.connect(self._begin_style)
        self._clock = QTimer(self, interval=500)
        self._clock.timeout.connect(self._tick)
        self._session_changed()
        self._redraw()

    # What the window asks

    def heading(self) -> tuple[str, str]:
        return self.tr("Chat"), self._chat.title

    def next_step(self) -> tuple[str, str, Callable[[], object]]:
        return "", "", lambda: None

    # What the person does

    def new_chat(self) -> None:
        """Begin anew; the conversation so far is saved already."""
        self._leave()
        self._chat = chats.new(self._project_name(), is_compare=self._is_compare)
        self._begin_style()
        self._redraw()
        self._input.setFocus()

    def compare(self) -> None:
        """Begin anew with both side by side."""
        self._mode.choose("compare")
        self._set_mode("compare")
        self.new_chat()

    def send(self) -> None:
        text = self._input.toPlainText().strip()
        if not text or self._asked:
            return
        self._input.clear()
        self._say(text)

    def _leave(self) -> None:
        """Another chat comes: what is written of the answer in hand is kept, and what follows of it is not heard."""
        self._queue.clear()
        for number, side in self._asked.items():
            self._session.chat.stop(number)
            if text := self._lists[side].messages[self._rows[side]].text.strip():
                turn = Turn("assistant", text, self._voice(side), was_stopped=True, column=side)
                self._chat = replace(self._chat, turns=(*self._chat.turns, turn))
        if self._asked:
            self._save()
        self._asked.clear()
        self._busy(False)

    def stop(self) -> None:
        self._queue.clear()
        for number in list(self._asked):
            self._session.chat.stop(number)

    def _say(self, text: str) -> None:
        self._vote.hide()
        self._seed = random.randrange(2**31)
        self._chat = replace(self._chat, turns=(*self._chat.turns, Turn("user", text)), is_compare=self._is_compare)
        if self._is_blind:
            random.shuffle(self._order)
        self._save()
        self._redraw()
        self._queue = [0, 1] if self._is_compare else [0]
        self._ask_next()

    def _ask_next(self) -> None:
        if not self._queue:
            self._asked.clear()
            self._busy(False)
            if self._is_blind:
                self._vote.show()
            return
        side = self._queue.pop(0)
        self._session.chat.use(self._session.voices())
        messages = [ChatMessage(turn.role, turn.text) for turn in self._turns(side)]
        number = self._session.chat.ask(messages, self._voice(side) or None, STYLES[self._style], self._seed)
        self._asked = {number: side}
        self._rows[side] = self._lists[side].messages.add(
            Message("", self._speaker(side), is_busy=True, note=self.tr("thinking …"))
        )
        self._busy(True)

    def _act(self, side: int, at: int, name: str) -> None:
        message = self._lists[side].messages[at]
        if name == "copy":
            QGuiApplication.clipboard().setText(message.text)
        elif name == "again" and not self._asked:
            self._forget_from(self._last_question())
        elif name == "edit" and not self._asked:
            self._input.setPlainText(message.text)
            self._cut(self._position(side, at))
            self._input.setFocus()
        elif name == "teach":
            self._session.wanted.emit("teach")

    def _forget_from(self, place: int) -> None:
        text = self._chat.turns[place].text
        self._cut(place)
        self._say(text)

    def _cut(self, place: int) -> None:
        self._chat = replace(self._chat, turns=self._chat.turns[:place])
        self._redraw()

    # What the model says

    def _loading(self) -> None:
        self._loading_since = time.monotonic()
        self._clock.start()

    def _ready(self) -> None:
        self._loading_since = 0.0
        self._clock.stop()

    def _tick(self) -> None:
        seconds = time.monotonic() - self._loading_since
        if self._loading_since and seconds > _SECONDS_SHOWN:
            for side in self._asked.values():
                words = self.tr("Loading {0} … {1} s").format(self._speaker(side), round(seconds))
                self._note(side, words)

    def _note(self, side: int, words: str) -> None:
        messages = self._lists[side].messages
        messages.change(self._rows[side], replace(messages[self._rows[side]], note=words))

    def _piece(self, number: int, text: str) -> None:
        side = self._asked.get(number)
        if side is not None:
            messages = self._lists[side].messages
            if messages[self._rows[side]].note:
                self._note(side, "")
            messages.write(self._rows[side], text)

    def _done(self, number: int, done: Done) -> None:
        side = self._asked.pop(number, None)
        if side is None:
            return
        text = self._lists[side].messages[self._rows[side]].text.strip()
        turn = Turn("assistant", text, self._voice(side), done.tokens, done.seconds, done.was_stopped, side)
        if text:
            self._chat = replace(self._chat, turns=(*self._chat.turns, turn))
        self._save()
        self._show_memory(done)
        self._redraw()
        if done.was_stopped:
            self._queue.clear()
        self._ask_next()
        self.answered.emit()

    def _failed(self, number: int, text: str, hint: str, details: str) -> None:
        if self._asked.pop(number, None) is None:
            return
        self._queue.clear()
        self._busy(False)
        self._redraw()
        self._banner.say("bad", text, hint, self.tr("Ask again"), lambda: self._forget_from(self._last_question()))
        self._banner.show()

    # What is shown

    def _redraw(self) -> None:
        self._banner.hide()
        self._sides[1].setVisible(self._is_compare)
        for side in range(2):
            self._names[side].setText(self._speaker(side))
            self._names[side].setVisible(self._is_compare)
            self._lists[side].messages.show(self._messages(side))
            self._lists[side].scrollToBottom()
        self._stack.setCurrentIndex(1 if self._chat.turns else 0)
        self._list_saved()

    def _messages(self, side: int) -> list[Message]:
        shown = []
        turns = self._turns(side)
        for place, turn in enumerate(turns):
            is_last = place == len(turns) - 1
            if turn.role == "user":
                shown.append(
                    Message(
                        turn.text, self.tr("You"), True, actions=(("edit", "edit", self.tr("Edit and send again")),)
                    )
                )
                continue
            actions = [("copy", "copy", self.tr("Copy")), ("teach", "thumb-down", self.tr("Teach it this"))]
            if is_last:
                actions.insert(0, ("again", "again", self.tr("Answer again")))
            shown.append(Message(turn.text, self._speaker(side), note=self._turn_note(turn), actions=tuple(actions)))
        return shown

    def _turn_note(self, turn: Turn) -> str:
        parts = [self._voice_name(turn.voice)] if not self._is_blind and not self._is_compare else []
        if turn.seconds > 0:
            parts.append(self.tr("{0} words a second").format(round(turn.tokens * 0.75 / turn.seconds)))
        if turn.was_stopped:
            parts.append(self.tr("stopped"))
        return " · ".join(parts)

    def _turns(self, side: int) -> list[Turn]:
        return [turn for turn in self._chat.turns if turn.role == "user" or turn.column == side]

    def _position(self, side: int, at: int) -> int:
        turn = self._turns(side)[at]
        return next(place for place, each in enumerate(self._chat.turns) if each is turn)

    def _last_question(self) -> int:
        return max(place for place, turn in enumerate(self._chat.turns) if turn.role == "user")

    def _voice(self, side: int) -> str:
        has_new = bool(self._session.voices().adapters)
        if not self._is_compare:
            return "new" if has_new else ""
        return ("", "new")[self._order[side]] if has_new else ""

    def _voice_name(self, voice: str) -> str:
        return self.tr("Your model") if voice == "new" else self.tr("Original")

    def _speaker(self, side: int) -> str:
        if self._is_blind:
            return (self.tr("Left"), self.tr("Right"))[side]
        return self._voice_name(self._voice(side))

    def _busy(self, is_busy: bool) -> None:
        self._send.setVisible(not is_busy)
        self._stop.setVisible(is_busy)

    def _show_memory(self, done: Done) -> None:
        whole = self._session.chat.context_tokens
        if whole:
            share = done.used / whole
            self._memory.show_share(share, role="warn" if share > 0.8 else "data")
            words = self.tr("Memory of this chat {0} %").format(round(100 * share))
            if done.left_out:
                words += " · " + self.tr("the oldest messages are forgotten")
            self._memory_words.setText(words)

    def _session_changed(self) -> None:
        can_compare = bool(self._session.voices().adapters)
        self._mode.setVisible(can_compare)
        self._empty.show_questions(_chips(self._session))

    def _set_mode(self, mode: str) -> None:
        self._leave()
        self._is_compare = mode != "one"
        self._is_blind = mode == "blind"
        self._order = [0, 1]
        if self._chat.turns and self._chat.is_compare != self._is_compare:
            self._chat = chats.new(self._project_name(), is_compare=self._is_compare)
        self._redraw()

    def _set_style(self, style: str) -> None:
        self._style = style

    def _begin_style(self) -> None:
        """A chat in which nothing was said yet has the style that the person chose for new ones."""
        if not self._chat.turns:
            self._style = self._session.preferences.choices.answers
            self._styles.choose(self._style)

    def _voted(self, choice: str) -> None:
        self._vote.thank(self._voice_name(self._voice(0)), self._voice_name(self._voice(1)))

    def _use_chip(self, question: str) -> None:
        if not self._asked:
            self._say(question)

    # What is kept

    def _project_name(self) -> str:
        return self._session.project.folder.name if self._session.project else ""

    def _save(self) -> None:
        try:
            self._chat = chats.save(self._session.chats, self._chat)
        except LabError as error:
            self._banner.say("warn", error.message, error.hint)
            self._banner.show()

    def _list_saved(self) -> None:
        self._saved.clear()
        for chat in chats.search(chats.every(self._session.chats), self._search.text()):
            item = QListWidgetItem(chat.title)
            item.setData(Qt.ItemDataRole.UserRole, chat)
            item.setToolTip(chat.title)
            self._saved.addItem(item)
            if chat.id == self._chat.id:
                self._saved.setCurrentItem(item)

    def _open_saved(self, item: QListWidgetItem) -> None:
        self._leave()
        chat: Chat = item.data(Qt.ItemDataRole.UserRole)
        self._chat = chat
        self._is_compare, self._is_blind = chat.is_compare, False
        self._mode.choose("compare" if chat.is_compare else "one")
        self._redraw()


def _chips(session: Session) -> list[str]:
    """Questions of the project's own that are worth asking: of its first lessons, at most four."""
    if session.project is None:
        return []
    questions = []
    try:
        for folder in find_leaves(session.project.lessons):
            questions += [example.pairs[0].question for example in read_leaf(folder).seed_examples]
    except LabError:
        return []
    return [question for question in questions if len(question) < 90][:4]


class _Empty(QWidget):
    """Nothing was said yet: some questions to begin with."""

    def __init__(self, on_chip: Callable[[str], object]) -> None:
        super().__init__()
        self._on_chip = on_chip
        self._questions = QWidget()
        self._place = column(
            Label(self.tr("Ask something"), "title"),
            Label(self.tr("What you say stays on this computer."), "body", "text2"),
            16,
            gap=6,
        )
        self.setLayout(column(-1, self._place, -2, margins=(24, 0, 24, 0)))

    def show_questions(self, questions: list[str]) -> None:
        self._questions.setParent(None)
        self._questions.deleteLater()
        self._questions = QWidget()
        chips = [Button(question, on_click=functools.partial(self._on_chip, question)) for question in questions]
        self._questions.setLayout(column(*chips, gap=8))
        self._place.addWidget(self._questions)


class _Vote(QFrame):
    """Which answer is better? The names come after."""

    def __init__(self, on_vote: Callable[[str], object]) -> None:
        super().__init__()
        self.setProperty("surface", "sunken")
        self._words = Label(self.tr("Which answer is better?"), "strong")
        self._buttons = [
            Button(text, size="small", on_click=functools.partial(on_vote, name))
            for name, text in (
                ("left", self.tr("Left is better")),
                ("same", self.tr("The same")),
                ("right", self.tr("Right is better")),
            )
        ]
        self.setLayout(row(self._words, -1, *self._buttons, gap=8, margins=(16, 8, 12, 8)))

    def thank(self, left: str, right: str) -> None:
        self._words.setText(self.tr("Noted. Left was {0}, right was {1}.").format(left, right))
        for button in self._buttons:
            button.hide()

    def showEvent(self, event: QEvent) -> None:
        self._words.setText(self.tr("Which answer is better?"))
        for button in self._buttons:
            button.show()


class _Input(QPlainTextEdit):
    """The question; Return sends, Shift-Return begins a new line. It grows with what is written, to six lines."""

    def __init__(self, on_send: Callable[[], object], parent: QObject | None = None) -> None:
        super().__init__()
        self._on_send = on_send
        self.setPlaceholderText(self.tr("Ask something …"))
        self.setAccessibleName(self.tr("Your question"))
        self.setTabChangesFocus(True)
        self.textChanged.connect(self._fit)
        look().changed.connect(self._fit)
        self._fit()

    def _fit(self) -> None:
        lines = min(6, max(1, self.document().lineCount()))
        self.setFixedHeight(lines * self.fontMetrics().lineSpacing() + 24)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        is_return = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        if is_return and not event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            self._on_send()
            return
        super().keyPressEvent(event)
