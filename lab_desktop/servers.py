"""A model elsewhere: the address of an OpenAI-compatible server, where it is, and whether the person agreed to it.

`Server` is a value and opens no connection (`models/remote.py` does). Agreements are in the person's own folder,
servers.json: to which servers text may go. Keys are in the system's keyring and nowhere else (`keys.py`).
"""

from __future__ import annotations

import ipaddress
import time
from dataclasses import dataclass, replace
from enum import StrEnum
from urllib.parse import SplitResult, urlsplit

from lab_desktop import paths
from lab_desktop.errors import RunError, ServerError
from lab_desktop.files import read_json, write_json

FILE_NAME = "servers.json"
KEYS = "LAB Desktop teacher"
"""The service under which servers' keys are kept in the keyring; the name is `Server.origin`."""
_SCHEMES = ("http://", "https://")
_HOME_NETWORKS = (".local", ".lan", ".home", ".internal", ".localdomain", ".home.arpa")
"""Endings of names that mean a computer in the same network (RFC 6762, RFC 8375, and what routers use)."""
_LONGEST = 2000


class Place(StrEnum):
    """Where a server is, by its address."""

    HERE = "on this computer"
    NEAR = "in this network"
    AWAY = "on the internet"


@dataclass(frozen=True)
class Server:
    """A model on a server.

    Attributes:
        address: what requests go below, without a slash at its end: "https://host:8000/v1".
        model: what the server calls it; "" while none is chosen.
    """

    address: str
    model: str = ""

    def __str__(self) -> str:
        return f"{self.address}#{self.model}" if self.model else self.address

    @property
    def host(self) -> str:
        """For people: the computer's name, and its port where that is told."""
        return urlsplit(self.address).netloc

    @property
    def origin(self) -> str:
        """What a key and an agreement are for: the address without its path."""
        parts = urlsplit(self.address)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def place(self) -> Place:
        return _place(urlsplit(self.address).hostname or "")

    @property
    def is_encrypted(self) -> bool:
        return self.address.startswith("https://")

    @property
    def notice(self) -> str:
        """What it means to use it, in plain words."""
        if self.place is Place.HERE:
            return f"{self.host} is another program on this computer. Text goes to it, and nowhere else from here."
        words = (
            f"The text of your lessons and what is written from it leaves this computer and goes to {self.host}. "
            "Whoever runs that server can read it."
        )
        if not self.is_encrypted:
            words += " The way there is not encrypted: others in your network could read it too."
        return words

    def with_model(self, model: str) -> Server:
        return replace(self, model=model)


def is_address(text: str) -> bool:
    """True for a text that names a server and not a file."""
    return text.strip().lower().startswith(_SCHEMES)


def parse(text: str) -> Server:
    """The server that a person means: "https://host/v1#model"; "/v1" where no path is told.

    Raises:
        ServerError: it is no address, or one that must not be used: it names a person or a password, or would send
            text over the internet without encryption.
    """
    address, _, model = text.strip().partition("#")
    parts = _split(address)
    if parts.username is not None or parts.password is not None:
        raise ServerError(
            "The address has a name or a password in it.", "Leave out what stands before the @; a key is kept apart."
        )
    if parts.query:
        raise ServerError("The address has a question mark in it.", "Leave out the question mark and what follows it.")
    path = parts.path.rstrip("/").removesuffix("/chat/completions").removesuffix("/models")
    server = Server(f"{parts.scheme}://{parts.netloc.lower()}{path or '/v1'}", model.strip())
    if not server.is_encrypted and server.place is Place.AWAY:
        raise ServerError(
            f"{server.host} is on the internet, and the way there would not be encrypted.",
            "Write https:// instead of http://. Without encryption only this computer and your own network will do.",
        )
    return server


def has_agreed(server: Server) -> bool:
    """True where no text leaves the computer, or the person agreed that it goes to this server."""
    return server.place is Place.HERE or server.origin in _agreed()


def agree(server: Server) -> None:
    """Note that the person read the notice and agreed; it holds for this server until it is withdrawn.

    Raises:
        StorageError: it could not be written.
    """
    _write({**_agreed(), server.origin: time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())})


def withdraw(server: Server) -> None:
    """Forget the agreement.

    Raises:
        StorageError: it could not be written.
    """
    agreed = _agreed()
    if agreed.pop(server.origin, None) is not None:
        _write(agreed)


def require_agreed(server: Server) -> None:
    """
    Raises:
        ServerError: text would leave this computer, and nobody agreed to that.
    """
    if not has_agreed(server):
        raise ServerError(
            f"Nobody has agreed yet that text goes to {server.host}, so nothing was sent.",
            f"Agree to it under Improve, or on the command line: lab-desktop server {server.address} --agree",
            server.notice,
        )


def _agreed() -> dict[str, str]:
    """A file that is missing or damaged agrees to nothing."""
    try:
        agreed = read_json(paths.user_data() / FILE_NAME, "agreed")["agreed"]
    except RunError:
        return {}
    return {str(origin): str(when) for origin, when in agreed.items()} if isinstance(agreed, dict) else {}


def _write(agreed: dict[str, str]) -> None:
    write_json(paths.user_data() / FILE_NAME, {"agreed": agreed})


def _split(address: str) -> SplitResult:
    try:
        parts = urlsplit(address)
        is_whole = bool(parts.hostname) and parts.scheme in ("http", "https") and parts.port != 0
    except ValueError:  # a port that is no number, a bracket that is not closed
        is_whole = False
    if not is_whole or len(address) > _LONGEST or any(sign.isspace() or not sign.isprintable() for sign in address):
        raise ServerError(
            f'"{address[:80]}" is no address of a server.', "It looks like https://teacher.example.org/v1, for example."
        )
    return parts


def _place(host: str) -> Place:
    try:
        number = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        name = host.lower().rstrip(".")
        if name == "localhost" or name.endswith(".localhost"):
            return Place.HERE
        return Place.NEAR if "." not in name or name.endswith(_HOME_NETWORKS) else Place.AWAY
    return place_of(number)


def place_of(number: ipaddress.IPv4Address | ipaddress.IPv6Address) -> Place:
    """Where a computer with this number is."""
    number = getattr(number, "ipv4_mapped", None) or number
    if number.is_loopback:
        return Place.HERE
    return Place.NEAR if (number.is_private or number.is_link_local) and not number.is_unspecified else Place.AWAY
