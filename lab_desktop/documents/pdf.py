"""PDF as Markdown."""

from __future__ import annotations

from lab_desktop.documents.converted import Converted, Progress


def from_pdf(data: bytes, name: str, on_progress: Progress) -> Converted:
    """A PDF."""
    raise NotImplementedError
