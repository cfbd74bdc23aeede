"""Documents that are archives of XML: opened only where they are what they say, whatever was put into them."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Iterable
from xml.etree.ElementTree import Element

import defusedxml.ElementTree
from defusedxml import DefusedXmlException

from lab_desktop.errors import DocumentError

_MOST_ENTRIES = 20_000
_MOST_UNPACKED = 100_000_000
"""Bytes of all the texts that are read, together."""
_MOST_PICTURE = 20_000_000
_DEEPEST_XML = 256
_DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, NotImplementedError, RuntimeError, KeyError)


class Archive:
    """The texts of a document that is an archive.

    Attributes:
        names: of its files, as it spells them.
    """

    def __init__(self, data: bytes, name: str) -> None:
        """
        Raises:
            DocumentError: it is damaged, locked with a password, or has a file that leads out of it or comes twice.
        """
        self._name = name
        self._read = 0
        try:
            self._archive = zipfile.ZipFile(io.BytesIO(data))
            entries = self._archive.infolist()
        except _DAMAGE as error:
            raise self._damaged(str(error)) from error
        self.names = [entry.filename for entry in entries]
        if len(entries) > _MOST_ENTRIES or len(set(self.names)) < len(entries):
            raise self._harmful("it holds the same file twice or far too many")
        for entry in self.names:
            if entry.startswith(("/", "\\")) or ".." in entry.replace("\\", "/").split("/") or entry[1:2] == ":":
                raise self._harmful(f'a file in it would lie outside of it ("{entry[:60]}")')
        if any(entry.flag_bits & 1 for entry in entries):
            raise DocumentError(f'"{name}" is locked with a password.', "Save it without one, then choose it again.")

    def read(self, entry: str) -> bytes:
        """One of its files; never more than the document may have in all, whatever its head says.

        Raises:
            DocumentError: there is no such file, it is damaged, or unpacks to far too much.
        """
        try:
            with self._archive.open(entry) as stream:
                data = stream.read(_MOST_UNPACKED - self._read + 1)
        except _DAMAGE as error:
            raise self._damaged(f"{entry}: {error}") from error
        self._read += len(data)
        if self._read > _MOST_UNPACKED:
            raise self._harmful(f"it unpacks to more than {_MOST_UNPACKED // 1_000_000} MB of text")
        return data

    def picture(self, entry: str) -> bytes | None:
        """One of its files that is a picture; None where there is none, or it is damaged or far too large."""
        try:
            with self._archive.open(entry) as stream:
                data = stream.read(_MOST_PICTURE + 1)
        except _DAMAGE:
            return None
        return data if len(data) <= _MOST_PICTURE else None

    def xml(self, entry: str) -> Element:
        """One of its files as XML. Entities are not expanded and nothing outside is looked up.

        Raises:
            DocumentError: as in `read`; it is no XML, or defines entities, or is nested too deeply.
        """
        return self.parsed(entry, self.read(entry))

    def parsed(self, entry: str, data: bytes) -> Element:
        """As `xml`, of bytes that were read before."""
        depth = 0
        root: Element | None = None
        try:
            for event, element in defusedxml.ElementTree.iterparse(
                io.BytesIO(data), events=("start", "end"), forbid_dtd=False, forbid_entities=True, forbid_external=True
            ):
                if event == "start":
                    depth += 1
                    root = element if root is None else root
                    if depth > _DEEPEST_XML:
                        raise self._harmful("its parts are nested far too deeply")
                else:
                    depth -= 1
        except DefusedXmlException as error:
            raise self._harmful("it defines entities, which documents do not need") from error
        except (SyntaxError, ValueError, LookupError) as error:  # xml.etree's ParseError is a SyntaxError
            raise self._damaged(f"{entry}: {error}") from error
        if root is None:
            raise self._damaged(f"{entry} is empty")
        return root

    def only(self, entries: Iterable[str], names_of: Iterable[str] = ()) -> io.BytesIO:
        """An archive of some of its files, each checked as XML: for a library that reads archives by itself.

        Args:
            names_of: files in whose place their names are.

        Raises:
            DocumentError: as in `xml`.
        """
        copy = io.BytesIO()
        with zipfile.ZipFile(copy, "w", zipfile.ZIP_STORED) as archive:
            for entry in names_of:
                archive.writestr(entry, entry)
            for entry in entries:
                data = self.read(entry)
                if data.strip():
                    self.parsed(entry, data)
                    archive.writestr(entry, data)
        copy.seek(0)
        return copy

    def _damaged(self, details: str) -> DocumentError:
        return DocumentError(
            f'"{self._name}" is damaged: a part of it cannot be read.', "Copy or download it again.", details
        )

    def _harmful(self, why: str) -> DocumentError:
        return DocumentError(
            f'"{self._name}" was not opened: {why}. It may be made to do harm.',
            "If you trust it, open it in the program that made it and save it anew.",
        )
