"""Which library is in hand, and how it follows the community's."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtWidgets import QFileDialog, QInputDialog, QLineEdit, QWidget

from lab_desktop.artifacts import title_of
from lab_desktop.paths import library
from lab_desktop.repository import Update
from lab_desktop.taxonomy.names import folder_name
from lab_desktop.ui.pages.library.shelf import Shelf
from lab_desktop.ui.pages.library.words import lessons_words
from lab_desktop.ui.session import Session
from lab_desktop.ui.words import tr


class Libraries:
    def __init__(self, session: Session, shelf: Shelf, say: Callable[..., object], parent: QWidget) -> None:
        """
        Args:
            say: tells (tone, cause, safe).
            parent: of what asks for a folder or an address.
        """
        self._session, self._shelf, self._say, self._parent = session, shelf, say, parent

    def update(self) -> None:
        """Bring what the community has newly."""
        self._shelf.update(self._updated)

    def _updated(self, update: Update) -> None:
        if not update.files and not update.kept:
            self._say("good", tr("The library is up to date."))
            return
        cause = tr("{0} came from the community.").format(lessons_words(len(update.leaves)))
        names = ", ".join(title_of(leaf.name) for leaf in update.kept[:3])
        self._say("good", cause, tr("Your own version stays of: {0}.").format(names) if names else "")

    def others(self) -> list[tuple[str, Path | None]]:
        """(words, folder) of those that are known and not in hand; None is the person's own."""
        home = self._session.home
        found: list[tuple[str, Path | None]] = []
        if self._shelf.root != home / library().name:
            found.append((tr("Open my own library"), None))
        for root in sorted((home / "libraries").glob("[!.]*")):
            if root != self._shelf.root and root.is_dir():
                found.append((tr("Open “{0}”").format(title_of(root.name)), root))
        return found

    def open(self, root: Path | None) -> None:
        """Another library, or with None the person's own."""
        self._session.preferences.choose(self._session.preferences.choices.with_library(root))

    def open_folder(self) -> None:
        """Another library, in a folder that is asked for."""
        folder = QFileDialog.getExistingDirectory(self._parent, tr("Choose the folder of a library"))
        if folder:
            self.open(Path(folder))

    def open_address(self) -> None:
        """Another library, from an address that is asked for."""
        title, words = tr("Open another library"), tr("Address of the library (https, ssh or file)")
        address, is_given = QInputDialog.getText(self._parent, title, words, QLineEdit.EchoMode.Normal)
        if is_given and address.strip():
            self.clone(address.strip())

    def clone(self, address: str) -> None:
        """The library at an address: copied here the first time, opened when it is whole."""
        name = folder_name(address.rstrip("/").removesuffix(".git").rpartition("/")[2])
        root = self._session.home / "libraries" / name
        if root.exists():
            self.open(root)
        else:
            self._shelf.clone(address, root, self.open)
