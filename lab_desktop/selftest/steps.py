"""What a self-test tries, in order, and what it says about each step: JSON lines, for whoever started it.

    {"event": "began", "step": "chat"}
    {"event": "ended", "step": "chat", "state": "ok", "seconds": 4.1, "fact": "31 words, 19 a second", "text": "", …}
    {"event": "closed", "memory_bytes": 1400000000}
The last line means that it went to its end; without it, it was stopped or died.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

State = Literal["ok", "failed", "left out"]
_STATES: dict[str, State] = {"ok": "ok", "failed": "failed", "left out": "left out"}


@dataclass(frozen=True)
class Step:
    """Something that is tried.

    Attributes:
        limit_s: after so long it has failed.
        needs: a step without whose result it cannot be tried; "": none.
    """

    name: str
    title: str
    limit_s: float
    needs: str = ""


STEPS = (
    Step("window", "The window opens and shows its pages", 120),
    Step("chat", "The practice model answers", 120),
    Step("practice", "It writes practice questions", 600),
    Step("train", "A model is trained", 600, "practice"),
    Step("export", "The trained model becomes one small file", 300, "train"),
    Step("taught", "The trained model answers", 120, "export"),
    Step("document", "A document is read", 90),
    Step("page", "A page of it is drawn", 90),
    Step("end", "Everything is closed and cleaned up", 60),
)
SILENCE_S = 660.0
"""Who says nothing for so long, not even that a step took too long, hangs."""


@dataclass(frozen=True)
class Outcome:
    """How a step ended.

    Attributes:
        fact: what was seen, in a few words.
        text, hint, details: of one that failed or was left out: what happened, what to do, more for a report.
    """

    step: str
    state: State
    seconds: float = 0.0
    fact: str = ""
    text: str = ""
    hint: str = ""
    details: str = ""

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @staticmethod
    def from_json(said: dict[str, Any]) -> Outcome:
        """
        Raises:
            KeyError, TypeError, ValueError: it is none of ours.
        """
        words = {name: str(said.get(name, "")) for name in ("fact", "text", "hint", "details")}
        return Outcome(str(said["step"]), _STATES[said["state"]], float(said["seconds"]), **words)


def title(name: str) -> str:
    """What a step is called."""
    return next((step.title for step in STEPS if step.name == name), name)


class Course:
    """A self-test as it goes, put together from what it says.

    Attributes:
        outcomes: of the steps that ended, in order.
        now: the step in hand; "" between them.
        memory_bytes: the most that all of its processes held at once; 0 before its end.
        is_closed: it went to its end.
    """

    def __init__(self) -> None:
        self.outcomes: list[Outcome] = []
        self.now = ""
        self.memory_bytes = 0
        self.is_closed = False

    def hear(self, said: dict[str, Any]) -> Outcome | None:
        """Take in a line; gives the outcome that it tells. What is not ours is left out."""
        try:
            if said.get("event") == "began":
                self.now = str(said["step"])
            elif said.get("event") == "ended":
                outcome = Outcome.from_json(said)
                self.outcomes.append(outcome)
                self.now = ""
                return outcome
            elif said.get("event") == "closed":
                self.memory_bytes = int(said["memory_bytes"])
                self.is_closed = True
        except (KeyError, TypeError, ValueError):
            pass
        return None

    def broken(self, details: str, is_late: bool = False) -> list[Outcome]:
        """It ended without its last line: the step in hand failed, the others could not be tried; adds and gives both.

        Args:
            is_late: it was ended because it said nothing any more.
        """
        done = {outcome.step for outcome in self.outcomes}
        left = [step.name for step in STEPS if step.name not in done]
        first = self.now or (left[0] if left else STEPS[-1].name)
        text = "It hung and was ended." if is_late else "The program ended in the middle of it."
        added = [Outcome(first, "failed", 0.0, "", text, "Send the details to who helps you.", details)]
        added += [Outcome(name, "left out", text="The program was gone.") for name in left if name != first]
        self.outcomes += added
        self.now = ""
        return added

    @property
    def failed(self) -> list[Outcome]:
        return [outcome for outcome in self.outcomes if outcome.state == "failed"]

    @property
    def has_passed(self) -> bool:
        """Every step went well."""
        return self.is_closed and [each.step for each in self.outcomes if each.state == "ok"] == [s.name for s in STEPS]

    @property
    def verdict(self) -> str:
        """A sentence about the whole."""
        if self.has_passed:
            return "Everything works, without a network, and nothing of yours was touched."
        count = len(self.failed)
        return f"{count} of {len(STEPS)} steps failed." if count else "It was stopped before its end."
