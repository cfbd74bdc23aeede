"""The models that are offered, with their licences in plain words: resources/models.yaml as values.

Knows nothing of the network, of what is on this computer (`store`) and of what it carries (`fit`).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import yaml

from lab_desktop import paths
from lab_desktop.errors import ModelError

FILE_NAME = "models.yaml"
PRACTICE = "practice"
Role = Literal["chat", "teacher", "student"]
ROLES: tuple[Role, ...] = ("chat", "teacher", "student")


@dataclass(frozen=True)
class Licence:
    """What a person agrees to.

    Attributes:
        id: the hub's name, "apache-2.0".
        name: as people call it.
        means: its consequence in plain words.
        url: where the text stands.
    """

    id: str
    name: str
    means: str
    url: str


@dataclass(frozen=True)
class Entry:
    """A model that is offered.

    Attributes:
        id: one word to name it by on the command line.
        title, about: what it is called, and what it is good for in a sentence.
        repo, file, revision: where it lies on the hub.
        licence: what using it means.
        architecture: of the GGUF file.
        parameters: weights.
        context_tokens: the longest text it can keep in mind.
        size_bytes: a first guess; the hub's own figure counts when it is downloaded.
        roles: what it is good for.
        is_gated: the hub gives it only to those who agreed to its licence there.
    """

    id: str
    title: str
    about: str
    repo: str
    file: str
    licence: Licence
    architecture: str
    parameters: int
    context_tokens: int
    size_bytes: int
    roles: tuple[Role, ...]
    revision: str = "main"
    is_gated: bool = False

    @property
    def is_practice(self) -> bool:
        """It comes with the app and is never downloaded."""
        return self.id == PRACTICE


@lru_cache(maxsize=1)
def catalogue() -> tuple[Entry, ...]:
    """Every model that is offered, the practice model first, then the small before the big.

    Raises:
        ModelError: the installation is damaged.
    """
    try:
        value = yaml.safe_load((paths.resources() / FILE_NAME).read_text(encoding="utf-8"))
        licences = {name: Licence(name, **each) for name, each in value["licences"].items()}
        entries = [
            Entry(**{**each, "licence": licences[each["licence"]], "roles": tuple(each["roles"])})
            for each in value["models"]
        ]
    except (OSError, yaml.YAMLError, AttributeError, KeyError, TypeError, ValueError) as error:
        raise ModelError("The list of models cannot be read.", "Install LAB Desktop again.", repr(error)) from error
    return tuple(sorted(entries, key=lambda entry: (not entry.is_practice, entry.size_bytes)))


def entry(name: str) -> Entry:
    """The entry of an id, in any letters.

    Raises:
        ModelError: there is none; the hint names those that there are.
    """
    for each in catalogue():
        if each.id == name.strip().lower():
            return each
    raise ModelError(
        f'No model called "{name}" is offered.', f"There are: {', '.join(each.id for each in catalogue())}."
    )


def entry_of(repo: str, file: str) -> Entry | None:
    """The entry of a file on the hub, or None."""
    return next((each for each in catalogue() if (each.repo, each.file) == (repo, file)), None)


def licence(name: str) -> Licence:
    """A licence by the hub's name; of one that we have no words for, only the name is known."""
    known = {each.licence.id: each.licence for each in catalogue()}
    return known.get(name) or Licence(
        name,
        name or "not stated",
        "We have no short words for this licence. Read it on the model's page before you use the model.",
        "",
    )
