"""Tries that are told as text: what tests of the child process let it do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tests.drills.inputs_child import Try


def tries(scripts: Sequence[str]) -> Iterator[Try]:
    """A try for each script."""

    def do(script: str) -> str:
        exec(script, {})
        return ""

    for script in scripts:
        yield Try("script", "run", lambda script=script: do(script))  # type: ignore[misc]
