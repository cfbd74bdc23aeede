"""Calls to an OpenAI-compatible server: connections that can be hung up, patience with a busy server, and sentences.

`Lines` asks many things at once over a few connections, each in a thread of its own; whoever waits for the answers
looks every 30 ms whether to stop, and then hangs up on all of them, so that the server stops too. What is asked and
what the answers mean is `models/remote.py`'s.

A key goes out in the header of a request and nowhere else: what a server says is told without it.
"""

from __future__ import annotations

import contextlib
import email.utils
import functools
import ipaddress
import json
import queue
import random
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from lab_desktop.errors import Cancelled, ServerError
from lab_desktop.servers import Place, Server, place_of

T = TypeVar("T")

_LOOK_S = 0.03
_CONNECT_S = 10.0
_MOST_BYTES = 8_000_000
"""Of one answer; a reply of a thousand tokens has some thousand."""
_ATTEMPTS = 8
_LONGEST_WAIT_S = 30.0
_LONGEST_ASKED_WAIT_S = 180.0
"""A server that wants a longer pause is told to the person instead."""
_LONGEST_SAID = 500
_TOO_LONG = ("context length", "context size", "context window", "context_length", "exceed_context", "too many tokens")


class Refused(ServerError):
    """The server understood the request and does not meet it as it is.

    Attributes:
        status: of the answer.
        is_too_long: because it does not fit into the model's context.
    """

    def __init__(self, message: str, hint: str, details: str, status: int, is_too_long: bool) -> None:
        super().__init__(message, hint, details)
        self.status = status
        self.is_too_long = is_too_long


class Busy(Exception):
    """What may pass: a server that is too busy, restarts, or lost the connection.

    Attributes:
        problem: what to tell when it does not pass.
        wait_s: the pause that the server asked for; None: it asked for none.
        is_unreachable: there was no connection at all.
    """

    def __init__(self, problem: ServerError, wait_s: float | None = None, is_unreachable: bool = False) -> None:
        super().__init__(problem.message)
        self.problem = problem
        self.wait_s = wait_s
        self.is_unreachable = is_unreachable


class HungUp(Exception):
    """Nobody waits for this answer any more."""


