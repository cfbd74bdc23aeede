"""One model from the hub onto the disk: looked up, held against the free space, fetched, compared, named.

Half a file lies hidden beside its later place (`arrivals`); what is there when the job is paused, killed or cut off is
gone on with. The file gets its name when its check number (SHA-256) is the hub's own and its header is whole; its
record (`records`) is written last.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

from lab_desktop.errors import DownloadError, ModelError, StorageError
from lab_desktop.files import disk_errors, flush_folder
from lab_desktop.jobs import errands
from lab_desktop.jobs.errands import DownloadRequest, LookRequest
from lab_desktop.jobs.run import Run
from lab_desktop.models import arrivals, hub, moving, records
from lab_desktop.models.facts import read_facts
from lab_desktop.models.offers import Offer, require_writer
from lab_desktop.models.records import Record
from lab_desktop.models.refusals import Interrupted

SAFE_BYTES = 8 << 20
"""So often what has arrived is forced onto the disk; after a kill or a power cut the last such part is fetched anew."""
WAITS_S = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0)
"""Between tries without a new byte, when something had arrived before."""
WAITS_AT_FIRST_S = (1.0, 2.0)
"""When nothing has: whoever is offline is told so at once."""
_LONG_WAIT_S, _LONGEST_WAIT_S = 10.0, 300.0
_TELL_S = 0.2
_BLOCK_BYTES = 1 << 20
_T = TypeVar("_T")


def download(request: DownloadRequest, run: Run) -> dict[str, Any]:
    """Fetch the file that `request` names; goes on where an earlier try was stopped. Cost: one connection.

    Progress counts bytes under the text "Downloading TITLE"; a detail says when the connection was lost.

    Returns:
        {"path": the file, "size_bytes": …, "was_there": True when nothing had to be fetched}.

    Raises:
        DownloadError: not there, not given, not the file that was announced, no connection; what has arrived stays.
        ModelError: it is no model that can be used: nothing was fetched, or it is whole and was deleted.
        StorageError: too little space is free, or the disk failed; what has arrived stays.
        Cancelled: what has arrived stays.
    """
    moving.settle()
    model = arrivals.target(request.repo, request.file)
    moving.require_place()
    record = records.read_record(model)
    if record is not None and model.exists() and model.stat().st_size == record.size_bytes:
        return _done(model, run, was_there=True)
    offer = _patiently(lambda: hub.look_up(request.repo, request.file, request.revision, run.stop_if_cancelled), run)
    _agree(request, offer)
    require_writer(offer.file, offer.architecture)
    if model.exists():
        _require_same(model, offer, run)
        _note(model, request, offer)
        return _done(model, run, was_there=True)
    _Arriving(request, offer, model, run).complete()
    _note(model, request, offer)
    return _done(model, run, was_there=False)


def look_for(request: LookRequest, run: Run) -> dict[str, Any]:
    """What the hub has where `request` says, {"offers": each as `Offer.to_json` has it}. Cost: one question.

    Raises:
        DownloadError, ModelError: as in `look`.
        Cancelled: nobody waits for it any more.
    """
    offers = look(request.repo, request.file, request.revision, run.stop_if_cancelled)
    errands.close(run.folder)
    return {"offers": [offer.to_json() for offer in offers]}


def look(
    repo: str, file: str = "", revision: str = "main", stop_if_cancelled: Callable[[], None] = lambda: None
) -> list[Offer]:
    """The models in a place of the hub, or one of them, and whether they could be trained, for somebody who waits.

    Nothing is fetched but what tells the family, where the hub does not: some kilobytes of the file. One try.

    Raises:
        DownloadError: it is not there, not given, or the hub cannot be reached.
        ModelError: none of them could be used for anything.
    """
    from lab_desktop.models.families import require_family  # loads numpy

    try:
        offers = hub.look_around(repo, file, revision, stop_if_cancelled)
    except Interrupted as lost:
        raise _no_connection(lost, 0) from None
    told = offers[0].architecture
    if not told:  # what is gated says nothing before one has agreed
        with contextlib.suppress(DownloadError, Interrupted):
            told = hub.family(offers[0], stop_if_cancelled)
    require_writer(offers[0].file, told)
    why = ""
    try:
        if told:
            require_family(file.rpartition("/")[2] or repo, told)
    except ModelError as error:
        why = f"{error.message} {error.hint}"
    return [replace(offer, architecture=told, why_not_taught=why) for offer in offers]


def _done(model: Path, run: Run, was_there: bool) -> dict[str, Any]:
    arrivals.sweep(model)
    errands.close(run.folder)
    return {"path": str(model), "size_bytes": model.stat().st_size, "was_there": was_there}


def _agree(request: DownloadRequest, offer: Offer) -> None:
    """The licence must be the one that the person was shown."""
    if request.licence and offer.licence and request.licence != offer.licence:
        raise DownloadError(
            f'"{request.title or request.file}" is given under another licence now: {offer.licence} instead of '
            f"{request.licence}.",
            f"Read it on https://huggingface.co/{request.repo}, and download the model from there if you agree.",
        )


def _note(model: Path, request: DownloadRequest, offer: Offer) -> None:
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    title = request.title or model.stem
    records.write_record(
        model,
        Record(offer.repo, offer.file, offer.revision, offer.sha256, offer.size_bytes, offer.licence, title, now),
    )


def _require_same(model: Path, offer: Offer, run: Run) -> None:
    """A file of that name is there without a record: it is the one that is wanted, or nothing is done."""
    is_same = model.stat().st_size == offer.size_bytes
    if is_same:
        check = hashlib.sha256()
        _add_file(check, model, offer.size_bytes, f"Looking at {model.name}", run)
        is_same = check.hexdigest() == offer.sha256
    if not is_same:
        raise DownloadError(
            f'There is another file called "{model.name}" in {model.parent}.',
            "Remove it on the Models page, or give it another name; then download again.",
        )


class _Arriving:
    """A file while it arrives: what is on the disk, and the check number of it.

    Attributes:
        have: bytes that are there.
    """

    def __init__(self, request: DownloadRequest, offer: Offer, model: Path, run: Run) -> None:
        self._request = request
        self._offer = offer
        self._model = model
        self._run = run
        self._half = arrivals.half(model, offer.sha256)
        self._check = hashlib.sha256()
        self._told = 0.0
        self.have = 0

    def complete(self) -> None:
        """Fetch what is missing, compare, and give the file its name."""
        with disk_errors(self._half, f"the download of {self._model.name}"):
            self._half.parent.mkdir(parents=True, exist_ok=True)
            for other in arrivals.halves(self._model):
                if other != self._half:  # of a version that the hub does not have any more
                    other.unlink()
        self._take_up()
        self._require_space()
        while self.have < self._offer.size_bytes:
            _patiently(self._fetch, self._run, lambda: self.have)
        self._compare()
        with disk_errors(self._model, "The model"):
            self._half.replace(self._model)
            flush_folder(self._model.parent)

    def _take_up(self) -> None:
        """Count what arrived earlier; its end is cut off where it may not have reached the disk."""
        if not self._half.exists():
            return
        with disk_errors(self._half, f"the download of {self._model.name}"):
            size = min(self._half.stat().st_size, self._offer.size_bytes)
            safe = max(0, size - 1) // SAFE_BYTES * SAFE_BYTES
            os.truncate(self._half, safe)
        _add_file(self._check, self._half, self._offer.size_bytes, "Checking what is here already", self._run)
        self.have = safe

    def _require_space(self) -> None:
        needed = self._offer.size_bytes - self.have
        free = shutil.disk_usage(self._half.parent).free
        reserve = self._request.reserve_bytes
        if free < needed + reserve:
            raise StorageError(
                f"{self._request.title or self._model.name} needs {_size(needed)}, and {_size(reserve)} are kept free "
                f"for everything else; {_size(free)} are free. "
                f"{'What has arrived is kept.' if self.have else 'Nothing was downloaded.'}",
                "Free some space, empty the bin of models, or move your models to another disk.",
            )

    def _fetch(self) -> None:
        """Read one connection until it ends.

        Raises:
            Interrupted: it ended too early.
        """
        self._tell()
        with disk_errors(self._half, f"the download of {self._model.name}"), open(self._half, "ab") as file:
            try:
                for place, piece in hub.pieces(self._offer, self.have, self._run.stop_if_cancelled):
                    if place == 0 and self.have:  # the server cannot go on in the middle
                        self._begin_again(file)
                    self._take(piece, file)
            finally:
                file.flush()
                os.fsync(file.fileno())
        if self.have < self._offer.size_bytes:
            raise Interrupted("the connection was lost")

    def _begin_again(self, file: BinaryIO) -> None:
        file.truncate(0)
        self._check = hashlib.sha256()
        self.have = 0

    def _take(self, piece: bytes, file: BinaryIO) -> None:
        piece = piece[: self._offer.size_bytes - self.have]  # more than was announced is not the file
        was, self.have = self.have, self.have + len(piece)
        file.write(piece)
        self._check.update(piece)
        if was // SAFE_BYTES != self.have // SAFE_BYTES:
            file.flush()
            os.fsync(file.fileno())
            self._stop_before_it_is_full()
        if time.monotonic() - self._told > _TELL_S or self.have == self._offer.size_bytes:
            self._tell()

    def _stop_before_it_is_full(self) -> None:
        free = shutil.disk_usage(self._half.parent).free
        if free < self._request.reserve_bytes // 2:  # another program takes the space that was there
            raise StorageError(
                f"The download was stopped before the disk got full: {_size(free)} are free. What has arrived is kept.",
                "Free some space, then go on with the download.",
            )

    def _tell(self) -> None:
        self._told = time.monotonic()
        self._run.progress(_title(self._request), self.have, self._offer.size_bytes)

    def _compare(self) -> None:
        """
        Raises:
            DownloadError: a byte is wrong; all of it is deleted, for nobody can say which.
            ModelError: it is no model; it is deleted.
        """
        if self._check.hexdigest() != self._offer.sha256:
            self._half.unlink(missing_ok=True)
            raise DownloadError(
                f'"{self._model.name}" did not arrive as the hub has it (its check number differs), so it was deleted.',
                "Download it again. If it happens again, try another network.",
            )
        try:
            read_facts(self._half)
        except ModelError as error:
            self._half.unlink(missing_ok=True)
            message = error.message.replace(self._half.name, self._model.name)
            raise ModelError(f"{message} It was deleted.", "Choose another model.", error.details) from error


def _patiently(what: Callable[[], _T], run: Run, count: Callable[[], int] = lambda: 0) -> _T:
    """Try again when the connection is lost, with longer and longer waits; a new byte makes them short again.

    Raises:
        DownloadError: it did not help; what has arrived stays.
    """
    tries, last = 0, count()
    while True:
        try:
            return what()
        except Interrupted as lost:
            have = count()
            tries, last = (1, have) if have > last else (tries + 1, last)
            waits = WAITS_S if have else WAITS_AT_FIRST_S
            if tries > len(waits):
                raise _no_connection(lost, have) from None
            wait = waits[tries - 1] if lost.wait_s is None else min(lost.wait_s, _LONGEST_WAIT_S)
            again = f"{lost.why}; trying again in {wait:.0f} s"
            run.detail(again)
            if wait >= _LONG_WAIT_S:
                run.notice(f"{again[0].upper()}{again[1:]}.")
            _wait(wait, run)


def _no_connection(lost: Interrupted, have: int) -> DownloadError:
    if lost.why == "the hub is busy":
        return DownloadError("The hub is too busy to answer.", "Try again in some minutes.", lost.details)
    kept = f" {_size(have)} have arrived and are kept." if have else ""
    return DownloadError(
        f"The hub cannot be reached: {lost.why}.{kept}",
        "Go on when you are online. Everything but downloading works without.",
        lost.details,
    )


def _wait(seconds: float, run: Run) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        run.stop_if_cancelled()
        time.sleep(min(0.1, max(0.0, end - time.monotonic())))


def _add_file(check: hashlib._Hash, path: Path, total: int, text: str, run: Run) -> None:
    done, told = 0, 0.0
    with disk_errors(path, path.name), open(path, "rb") as file:
        while block := file.read(_BLOCK_BYTES):
            run.stop_if_cancelled()
            check.update(block)
            done += len(block)
            if time.monotonic() - told > _TELL_S:
                told = time.monotonic()
                run.progress(text, done, total)


def _title(request: DownloadRequest) -> str:
    return f"Downloading {request.title or Path(request.file).name}"


def _size(count: int) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.0f} MB"
