"""Who git is at a remote: a secret goes to git by a pipe, and to no other host than its own.

Git is given a helper of one line, which the shell runs, and an open pipe that the helper reads once: the secret is in
no file, no address, no environment and no list of processes. Git asks the helper only for the host that is named.
"""

from __future__ import annotations

import base64
import contextlib
import os
import re
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlsplit

from lab_desktop.errors import LabError, LibraryError
from lab_desktop.files import disk_errors
from lab_desktop.repository.program import Git, end, file_of
from lab_desktop.repository.transfer import checked_address, is_local

_HELPER_S = 10.0
_MOST_LETTERS = 4000
"""Of a name or secret: a pipe takes so much without anybody reading."""


@dataclass(frozen=True)
class Credentials:
    """Who git is at a remote.

    Attributes:
        user, secret: as the remote asks for them.
        host: the only one that is told: "github.com", with the port where there is one.
    """

    user: str
    secret: str
    host: str

    def __repr__(self) -> str:
        return f"Credentials({self.user!r}, host={self.host!r})"


@contextlib.contextmanager
def signed_in(folder: Path, address: str, credentials: Credentials | None) -> Iterator[Git]:
    """Git in one of our own clones, for one command that speaks with a remote.

    Args:
        address: as `checked_address` gives it. Credentials of another host, and of a remote that is reached by ssh or
            is a folder, are left out.

    Raises:
        LibraryError: the secret cannot be a secret.
    """
    settings = {"http.followRedirects": "initial", "push.pushOption": "", "http.lowSpeedTime": "120"}
    if is_local(address):
        settings["protocol.http.allow"] = "always"
    if credentials is None or _host(address) != credentials.host.lower():
        yield Git(folder, is_bare=True, settings=settings)
        return
    with _pipe(credentials) as read:
        scheme = address.partition("://")[0]
        # A shell of Debian knows numbers of one digit only, so the pipe is opened by its name.
        helper = f'!answer() {{ test "$1" = get && cat /dev/fd/{read}; }}; answer'
        settings |= {f"credential.{scheme}://{credentials.host.lower()}.helper": helper, "http.extraHeader": ""}
        try:
            yield Git(folder, is_bare=True, settings=settings, inherited=[read])
        except LabError as error:
            pair = base64.b64encode(f"{credentials.user}:{credentials.secret}".encode()).decode()
            for secret in (credentials.secret, quote(credentials.secret, safe=""), pair):
                error.details = error.details.replace(secret, "…")
            raise


def machine_credentials(address: str) -> Credentials | None:
    """What this computer's own git would sign in with (its credential helpers, as the person set them up), or None.

    Never asks a question. Cost: runs git and the person's helper once.
    """
    try:
        checked = checked_address(address)
    except LibraryError:
        return None
    host = _host(checked)
    if not host:
        return None
    parts = urlsplit(checked)
    lines = [f"protocol={parts.scheme}", f"host={host}", f"path={parts.path.lstrip('/')}"]
    lines += [f"username={parts.username}"] if parts.username else []
    found = dict(line.split("=", 1) for line in _filled("\n".join([*lines, "", ""])).splitlines() if "=" in line)
    user, secret = found.get("username", ""), found.get("password", "")
    return Credentials(user, secret, host) if secret and found.get("host", host).lower() == host else None


def _filled(wanted: str) -> str:
    """What `git credential fill` says with the person's own settings; "" where it knows nothing, or takes too long."""
    with file_of(wanted.encode()) as given, _empty_folder() as empty:
        git = Git(empty, settings={"credential.interactive": "false"}, with_helpers=True)
        process = git.process(("credential", "fill"), with_output=True, given=given)
        try:
            answer, _ = process.proc.communicate(timeout=_HELPER_S)
        except subprocess.TimeoutExpired:
            return ""
        finally:
            end(process)
            process.stdout.close()
            process.stderr.close()
        return str(answer.decode("utf-8", "replace")) if process.poll() == 0 else ""


@contextlib.contextmanager
def _empty_folder() -> Iterator[Path]:
    with disk_errors(Path(tempfile.tempdir or os.sep), "An empty folder"), tempfile.TemporaryDirectory() as empty:
        yield Path(empty)


@contextlib.contextmanager
def _pipe(credentials: Credentials) -> Iterator[int]:
    """The end of a pipe from which a helper can read its answer once."""
    said = (credentials.user, credentials.secret)
    if any(re.search(r"[\x00-\x1f\x7f]", text) or len(text.encode()) > _MOST_LETTERS for text in said):
        raise LibraryError("The sign-in has letters in it that none has.", "Sign in again.")
    read, write = os.pipe()
    try:
        try:
            os.write(write, f"username={credentials.user}\npassword={credentials.secret}\n".encode())
        finally:
            os.close(write)
        yield read
    finally:
        os.close(read)


def _host(address: str) -> str:
    """The host of an address where a password can be asked for, in small letters with its port; else ""."""
    match = re.match(r"https?://(?:[^@/]*@)?((?:[a-z0-9.-]+|\[[0-9a-f:]+\])(?::\d+)?)/?", address, re.IGNORECASE)
    end_of_host = match and address[match.end() - 1 : match.end()] == "/"
    return match[1].lower() if match and (end_of_host or match.end() == len(address)) else ""
