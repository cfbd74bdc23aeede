"""Where the person is in the library: what the page's parts tell each other about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Mode = Literal["topic", "search", "changes", "bin"]


@dataclass
class Hand:
    """
    Attributes:
        mode: what the middle shows.
        topic: path of the topic that is shown, or was last.
        path: of the lesson or topic in hand; "" none.
    """

    mode: Mode = "topic"
    topic: str = "knowledge"
    path: str = ""
