"""A model by its address on the hub: what there is, how it fits here, its licence; then one button."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QDialog, QLineEdit, QListWidget, QListWidgetItem, QStackedWidget, QWidget

from lab_desktop.capacity import Speed
from lab_desktop.errors import LabError
from lab_desktop.jobs.errands import DownloadRequest, LookRequest
from lab_desktop.models import arrivals, catalogue, choosing
from lab_desktop.models.offers import Offer
from lab_desktop.ui.errand import ErrandState, OneErrand
from lab_desktop.ui.pages.models.holdings import Holdings
from lab_desktop.ui.pages.models.lines import fetch_words, gated_words, told_fits
from lab_desktop.ui.theme import look
from lab_desktop.ui.widgets.basic import Badge, Banner, Button, Card, Label, column, empty, nothing_yet, row, scrolled
from lab_desktop.ui.widgets.model_list import TONE_ICONS
from lab_desktop.ui.words import size

_PATIENCE_MS = 1000
_USUAL = "Q4_K_M"
_HUB_PAGE = "https://huggingface.co/{0}"


class AddressSheet(QDialog):
    """Asks the hub only when the person presses Look.

    Attributes:
        looking: the question, while it is asked and after.
        offers: what the hub has there.
    """

    wanted = Signal(object)
    """A DownloadRequest that the person agreed to."""

    def __init__(self, parent: QWidget, holdings: Holdings) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(self.tr("Get a model by its address"))
        self._memory: int = holdings.memory_bytes
        self._speed: Speed | None = holdings.speed
        self._free = holdings.free_bytes
        self.looking = OneErrand(LookRequest, self)
        self.offers: list[Offer] = []
        self.address = QLineEdit()
        self.address.setAccessibleName(self.tr("Address of the model"))
        self.address.setPlaceholderText("https://huggingface.co/…")
        self.address.setClearButtonEnabled(True)
        self._look = Button(self.tr("Look"), icon="search", on_click=self.look)
        self._banner = Banner("warn", "")
        self._banner.hide()
        self._stack = QStackedWidget()
        self._stack.addWidget(
            nothing_yet("models", self.tr("First a look"), self.tr("Nothing is downloaded before you choose a file."))
        )
        self._stack.addWidget(
            nothing_yet("search", self.tr("Asking Hugging Face …"), self.tr("What is there, and what it is good for."))
        )
        self._stack.addWidget(self._found())
        self._get = Button(self.tr("Get it"), "primary", on_click=self.get)
        self._get.hide()
        body = column(self._banner, self._stack, gap=12)
        body.setStretch(1, 1)
        whole = column(
            Label(self.tr("Get a model by its address"), "title"), 4,
            Label(self.tr("Paste the address of its page on huggingface.co, or its name there (OWNER/NAME). "
                          "It must be a GGUF model."), "body", "text2", wraps=True),
            12, row(self.address, self._look, gap=8), 12, body, 12,
            row(-1, Button(self.tr("Close"), on_click=self.reject), self._get, gap=8), margins=(24, 20, 24, 20),
        )  # fmt: skip
        whole.setStretch(6, 1)
        self.setLayout(whole)
        self.setMinimumSize(look().grown(640), look().grown(480))
        self.resize(look().grown(760), look().grown(560))
        self._look.setAutoDefault(False)
        self._get.setAutoDefault(False)
        self.address.returnPressed.connect(self.look)
        self.looking.changed.connect(self._show_state)
        self.address.setFocus()

    def _found(self) -> QWidget:
        self.list = QListWidget()
        self.list.setAccessibleName(self.tr("Files of the model"))
        self.list.currentRowChanged.connect(self._choose)
        self._licence = Label("", "strong", wraps=True)
        self._licence_words = Label("", "small", "text2", wraps=True)
        self._fits = row(gap=6)
        self._fit_words = Label("", "small", "text2", wraps=True)
        self._room = Label("", "small", "text2", wraps=True)
        self._page = Button(self.tr("Its page on the web"), size="small", on_click=self._open_page)
        side = QWidget()
        side.setLayout(
            column(
                Label(self.tr("On this computer"), "label", "text2"), 4, self._fits, 4, self._fit_words, 16,
                Label(self.tr("Licence"), "label", "text2"), 4, self._licence, 2, self._licence_words, 8,
                row(self._page, -1), 16, Label(self.tr("Room on the disk"), "label", "text2"), 4, self._room, -1,
                margins=(0, 0, 12, 0),
            )
        )  # fmt: skip
        right = scrolled(side)
        right.setFixedWidth(look().grown(320))
        page = QWidget()
        whole = row(Card(self.list, padding=(8, 8)), right, gap=16)
        whole.setStretch(0, 1)
        page.setLayout(whole)
        return page

    def look(self) -> None:
        """Ask the hub what is there."""
        if self.looking.is_busy or not self.address.text().strip():
            return
        self._banner.hide()
        self._get.hide()
        try:
            self.looking.start(LookRequest(*arrivals.named(self.address.text())))
        except LabError as error:
            self._refuse(error.message, error.hint)

    def get(self) -> None:
        """Fetch the file that is chosen."""
        offer = self._chosen
        if offer is not None:
            self.wanted.emit(DownloadRequest(offer.repo, offer.file, offer.revision, "", offer.licence))
            self.accept()

    @property
    def _chosen(self) -> Offer | None:
        place = self.list.currentRow()
        return self.offers[place] if 0 <= place < len(self.offers) else None

    def _show_state(self) -> None:
        looking, state = self.looking, self.looking.state
        if looking.is_busy:
            self._stack.setCurrentIndex(1)
        elif state is ErrandState.DONE:
            self._show([Offer.from_json(each) for each in looking.result["offers"]])
        elif state is ErrandState.FAILED:
            self._refuse(looking.text, looking.hint)
        elif state is ErrandState.PAUSED:
            self._refuse(self.tr("Asking was broken off."), self.tr("Look again."))

    def _refuse(self, cause: str, safe: str) -> None:
        self._stack.setCurrentIndex(0)
        self._banner.say("warn", cause, safe)
        self._banner.show()
        self.address.setFocus()
        self.address.selectAll()

    def _show(self, offers: list[Offer]) -> None:
        self.offers = offers
        self.list.clear()
        for offer in offers:
            item = QListWidgetItem(f"{offer.file}  ·  {size(offer.size_bytes)}")
            item.setToolTip(offer.file)
            item.setSizeHint(QSize(0, look().line_height("body") + 12))
            self.list.addItem(item)
        first = offers[0]
        licence = catalogue.licence(first.licence)
        self._licence.setText(licence.name)
        words = [licence.means]
        if first.is_gated:
            words.append(gated_words())
        self._licence_words.setText(" ".join(words))
        if first.why_not_taught:
            self._banner.say("warn", self.tr("It cannot learn here."), first.why_not_taught)
            self._banner.show()
        self._get.setText(self.tr("Get it only to talk to") if first.why_not_taught else self.tr("Get it"))
        self._get.set_kind("" if first.why_not_taught else "primary")
        self._get.show()
        usual = (place for place, offer in enumerate(offers) if _USUAL in offer.file.upper())
        self.list.setCurrentRow(next(usual, 0))
        self._stack.setCurrentIndex(2)
        self.list.setFocus()

    def _choose(self, place: int) -> None:
        offer = self._chosen
        if offer is None:
            return
        fits = choosing.offer_fits(offer, self._memory, self._speed)
        empty(self._fits)
        for fit in told_fits(fits):
            self._fits.addWidget(Badge(fit.word, fit.tone if fit.tone != "bad" else "plain", TONE_ICONS[fit.tone]))
        self._fits.addStretch(1)
        self._fit_words.setText(list(fits.values())[-1].why)
        self._room.setText(fetch_words(offer.size_bytes, self._free))

    def _open_page(self) -> None:
        if self._chosen is not None:
            QDesktopServices.openUrl(QUrl(_HUB_PAGE.format(self._chosen.repo)))

    def done(self, result: int) -> None:
        self.looking.stop(_PATIENCE_MS)
        self.looking.forget()
        super().done(result)
