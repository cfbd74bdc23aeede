"""The teacher's prompts: resources/prompts/<kind>.yaml, which a person may read and edit.

A prompt is a text with {names}; a judging stage adds a scale (what may be answered, and what each mark is worth), the
mark a row needs, and texts that must fail. This module reads and fills them; it does not know the stages.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from lab_desktop.errors import GenerationError
from lab_desktop.paths import resources


@dataclass(frozen=True)
class JudgingPrompt:
    """A question to the teacher about a row, answered by one mark.

    Attributes:
        name: of the stage: "faithfulness".
        user: the text with {names}.
        scale: what each mark is worth.
        keep: a row needs at least this.
        bad: questions that must get the lowest mark; a teacher is tested with them.
    """

    name: str
    user: str
    scale: dict[str, float]
    keep: float
    bad: tuple[str, ...] = ()

    @property
    def threshold(self) -> float:
        """The expected score from which a row is kept: half-way between `keep` and the mark below it."""
        below = [worth for worth in self.scale.values() if worth < self.keep]
        return (self.keep + max(below)) / 2

    @property
    def best(self) -> str:
        return max(self.scale, key=lambda mark: self.scale[mark])

    @property
    def worst(self) -> str:
        return min(self.scale, key=lambda mark: self.scale[mark])


@dataclass(frozen=True)
class Prompts:
    """The prompts for one kind of leaf.

    Attributes:
        texts: plain prompts by name ("system", "write", …).
        judging: judging stages by name, in the order of the file.
    """

    texts: dict[str, str]
    judging: dict[str, JudgingPrompt] = field(default_factory=dict)

    def text(self, name: str, **values: object) -> str:
        """A plain prompt, filled in and without the blanks around it."""
        return self.texts[name].format(**values).strip()


def load_prompts(name: str, folder: Path | None = None) -> Prompts:
    """The prompts of a file: a kind of leaf ("knowledge"), or "facts" for a teacher that was taught its trade.

    Raises:
        GenerationError: the file is missing or was edited into something that cannot be used; names what.
    """
    path = (folder or resources() / "prompts") / f"{name}.yaml"
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
        texts = {name: value for name, value in data.items() if isinstance(value, str)}
        judging = {name: _judging(name, value) for name, value in data.items() if isinstance(value, dict)}
    except (OSError, UnicodeDecodeError, yaml.YAMLError, AttributeError, KeyError, TypeError, ValueError) as error:
        raise GenerationError(
            f"The prompts in {path} cannot be used: {error}.", "Undo the last change to that file.", repr(error)
        ) from error
    return Prompts(texts, judging)


def _judging(name: str, value: dict[str, Any]) -> JudgingPrompt:
    prompt = JudgingPrompt(
        name=name,
        user=value["user"],
        scale={str(mark): float(worth) for mark, worth in value["scale"].items()},
        keep=float(value["keep"]),
        bad=tuple(value.get("bad", ())),
    )
    if not any(worth < prompt.keep for worth in prompt.scale.values()):
        raise ValueError(f'the scale of "{name}" has no mark below {prompt.keep}')
    return prompt
