"""The programs that a build needs and the app does not: PyInstaller, patchelf, what makes wheels. Kept in the cache."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

from app.workshop import ROOT, Workshop

LOCK = ROOT / "packaging" / "requirements-build.lock"


def folder(shop: Workshop) -> Path:
    """Where they lie, installed as their lock says; a folder that has its stamp is complete.

    Raises:
        BuildError: they cannot be installed.
    """
    key = hashlib.sha256(LOCK.read_bytes() + sys.version.encode()).hexdigest()[:16]
    target = shop.cache / f"tools-{key}"
    stamp = target / "complete"
    if not stamp.exists():
        shop.say("The tools for building …")
        shop.run(sys.executable, "-m", "pip", "install", "--quiet", "--upgrade", "--target", target, "-r", LOCK)
        if not shop.is_dry:
            stamp.touch()
    return target


def program(shop: Workshop, name: str) -> Path:
    """One of the tools that is a program."""
    return folder(shop) / "bin" / name
