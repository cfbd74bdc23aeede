"""Where contributions go: the community's taxonomy, a team's repository, or a file.

The team's repository that was used last is kept in destinations.json in the person's folder.
"""

from __future__ import annotations

import hashlib
import ipaddress
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, get_args
from urllib.parse import SplitResult, unquote, urlsplit

from lab_desktop import paths
from lab_desktop.errors import LibraryError, RunError
from lab_desktop.files import read_json, write_json
from lab_desktop.repository.transfer import checked_address

COMMUNITY = "https://github.com/instructlab/taxonomy"
"""The community's own repository."""
DOCUMENTS = "taxonomy-documents"
"""What the repository for documents is called, made under the person's name where there is none."""
FILE_NAME = "destinations.json"
PACK = ".labpack"

Forge = Literal["github", "gitlab", ""]

_LONGEST = 2000
_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?|\[[0-9a-f:.]+\](:[0-9]{1,5})?")
_PART = re.compile(r"[A-Za-z0-9_][\w.+-]{0,99}", re.ASCII)


@dataclass(frozen=True)
class Destination:
    """One place.

    Attributes:
        kind: "community" and "team" are git remotes; "file" is a .labpack on this computer.
        address: of the git repository (https, ssh, file); of a file its absolute path.
        forge: who takes pull requests there: "" nobody does, then the branch is pushed and its page told.
        api: base address of the forge's programming interface; "" for none.
        documents: address of the repository that takes the documents of facts; "" with a forge: the person's own,
            made where missing; without a forge: the documents go along in the same branch.
    """

    kind: Literal["community", "team", "file"]
    address: str
    forge: Forge = ""
    api: str = ""
    documents: str = ""

    @property
    def name(self) -> str:
        """As a person would say it: "instructlab/taxonomy", "the file velmora.labpack"."""
        if self.kind == "file":
            return f"the file {Path(self.address).name}"
        parts = urlsplit(self.address)
        if parts.scheme == "file":
            return f"the folder {Path(unquote(parts.path)).name}"
        return self.full_name if self.forge else f"{self.full_name} on {parts.hostname}"

    @property
    def host(self) -> str:
        """Where an account is for it: "github.com", with the port where there is one; "" for a file or a folder."""
        if self.kind == "file":
            return ""
        parts = urlsplit(self.address)
        # ssh has a port, and sometimes a name, of its own.
        return _asked_of_ssh(parts) if self.forge and parts.scheme == "ssh" else parts.netloc.rpartition("@")[2]

    @property
    def full_name(self) -> str:
        """OWNER/NAME at its host, on GitLab with all groups; "" for a file."""
        if self.kind == "file":
            return ""
        return unquote(urlsplit(self.address).path).strip("/").removesuffix(".git")


def destination(address: str, forge: Forge | None = None) -> Destination:
    """What an address that a person typed or pasted stands for.

    Also takes the page of a repository as copied from a browser, "OWNER/NAME" (on GitHub), and a folder. The forge is
    found by the host's name (github.com, gitlab.com, and hosts called github or gitlab); None: find it, else as told.
    The path of a .labpack is a file.

    Raises:
        LibraryError: it is none, or has a password in it.
    """
    text = address.strip()
    if not text or len(text) > _LONGEST or not text.isprintable():
        raise _none()
    is_pack = text.endswith(PACK) and "://" not in text
    if is_pack or re.match(r"[/~\\]|\.{1,2}([/\\]|$)|[A-Za-z]:[/\\]", text):
        return _on_this_computer(Path(text))
    if "://" not in text and "@" not in text:
        if re.fullmatch(rf"{_PART.pattern}/{_PART.pattern}", text, re.ASCII) and not _names_a_host(text):
            text = f"github.com/{text}"
        if not _names_a_host(text):
            raise _none()
        text = f"https://{text}"
    return _remote(text, forge)


def team() -> Destination | None:
    """The team's repository that was used last, or None."""
    try:
        kept = read_json(paths.user_data() / FILE_NAME, "team")["team"]
        return _checked(Destination(**{name: str(value) for name, value in kept.items()}))  # type: ignore[arg-type]
    except (RunError, LibraryError, AttributeError, TypeError, ValueError):
        return None


def keep_team(chosen: Destination) -> None:
    """
    Raises:
        StorageError
    """
    write_json(paths.user_data() / FILE_NAME, {"team": asdict(chosen)})


def hidden_clone(chosen: Destination) -> Path:
    """Where the hidden clone of this destination is kept: the same address, the same folder."""
    return hidden_clone_of(chosen.address)


def hidden_clone_of(address: str) -> Path:
    """As `hidden_clone`, of a repository that is no destination, such as that of the documents."""
    parts = urlsplit(address)
    same = f"{parts.netloc.rpartition('@')[2]}{parts.path.removesuffix('.git')}"
    digest = hashlib.sha256(same.encode()).hexdigest()[:16]
    readable = re.sub(r"[^a-z0-9]+", "-", parts.path.removesuffix(".git").lower()).strip("-")[-40:]
    return paths.contributions() / ".clones" / f"{readable or 'clone'}-{digest}"


def api_of(forge: Forge, host: str) -> str:
    """Base address of a forge's programming interface.

    Source: https://docs.github.com/en/rest/using-the-rest-api/getting-started-with-the-rest-api, and that of GitHub
    Enterprise; https://docs.gitlab.com/api/rest/

    Args:
        host: with its port where there is one.
    """
    base = f"{'http' if is_local(host) else 'https'}://{host}"
    if forge == "gitlab":
        return f"{base}/api/v4"
    if forge == "github":
        return f"https://api.{host}" if host == "github.com" or host.endswith(".ghe.com") else f"{base}/api/v3"
    return ""


