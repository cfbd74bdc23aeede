"""The structure of a Markdown or plain text, as far as cutting it needs: headings, and blocks that belong together."""

from __future__ import annotations

import re
from collections.abc import Iterator

_TABLE_RULE = re.compile(r"\|?[\s:|-]*-[\s:|-]*")
MOST_HEADING = 300
"""Letters. A longer line is a text that happens to begin with #, and must not be lost as a heading."""


def sections(text: str) -> Iterator[tuple[tuple[str, ...], list[list[str]]]]:
    """(headings, blocks) of each section that has text; a block is the lines of a paragraph, table, list or code."""
    headings: list[tuple[int, str]] = []
    blocks: list[list[str]] = []
    block: list[str] = []
    fence = ""
    for line in text.split("\n"):
        bare = line.strip()
        if fence:
            block.append(line)
            if bare.startswith(fence) and not bare.strip(fence[0]):
                fence = ""
            continue
        found = _heading(bare, block)
        if found is not None:
            level, title, underlined = found
            if underlined:
                block = []
            if block:
                blocks.append(block)
            if blocks:
                yield tuple(title for _, title in headings), blocks
            blocks, block = [], []
            headings = [(depth, name) for depth, name in headings if depth < level]
            if title:
                headings.append((level, title))
            continue
        # A blank line ends a block, and so does the edge between a table and a text.
        if block and (not bare or bare.startswith("|") != block[-1].lstrip().startswith("|")):
            blocks.append(block)
            block = []
        if bare:
            block.append(line)
        if bare.startswith(("```", "~~~")):
            fence = bare[: len(bare) - len(bare.lstrip(bare[0]))]
    if block:
        blocks.append(block)
    if blocks:
        yield tuple(title for _, title in headings), blocks


def _heading(bare: str, above: list[str]) -> tuple[int, str, bool] | None:
    """(level, title, the title is the line above) if the line `bare` makes a heading, in either style of Markdown."""
    if len(bare) > MOST_HEADING:
        return None
    if bare.startswith("#"):
        title = bare.lstrip("#")
        level = len(bare) - len(title)
        if level <= 6 and title[:1] in ("", " ", "\t"):
            return level, title.rstrip("#").strip(" \t*_`"), False
    elif len(above) == 1 and len(bare) > 1 and not bare.strip(bare[0]) and bare[0] in "=-":
        title = above[0].strip()
        if not title.startswith(("|", "-", "*", "+", ">")):
            return 1 if bare[0] == "=" else 2, title.strip("*_`"), True
    return None


def is_table(block: list[str]) -> bool:
    """True for a head, a rule and at least one row."""
    return len(block) > 2 and "|" in block[0] and "|" in block[1] and bool(_TABLE_RULE.fullmatch(block[1].strip()))


def is_code(block: list[str]) -> bool:
    """True for a fenced block."""
    return block[0].lstrip().startswith(("```", "~~~"))
