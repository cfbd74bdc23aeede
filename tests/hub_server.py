"""A hub on this computer, which speaks what huggingface-hub speaks, and misbehaves when it is told to.

    GET  /api/models/OWNER/REPO/revision/REV?blobs=true     what there is, with sizes and check numbers (LFS)
    HEAD, GET /OWNER/REPO/resolve/REV/FILE                   a redirect to the address of the bytes, on another port
    GET  /cdn/SHA256                                         the bytes, from any place on (Range)

and for those who publish:

    GET  /api/whoami-v2                                      whose a token is
    POST /api/repos/create, GET /api/models/OWNER/REPO       a new place; what is there
    POST /api/models/OWNER/REPO/preupload/REV                which files go as LFS, and which are there
    POST /OWNER/REPO.git/info/lfs/objects/batch              where the bytes go; nowhere for those that are here
    PUT  /put/SHA256[/PART], POST /put/SHA256                the bytes, on the other port; the parts are all there
    POST /api/models/OWNER/REPO/commit/REV                   the files get their names

`Hub.faults` and `Hub.put_faults` are queues: each request for bytes takes the next one. It is a real server on a real
socket.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import threading
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

import yaml

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@dataclass(frozen=True)
class Fault:
    """What goes wrong with one request for bytes.

    Attributes:
        cut_after: bytes, then the connection is closed.
        status: answered instead of the bytes.
        retry_after: seconds, sent with the status.
        wrong_byte: at this place of the file, another byte is sent.
        ignores_range: the whole file is sent, whatever was asked for.
        page: HTML that is sent instead, with status 200 and without a length.
        total: the file's size, as the answer tells it.
        stall_after: bytes, then silence until the server ends.
        drip_s: a pause after every piece of `drip_bytes`.
    """

    cut_after: int | None = None
    status: int = 0
    retry_after: int | None = None
    wrong_byte: int | None = None
    ignores_range: bool = False
    page: str = ""
    total: int = 0
    stall_after: int | None = None
    drip_s: float = 0.0
    drip_bytes: int = 1 << 16


@dataclass
class Place:
    """A place that somebody made: its files by name, and the commits that named them."""

    is_private: bool
    files: dict[str, bytes] = field(default_factory=dict)
    commits: int = 0

    @property
    def tags(self) -> list[str]:
        _, _, rest = self.files.get("README.md", b"").decode().partition("---\n")
        head = yaml.safe_load(rest.partition("---\n")[0])
        return list(head.get("tags", [])) if isinstance(head, dict) else []

    def told(self, name: str) -> dict[str, Any]:
        """How a file of this name is to be sent, and the check number of the one that is there."""
        is_large, data = name.endswith(".gguf"), self.files.get(name)
        told = {"path": name, "uploadMode": "lfs" if is_large else "regular", "shouldIgnore": False}
        if data is not None:
            counted = hashlib.sha1(b"blob %d\0%b" % (len(data), data), usedforsecurity=False)
            told["oid"] = hashlib.sha256(data).hexdigest() if is_large else counted.hexdigest()
        return told


@dataclass
class Hub:
    """The server's matter and memory.

    Attributes:
        files: by "OWNER/REPO/FILE".
        licence, architecture: of every repository.
        gated: repositories that want a token, and the token that they want.
        figures: of a file, told instead of the true ones: (size, SHA-256 or None for no LFS).
        api_faults, faults: what goes wrong with the next requests.
        asked: "METHOD path [range]" of every request, in order.
        tokens: (where, token) of every request that had one.
        accounts: who may publish, by token: (name, kind of the token).
        places: by "OWNER/REPO", what was published.
        stored: bytes that arrived, by their SHA-256; named or not.
        parts: of those that arrive in parts.
        part_bytes: of a part; 0: they arrive in one piece.
        put_faults: what goes wrong with the next uploads of bytes.
        refusals: statuses that are answered instead, by a part of the path.
        sent: paths and lengths of the uploads of bytes that arrived.
    """

    files: dict[str, bytes] = field(default_factory=dict)
    licence: str = "apache-2.0"
    architecture: str = "llama"
    gated: dict[str, str] = field(default_factory=dict)
    figures: dict[str, tuple[int, str | None]] = field(default_factory=dict)
    api_faults: deque[Fault] = field(default_factory=deque)
    faults: deque[Fault] = field(default_factory=deque)
    asked: list[str] = field(default_factory=list)
    tokens: list[tuple[str, str]] = field(default_factory=list)
    accounts: dict[str, tuple[str, str]] = field(default_factory=dict)
    places: dict[str, Place] = field(default_factory=dict)
    stored: dict[str, bytes] = field(default_factory=dict)
    parts: dict[str, dict[int, bytes]] = field(default_factory=dict)
    part_bytes: int = 0
    put_faults: deque[Fault] = field(default_factory=deque)
    refusals: dict[str, int] = field(default_factory=dict)
    sent: list[tuple[str, int]] = field(default_factory=list)
    address: str = ""
    cdn: str = ""
    ended: threading.Event = field(default_factory=threading.Event)

    @property
    def downloads(self) -> list[str]:
        """The ranges of the requests for bytes, "" for the whole."""
        return [each.partition(" ")[2].partition(" ")[2] for each in self.asked if " /cdn/" in each]

    @contextlib.contextmanager
    def running(self) -> Iterator[Hub]:
        """Serve while the `with` lasts: the hub on one port, the bytes on another."""
        servers = [_server(self), _server(self)]
        self.address, self.cdn = (f"http://127.0.0.1:{server.server_port}" for server in servers)
        threads = [threading.Thread(target=server.serve_forever, args=(0.02,)) for server in servers]
        for thread in threads:
            thread.start()
        try:
            yield self
        finally:
            self.ended.set()
            for server in servers:
                server.shutdown()
                server.server_close()
            for thread in threads:
                thread.join()


def _server(hub: Hub) -> ThreadingHTTPServer:
    handler = type("Handler", (_Handler,), {"hub": hub})
    return _Server(("127.0.0.1", 0), handler)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Whoever asked has gone: that is what the tests are about."""


