"""The index's file: one SQLite database in the person's own folder, which may be deleted at any time.

A cache and no more: a damaged, outdated or foreign file is replaced by an empty one, and where none can be written a
database in memory serves, which only has to be filled anew each time. Words are found by FTS5; an SQLite without it
compares texts one by one, which is slower and ranks less well.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import filelock

from lab_desktop.taxonomy.index.search import Question

VERSION = 2
COLUMNS = ("title", "description", "questions", "answers", "passages", "documents", "author")
_WEIGHTS = "12, 6, 4, 2, 2, 1, 1"
_FIELDS = ("kind", "questions", "examples", "words", "author", "version", "verdict", "problem", "modified_ns")
_FTS = "fts5"
_BUSY_S = 5.0

Row = tuple[Any, ...]
"""path, stamp, digest, and `_FIELDS` in order."""


class IndexFile:
    """The database, shared by the threads of a process; other processes may have it open too.

    Attributes:
        is_kept: False when it is only in memory, because the file cannot be written.
        is_closed: True after `close`; then nothing is known and nothing is kept.
        starts: how often its contents were thrown away.
    """

    def __init__(self, file: Path, root: str) -> None:
        self._file = file
        self._root = root
        self._lock = threading.RLock()
        self.is_kept = True
        self.is_closed = False
        self.starts = 0
        self._database = self._opened()

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self.is_closed = True
            self._database.close()

    def rows(self) -> list[Row]:
        """Everything that is known of the lessons."""
        sql = f"SELECT path, stamp, digest, {', '.join(_FIELDS)} FROM leaf"
        return [(os.fsdecode(path), *rest) for path, *rest in self._asked(sql)]

    def foreign_changes(self) -> int:
        """Another number whenever another process wrote into the file."""
        return int(next(iter(self._asked("PRAGMA data_version")), (0,))[0])

    def put(self, leaves: Iterable[tuple[Row, str, Iterable[str]]]) -> bool:
        """Keep lessons as they were just read: row, pieces as JSON, words for each of `COLUMNS`. False: not kept."""

        def work(database: sqlite3.Connection) -> None:
            marks = ", ".join("?" * (len(COLUMNS) + 1))
            for row, pieces, words in leaves:
                number = _put_row(database, row)
                database.execute("INSERT OR REPLACE INTO piece VALUES (?, ?)", (number, pieces))
                database.execute("DELETE FROM found WHERE rowid = ?", (number,))
                database.execute(f"INSERT INTO found(rowid, {', '.join(COLUMNS)}) VALUES ({marks})", (number, *words))

        return self._is_written(work)

    def put_rows(self, rows: Iterable[Row]) -> bool:
        """Keep what is known of lessons whose texts are as they were. False: not kept."""

        def work(database: sqlite3.Connection) -> None:
            for row in rows:
                _put_row(database, row)

        return self._is_written(work)

    def drop(self, paths: Iterable[str]) -> bool:
        """Forget lessons. False: not kept."""

        def work(database: sqlite3.Connection) -> None:
            for path in paths:
                key = (os.fsencode(path),)
                for table, column in (("found", "rowid"), ("piece", "leaf")):
                    database.execute(f"DELETE FROM {table} WHERE {column} = (SELECT id FROM leaf WHERE path = ?)", key)
                database.execute("DELETE FROM leaf WHERE path = ?", key)

        return self._is_written(work)

    def pieces(self, path: str) -> str:
        """The pieces of a lesson as JSON, "[]" when it is not known."""
        sql = "SELECT texts FROM piece JOIN leaf ON leaf.id = piece.leaf WHERE path = ?"
        found = self._asked(sql, (os.fsencode(path),))
        return str(found[0][0]) if found else "[]"

    def matching(self, question: Question, limit: int) -> list[tuple[str, float]]:
        """(path, score) of the lessons with every word of the question, best first; those named by it first."""
        if not question.groups:
            return []
        if not self._has_fts():
            return self._matching_slowly(question, limit)
        named = self._ranked(f"{{title}} : ({question.match()})", limit)
        known = {path for path, _ in named}
        return (named + [each for each in self._ranked(question.match(), limit) if each[0] not in known])[:limit]

    def with_any(self, words: Iterable[str], limit: int) -> list[tuple[str, float]]:
        """(path, score) of the lessons that share most with `words` in name, description and questions, best first."""
        wanted = list(dict.fromkeys(words))
        if not wanted:
            return []
        if self._has_fts():
            either = " OR ".join(f'"{word}"{_begun(word)}' for word in wanted)
            return self._ranked(f"{{title description questions}} : ({either})", limit)
        texts = "(title || description || found.questions)"
        score = " + ".join(f"({texts} LIKE ?)" for _ in wanted)
        sql = f"SELECT path, {score} AS score FROM found JOIN leaf ON leaf.id = found.rowid ORDER BY score DESC LIMIT ?"
        found = self._asked(sql, (*(f"% {word}{'%' if _begun(word) else ' %'}" for word in wanted), limit))
        return [(os.fsdecode(path), float(score)) for path, score in found if score]

    def subjects(self, paths: Iterable[str]) -> dict[str, tuple[str, str]]:
        """For each of `paths` that is known: its descriptions and its questions as they are stored."""
        keys = [os.fsencode(path) for path in paths]
        sql = (
            "SELECT path, found.description, found.questions FROM leaf JOIN found ON found.rowid = leaf.id"
            f" WHERE path IN ({', '.join('?' * len(keys))})"
        )
        return {os.fsdecode(path): (description, asked) for path, description, asked in self._asked(sql, tuple(keys))}

    def _ranked(self, match: str, limit: int) -> list[tuple[str, float]]:
        sql = (
            f"SELECT path, -bm25(found, {_WEIGHTS}) AS score FROM found JOIN leaf ON leaf.id = found.rowid"
            " WHERE found MATCH ? ORDER BY score DESC, path LIMIT ?"
        )
        return [(os.fsdecode(path), score) for path, score in self._asked(sql, (match, limit))]

    def _matching_slowly(self, question: Question, limit: int) -> list[tuple[str, float]]:
        patterns = question.likes()
        whole = " AND ".join(f"({' || '.join(f'found.{name}' for name in COLUMNS)}) LIKE ?" for _ in patterns)
        named = " AND ".join("title LIKE ?" for _ in patterns)
        sql = (
            f"SELECT path, {named} AS named FROM found JOIN leaf ON leaf.id = found.rowid WHERE {whole}"
            " ORDER BY named DESC, path LIMIT ?"
        )
        found = self._asked(sql, (*patterns, *patterns, limit))
        return [(os.fsdecode(path), float(named)) for path, named in found]

    def _has_fts(self) -> bool:
        found = self._asked("SELECT 1 FROM sqlite_master WHERE name = 'found' AND sql LIKE 'CREATE VIRTUAL%'")
        return bool(found)

    def _asked(self, sql: str, values: tuple[object, ...] = ()) -> list[tuple[Any, ...]]:
        """The rows of an answer; none where the file turns out to be damaged, which is then begun anew."""
        with self._lock:
            try:
                return self._database.execute(sql, values).fetchall()
            except sqlite3.DatabaseError as error:
                self._recover(error)
                return []

    def _is_written(self, work: Callable[[sqlite3.Connection], None]) -> bool:
        """Do all of `work` or nothing; False when it was nothing."""
        with self._lock:
            try:
                self._database.execute("BEGIN IMMEDIATE")
                work(self._database)
                self._database.execute("COMMIT")
            except sqlite3.DatabaseError as error:
                with contextlib.suppress(sqlite3.Error):
                    self._database.execute("ROLLBACK")
                self._recover(error)
                return False
            except BaseException:
                self._database.execute("ROLLBACK")
                raise
            return True

    def _recover(self, error: sqlite3.DatabaseError) -> None:
        if self.is_closed:
            return
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF
        if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            return  # another process is at work; what was not kept is read again later
        with contextlib.suppress(sqlite3.Error):
            self._database.close()
        damaged = code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR)
        self._database = self._begun_anew() if damaged and self.starts == 0 else self._in_memory()
        self.starts += 1

    def _opened(self) -> sqlite3.Connection:
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            with filelock.FileLock(f"{self._file}.lock", timeout=_BUSY_S):
                database = _connected(self._file)
                try:
                    if _is_ours(database, self._root):
                        return database
                except sqlite3.DatabaseError:
                    pass
                database.close()
                return self._replaced()
        except (OSError, sqlite3.Error, filelock.Timeout):
            return self._in_memory()

    def _begun_anew(self) -> sqlite3.Connection:
        try:
            with filelock.FileLock(f"{self._file}.lock", timeout=_BUSY_S):
                return self._replaced()
        except (OSError, sqlite3.Error, filelock.Timeout):
            return self._in_memory()

    def _replaced(self) -> sqlite3.Connection:
        # Whoever has the old file open keeps it; the next one to open finds the new.
        for ending in ("-wal", "-shm", ""):
            Path(f"{self._file}{ending}").unlink(missing_ok=True)
        database = _connected(self._file)
        _lay_out(database, self._root)
        return database

    def _in_memory(self) -> sqlite3.Connection:
        self.is_kept = False
        database = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        _lay_out(database, self._root)
        return database


def _put_row(database: sqlite3.Connection, row: Row) -> int:
    path, *rest = row
    names = ("stamp", "digest", *_FIELDS)
    sql = (
        f"INSERT INTO leaf(path, {', '.join(names)}) VALUES ({', '.join('?' * (len(names) + 1))}) "
        f"ON CONFLICT(path) DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in names)} RETURNING id"
    )
    return int(database.execute(sql, (os.fsencode(path), *rest)).fetchone()[0])


def _connected(file: Path) -> sqlite3.Connection:
    database = sqlite3.connect(file, timeout=_BUSY_S, isolation_level=None, check_same_thread=False)
    # Readers and a writer do not wait for each other; a power cut may lose the last rows, never the file.
    with contextlib.suppress(sqlite3.DatabaseError):
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = NORMAL")
    return database


def _begun(stem: str) -> str:
    """A stem may go on; very short words are whole ones."""
    return "*" if len(stem) > 3 else ""


def _is_ours(database: sqlite3.Connection, root: str) -> bool:
    if database.execute("PRAGMA user_version").fetchone() != (VERSION,):
        return False
    if database.execute("SELECT root FROM about").fetchall() != [(os.fsencode(root),)]:
        return False
    # A look into each table: a torn file is mostly noticed here.
    for table in ("leaf", "piece", "found"):
        database.execute(f"SELECT * FROM {table} LIMIT 1").fetchone()
    return True


def _lay_out(database: sqlite3.Connection, root: str) -> None:
    """All tables, in one step: a kill leaves a file of version 0, which is replaced the next time."""
    database.execute("BEGIN IMMEDIATE")
    database.execute("CREATE TABLE about (root BLOB)")
    database.execute("INSERT INTO about VALUES (?)", (os.fsencode(root),))
    fields = ", ".join(_FIELDS)
    database.execute(f"CREATE TABLE leaf (id INTEGER PRIMARY KEY, path BLOB UNIQUE, stamp, digest, {fields})")
    database.execute("CREATE TABLE piece (leaf INTEGER PRIMARY KEY, texts TEXT)")
    columns = ", ".join(COLUMNS)
    try:
        # Our words are ASCII letters and digits, and all that is not ASCII: just what this one splits at blanks.
        database.execute(f"CREATE VIRTUAL TABLE found USING {_FTS}({columns}, tokenize = 'ascii', prefix = '2 3')")
    except sqlite3.OperationalError:
        database.execute(f"CREATE TABLE found (rowid INTEGER PRIMARY KEY, {columns})")
    database.execute(f"PRAGMA user_version = {VERSION}")
    database.execute("COMMIT")
