"""What was done of a contribution, one line for each step in steps.jsonl, appended when the step is done.

    {"step": "commit", "to": "https://…", "commit": "9f…", "identity": "c0…", "at": 1763780000.0}

A step counts for the destination that it was done for: one that is chosen later begins anew.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from lab_desktop.files import JsonLines

FILE_NAME = "steps.jsonl"
Step = Literal["documents", "fork", "pushing", "commit", "request", "file", "noted"]
"""In their order; "pushing" names the commit before it goes out, so that a push that was cut is known again."""
_MOST = 1e15


@dataclass(frozen=True)
class Done:
    """What was done of a contribution so far.

    Attributes:
        documents: (address, commit) of its documents; ("", "") before, and for skills.
        fork: OWNER/NAME, or "".
        commit: of the lesson, as it is at the destination; "" before it was pushed.
        number, page: of the pull request, or the branch's page; 0, "".
        file: of a .labpack that was written, or None.
        at: when the last step was done.
        login: who sent it, as the host calls them; "".
        identity: of what is there (`contributions.identity`), "" before.
        documents_identity: of the documents that are there (`Frozen.documents_identity`), "" before.
        commits: every commit that was pushed, or was about to be, with its identity.
        pushed_at: when the lesson was pushed last.
        noted: identity of what the library was told of.
    """

    documents: tuple[str, str] = ("", "")
    fork: str = ""
    commit: str = ""
    number: int = 0
    page: str = ""
    file: Path | None = None
    at: float = 0.0
    login: str = ""
    identity: str = ""
    documents_identity: str = ""
    commits: Mapping[str, str] = field(default_factory=dict)
    pushed_at: float = 0.0
    noted: str = ""


def note(folder: Path, step: Step, to: str, **facts: Any) -> None:
    """Note that a step is done; when this returns it is on disk.

    Args:
        to: the destination's address.

    Raises:
        StorageError
    """
    journal = JsonLines(folder / FILE_NAME)
    try:
        journal.append({"step": step, "to": to, **facts, "at": time.time()})
    finally:
        journal.close()


def done(folder: Path, to: str) -> Done:
    """What the journal says of a destination; a damaged line does not count, and what it said is found again."""
    rows = list(_rows(folder / FILE_NAME, to))
    last = {str(row.get("step")): row for row in rows}

    def text(step: Step, name: str) -> str:
        value = last.get(step, {}).get(name)
        return value if isinstance(value, str) else ""

    def number(step: Step, name: str) -> float:
        return _number(last.get(step, {}).get(name))

    pushed = [row for row in rows if row.get("step") in ("pushing", "commit")]
    file = text("file", "file")
    moments = [_number(row.get("at")) for row in rows]
    return Done(
        documents=(text("documents", "address"), text("documents", "commit")),
        fork=text("fork", "fork"),
        commit=text("commit", "commit"),
        number=int(number("request", "number")),
        page=text("request", "page") or text("commit", "page"),
        file=Path(file) if file else None,
        at=max(moments, default=0.0),
        login=text("fork", "login"),
        identity=text("file" if file else "commit", "identity"),
        documents_identity=text("documents", "identity"),
        commits={str(row.get("commit", "")): str(row.get("identity", "")) for row in pushed},
        pushed_at=float(number("commit", "at")),
        noted=text("noted", "identity"),
    )


def _rows(file: Path, to: str) -> Iterator[dict[str, Any]]:
    try:
        lines = file.read_bytes().split(b"\n")[:-1]
    except OSError:
        return  # each step asks the remote before it acts
    for line in lines:
        with contextlib.suppress(ValueError, RecursionError):
            row = json.loads(line)
            if isinstance(row, dict) and row.get("to") == to:
                yield row


def _number(value: Any) -> float:
    """0 for what is none, or is larger than any moment and any number of a request."""
    return value if isinstance(value, int | float) and abs(value) < _MOST else 0
