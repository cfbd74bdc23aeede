"""README.md against the code: its commands, its map and its links are there, and it stays short."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

import pytest

from lab_desktop import cli
from lab_desktop.models.families import KINDS

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
MAP = README.partition("## Map of the code")[2].partition("\n- **")[0]
BOOKS = [ROOT / "README.md", ROOT / "tests" / "README.md", *ROOT.glob("*/*/README.md"), ROOT / "CHANGELOG.md"]


def commands(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    """The commands of a command line, or of one of its commands."""
    found = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    return dict(found[0].choices) if found else {}


def test_every_command_and_no_other_stands_in_the_table() -> None:
    table = README.partition("| Command | Does |")[2].partition("\n\n")[0]
    first = [row.strip("| ").partition(" | ")[0] for row in table.splitlines()[2:]]
    named = {word for each in first for word in re.findall(r"`([a-z]+)", each)}

    assert named == set(cli.COMMANDS)


@pytest.mark.parametrize("name", ["models", "share"])
def test_the_parts_of_a_command_are_there(name: str) -> None:
    (row,) = [line for line in README.splitlines() if line.startswith(f"| `{name} …`")]
    known = set(commands(commands(cli._parser([name]))[name]))

    assert known - {"list"} == set(re.findall(r"`([a-z-]+)`", row.partition("|")[2].partition("|")[2]))


def test_the_map_names_what_is_there_and_every_room() -> None:
    package = ROOT / "lab_desktop"
    files = set(re.findall(r"[a-z_]+\.py", MAP))
    rooms = {path.name for path in package.iterdir() if (path / "__init__.py").is_file()}

    assert {name for name in files if not (package / name).is_file()} <= {"test_layers.py"}
    assert rooms <= set(re.findall(r"([a-z_]+)/", MAP))


@pytest.mark.parametrize("book", BOOKS, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_link_leads_to_a_file(book: Path) -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", book.read_text(encoding="utf-8"))

    assert [link for link in links if not (book.parent / link).exists()] == []


def test_it_is_read_in_a_few_minutes_and_shows_no_more_than_it_needs() -> None:
    shown = set(re.findall(r"\]\(tests/screenshots/pictures/(.+?)\)", README))

    assert len(README.splitlines()) <= 200
    assert shown == {path.name for path in (ROOT / "tests" / "screenshots" / "pictures").iterdir()}


def test_it_names_the_families_that_can_be_taught() -> None:
    sentence = " ".join(README.split()).partition("a student one of the families")[2].partition("Exit status")[0]

    assert [kind for kind in re.split(", | and ", KINDS) if kind not in sentence] == []
