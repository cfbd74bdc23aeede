"""What a child process says: JSON objects, one a line, put together from whatever pieces its pipe gives."""

from __future__ import annotations

import json
from typing import Any


class ChildLines:
    """The lines of one child. Bytes after the last line end wait for the rest of their line."""

    def __init__(self) -> None:
        self._rest = b""

    def hear(self, data: bytes) -> list[dict[str, Any]]:
        """The objects that are whole now; a line that is no JSON object is not the child's word and is left out."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        said = []
        for line in lines:
            try:
                value = json.loads(line)
            except ValueError:
                continue
            if isinstance(value, dict):
                said.append(value)
        return said
