"""Chat: talk to the original or to what it became, alone or both side by side.

The page keeps a `Chat` and shows it; every change to it is saved before anything else happens. What the child process
writes (`_writing`) becomes a turn of the chat when it is done.
"""

from __future__ import annotations

import functools
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import Qt, QTimer, QUrl, Signal
from PySide6.QtGui import QAction, QDesktopServices, QKeyEvent, QKeySequence, QResizeEvent, QShortcut
from PySide6.QtWidgets import QLineEdit, QMenu, QStackedWidget, QWidget

from lab_desktop import chats, projects, votes
from lab_desktop.artifacts import ChatMessage
from lab_desktop.chats import Binned, Chat, Turn
from lab_desktop.errors import LabError
from lab_desktop.ui.chat_process import Done, Voices
from lab_desktop.ui.pages.chat_items import ChatItems, Now, last_question
from lab_desktop.ui.pages.chat_parts import EmptyChat, Question, SavedChats, Vote
from lab_desktop.ui.pages.chat_teach import TeachSheet
from lab_desktop.ui.preferences import MOST_FREELY
from lab_desktop.ui.session import Session
from lab_desktop.ui.theme import look
from lab_desktop.ui.widgets.basic import Banner, Button, Folding, Label, Segmented, Slider, announce, column, row, rule
from lab_desktop.ui.widgets.bin_button import BinButton
from lab_desktop.ui.widgets.messages import WALKED, MessageList
from lab_desktop.ui.widgets.meters import Bar
from lab_desktop.ui.widgets.web import ask_to_open
from lab_desktop.ui.words import model_word
from lab_desktop.votes import Choice

STYLES = {"careful": 0.0, "balanced": 0.4, "creative": 0.9}
"""Presets by temperature."""
_FREEST = 1.2
"""Temperature at the end of the person's own scale."""
_SEARCH_MS = 120
_READ_S = 0.03
"""So long the saved chats are read at a stretch; then the window has its turn."""
_SECONDS_SHOWN = 1.0
_FOLDS_BELOW = 900
_CHIPS, _CHIP_LETTERS = 4, 90
_LETTERS_PER_TOKEN, _MOST_LETTERS = 8, 400_000
"""More of a chat than could ever fit is not sent; the second while nobody knows how much the model holds."""


