"""Git over http on this computer: `git http-backend` behind basic authentication, which misbehaves when it is told to.

    GET  /NAME.git/info/refs?service=git-upload-pack, git-receive-pack     what there is
    POST /NAME.git/git-upload-pack, /NAME.git/git-receive-pack             fetching and pushing

`GitServer.faults` is a queue: the first one is taken by the next request that has its `on` in it. It is real git on a
real socket.
"""

from __future__ import annotations

import base64
import contextlib
import os
import subprocess
import threading
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

PUSH = "POST git-receive-pack"
"""The request that brings the commits of a push."""


@dataclass(frozen=True)
class Fault:
    """What goes wrong with one request.

    Attributes:
        on: in "METHOD SERVICE" of the request: "git-receive-pack" for all of a push, `PUSH` for its commits.
        status, says: answered instead.
        cut_after: bytes of what is sent, then the connection is closed.
        answer_cut_after: bytes of the answer, then the connection is closed.
        loses_answer: git does what it is asked, then the connection is closed.
        before: called before git is asked.
        waits_for: an event that is waited for, after the request has arrived whole.
    """

    on: str
    status: int = 0
    says: str = ""
    cut_after: int | None = None
    answer_cut_after: int | None = None
    loses_answer: bool = False
    before: Callable[[], object] | None = None
    waits_for: threading.Event | None = None


@dataclass
class GitServer:
    """The server's matter and memory.

    Attributes:
        root: the folder of the repositories, NAME.git each.
        accounts: secrets by name; without one of them nobody pushes.
        is_private: without one of them nobody fetches.
        moved: where repositories are now, by the name that redirects there.
        faults: what goes wrong with the next requests.
        asked: "METHOD path" of every request, in order.
        told: (path, user, secret) of every request that had them.
    """

    root: Path
    accounts: dict[str, str] = field(default_factory=dict)
    is_private: bool = False
    moved: dict[str, str] = field(default_factory=dict)
    faults: deque[Fault] = field(default_factory=deque)
    asked: list[str] = field(default_factory=list)
    told: list[tuple[str, str, str]] = field(default_factory=list)
    host: str = ""
    ended: threading.Event = field(default_factory=threading.Event)

    def address(self, name: str) -> str:
        return f"http://{self.host}/{name}.git"

    def repository(self, name: str) -> Path:
        return self.root / f"{name}.git"

    def make(self, name: str, source: Path | None = None) -> Path:
        """A repository: empty, or a copy of another."""
        folder = self.repository(name)
        new = ["init", "-q", "-b", "main"] if source is None else ["clone", "-q"]
        subprocess.run(["git", *new, "--bare", *([] if source is None else [str(source)]), str(folder)], check=True)
        return folder

    def hook(self, name: str, script: str, hook: str = "pre-receive") -> None:
        """Have git run a shell script on the server when it is pushed to."""
        file = self.repository(name) / "hooks" / hook
        file.parent.mkdir(exist_ok=True)
        file.write_text(f"#!/bin/sh\n{script}\n")
        file.chmod(0o755)

    def protect(self, name: str, branch: str) -> None:
        """Refuse every change of a branch, in GitHub's words."""
        refused = f"error: GH006: Protected branch update failed for refs/heads/{branch}."
        self.hook(name, f'[ "$1" = refs/heads/{branch} ] && echo "{refused}" >&2 && exit 1; exit 0', "update")

    @contextlib.contextmanager
    def running(self) -> Iterator[GitServer]:
        """Serve while the `with` lasts."""
        server = _Server(("127.0.0.1", 0), type("Handler", (_Handler,), {"server_of": self}))
        self.host = f"127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield self
        finally:
            self.ended.set()
            server.shutdown()
            server.server_close()
            thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Whoever asked has gone: that is what the tests are about."""


class _Handler(BaseHTTPRequestHandler):
    server_of: GitServer
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def _answer(self) -> None:
        server, address = self.server_of, urlsplit(self.path)
        server.asked.append(f"{self.command} {self.path}")
        service = address.query.removeprefix("service=") or address.path.rpartition("/")[2]
        user, secret = self._who()
        if secret:
            server.told.append((self.path, user, secret))
        fault = self._fault(f"{self.command} {service}")
        body = self._body(fault.cut_after)
        if fault.cut_after is not None:
            self.close_connection = True
            return
        if fault.waits_for is not None:
            while not (fault.waits_for.wait(0.02) or server.ended.is_set()):
                pass
        name, _, rest = address.path.removeprefix("/").partition(".git/")
        if name in server.moved:
            self._send(302, b"", {"location": f"{server.moved[name]}/{rest}?{address.query}"})
        elif fault.status:
            self._send(fault.status, fault.says.encode(), {"content-type": "text/plain"})
        elif (service == "git-receive-pack" or server.is_private) and (not user or server.accounts.get(user) != secret):
            self._send(401, b"", {"www-authenticate": 'Basic realm="git"'})
        else:
            if fault.before is not None:
                fault.before()
            status, headers, answer = self._git(address.path, address.query, user, body)
            if fault.loses_answer:
                self.close_connection = True
            else:
                self._send(status, answer, headers, fault.answer_cut_after)

    def _fault(self, wanted: str) -> Fault:
        faults = self.server_of.faults
        if faults and faults[0].on in wanted:
            return faults.popleft()
        return Fault("")

    def _who(self) -> tuple[str, str]:
        kind, _, pair = self.headers.get("authorization", "").partition(" ")
        user, _, secret = base64.b64decode(pair).decode().partition(":") if kind == "Basic" else ("", "", "")
        return user, secret

    def _body(self, most: int | None) -> bytes:
        if "chunked" not in self.headers.get("transfer-encoding", ""):
            length = int(self.headers.get("content-length", 0))
            return self.rfile.read(length if most is None else min(most, length))
        found = b""
        while (most is None or len(found) < most) and (length := int(self.rfile.readline(), 16)):
            found += self.rfile.read(length)
            self.rfile.readline()
        if most is None:
            self.rfile.readline()
        return found

    def _git(self, path: str, query: str, user: str, body: bytes) -> tuple[int, dict[str, str], bytes]:
        told = {
            "GIT_PROJECT_ROOT": str(self.server_of.root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "REQUEST_METHOD": self.command,
            "CONTENT_TYPE": self.headers.get("content-type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": self.headers.get("content-encoding", ""),
            "GIT_PROTOCOL": self.headers.get("git-protocol", ""),
            "REMOTE_USER": user,
            "REMOTE_ADDR": "127.0.0.1",
        }
        clean = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        done = subprocess.run(
            ["git", "http-backend"], input=body, env=clean | told, capture_output=True, check=False
        )  # fmt: skip
        head, _, answer = done.stdout.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n") if ": " in line)
        return int(headers.pop("Status", "200").split()[0]), headers, answer

    def _send(self, status: int, body: bytes, headers: dict[str, str], most: int | None = None) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[:most])
        self.close_connection = most is not None
