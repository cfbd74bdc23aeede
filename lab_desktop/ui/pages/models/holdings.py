"""What the models' page knows: looked up on the disk in a thread, as one value."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from lab_desktop import capacity, paths
from lab_desktop.capacity import Speed
from lab_desktop.models import lineage, store
from lab_desktop.models.facts import FactsBook
from lab_desktop.models.lineage import Version
from lab_desktop.models.store import Binned, StoredModel, Use


@dataclass(frozen=True)
class Holdings:
    """The models of this computer as they were at one moment.

    Attributes:
        originals: all but the trained ones.
        versions: trained ones by the file that they were made from, resolved; the oldest first.
        uses: what needs a model, by its file.
        binned: what was thrown away, the newest first.
        taken_bytes, free_bytes: of the disk: by models on our account, and free beside them.
        memory_bytes: of the computer.
        speed: what was measured here; None: nothing yet.
    """

    originals: tuple[StoredModel, ...] = ()
    versions: dict[Path, tuple[Version, ...]] = field(default_factory=dict)
    uses: dict[Path, tuple[Use, ...]] = field(default_factory=dict)
    binned: tuple[Binned, ...] = ()
    taken_bytes: int = 0
    free_bytes: int = 0
    memory_bytes: int = 0
    speed: Speed | None = None

    def original(self, path: Path) -> StoredModel | None:
        """The model of a file."""
        return next((each for each in self.originals if each.path == path), None)

    def version(self, run: Path) -> Version | None:
        """What was trained in a run."""
        every = (version for versions in self.versions.values() for version in versions)
        return next((version for version in every if version.undertaking.run == run), None)


def look(book: FactsBook) -> Holdings:
    """Look at the disk; takes as long as the headers that are new."""
    runs = lineage.undertakings()
    models = store.on_this_computer(book)
    originals = tuple(model for model in models if model.origin != "trained")
    home = next(folder for folder in (paths.models(), *paths.models().parents) if folder.exists())
    return Holdings(
        originals=originals,
        versions={each.original.resolve(): each.versions for each in lineage.families(lineage.versions(runs))},
        uses={model.path: tuple(store.uses(model.path, runs)) for model in originals},
        binned=tuple(store.binned()),
        taken_bytes=store.total_bytes(models),
        free_bytes=shutil.disk_usage(home).free,
        memory_bytes=psutil.virtual_memory().total,
        speed=capacity.read_speed(paths.user_data()),
    )