class Line:
    """One connection to a server, for one request at a time; it stays open for the next.

    `hang_up` may be called from any thread, and ends a request that is under way at once.
    """

    def __init__(self, server: Server, key: str, patience_s: float) -> None:
        import httpx2

        self._server, self._key = server, key
        self._patience_s = patience_s
        self._began: float | None = None
        self._is_hung_up = self._is_overdue = False
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        try:
            self._client = httpx2.Client(
                headers={"User-Agent": "lab-desktop", **headers},
                verify=_trusted(),
                # A proxy is for the way out: what is near is called directly, or the notice about it would not be true.
                trust_env=server.place is Place.AWAY,
                timeout=httpx2.Timeout(patience_s, connect=_CONNECT_S, pool=None),
                limits=httpx2.Limits(max_connections=1, max_keepalive_connections=1),
            )
        except (ImportError, ValueError, httpx2.InvalidURL) as error:
            raise ServerError(
                "The proxy that is set for this computer cannot be used.",
                "Use an http:// or https:// proxy, or none for this server.",
                str(error),
            ) from error

    def get(self, path: str) -> Any:
        """What the server says below its address.

        Raises:
            ServerError, Busy, HungUp: as in `post`.
        """
        return self._json(b"".join(self._pieces("GET", path, None)))

    def post(self, path: str, body: Mapping[str, Any]) -> Any:
        """The server's answer to a request.

        Raises:
            Refused: it says why not; the same request again would be met the same.
            ServerError: it cannot be talked to; the sentence says why.
            Busy: it may be better later.
            HungUp: `hang_up` was called.
        """
        return self._json(b"".join(self._pieces("POST", path, body)))

    def stream(self, path: str, body: Mapping[str, Any]) -> Iterator[Any]:
        """The server's answer in events, as they come (server-sent events with JSON data).

        Raises:
            ServerError, Busy, HungUp: as in `post`.
        """
        held = b""
        for piece in self._pieces("POST", path, body):
            *whole, held = (held + piece).split(b"\n")
            for line in whole:
                name, _, data = line.strip().partition(b":")
                if name == b"data" and data.strip() not in (b"", b"[DONE]"):
                    yield self._json(data)

    def hang_up(self) -> None:
        """End the request under way, and take no other. The connection is closed."""
        with self._lock:
            self._is_hung_up = True
            self._shut()

    def hang_up_when_overdue(self) -> None:
        """End a request that takes longer than anybody waits, also where a byte comes now and then."""
        began = self._began
        if began is not None and time.monotonic() - began > self._patience_s:
            with self._lock:
                self._is_overdue = True
                self._shut()

    @property
    def is_usable(self) -> bool:
        return not self._is_hung_up

    def close(self) -> None:
        self._client.close()
        with self._lock:
            self._let_go()

    def _pieces(self, method: str, path: str, body: Mapping[str, Any] | None) -> Iterator[bytes]:
        """The bytes of an answer with status 200."""
        import httpx2

        self._began, self._is_overdue = time.monotonic(), False
        try:
            with self._client.stream(
                method, f"{self._server.address}{path}", json=body, extensions={"trace": self._notice}
            ) as response:
                size = 0
                said: list[bytes] = []
                for piece in response.iter_bytes():
                    size += len(piece)
                    if size > _MOST_BYTES:
                        raise self._odd(f"more than {_MOST_BYTES:,} bytes")
                    if response.status_code == 200:
                        yield piece
                    else:
                        said.append(piece)
                if response.status_code != 200:
                    raise self._problem(response.status_code, response.headers, b"".join(said), path)
        except (httpx2.HTTPError, OSError) as error:
            if self._is_hung_up:
                raise HungUp from None
            raise self._connection_problem(error) from None
        finally:
            self._began = None
        if self._is_hung_up:
            raise HungUp

    def _notice(self, event: str, info: Mapping[str, Any]) -> None:
        """Hears of every connection that is made (httpcore's trace), before anything is sent over it."""
        if event != "connection.connect_tcp.complete":
            return
        made: socket.socket = info["return_value"].get_extra_info("socket")
        self._refuse_what_is_farther(made)
        with self._lock:
            if self._is_hung_up:
                raise HungUp
            self._let_go()
            # A second handle of the same connection: it can be shut down without touching what another thread reads.
            self._socket = made.dup()

    def _refuse_what_is_farther(self, made: socket.socket) -> None:
        if self._server.place is Place.AWAY:
            return
        number = ipaddress.ip_address(str(made.getpeername()[0]).partition("%")[0])
        is_here = place_of(number) is Place.HERE
        if not is_here and (self._server.place is Place.HERE or place_of(number) is Place.AWAY):
            made.close()
            raise ServerError(
                f"{self._server.host} looks like a computer {self._server.place}, but its name leads elsewhere "
                f"({number}), so nothing was sent.",
                "Use the full name of the server, with https://.",
            )

    def _shut(self) -> None:
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)
            self._let_go()

    def _let_go(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    # Sentences

    def _json(self, data: bytes) -> Any:
        try:
            return json.loads(data)
        except ValueError:
            raise self._odd(self._said(data)) from None

    def _odd(self, details: str) -> ServerError:
        return ServerError(
            f"What answers at {self._server.host} does not speak as a server for language models does.",
            "Check the address; it mostly ends in /v1. A network that asks for a login answers like this too.",
            details,
        )

    def _said(self, data: bytes) -> str:
        """A beginning of what the server said, without the key: some servers repeat it."""
        text = data.decode("utf-8", "replace")
        return (text.replace(self._key, "…") if self._key else text)[:_LONGEST_SAID]

    def _problem(self, status: int, headers: Mapping[str, str], data: bytes, path: str) -> Exception:
        host, said = self._server.host, self._said(data)
        if status in (401, 403):
            if not self._key:
                return ServerError(f"{host} wants a key, and none is kept for it.", "Enter its key.", said)
            return ServerError(f"{host} does not accept the key.", "Enter the key again, or ask for a new one.", said)
        if status in (408, 409, 425, 429) or status >= 500:
            return Busy(
                ServerError(
                    f"{host} does not answer now: it is too busy or not well (status {status}).",
                    "Go on later; everything finished is saved.",
                    said,
                ),
                _retry_after(headers.get("retry-after", "")),
            )
        if 300 <= status < 400:
            to = headers.get("location", "")[:200]
            return ServerError(
                f"{host} sends on to another address, which is not followed: text goes only where you said.",
                f"Enter the other address: {to}" if to else "Ask who runs the server for its address.",
            )
        if status == 404 and path == "/models":
            return Refused(f"{host} has no list of its models.", "Write the model's name.", said, status, False)
        if status == 404 and "model" not in said.lower():
            return self._odd(said)
        if status == 404:
            return ServerError(
                f'{host} has no model "{self._server.model}".', "Choose one of its models; Test lists them.", said
            )
        is_too_long = status in (400, 413, 422) and any(words in said.lower() for words in _TOO_LONG)
        return Refused(
            f"{host} does not take what it is asked (status {status}).", "Report this with the details.", said, status,
            is_too_long or status == 413,
        )  # fmt: skip

    def _connection_problem(self, error: Exception) -> Exception:
        import httpx2

        host = self._server.host
        causes = tuple(_causes(error))
        certificate = next((each for each in causes if isinstance(each, ssl.SSLCertVerificationError)), None)
        if certificate is not None:
            return ServerError(
                f"The certificate of {host} is not one that this computer trusts, so nothing was sent: "
                f"{certificate.verify_message or 'it could not be checked'}.",
                "Check the address. If it is your own server, let this computer trust its certificate.",
            )
        if any(isinstance(each, ssl.SSLError) for each in causes):
            return ServerError(
                f"{host} does not speak the encryption that https:// stands for.",
                "Check the address and its port.",
                str(error),
            )
        if self._is_overdue or isinstance(error, (httpx2.ReadTimeout, httpx2.WriteTimeout)):
            return Busy(
                ServerError(
                    f"{host} took longer than {self._patience_s:.0f} seconds for an answer.",
                    "Its model may be too big for it, or it has too much to do.",
                )
            )
        if isinstance(error, (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.ProxyError)):
            return Busy(self._unreachable(causes, error), is_unreachable=True)
        return Busy(ServerError(f"The connection to {host} broke off.", "Go on later.", str(error)))

    def _unreachable(self, causes: Sequence[BaseException], error: Exception) -> ServerError:
        host = self._server.host
        if any(isinstance(each, socket.gaierror) for each in causes):
            return ServerError(
                f"There is no computer by the name of {host}, or this computer is offline.",
                "Check the address and the network.",
            )
        if any(isinstance(each, ConnectionRefusedError) for each in causes):
            return ServerError(
                f"Nothing answers at {host}: the computer is there, but no server runs on that port.",
                "Start the server, or check the port in the address.",
            )
        return ServerError(
            f"{host} cannot be reached.", "Check the address, the network and, if there is one, the proxy.", str(error)
        )


class Lines:
    """A few connections to one server, and patience with it."""

    def __init__(self, server: Server, key: str, most: int, patience_s: float, first_wait_s: float = 0.5) -> None:
        """
        Args:
            key: "" for a server that wants none.
            most: connections at once.
            patience_s: for one answer, from the request to its end.
            first_wait_s: pause after the first failure; it doubles with each, up to half a minute.

        Raises:
            ServerError: the key has signs that cannot be sent.
        """
        if not (key.isascii() and key.isprintable()) or " " in key:
            raise ServerError("The key has signs in it that no key has.", "Copy it again, without anything around it.")
        self._make = functools.partial(Line, server, key, patience_s)
        self._most = most
        self._first_wait_s = first_wait_s
        self._idle: list[Line] = []
        self._has_answered = False

    def each(
        self, calls: Sequence[Callable[[Line], Iterator[T]]], is_cancelled: Callable[[], bool]
    ) -> Iterator[tuple[int, T]]:
        """Make all calls, some at once; yields (index, value) for all that each call yields, as it comes.

        Raises:
            Cancelled: `is_cancelled` said so; what is under way is hung up at once.
            ServerError: a call could not be made.
        """
        waiting: queue.SimpleQueue[int] = queue.SimpleQueue()
        for number in range(len(calls)):
            waiting.put(number)
        said: queue.SimpleQueue[tuple[int, str, Any]] = queue.SimpleQueue()
        stopping = threading.Event()
        lines = [self._idle.pop() if self._idle else self._make() for _ in range(min(self._most, len(calls)))]

        def work(line: Line) -> None:
            index = -1
            try:
                while not stopping.is_set():
                    index = waiting.get_nowait()
                    for value in self._patiently(calls[index], line, stopping):
                        said.put((index, "value", value))
                    said.put((index, "end", None))
            except (queue.Empty, HungUp):
                pass
            except Exception as error:  # noqa: BLE001 - it is raised again where the answers are waited for
                said.put((index, "error", error))
            finally:
                if not line.is_usable:
                    line.close()

        threads = [threading.Thread(target=work, args=(line,), name="line", daemon=True) for line in lines]
        for thread in threads:
            thread.start()
        left = len(calls)
        try:
            while left:
                if is_cancelled():
                    raise Cancelled
                for line in lines:
                    line.hang_up_when_overdue()
                try:
                    index, kind, value = said.get(timeout=_LOOK_S)
                except queue.Empty:
                    continue
                if kind == "error":
                    raise value
                if kind == "end":
                    left -= 1
                else:
                    yield index, value
        finally:
            stopping.set()
            for thread, line in zip(threads, lines, strict=True):
                if left:
                    line.hang_up()
                    if not thread.is_alive():
                        line.close()
                else:
                    self._idle.append(line)

    def close(self) -> None:
        for line in self._idle:
            line.close()
        self._idle.clear()

    def _patiently(self, call: Callable[[Line], Iterator[T]], line: Line, stopping: threading.Event) -> Iterator[T]:
        """What a call yields; a call that has yielded nothing yet is made again when the server was busy."""
        for attempt in range(_ATTEMPTS):
            has_given = False
            try:
                for value in call(line):
                    has_given = True
                    yield value
                self._has_answered = True
                return
            except Busy as busy:
                is_wrong_number = busy.is_unreachable and not self._has_answered
                if has_given or is_wrong_number or attempt == _ATTEMPTS - 1:
                    raise busy.problem from None
                if (busy.wait_s or 0.0) > _LONGEST_ASKED_WAIT_S:
                    raise ServerError(
                        f"{busy.problem.message} It asks to wait {busy.wait_s / 60 if busy.wait_s else 0:.0f} minutes.",
                        busy.problem.hint,
                    ) from None
                # Not all at the same moment again: each waits for a time of its own.
                pause = min(_LONGEST_WAIT_S, self._first_wait_s * 2**attempt) * random.uniform(0.5, 1.0)
                if stopping.wait(max(pause, busy.wait_s or 0.0)):
                    raise HungUp from None


def _retry_after(text: str) -> float | None:
    """Seconds that a Retry-After header asks for: a number, or a date."""
    if text.strip().isdigit():
        return float(text)
    with contextlib.suppress(ValueError, TypeError):
        return max(0.0, email.utils.parsedate_to_datetime(text).timestamp() - time.time())
    return None


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


@functools.lru_cache(maxsize=1)
def _trusted() -> ssl.SSLContext:
    """The certificates that the system trusts; reading them takes some hundredths of a second."""
    import httpx2

    return httpx2.create_ssl_context()