def is_at(api: str, host: str) -> bool:
    """True where an interface is the host's own and what is sent there cannot be read on the way."""
    try:
        parts = urlsplit(api)
    except ValueError:
        return False
    told, own = parts.hostname or "", urlsplit(f"//{host}").hostname or ""
    is_safe = parts.scheme == "https" or (parts.scheme == "http" and is_local(parts.netloc))
    return is_safe and bool(_HOST.fullmatch(host)) and told in (own, f"api.{own}")


def is_local(host: str) -> bool:
    """True for this computer itself, where nothing that is sent goes over a wire."""
    name = urlsplit(f"//{host}").hostname or ""
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name == "localhost"


def _on_this_computer(path: Path) -> Destination:
    try:
        whole = path.expanduser().absolute()
        if path.suffix == PACK:
            return Destination("file", str(whole))
        is_folder = whole.is_dir()
    except (OSError, RuntimeError, ValueError):
        raise _none() from None
    if not is_folder:
        raise LibraryError(f'There is no folder "{path.name}" at that place.', "Check its spelling, or make it first.")
    return Destination("team", whole.as_uri())


def _remote(text: str, forge: Forge | None) -> Destination:
    scheme, _, rest = text.partition("://")
    if " " in text and scheme.lower() != "file":
        raise _none()
    is_short = not rest  # git@host:path
    if scheme.lower() == "file":
        return _on_this_computer(Path(unquote(urlsplit(text).path)))
    if is_short or scheme.lower() == "ssh":
        return _known(_ssh(text), forge)
    if scheme.lower() not in ("https", "http"):
        raise _none()
    parts = _split(text)
    if "@" in parts.netloc:
        raise LibraryError(
            "The address has a name or a password in it.",
            "Leave out what stands before the @; you sign in apart from the address.",
        )
    host = parts.netloc.lower().removeprefix("www.")
    if parts.scheme == "http" and not is_local(host):
        raise LibraryError(
            f"The way to {host} would not be encrypted, so nothing is sent there.", "Write https:// instead of http://."
        )
    path = parts.path.strip("/")
    found = _forge_of(host) if forge is None else forge
    if found == "github":
        path = "/".join(path.split("/")[:2])
    if found == "gitlab":
        path = path.partition("/-/")[0]
    return _known(f"{parts.scheme}://{host}/{path.removesuffix('.git') if found else path}", forge)


def _ssh(text: str) -> str:
    """
    Raises:
        LibraryError: as `destination`. What was typed is not repeated: it may hold a password.
    """
    try:
        address = checked_address(text)
    except LibraryError as error:
        raise (_none() if text[:200] in error.message else error) from None
    parts = _split(address)
    user, _, host = parts.netloc.rpartition("@")
    return f"ssh://{user}{'@' if user else ''}{host.lower()}/{parts.path.strip('/')}"


def _known(address: str, forge: Forge | None) -> Destination:
    parts = _split(address)
    host = parts.netloc.rpartition("@")[2]
    found = _forge_of(host) if forge is None else forge
    steps = unquote(parts.path).removesuffix(".git").strip("/").split("/")
    if not _HOST.fullmatch(host) or not all(_PART.fullmatch(step) for step in steps if found or step[:1] == "-"):
        raise _none()
    if not steps[0] or any(step in (".", "..") for step in steps):
        raise _none()
    if found and (len(steps) < 2 or (found == "github" and len(steps) != 2)):
        raise LibraryError(
            f"That is an address at {host}, but none of a repository.", f"It looks like https://{host}/OWNER/NAME."
        )
    kind: Literal["community", "team"] = "community" if address.lower() == COMMUNITY else "team"
    asked = _asked_of_ssh(parts) if parts.scheme == "ssh" else host
    return Destination(kind, COMMUNITY if kind == "community" else address, found, api_of(found, asked))


def _checked(kept: Destination) -> Destination:
    """
    Raises:
        LibraryError: the file was changed to something that is no destination of ours.
    """
    if kept.kind == "file" or kept.kind not in ("team", "community") or kept.forge not in get_args(Forge):
        raise _none()
    if urlsplit(kept.address).scheme == "file":
        return Destination("team", kept.address, documents=kept.documents)
    destination(kept.address, kept.forge)
    if kept.forge and not is_at(kept.api, kept.host):
        raise _none()
    return kept


def _split(text: str) -> SplitResult:
    try:
        parts = urlsplit(text)
        if not parts.hostname or parts.port == 0:
            raise ValueError
    except ValueError:
        raise _none() from None
    return parts


def _asked_of_ssh(parts: SplitResult) -> str:
    return (parts.hostname or "").removeprefix("ssh.").removeprefix("altssh.")


def _forge_of(host: str) -> Forge:
    name = (urlsplit(f"//{host}").hostname or "").removeprefix("ssh.").removeprefix("altssh.")
    if name == "github.com" or name.endswith(".ghe.com") or name.startswith("github."):
        return "github"
    return "gitlab" if name.startswith("gitlab.") else ""


def _names_a_host(text: str) -> bool:
    """ "git.example.org/lessons" has one; an owner on GitHub has no dot in the name."""
    return "." in text.partition("/")[0]


def _none() -> LibraryError:
    return LibraryError(
        "That is not an address of a repository.",
        "It looks like https://github.com/OWNER/NAME; git@host:OWNER/NAME and a folder do as well.",
    )
