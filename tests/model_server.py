"""A small server that speaks as OpenAI-compatible ones do, over real sockets, and fails as real ones fail.

What it answers is a function of what it is asked; a real model can be that function (`answering_with`). Everything that
arrives is kept, so a test can look at what left the computer.
"""

from __future__ import annotations

import contextlib
import json
import math
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np

from lab_desktop.artifacts import ChatMessage
from lab_desktop.models.llama import LlamaModel
from lab_desktop.models.text_model import Request
from lab_desktop.servers import Server

Answer = dict[str, Any] | str
CERTIFICATE = Path(__file__).parent / "data" / "server" / "certificate.pem"
"""Of "localhost", signed by itself, until 2126; made with openssl for these tests."""


@dataclass
class ModelServer:
    """
    Attributes:
        answer: the reply to the body of a request: its text, or a whole message as the protocol has it.
        models: rows of GET /models; None: there is no such list.
        key: what it wants to see; "": none.
        holds: how it can hold a reply to a form: "schema", "grammar".
        odds: the log-probabilities of the first tokens, or None where it does not tell them.
        before: what happens to the next requests instead of an answer, in order: (status, headers, body), or "cut".
        pause_s: before each answer; drip_s: between its bytes.
        asked, headers: bodies and headers of what arrived at /chat/completions.
        hung_up: how many answers nobody waited for.
    """

    answer: Callable[[dict[str, Any]], Answer]
    models: list[dict[str, Any]] | None = field(default_factory=lambda: [{"id": "big-model", "max_model_len": 8192}])
    key: str = ""
    holds: tuple[str, ...] = ("schema",)
    odds: Callable[[dict[str, Any]], list[dict[str, Any]]] | None = None
    before: list[Any] = field(default_factory=list)
    pause_s: float = 0.0
    drip_s: float = 0.0
    asked: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    hung_up: int = 0
    at_once: int = 0
    most_at_once: int = 0
    port: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def server(self) -> Server:
        return Server(f"http://127.0.0.1:{self.port}/v1", "big-model")

    @contextlib.contextmanager
    def running(self, certificate: Path | None = None) -> Iterator[ModelServer]:
        with _Sockets(("127.0.0.1", self.port), _handler(self)) as sockets:
            if certificate:
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                context.load_cert_chain(certificate)
                sockets.socket = context.wrap_socket(sockets.socket, server_side=True)
            self.port = sockets.server_address[1]
            thread = threading.Thread(target=sockets.serve_forever, args=(0.01,))
            thread.start()
            try:
                yield self
            finally:
                sockets.shutdown()
                thread.join()


class _Sockets(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away in the middle is what some tests are about."""


def _handler(server: ModelServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *values: Any) -> None:
            pass

        def do_GET(self) -> None:
            if self._is_met():
                return
            if self.path == "/v1/models" and server.models is not None:
                self._say({"object": "list", "data": server.models})
            else:
                self._say({"error": {"message": "not found"}}, 404)

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with server.lock:
                server.asked.append(body)
                server.headers.append(dict(self.headers))
                server.at_once += 1
                server.most_at_once = max(server.most_at_once, server.at_once)
            try:
                self._answer(body)
            finally:
                with server.lock:
                    server.at_once -= 1

        def _answer(self, body: dict[str, Any]) -> None:
            if self._is_met():
                return
            if self._is_left_alone(server.pause_s):
                with server.lock:
                    server.hung_up += 1
                self.close_connection = True
                return
            if body["model"] not in [row["id"] for row in server.models or [{"id": body["model"]}]]:
                self._say({"error": {"message": f"The model `{body['model']}` does not exist."}}, 404)
                return
            if "response_format" in body and "schema" not in server.holds:
                self._say({"error": {"message": "response_format is not supported"}}, 400)
                return
            if body.get("logprobs") and server.odds is None:
                self._say({"error": {"message": "logprobs are not supported"}}, 400)
                return
            said = server.answer(body)
            choice = said if isinstance(said, dict) else {"message": {"content": said}, "finish_reason": "stop"}
            if body.get("logprobs") and server.odds is not None:
                choice = {**choice, "logprobs": {"content": [{"top_logprobs": server.odds(body)}]}}
            if body.get("stream"):
                self._stream(choice["message"]["content"])
            else:
                self._say({"choices": [choice], "usage": {"prompt_tokens": 7, "completion_tokens": 3}})

        def _is_left_alone(self, seconds: float) -> bool:
            """Wait; True when the other side has gone meanwhile."""
            self.connection.settimeout(max(seconds, 1e-4))
            try:
                return not self.connection.recv(1)
            except TimeoutError:
                return False
            except OSError:
                return True
            finally:
                with contextlib.suppress(OSError):
                    self.connection.settimeout(None)

        def _is_met(self) -> bool:
            with server.lock:
                happening = server.before.pop(0) if server.before else None
            if happening == "cut":
                self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{")
                self.close_connection = True
                return True
            if happening is not None:
                status, headers, data = happening
                self._say(data, status, headers)
                return True
            if server.key and self.headers.get("Authorization") != f"Bearer {server.key}":
                told = self.headers.get("Authorization", "")
                self._say({"error": {"message": f"Incorrect API key provided: {told}"}}, 401)
                return True
            return False

        def _say(self, value: Any, status: int = 200, headers: dict[str, str] | None = None) -> None:
            data = value if isinstance(value, bytes) else json.dumps(value).encode()
            self.send_response(status)
            for name, text in {"Content-Length": str(len(data)), **(headers or {})}.items():
                self.send_header(name, text)
            self.end_headers()
            if not server.drip_s:
                self.wfile.write(data)
                return
            for number in range(len(data)):
                self.wfile.write(data[number : number + 1])
                time.sleep(server.drip_s)

        def _stream(self, text: str) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.end_headers()
            for piece in (text[at : at + 3] for at in range(0, len(text), 3)):
                self.wfile.write(
                    b"data: " + json.dumps({"choices": [{"delta": {"content": piece}}]}).encode() + b"\n\n"
                )
                time.sleep(server.drip_s)
            self.wfile.write(b"data: [DONE]\n\n")
            self.close_connection = True

    return Handler


def answering_with(model: LlamaModel, **settings: Any) -> ModelServer:
    """A server whose model is real: a tiny one, with its own forms and odds."""
    lock = threading.Lock()

    def request(body: dict[str, Any]) -> Request:
        messages = tuple(ChatMessage(each["role"], each["content"]) for each in body["messages"])
        form = body.get("response_format", {}).get("json_schema", {}).get("schema")
        return Request(
            messages, body["max_tokens"], body["temperature"], body["seed"], form, (), tuple(body.get("stop", ()))
        )

    def answer(body: dict[str, Any]) -> Answer:
        with lock:
            ((_, reply),) = model.complete([request(body)])
        if reply.finish == "too_long":
            return {"message": {"content": ""}, "finish_reason": "length"}
        return {"message": {"content": reply.text}, "finish_reason": reply.finish}

    def odds(body: dict[str, Any]) -> list[dict[str, Any]]:
        with lock:
            scores = model.logits(model.tokenizer.chat_prompt(request(body).messages))[-1].astype(np.float64)
        logs = scores - scores.max() - math.log(np.exp(scores - scores.max()).sum())
        likeliest = np.argsort(-logs)[: body["top_logprobs"]]
        return [{"token": model.tokenizer.decode([int(token)]), "logprob": float(logs[token])} for token in likeliest]

    return ModelServer(answer, odds=odds, **settings)
