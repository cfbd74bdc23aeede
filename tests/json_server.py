"""What the hosts of repositories in tests have in common: a real server on this computer that answers in JSON, keeps
what arrives, and fails as it is told to."""

from __future__ import annotations

import contextlib
import json
import re
import ssl
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit


@dataclass(frozen=True)
class Fault:
    """What goes wrong with one request.

    Attributes:
        at: a part of "METHOD /path" that it is about; the first request that has it takes it.
        status, headers, body: answered instead.
        is_cut: the connection is closed instead of an answer.
        is_done: what was asked for is done before it goes wrong.
    """

    at: str
    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    is_cut: bool = False
    is_done: bool = False


@dataclass(frozen=True)
class Asked:
    """One request.

    Attributes:
        path: decoded where `server` says so, below the interface's base.
        query: the first value of each.
        body: JSON, or a form's first values.
    """

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any

    @property
    def line(self) -> str:
        return f"{self.method} {self.path}"


@dataclass(frozen=True)
class Said:
    """An answer."""

    value: Any
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


class JsonServer:
    """Attributes:
    faults: those to come.
    asked: every request, in order.
    """

    base = ""
    """What paths begin with."""

    def __init__(self) -> None:
        self.faults: deque[Fault] = deque()
        self.asked: list[Asked] = []
        self.port = 0
        self.lock = threading.RLock()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def host(self) -> str:
        """As the program calls it."""
        return f"127.0.0.1:{self.port}"

    @property
    def lines(self) -> list[str]:
        """What was asked, without what it was asked with."""
        return [asked.line for asked in self.asked]

    def answer(self, asked: Asked) -> Said:
        return Said({}, 404)

    def page(self, rows: list[Any], asked: Asked, wrapped: Callable[[list[Any]], Any] = lambda rows: rows) -> Said:
        """A page of a list, with the way to the next one."""
        size, number = int(asked.query.get("per_page", "30")), int(asked.query.get("page", "1"))
        shown = rows[(number - 1) * size : number * size]
        if number * size >= len(rows):
            return Said(wrapped(shown))
        others = "".join(f"&{name}={text}" for name, text in asked.query.items() if name != "page")
        link = f'<{self.address}{self.base}{asked.path}?page={number + 1}{others}>; rel="next"'
        return Said(wrapped(shown), 200, {"Link": link})

    def meet(self, asked: Asked) -> Said | None:
        """The answer to one request; None: the connection is cut."""
        with self.lock:
            self.asked.append(asked)
            fault = next((each for each in self.faults if each.at in asked.line), None)
            if fault is None:
                return self.answer(asked)
            self.faults.remove(fault)
            if fault.is_done:
                self.answer(asked)
            return None if fault.is_cut else Said(fault.body, fault.status, fault.headers)

    @contextlib.contextmanager
    def running(self, certificate: Path | None = None) -> Iterator[JsonServer]:
        """Serve while the `with` lasts, encrypted where a certificate with its key is given."""
        server = _Sockets(("127.0.0.1", self.port), type("Handler", (_Handler,), {"server_of": self}))
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        self.port = server.server_port
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield self
        finally:
            server.shutdown()
            server.server_close()
            thread.join()


class _Sockets(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Whoever asked has gone: that is what some tests are about."""


class _Handler(BaseHTTPRequestHandler):
    server_of: JsonServer
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def handle_one(self) -> None:
        parts = urlsplit(self.path)
        data = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        is_form = "form-urlencoded" in self.headers.get("Content-Type", "")
        body = _first(data.decode()) if is_form else json.loads(data or b"null")
        path = re.sub(f"^{self.server_of.base}", "", parts.path)
        headers = {name.lower(): text for name, text in self.headers.items()}
        said = self.server_of.meet(Asked(self.command, path, _first(parts.query), headers, body))
        if said is None:
            self.close_connection = True
            return
        told = said.value if isinstance(said.value, bytes) else json.dumps(said.value).encode()
        self.send_response(said.status)
        for name, text in {
            "Content-Type": "application/json",
            "Content-Length": str(len(told)),
            **said.headers,
        }.items():
            self.send_header(name, text)
        self.end_headers()
        self.wfile.write(told)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_one


def _first(text: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(text, keep_blank_values=True).items()}
