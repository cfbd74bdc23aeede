"""What a page of the sheet tells the sheet around it: the words above it, and whether one can go on."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Face:
    """
    Attributes:
        about: what the page is for, below the title.
        next: what the button says that goes on; "": there is nothing to go on to.
        why_not: what is missing to go on, in a sentence; "" for nothing.
        status: what stands beside the buttons, after an icon in a colour role.
    """

    about: str = ""
    next: str = ""
    why_not: str = ""
    status: str = ""
    icon: str = "info"
    role: str = "text2"
