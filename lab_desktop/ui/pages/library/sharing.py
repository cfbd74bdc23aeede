"""Which lessons of the person's own others have too: what git, the library's history and the notes of who sent know."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from lab_desktop import repository
from lab_desktop.taxonomy.badges import Badge, Sharing, shared
from lab_desktop.taxonomy.index import Index
from lab_desktop.taxonomy.library import Library, made_here, moved_since


class Given:
    """Keeps the badge "shared" in an index; cheap while nothing changed, and where the person made nothing."""

    def __init__(self, library: Library, index: Index) -> None:
        self._library, self._index = library, index
        self._last_steps: object = None
        self._made: frozenset[Path] = frozenset()
        self._known: object = None
        self._updates = 0
        self._found: dict[Path, Sharing] = {}

    def of(self, path: str) -> Sharing | None:
        """Who else has the lesson at a path, and since when; None: it does not bear the badge."""
        found = self._found.get(Path(path))
        if found is not None and not found.to:
            return replace(found, at=repository.held_since(self._library.root, Path(path)))
        return found

    def note_update(self) -> None:
        """The community's version is another."""
        self._updates += 1

    def find(self) -> None:
        """Give and take the badge, where anything may be otherwise than the last time."""
        root, library = self._library.root, self._library
        last_steps = (library.undoable, library.redoable)
        if last_steps != self._last_steps:
            self._last_steps = last_steps
            self._made = made_here(library.steps)
        sent = {Path(each.path): each for each in repository.sent(root)}
        places = moved_since({path: each.at for path, each in sent.items()}, library.steps) if sent else {}
        stamps = {
            path: entry.modified_ns
            for path in self._made | places.keys()
            if (entry := self._index.entry(path.as_posix())) is not None
        }
        known = (stamps, sent, self._updates)
        if known == self._known:
            return
        self._known = known
        as_sent = {
            path: Sharing(sent[then].to, sent[then].at)
            for path, then in places.items()
            if path in stamps and repository.digest_of(root / path) == sent[then].digest
        }
        self._found = shared(repository.held(root, self._made & stamps.keys()), as_sent)
        self._index.set_marks(Badge.SHARED, (path.as_posix() for path in self._found))
