"""Which models suit this computer: what the Models page and the command line say beside each."""

from __future__ import annotations

from lab_desktop.capacity import Fit, Speed, fit
from lab_desktop.models.catalogue import ROLES, Entry, Role, catalogue
from lab_desktop.models.facts import Facts
from lab_desktop.models.offers import Offer

_BYTES_A_WEIGHT = 0.55
"""Of a file in about four bits, the smallest that is usual: rather too many weights are guessed than too few."""


def fits(entry: Entry, memory_bytes: int, speed: Speed | None) -> dict[Role, Fit]:
    """How well an entry suits this computer in each of its roles; as in `capacity.fit`."""
    return {role: fit(role, entry.size_bytes, entry.parameters, memory_bytes, speed) for role in entry.roles}


def file_fits(facts: Facts, size_bytes: int, memory_bytes: int, speed: Speed | None) -> dict[Role, Fit]:
    """The same of a file that is here: without a template it cannot converse, and not every family can be taught."""
    talks: tuple[Role, ...] = ("chat", "teacher") if facts.has_template else ()
    learns: tuple[Role, ...] = ("student",) if facts.has_template and not facts.why_not_taught else ()
    return {role: fit(role, size_bytes, facts.parameters, memory_bytes, speed) for role in (*talks, *learns)}


def offer_fits(offer: Offer, memory_bytes: int, speed: Speed | None) -> dict[Role, Fit]:
    """The same of a file that the hub has; where nobody tells its weights, they are guessed from its size."""
    roles: tuple[Role, ...] = ("chat", "teacher") if offer.why_not_taught else ROLES
    parameters = offer.parameters or round(offer.size_bytes / _BYTES_A_WEIGHT)
    return {role: fit(role, offer.size_bytes, parameters, memory_bytes, speed) for role in roles}


def best(role: Role, memory_bytes: int, speed: Speed | None) -> Entry:
    """The largest model that suits this computer comfortably in a role, to be named where another one does not.

    Where none does, the practice model: it runs everywhere.
    """
    entries = [entry for entry in catalogue() if role in entry.roles]
    good = [entry for entry in entries if fits(entry, memory_bytes, speed)[role].verdict == "comfortable"]
    return max(good, key=lambda entry: entry.size_bytes, default=catalogue()[0])