class _Handler(BaseHTTPRequestHandler):
    hub: Hub
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def do_CONNECT(self) -> None:
        self.hub.asked.append(f"CONNECT {self.path}")
        self._end(502)

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def do_PUT(self) -> None:
        path = self._heard()
        fault = self.hub.put_faults.popleft() if self.hub.put_faults else Fault()
        length, data, ended = int(self.headers["content-length"]), b"", self.hub.ended
        end = length if fault.cut_after is None else fault.cut_after
        while len(data) < end and (piece := self.rfile.read(min(fault.drip_bytes, end - len(data)))):
            data += piece
            if fault.drip_s and ended.wait(fault.drip_s):
                break
        if len(data) < length:
            self.close_connection = True
            return
        self.hub.sent.append((path, length))
        check, _, part = path.removeprefix("/put/").partition("/")
        if part:
            self.hub.parts.setdefault(check, {})[int(part)] = data
        else:
            self._store(check, data)
        self._send(200, b"", {"etag": f'"{part}"'})

    def do_POST(self) -> None:
        path = self._heard()
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        if path.startswith("/put/"):
            check = path.removeprefix("/put/")
            numbers = [each["partNumber"] for each in json.loads(body)["parts"]]
            self._store(check, b"".join(self.hub.parts[check][number] for number in numbers))
            self._tell({})
            return
        refused = next((status for part, status in self.hub.refusals.items() if part in path), 0)
        owner, kind = self.hub.accounts.get(self._token(), ("", ""))
        if refused or not owner or kind == "read":
            self._end(refused or (403 if owner else 401))
        elif path == "/api/validate-yaml":
            self._tell({})
        elif path == "/api/repos/create":
            self._make(owner, json.loads(body))
        elif path.endswith(".git/info/lfs/objects/batch"):
            self._tell({"transfer": "basic", "objects": [self._where(each) for each in json.loads(body)["objects"]]})
        elif "/preupload/" in path:
            place = self.hub.places[path.removeprefix("/api/models/").partition("/preupload/")[0]]
            self._tell({"files": [place.told(each["path"]) for each in json.loads(body)["files"]]})
        elif "/commit/" in path:
            self._commit(path.removeprefix("/api/models/").partition("/commit/")[0], body)
        else:
            self._end(404)

    def _make(self, owner: str, asked: dict[str, Any]) -> None:
        repo = f"{asked['organization'] or owner}/{asked['name']}"
        if not repo.startswith(f"{owner}/"):
            self._end(403)
        elif repo in self.hub.places:
            self._end(409)
        else:
            self.hub.places[repo] = Place(asked["visibility"] == "private")
            self._tell({"url": f"{self.hub.address}/{repo}"})

    def _where(self, wanted: dict[str, Any]) -> dict[str, Any]:
        check, size = wanted["oid"], wanted["size"]
        if check in self.hub.stored:
            return {"oid": check, "size": size}
        href, header = f"{self.hub.cdn}/put/{check}", {}
        if self.hub.part_bytes:
            count = -(-size // self.hub.part_bytes)
            header = {str(number): f"{href}/{number}?signature=secret" for number in range(1, count + 1)}
            header["chunk_size"] = str(self.hub.part_bytes)
        return {
            "oid": check,
            "size": size,
            "actions": {"upload": {"href": f"{href}?signature=secret", "header": header}},
        }

    def _store(self, check: str, data: bytes) -> None:
        assert hashlib.sha256(data).hexdigest() == check
        self.hub.stored[check] = data

    def _commit(self, repo: str, body: bytes) -> None:
        place = self.hub.places[repo]
        for line in body.splitlines():
            row = json.loads(line)
            if row["key"] == "file":
                place.files[row["value"]["path"]] = base64.b64decode(row["value"]["content"])
            elif row["key"] == "lfsFile":
                place.files[row["value"]["path"]] = self.hub.stored[row["value"]["oid"]]
        place.commits += 1
        self._tell({"commitUrl": f"{self.hub.address}/{repo}/commit/{COMMIT}", "commitOid": COMMIT})

    def _heard(self) -> str:
        """Write down what is asked; gives the path."""
        path = unquote(urlsplit(self.path).path)
        self.hub.asked.append(f"{self.command} {path}")
        if token := self._token():
            self.hub.tokens.append((path, token))
        return path

    def _token(self) -> str:
        return self.headers.get("authorization", "").removeprefix("Bearer ")

    def _tell(self, value: dict[str, Any]) -> None:
        self._send(200, json.dumps(value).encode(), {"content-type": "application/json"})

    def _answer(self, with_body: bool) -> None:
        path = unquote(urlsplit(self.path).path)
        wanted = self.headers.get("range", "")
        self.hub.asked.append(f"{self.command} {path} {wanted}".strip())
        if token := self.headers.get("authorization", ""):
            self.hub.tokens.append((path, token.removeprefix("Bearer ")))
        if path.startswith("/cdn/"):
            self._bytes(path.removeprefix("/cdn/"), wanted)
        elif path == "/api/whoami-v2":
            self._whoami()
        elif (repo := path.removeprefix("/api/models/").removesuffix("/revision/main")) in self.hub.places:
            place = self.hub.places[repo]
            siblings = [{"rfilename": name} for name in (".gitattributes", *place.files)]
            self._tell(
                {"id": repo, "sha": COMMIT, "private": place.is_private, "tags": place.tags, "siblings": siblings}
            )
        elif path.startswith("/api/models/"):
            self._api(path.removeprefix("/api/models/").partition("/revision/")[0])
        elif "/resolve/" in path:
            self._resolve(path, with_body)
        else:
            self._end(404)

    def _whoami(self) -> None:
        refused = self.hub.refusals.get("whoami", 0)
        name, kind = self.hub.accounts.get(self._token(), ("", ""))
        if refused or not name:
            self._end(refused or 401)
            return
        access = {"displayName": "lab", "role": kind}
        self._tell({"type": "user", "name": name, "orgs": [], "auth": {"type": "access_token", "accessToken": access}})

    def _api(self, repo: str) -> None:
        if self.hub.api_faults:
            fault = self.hub.api_faults.popleft()
            if fault.stall_after is not None:
                self.hub.ended.wait(60)
            elif fault.page:
                self._send(200, fault.page.encode(), {"content-type": "text/html"})
            else:
                self._end(fault.status, {"retry-after": str(fault.retry_after)} if fault.retry_after else {})
            return
        names = {name.removeprefix(f"{repo}/"): data for name, data in self.hub.files.items() if name.startswith(repo)}
        if not names:
            self._end(401, {"x-error-code": "RepoNotFound"})
            return
        siblings: list[dict[str, Any]] = [{"rfilename": "README.md"}]
        for name, data in names.items():
            size, check = self.hub.figures.get(f"{repo}/{name}", (len(data), hashlib.sha256(data).hexdigest()))
            lfs = {"size": size, "sha256": check, "pointerSize": 130} if check else None
            siblings.append({"rfilename": name, "size": size, "blobId": "0" * 40, **({"lfs": lfs} if lfs else {})})
        value = {
            "id": repo, "modelId": repo, "sha": COMMIT, "private": False, "tags": [], "downloads": 1, "likes": 0,
            "gated": "manual" if repo in self.hub.gated else False, "cardData": {"license": self.hub.licence},
            "siblings": siblings, "gguf": {"architecture": self.hub.architecture, "total": 1_000_000},
        }  # fmt: skip
        self._send(200, json.dumps(value).encode(), {"content-type": "application/json"})

    def _resolve(self, path: str, with_body: bool) -> None:
        repo, _, rest = path.strip("/").partition("/resolve/")
        data = self.hub.files.get(f"{repo}/{rest.partition('/')[2]}")
        token = self.headers.get("authorization", "").removeprefix("Bearer ")
        if data is None:
            self._end(404, {"x-error-code": "EntryNotFound"})
        elif repo in self.hub.gated and token != self.hub.gated[repo]:
            self._end(403 if token else 401, {"x-error-code": "GatedRepo"})
        else:
            check = hashlib.sha256(data).hexdigest()
            headers = {
                "x-repo-commit": COMMIT,
                "x-linked-size": str(len(data)),
                "x-linked-etag": f'"{check}"',
                "location": f"{self.hub.cdn}/cdn/{check}?signature=secret",
            }
            self._end(302, headers)

    def _bytes(self, check: str, wanted: str) -> None:
        data = next(each for each in self.hub.files.values() if hashlib.sha256(each).hexdigest() == check)
        fault = self.hub.faults.popleft() if self.hub.faults else Fault()
        if fault.status:
            self._end(fault.status, {"retry-after": str(fault.retry_after)} if fault.retry_after is not None else {})
            return
        if fault.page:
            self.send_response(200)
            self.send_header("content-type", "text/html")
            self.send_header("connection", "close")
            self.end_headers()
            self.wfile.write(fault.page.encode())
            return
        if fault.wrong_byte is not None:
            data = bytearray(data)
            data[fault.wrong_byte] ^= 1
        start = int(wanted.removeprefix("bytes=").partition("-")[0]) if wanted and not fault.ignores_range else 0
        if start >= len(data):
            self._end(416, {"content-range": f"bytes */{len(data)}"})
            return
        part = data[start:]
        self.send_response(206 if start else 200)
        self.send_header("content-length", str(len(part)))
        self.send_header("content-type", "application/octet-stream")
        if start:
            self.send_header("content-range", f"bytes {start}-{len(data) - 1}/{fault.total or len(data)}")
        self.end_headers()
        self._drip(bytes(part), fault)

    def _drip(self, part: bytes, fault: Fault) -> None:
        end = fault.cut_after if fault.cut_after is not None else fault.stall_after
        part = part if end is None else part[:end]
        with contextlib.suppress(OSError):
            if fault.drip_s:
                for start in range(0, len(part), fault.drip_bytes):
                    self.wfile.write(part[start : start + fault.drip_bytes])
                    time.sleep(fault.drip_s)
            else:
                self.wfile.write(part)
            if fault.stall_after is not None:
                self.hub.ended.wait(60)
        if end is not None:
            self.close_connection = True

    def _end(self, status: int, headers: dict[str, str] | None = None) -> None:
        self._send(status, b"", headers or {})

    def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "content-length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