class ChatPage(QWidget):
    """Attributes:
    voices: a menu of who answers.
    """

    answered = Signal()
    """An answer is complete."""
    voice_changed = Signal()
    """Another one answers now: see `speaking`."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._chat = chats.new()
        self._shelf = chats.Shelf(session.chats)
        self._style: str = session.preferences.choices.answers
        self._preferred: str = self._style
        self._order = [0, 1]
        self._asked: tuple[int, int] | None = None
        """Number of the question under way, and the side that answers it."""
        self._queue: list[int] = []
        self._writing = ""
        self._note = ""
        self._failures: dict[int, str] = {}
        """Side → why it has no answer to the last question."""
        self._trouble = ("", "")
        self._items = ChatItems()
        self._editing = -1
        self._before_editing = ""
        self._typed: dict[tuple[str, str], tuple[str, str]] = {}
        """What was typed into the sheet and not kept, by project and question."""
        self._deleted: Sequence[Chat] = ()
        self._seed = 0
        self._is_cut_off = False
        self._is_loading = False
        self._asked_at = 0.0

        self.voices = QMenu(self)
        self.voices.aboutToShow.connect(self._fill_voices)
        self._left = self._make_left()
        whole = row(self._left, rule(is_upright=True), self._make_right())
        whole.setStretch(2, 1)
        self.setLayout(whole)

        chat = session.chat
        chat.loading.connect(self._loading)
        chat.ready.connect(self._ready)
        chat.piece.connect(self._piece)
        chat.done.connect(self._done)
        chat.failed.connect(self._failed)
        session.changed.connect(self._session_changed)
        session.preferences.changed.connect(self._preferences_changed)
        self._clock = QTimer(self, interval=500)
        self._clock.timeout.connect(self._tick)
        self._shortcut("Ctrl+F", self._find)
        self._shortcut("Esc", self._escape)
        look().changed.connect(self._fit)
        self._fit()
        self._show_own()
        self._session_changed()
        self._redraw()
        self._list_saved()
        self._show_bin()

    def _make_left(self) -> QWidget:
        self._saved = SavedChats()
        self._saved.opened.connect(self._open_saved)
        self._saved.renamed.connect(self._rename)
        self._saved.deleted.connect(self._delete)
        self._search = QLineEdit()
        self._search.setPlaceholderText(self.tr("Search chats"))
        self._search.setAccessibleName(self.tr("Search chats"))
        self._search.setClearButtonEnabled(True)
        self._search_timer = QTimer(self, singleShot=True, interval=_SEARCH_MS)
        self._search_timer.timeout.connect(self._list_saved)
        self._search.textChanged.connect(lambda _: self._search_timer.start())
        self._undo_words = Label("", "small", "text2", wraps=True)
        self._undo = QWidget()
        undo = Button(self.tr("Undo"), "plain", size="small", on_click=self._take_back)
        inside = row(self._undo_words, undo, gap=6)
        inside.setStretch(0, 1)
        self._undo.setLayout(inside)
        self._undo.hide()
        self.bin = BinButton[Binned](lambda thrown: self._restore(thrown.chat))
        self._nothing = Label("", "small", "text2", wraps=True)
        self._damaged_words = Label("", "small", "text2", wraps=True)
        self._damaged = QWidget()
        show = Button(self.tr("Show in folder"), "plain", size="small", on_click=self._show_damaged)
        throw = Button(self.tr("Delete"), "plain", size="small", on_click=self._delete_damaged)
        throw.setAccessibleDescription(self.tr("What cannot be read goes into the bin for 30 days."))
        self._damaged.setLayout(column(self._damaged_words, Folding(show, throw), gap=4))
        self._damaged.hide()
        left = QWidget()
        new = Button(self.tr("New chat"), icon="plus", on_click=self.new_chat)
        left.setLayout(
            column(
                row(Label(self.tr("Chats"), "head"), -1, new),
                self._search,
                self._nothing,
                self._saved,
                self._damaged,
                self._undo,
                row(self.bin, -1),
                gap=10,
                margins=(16, 16, 16, 12),
            )
        )
        return left

    def _make_right(self) -> QWidget:
        self._unfold = Button(self.tr("Chats"), icon="chat", on_click=self._toggle_left)
        self._mode = Segmented(
            [("one", self.tr("One")), ("compare", self.tr("Compare")), ("blind", self.tr("Blind"))],
            "one",
            self._set_mode,
        )
        self._styles = Segmented(
            [
                ("careful", self.tr("Careful")), ("balanced", self.tr("Balanced")),
                ("creative", self.tr("Creative")), ("own", self.tr("My own…")),
            ],
            self._style, self._set_style,
        )  # fmt: skip
        answers = Label(self.tr("Answers"), "small", "text2")
        self._freely = Slider(MOST_FREELY, self.tr("From careful to creative"), self._set_freely)
        self._own = QWidget()
        self._own.setLayout(
            row(
                -1,
                Label(self.tr("Careful"), "small", "text2"),
                self._freely,
                Label(self.tr("Creative"), "small", "text2"),
                gap=8,
            )
        )
        who, how = QWidget(), QWidget()
        who.setLayout(row(self._unfold, self._mode, gap=10))
        how.setLayout(column(row(answers, self._styles, gap=10), self._own, gap=8))
        top = row(Folding(who, how), margins=(24, 12, 24, 12))

        self._banner = Banner("warn", "", "")
        self._banner.hide()
        self._list = MessageList()
        self._list.acted.connect(self._act)
        self._list.linked.connect(self._ask_to_open)
        self._names = [(Label("", "head"), Label("", "small", "text2")) for _ in range(2)]
        self._rules = [rule(), rule()]
        for line in self._rules:
            line.setFixedHeight(2)
        sides = [
            column(row(name, model, -1, gap=8), line, gap=6)
            for (name, model), line in zip(self._names, self._rules, strict=True)
        ]
        heads = row(*sides, gap=20, margins=(24, 10, 36, 10))
        heads.setStretch(0, 1)
        heads.setStretch(1, 1)
        self._heads = QWidget()
        self._heads.setLayout(heads)
        talk = QWidget()
        inside = column(self._heads, self._list)
        inside.setStretch(1, 1)
        talk.setLayout(inside)
        self._empty = EmptyChat(self._use_chip)
        self._stack = QStackedWidget()
        self._stack.addWidget(self._empty)
        self._stack.addWidget(talk)

        self._vote = Vote(self._voted)
        self._vote.hide()
        self._edit_line = QWidget()
        cancel = Button(self.tr("Cancel"), "plain", size="small", on_click=self._cancel_edit)
        self._edit_words = Label("", "small", "text2")
        self._edit_line.setLayout(row(self._edit_words, cancel, -1, gap=8))
        self._edit_line.hide()
        self._input = Question(self.send)
        self._send = Button(self.tr("Send"), "primary", icon="send", on_click=self.send)
        self._stop = Button(self.tr("Stop"), icon="stop", on_click=self.stop)
        self._stop.hide()
        self._memory = Bar(4)
        self._memory.setFixedWidth(90)
        self._memory_words = Label("", "small", "text3")
        self._meter = QWidget()
        self._meter.setLayout(row(-1, self._memory_words, self._memory, gap=8))
        self._meter.hide()
        box = row(self._input, column(-1, self._send, self._stop, margins=(0, 0, 0, 6)), gap=10)
        box.setStretch(0, 1)
        foot = column(self._vote, self._edit_line, box, self._meter, gap=8, margins=(24, 12, 24, 12))

        holder = row(self._banner, margins=(24, 8, 24, 0))
        inside = column(top, rule(), holder, self._stack, rule(), foot)
        inside.setStretch(3, 1)
        right = QWidget()
        right.setLayout(inside)
        return right

    def _shortcut(self, keys: str, do: Callable[[], object]) -> None:
        made = QShortcut(QKeySequence(keys), self)  # heard while the page is in front, wherever the focus is
        made.activated.connect(do)

    # What the window asks

    def entrance(self) -> QWidget:
        """Where the keyboard begins."""
        return self._input

    def heading(self) -> tuple[str, str]:
        return self.tr("Chat"), self._chat.title

    def yield_filled(self, is_yielded: bool) -> None:
        """Whether the one filled button of the window is another than Send."""
        self._send.set_kind("" if is_yielded else "primary")

    @property
    def saved(self) -> Sequence[Chat]:
        """The saved chats, the newest first."""
        return self._shelf.chats

    def open_saved(self, name: str) -> None:
        """Go on with the saved chat of this id."""
        chat = next((each for each in self._shelf.chats if each.id == name), None)
        if chat is not None:
            self._open_saved(chat)

    def next_step(self) -> tuple[str, str, Callable[[], object]]:
        return "", "", lambda: None

    def speaking(self) -> tuple[str, str]:
        """Who answers, and the model's name as a word."""
        model = model_word(self._talkers.model) if self._talkers else ""
        if self._chat.is_compare:
            return self.tr("Original and your model"), model
        return self._name(self._voice(0)), model

    # What the person does

    def new_chat(self) -> None:
        """Begin anew; the conversation so far is saved already."""
        self._begin(is_compare=self._chat.is_compare and self._has_new, is_blind=self._chat.is_blind)
        self._begin_style()
        self._input.setFocus()

    def compare(self) -> None:
        """Both answers side by side, or one again."""
        self._set_mode("one" if self._chat.is_compare else "compare")

    def meet_both(self) -> None:
        """Begin anew with both answers side by side, where there are two."""
        self._begin(is_compare=self._has_new, is_blind=False)
        self._input.setFocus()

    def send(self) -> None:
        text = self._input.toPlainText().strip()
        if self._asked:
            self._tell("info", self.tr("The answer is still being written."), self.tr("Press Stop to end it."))
        elif text and self._can_ask():
            self._input.clear()
            if self._editing >= 0:
                self._cut(self._editing)
            self._say(text)

    def stop(self) -> None:
        self._queue.clear()
        if self._asked:
            self._session.chat.stop(self._asked[0])

    def _begin(self, *, is_compare: bool = False, is_blind: bool = False, voice: str | None = None) -> None:
        """An empty chat takes the place of this one."""
        self._leave()
        self._chat = replace(
            chats.new(self._project_name()),
            is_compare=is_compare,
            is_blind=is_compare and is_blind,
            voice=self._chat.voice if voice is None else voice,
        )
        self._order = [0, 1]
        self._redraw()
        self._list_saved()

    def _leave(self) -> None:
        """Another chat comes: what is written of the answer in hand is kept, and what follows of it is not heard."""
        self._queue.clear()
        if self._asked:
            self._session.chat.stop(self._asked[0])
            if self._writing.strip():
                self._keep_answer(self._asked[1], Done(0, 0.0, 0, 0, was_stopped=True))
        self._asked = None
        self._failures.clear()
        self._cancel_edit()
        self._banner.hide()
        self._meter.hide()
        self._busy(False)
        self._session_changed()

    def _can_ask(self) -> bool:
        project = self._chat.project
        if self._chat.turns and project and project != self._project_name():
            cause = self.tr("This chat belongs to another project.")
            found = next((each for each in self._session.projects if each.folder.name == project), None)
            if found is not None:
                safe, button = self.tr("Its model is “{0}”.").format(found.title), self.tr("Open the project")
                self._tell("info", cause, safe, button, functools.partial(self._session.open, found))
            else:
                safe = self.tr("It is not here any more; the chat stays as it is.")
                self._tell("info", cause, safe, self.tr("New chat"), functools.partial(self._begin))
            return False
        if self._chat.is_compare and not self._has_new:
            cause = self.tr("There is no trained model in hand to compare with.")
            safe = self.tr("Open the project it belongs to, or ask the original in a new chat.")
            self._tell("info", cause, safe, self.tr("New chat"), functools.partial(self._begin))
            return False
        return True

    def _say(self, text: str) -> None:
        self._seed = random.randrange(2**31)
        if not self._chat.turns:
            self._chat = replace(self._chat, project=self._project_name())
        self._chat = replace(self._chat, turns=(*self._chat.turns, Turn("user", text)))
        if self._chat.is_blind:
            random.shuffle(self._order)
        self._banner.hide()
        self._failures.clear()
        self._save()
        self._queue = [0, 1] if self._chat.is_compare else [0]
        self._ask_next(is_new=True)

    def _ask_next(self, *, is_new: bool = False) -> None:
        self._asked, self._writing = None, ""
        if not self._queue:
            self._rest()
            return
        side = self._queue.pop(0)
        self._failures.pop(side, None)
        self._note = self.tr("thinking …")
        voice = self._voice(side)
        try:
            self._session.chat.use(self._talkers or self._session.voices())
        except LabError as error:
            self._note_failure(side, error.message, error.hint)
            return
        self._busy(True)
        number = self._session.chat.ask(self._history(voice), voice or None, self._temperature, self._seed)
        self._asked, self._asked_at = (number, side), time.monotonic()
        self._clock.start()
        self._redraw()
        if is_new:
            self._list.scroll_to_end()

    def _history(self, voice: str) -> list[ChatMessage]:
        """The chat as one voice knows it: in a comparison each remembers its own answers alone."""
        most = _LETTERS_PER_TOKEN * self._session.chat.context_tokens or _MOST_LETTERS
        known: list[Turn] = []
        self._is_cut_off = False
        for turn in reversed(self._chat.turns[: last_question(self._chat) + 1]):
            if turn.role == "user" and known and known[-1].role == "user":
                continue  # it was never answered
            if turn.role == "user" or not self._chat.is_compare or turn.voice == voice:
                most -= len(turn.text)
                if most < 0 and known:
                    self._is_cut_off = True
                    break
                known.append(turn)
        return [ChatMessage(turn.role, turn.text) for turn in reversed(known)]

    def _rest(self) -> None:
        """Nobody is asked any more."""
        self._busy(False)
        self._session_changed()
        if self._failures:
            cause, hint = self._trouble
            self._tell("bad", cause, hint, self.tr("Ask again"), self._ask_missing)

    def _ask_missing(self) -> None:
        if not self._asked and self._failures and self._can_ask():
            self._banner.hide()
            self._queue = sorted(self._failures)
            self._ask_next(is_new=True)

    def _act(self, at: int, side: int, name: str) -> None:
        place = self._items.places[at][side]
        if name in ("again", "edit", *WALKED) and self._asked:
            self._tell("info", self.tr("The answer is still being written."), self.tr("Press Stop to end it."))
        elif name == "again" and self._can_ask():
            self._again(side)
        elif name == "edit":
            self._edit(place)
        elif name in WALKED:
            self._walk(self._items.walks[at], 1 if name == WALKED[-1] else -1)
        elif name == "teach":
            self._teach(place)

    def _again(self, side: int) -> None:
        """Another answer to the last question, of one side; the one that is there stays another way of the chat.

        A vote about the question does not count any more.
        """
        last = last_question(self._chat)
        turns = [
            replace(turn, choice="") if place == last else turn
            for place, turn in enumerate(self._chat.turns)
            if place <= last or (self._chat.is_compare and turn.column != side)
        ]
        had_one = len(turns) < len(self._chat.turns)
        self._chat = chats.part(self._chat, tuple(turns))
        self._seed = random.randrange(2**31)
        self._banner.hide()
        if had_one and self._temperature == 0.0:
            self._tell("info", self.tr("Careful answers hardly change."), self.tr("Choose Creative for other words."))
        self._queue = [side]
        self._ask_next(is_new=True)

    def _edit(self, place: int) -> None:
        self._before_editing = self._input.toPlainText() if self._editing < 0 else self._before_editing
        self._editing = place
        self._edit_words.setText(self.tr("You ask in other words; what follows now stays, and ‹ › lead back to it."))
        self._edit_line.show()
        self._input.setPlainText(self._chat.turns[place].text)
        self._input.selectAll()
        self._input.setFocus()

    def _cancel_edit(self) -> None:
        if self._editing >= 0:
            self._editing = -1
            self._edit_line.hide()
            self._input.setPlainText(self._before_editing)

    def _cut(self, place: int) -> None:
        """Go on from before a question; what is there now stays another way of the chat."""
        self._chat = chats.part(self._chat, self._chat.turns[:place])
        self._editing = -1
        self._edit_line.hide()

    def _walk(self, place: int, by: int) -> None:
        """Go another of the ways that part at a turn, with all that followed from it."""
        self._failures.clear()
        self._banner.hide()
        self._cancel_edit()
        self._chat = chats.walk(self._chat, place, by)
        self._save()
        self._redraw()
        self._list.go_to(self._items.walks.index(place))
        if (found := self._items.ways.get(place)) is not None:
            announce(self._list, self.tr("{0} of {1}").format(found.now + 1, len(found.leads)))

    def _teach(self, place: int) -> None:
        question = next((turn.text for turn in reversed(self._chat.turns[:place]) if turn.role == "user"), "")
        root = self._session.home / "drafts"
        sheet = TeachSheet(self, root, self._chat.project, question, self._chat.turns[place].text)
        answer, passage = self._typed.get((self._chat.project, question), ("", ""))
        sheet.answer.setPlainText(answer)
        sheet.passage.setPlainText(passage)
        sheet.finished.connect(functools.partial(self._taught, sheet, (self._chat.project, question)))
        sheet.open()

    def _taught(self, sheet: TeachSheet, about: tuple[str, str], *_: object) -> None:
        if sheet.kept is None:
            self._typed[about] = (sheet.answer.toPlainText(), sheet.passage.toPlainText())
        else:
            self._typed.pop(about, None)
            folder = QUrl.fromLocalFile(str(sheet.kept.folder))
            words = self.tr("It is in “{0}”, which has {1} of at least {2} questions now.")
            least = 15 if sheet.has_passage else 5
            safe = words.format(sheet.kept.title, sheet.kept.questions, least)
            show = functools.partial(QDesktopServices.openUrl, folder)
            self._tell("good", self.tr("Kept as a draft."), safe, self.tr("Show in folder"), show)
        sheet.deleteLater()

    def _ask_to_open(self, address: str) -> None:
        """A link of a model's text may lead anywhere: the whole address is shown before anything is opened."""
        if not ask_to_open(self, address, self.tr("The model wrote it; it may be made up.")):
            self._tell("info", self.tr("This link leads nowhere on the web."), address)

    def _find(self) -> None:
        self._left.show()
        self._search.setFocus()
        self._search.selectAll()

    def _escape(self) -> None:
        if self._search.hasFocus():
            self._search.clear()
            self._input.setFocus()
        elif self._editing >= 0:
            self._cancel_edit()
        else:
            self.stop()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        choice = {Qt.Key.Key_1: "left", Qt.Key.Key_2: "same", Qt.Key.Key_3: "right"}.get(Qt.Key(event.key()))
        if choice and self._vote.is_asking and not event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier:
            self._voted(choice)
        elif event.matches(QKeySequence.StandardKey.Undo) and self._deleted:
            self._take_back()
        else:
            super().keyPressEvent(event)

    # What the model says

    def _loading(self) -> None:
        self._is_loading = True

    def _ready(self) -> None:
        self._is_loading = False
        self._asked_at = time.monotonic()

    def _tick(self) -> None:
        """Until the first words come, say what takes so long, and how long already."""
        if not self._asked or self._writing:
            self._clock.stop()
            return
        seconds = time.monotonic() - self._asked_at
        if seconds > _SECONDS_SHOWN:
            words = self.tr("Loading {0} … {1} s") if self._is_loading else self.tr("{0} is thinking … {1} s")
            self._set_note(words.format(self._speaker(self._asked[1]), round(seconds)))

    def _set_note(self, words: str) -> None:
        assert self._asked is not None
        self._note = words
        messages, side = self._list.messages, self._asked[1]
        at = len(messages) - 1
        messages.change(at, side, replace(messages[at][side], note=words))

    def _piece(self, number: int, text: str) -> None:
        if self._asked and self._asked[0] == number:
            if self._note:
                self._set_note("")
            self._writing += text
            self._list.messages.write(len(self._list.messages) - 1, self._asked[1], text)

    def _done(self, number: int, done: Done) -> None:
        if not self._asked or self._asked[0] != number:
            return
        side = self._asked[1]
        if self._writing.strip():
            self._keep_answer(side, done)
            self.answered.emit()
            announce(self, self.tr("{0} has answered.").format(self._speaker(side)))
        elif not done.was_stopped:
            self._failures[side] = self.tr("no answer")
            self._trouble = (self.tr("The model said nothing."), self.tr("Ask again, or in other words."))
        if done.was_stopped:
            self._queue.clear()
        self._show_memory(done)
        self._ask_next()

    def _keep_answer(self, side: int, done: Done) -> None:
        model = model_word(self._talkers.model) if self._talkers else ""
        turn = Turn(
            "assistant", self._writing.strip(), self._voice(side), done.tokens, done.seconds, done.was_stopped,
            side if self._chat.is_compare else 0, model,
        )  # fmt: skip
        self._chat = replace(self._chat, turns=(*self._chat.turns, turn))
        self._save()

    def _failed(self, number: int, text: str, hint: str, details: str) -> None:
        if self._asked and self._asked[0] == number:
            self._note_failure(self._asked[1], text, hint)

    def _note_failure(self, side: int, text: str, hint: str) -> None:
        self._failures[side] = text
        self._trouble = (text, hint)
        self._ask_next()

    # What is shown

    def _redraw(self) -> None:
        asked = self._asked[1] if self._asked else None
        speakers = self._speaker(0), self._speaker(1)
        now = Now(speakers, asked, self._writing, self._note, self._queue, self._failures)
        items = self._items.make(self._chat, now)
        self._stack.setCurrentIndex(1 if self._chat.turns else 0)
        self._show_names()
        self._list.messages.show(items)
        self._show_vote()
        self._mode.choose("blind" if self._chat.is_blind else "compare" if self._chat.is_compare else "one")
        self._mode.setVisible(self._has_new or self._chat.is_compare)
        ask = self.tr("Ask both the same …") if self._chat.is_compare else self.tr("Ask something …")
        self._input.setPlaceholderText(ask)
        self.voice_changed.emit()

    def _show_names(self) -> None:
        self._heads.setVisible(self._chat.is_compare)
        for side, (name, model) in enumerate(self._names):
            voice, model_name = self._items.named.get(side, (None, ""))
            name.setText(self._speaker(side) if voice is None else self._name(voice))
            is_own = (self._voice(side) if voice is None else voice) == "new"
            line = self._rules[side]
            line.setProperty("rule", "own" if is_own and not self._chat.is_blind else "other")
            line.style().unpolish(line)
            line.style().polish(line)
            model.setText(model_name)

    def _show_vote(self) -> None:
        last = last_question(self._chat)
        answers = {turn.column: turn for turn in self._chat.turns[last + 1 :]} if last >= 0 else {}
        is_due = self._chat.is_blind and not self._asked and len(answers) == 2
        self._vote.setVisible(is_due)
        if not is_due:
            return
        choice = self._chat.turns[last].choice
        if not choice:
            self._vote.ask()
            return
        better = next((side for side in answers if answers[side].voice == ("new" if choice == "new" else "")), 0)
        words = {
            0: self.tr("You found the left answer better."),
            1: self.tr("You found the right answer better."),
        }[better]
        self._vote.thank(self.tr("You found both the same.") if choice == "same" else words, self._vote_words())

    def _vote_words(self) -> str:
        """How the votes of the project stand."""
        run = self._run()
        try:
            counts = votes.tally(votes.read_votes(run).values()) if run else None
        except LabError:
            return ""
        if not counts:
            return ""
        words = self.tr("Votes so far: {0} for your model, {1} for the original, {2} the same")
        return words.format(counts["new"], counts["original"], counts["same"])

    def _voice(self, side: int) -> str:
        """Who answers on a side from now on."""
        if not self._has_new:
            return ""
        return ("", "new")[self._order[side]] if self._chat.is_compare else self._chat.voice

    def _name(self, voice: str) -> str:
        return self._items.name(voice)

    def _speaker(self, side: int) -> str:
        if self._chat.is_blind:
            return (self.tr("Left"), self.tr("Right"))[side]
        return self._name(self._voice(side))

    def _busy(self, is_busy: bool) -> None:
        self._send.setVisible(not is_busy)
        self._stop.setVisible(is_busy)

    def _tell(self, tone: str, cause: str, safe: str, button: str = "", do: Callable[[], object] | None = None) -> None:
        self._banner.say(tone, cause, safe, button, do)  # type: ignore[arg-type]
        self._banner.show()

    def _show_memory(self, done: Done) -> None:
        whole = self._session.chat.context_tokens
        self._meter.setVisible(whole > 0 and done.used > 0)
        if whole and done.used:
            share = done.used / whole
            self._memory.show_share(share, role="warn" if share > 0.8 else "data")
            words = self.tr("Memory of this chat {0} %").format(round(100 * share))
            if done.left_out or self._is_cut_off:
                words += " · " + self.tr("the oldest messages are forgotten")
            self._memory_words.setText(words)

    def _session_changed(self) -> None:
        if self._asked:
            return  # whoever answers now is who was asked; the rest waits for the end of the answer
        try:
            self._talkers: Voices | None = self._session.voices()
        except LabError:
            self._talkers = None
        self._has_new = bool(self._talkers and self._talkers.adapters)
        self._empty.show_questions(_own_questions(self._session))
        if not self._chat.turns and self._chat.is_compare and not self._has_new:
            self._chat = replace(self._chat, is_compare=False, is_blind=False)
        self._redraw()

    def _set_mode(self, mode: str) -> None:
        is_compare, is_blind = mode != "one", mode == "blind"
        if is_compare and not self._has_new:
            cause = self.tr("There is no trained model yet to compare with.")
            safe = self.tr("Train one on the Improve page first.")
            self._tell("info", cause, safe, self.tr("Go there"), functools.partial(self._session.go, "improve"))
        elif (is_compare, is_blind) != (self._chat.is_compare, self._chat.is_blind):
            self._begin(is_compare=is_compare, is_blind=is_blind)

    def _begin_style(self) -> None:
        """A chat in which nothing was said yet has the style that the person chose for new ones."""
        if not self._chat.turns:
            self._style = self._session.preferences.choices.answers
            self._styles.choose(self._style)
            self._show_own()

    def _preferences_changed(self) -> None:
        choices = self._session.preferences.choices
        if choices.answers != self._preferred:
            self._preferred = choices.answers
            self._begin_style()
        self._show_own()

    def _set_style(self, style: str) -> None:
        self._style = style
        self._show_own()

    def _set_freely(self, freely: int) -> None:
        preferences = self._session.preferences
        preferences.choose(replace(preferences.choices, freely=freely))

    def _show_own(self) -> None:
        """The person's own scale, while it is chosen; the field's word for it is its tooltip."""
        self._own.setVisible(self._style == "own")
        self._freely.show_value(self._session.preferences.choices.freely)
        self._freely.setToolTip(self.tr("temperature {0:.2f}").format(self._own_temperature))

    @property
    def _own_temperature(self) -> float:
        return _FREEST * self._session.preferences.choices.freely / MOST_FREELY

    @property
    def _temperature(self) -> float:
        return self._own_temperature if self._style == "own" else STYLES[self._style]

    def _fill_voices(self) -> None:
        self.voices.clear()
        model = model_word(self._talkers.model) if self._talkers else ""
        self._add_voice(self.tr("Your model"), model, "new")
        self._add_voice(self.tr("Original"), model, "")
        if self._session.guest is not None:
            self.voices.addSeparator()
            back = self.tr("Back to the project's model")
            self.voices.addAction(back).triggered.connect(lambda: self._session.talk_to(None))

    def _add_voice(self, name: str, model: str, voice: str) -> None:
        can = self._has_new or not voice
        words = f"{name}  ·  {model}" if can else self.tr("{0}  ·  not trained yet, go to Improve").format(name)
        action: QAction = self.voices.addAction(words)
        action.setCheckable(can)
        action.setChecked(can and not self._chat.is_compare and self._voice(0) == voice)
        action.triggered.connect(functools.partial(self._choose_voice, voice))

    def _choose_voice(self, voice: str, *_: object) -> None:
        if voice and not self._has_new:
            self._session.go("improve")
        elif self._chat.is_compare:
            self._begin(voice=voice)
        elif voice != self._chat.voice:
            self._chat = replace(self._chat, voice=voice)
            if self._chat.turns:
                self._save()
            self._redraw()

    def _voted(self, side: str) -> None:
        last = last_question(self._chat)
        voices = {turn.column: turn.voice for turn in self._chat.turns[last + 1 :]}
        better = voices.get(0 if side == "left" else 1, "")
        choice: Choice = "same" if side == "same" else "new" if better == "new" else "original"
        run = self._run()
        try:
            if run is not None:
                votes.note(run, self._chat.turns[last].text, choice)
        except LabError as error:
            self._tell("warn", error.message, error.hint)
            return
        turns = list(self._chat.turns)
        turns[last] = replace(turns[last], choice=choice)
        self._chat = replace(self._chat, turns=tuple(turns))
        self._save()
        self._redraw()
        announce(self._vote, self._vote.words.text())

    def _use_chip(self, question: str) -> None:
        if not self._asked and self._can_ask():
            self._say(question)

    # What is kept

    def _project_name(self) -> str:
        return self._session.project.folder.name if self._session.project else ""

    def _run(self) -> Path | None:
        """The run in hand of the chat's project."""
        if not self._chat.project:
            return None
        try:
            return projects.read(self._session.root / self._chat.project).run
        except LabError:
            return None

    def _save(self) -> None:
        try:
            self._chat = chats.save(self._session.chats, self._chat)
            self._shelf.take(self._chat)
        except LabError as error:
            self._tell("warn", error.message, error.hint)
        self._list_saved()

    def _list_saved(self) -> None:
        is_whole = self._shelf.look(_READ_S)
        found = chats.search(self._shelf.chats, self._search.text())
        self._saved.show_chats(found, self._chat.id)
        words = self.tr("No chat has these words.") if self._shelf.chats else self.tr("Your chats are kept here.")
        self._nothing.setText(words)
        self._nothing.setVisible(is_whole and not found)
        self._tell_damaged(self._shelf.damaged)
        if not is_whole:
            QTimer.singleShot(0, self._list_saved)

    def _tell_damaged(self, files: Sequence[Path]) -> None:
        """Saved chats that cannot be read, as long as they are there."""
        words = ""
        if len(files) == 1:
            words = self.tr(
                "A saved chat cannot be read: its file “{0}” is damaged. A copy from a backup in its place brings it "
                "back."
            ).format(files[0].name)
        elif files:
            words = self.tr(
                "{0} saved chats cannot be read: their files are damaged. Copies from a backup in their place bring "
                "them back."
            ).format(len(files))
        if words != self._damaged_words.text():
            self._damaged_words.setText(words)
            self._damaged_words.setToolTip("\n".join(map(str, files)))
            self._damaged.setVisible(bool(files))
            if files and self.isVisible():
                announce(self, words)

    def _show_damaged(self) -> None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(self._session.chats))

    def _delete_damaged(self) -> None:
        self._delete(*(Chat(file.stem, name=file.name) for file in self._shelf.damaged))

    def _open_saved(self, chat: Chat) -> None:
        if chat.id == self._chat.id:
            return
        self._leave()
        self._chat = chat
        self._order = [0, 1]
        self._redraw()
        self._list.scroll_to_end()
        self._list_saved()

    def _rename(self, chat: Chat, name: str) -> None:
        try:
            renamed = chats.rename(self._session.chats, chat, name)
        except LabError as error:
            self._tell("warn", error.message, error.hint)
        else:
            if chat.id == self._chat.id:
                self._chat = replace(self._chat, name=renamed.name)
        QTimer.singleShot(0, self._list_saved)  # the list still holds its editor
        self.voice_changed.emit()

    def _delete(self, *thrown: Chat) -> None:
        if self._chat.id in [chat.id for chat in thrown]:
            self._begin()
        try:
            for chat in thrown:
                chats.delete(self._session.chats, chat)
        except LabError as error:
            self._tell("warn", error.message, error.hint)
            return
        self._deleted = thrown
        words = self.tr("“{0}” is in the bin for 30 days.").format(thrown[0].title)
        if len(thrown) > 1:
            words = self.tr("{0} chats are in the bin for 30 days.").format(len(thrown))
        self._undo_words.setText(words)
        self._undo.show()
        announce(self, words)
        self._list_saved()
        self._show_bin()

    def _take_back(self) -> None:
        self._restore(*self._deleted)

    def _restore(self, *thrown: Chat) -> None:
        """Take chats out of the bin; then nothing is left of the last time that was to be taken back."""
        self._deleted = ()
        self._undo.hide()
        try:
            for chat in thrown:
                chats.restore(self._session.chats, chat)
        except LabError as error:
            self._tell("warn", error.message, error.hint)
        self._list_saved()
        self._show_bin()

    def _show_bin(self) -> None:
        self.bin.show_thrown(chats.binned(self._session.chats))

    # Room

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """The column of chats grows with the text, and folds where it leaves too little room."""
        self._left.setFixedWidth(look().grown(232))
        is_narrow = self.width() < look().grown(_FOLDS_BELOW)
        if self._unfold.isHidden() == is_narrow:
            self._unfold.setVisible(is_narrow)
            self._left.setVisible(not is_narrow)

    def _toggle_left(self) -> None:
        self._left.setVisible(self._left.isHidden())


def _own_questions(session: Session) -> Sequence[str]:
    """Questions of the project's own that are worth asking: at most four, the short ones."""
    lessons = session.known.lessons(session.project.lessons) if session.project else ()
    found = (question for lesson in lessons for question in lesson.questions)
    return [question for question in found if len(question) < _CHIP_LETTERS][:_CHIPS]
