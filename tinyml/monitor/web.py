"""The web server of the live page: HTTP and server-sent events, the same for each viewer.

Server-sent events over the standard library's server, one thread a viewer. A viewer that is slow
loses messages, which it is told, and never holds up the device or another viewer. Nothing that
comes from the network names a file; what is taken is GET, and of our own page a wish to record.
"""

from __future__ import annotations

import contextlib
import ipaddress
import json
import math
import queue
import socket
import threading
import time
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any

from tinyml.errors import ConfigError, TinymlError
from tinyml.monitor import messages
from tinyml.monitor.events import SessionEvent
from tinyml.monitor.keep import Keeper
from tinyml.monitor.picture import Picture

MAX_VIEWERS = 16
MAX_CONNECTIONS = 64
_MOST_POSTED = 1000  # bytes
_WAITING = 400  # messages that may wait for a viewer
_REQUEST_S = 10.0  # what sending a request may take
_SEND_S = 20.0  # how long a viewer may take nothing
_POLL_S = 0.1  # how late the server notices that it is to end
_LEAVE_S = 0.5  # what telling the viewers that it ends may take
_ALIVE_S = 10.0  # a comment keeps proxies and the viewer sure that we are there

_PAGES = {
    "/": ("page.html", "text/html; charset=utf-8"),
    "/page.css": ("page.css", "text/css; charset=utf-8"),
    "/page.js": ("page.js", "text/javascript; charset=utf-8"),
    "/page.state.js": ("page.state.js", "text/javascript; charset=utf-8"),
    "/page.charts.js": ("page.charts.js", "text/javascript; charset=utf-8"),
}
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "connect-src 'self'; img-src data:; media-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class Web:
    """Serves the page while the `with` block lasts; `url` is where. One thread may call `take`."""

    def __init__(self, host: str, port: int) -> None:
        """Listen there, at any free port for port 0. Raises ConfigError where that cannot be."""
        self._hub = _Hub()
        try:
            self._server = _Server(host, port, self._hub)
        except (OSError, UnicodeError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise ConfigError(
                f"cannot serve the page at {_joined(host, port)}: {reason}",
                "choose another port: --web :0",
            ) from error
        bound = self._server.server_address
        self.url = f"http://{_joined(host, int(bound[1]))}/"
        self.warning = _warning(str(bound[0]))
        self.keeper: Keeper | None = None  # what records for the page, where that is wanted
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(_POLL_S,), daemon=True
        )

    def __enter__(self) -> Web:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._hub.end()
        end = time.monotonic() + _LEAVE_S
        while self._hub.viewers and time.monotonic() < end:
            time.sleep(_POLL_S / 10)
        self._server.shutdown()
        self._server.server_close()

    @property
    def viewers(self) -> int:
        """How many look at the page."""
        return self._hub.viewers

    @property
    def missed(self) -> int:
        """Messages that slow viewers lost, all together."""
        return self._hub.missed

    def take(self, event: SessionEvent, picture: Picture, at: float) -> None:
        """Send everybody what `event` means; never waits."""
        self._server.keeper = self.keeper
        for message in messages.of(event, picture, at):
            if message["kind"] == "device":
                message["records"] = self.keeper is not None
            self._hub.send(message["kind"], messages.encode(message))


class _Viewer:
    """The messages that wait for one viewer; None is the last."""

    def __init__(self) -> None:
        self.waiting: queue.Queue[str | None] = queue.Queue(_WAITING)
        self.missed = 0

    def put(self, encoded: str | None) -> bool:
        """Add a message; where there is no room the oldest goes, and False is returned."""
        try:
            self.waiting.put_nowait(encoded)
            return True
        except queue.Full:
            with contextlib.suppress(queue.Empty):
                self.waiting.get_nowait()
                self.missed += 1
            with contextlib.suppress(queue.Full):
                self.waiting.put_nowait(encoded)
            return False


class _Hub:
    """Everybody who looks, and what they need when they come."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._past = messages.Past()
        self._viewers: set[_Viewer] = set()
        self._ended = False
        self.missed = 0

    @property
    def viewers(self) -> int:
        with self._lock:
            return len(self._viewers)

    def send(self, kind: str, encoded: str) -> None:
        with self._lock:
            self._past.add(kind, encoded)
            for viewer in self._viewers:
                self.missed += not viewer.put(encoded)

    def join(self) -> tuple[_Viewer, list[str]] | None:
        """Return a new viewer and what came before it, None where there are too many."""
        with self._lock:
            if len(self._viewers) >= MAX_VIEWERS or self._ended:
                return None
            viewer = _Viewer()
            self._viewers.add(viewer)
            return viewer, self._past.replay()

    def leave(self, viewer: _Viewer) -> None:
        with self._lock:
            self._viewers.discard(viewer)

    def end(self) -> None:
        with self._lock:
            self._ended = True
            for viewer in self._viewers:
                viewer.put(None)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 32

    def __init__(self, host: str, port: int, hub: _Hub) -> None:
        addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        self.address_family = addresses[0][0]
        self.hub = hub
        self.keeper: Keeper | None = None
        self.pages = {
            path: (kind, (Path(__file__).parent / name).read_bytes())
            for path, (name, kind) in _PAGES.items()
        }
        self._slots = threading.BoundedSemaphore(MAX_CONNECTIONS)
        super().__init__(addresses[0][4][:2], _Handler)  # type: ignore[arg-type]

    def server_bind(self) -> None:
        """Bind without looking up our own name, which may take long without a network."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()

    def verify_request(self, request: Any, client_address: Any) -> bool:
        """Take no more connections than there are slots."""
        return self._slots.acquire(blocking=False)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Handle a connection, and free its slot."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._slots.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of viewers that go."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    server_version = "tinyml"
    sys_version = ""
    timeout = _REQUEST_S

    def do_GET(self) -> None:
        """Answer with a page of ours or the messages."""
        path = self.path.partition("?")[0]
        if not _is_ours(self.headers.get("Host", "")):
            self._refuse(HTTPStatus.MISDIRECTED_REQUEST, "This name is not known here.")
        elif path == "/events":
            self._events()
        elif path == "/recent.wav" and self.server.keeper is not None:
            body = self.server.keeper.wav(_number(self.path.partition("seconds=")[2]))
            self._head(HTTPStatus.OK if body else HTTPStatus.NO_CONTENT, "audio/wav", len(body))
            self.wfile.write(body)
        elif path in self.server.pages:
            kind, body = self.server.pages[path]
            self._head(HTTPStatus.OK, kind, len(body))
            self.wfile.write(body)
        else:
            self._refuse(HTTPStatus.NOT_FOUND, "There is no such page.")

    def do_POST(self) -> None:
        """Record what the board just heard, where the monitor was started to.

        Only a page of ours may ask: its browser sends where it is from, and JSON, which no other
        page may send without asking first.
        """
        keeper = self.server.keeper
        if keeper is None or self.path != "/record":
            self._refuse(HTTPStatus.NOT_IMPLEMENTED, "Nothing is taken here.")
            return
        host = self.headers.get("Host", "")
        is_json = self.headers.get("Content-Type", "") == "application/json"
        if not _is_ours(host) or self.headers.get("Origin") != f"http://{host}" or not is_json:
            self._refuse(HTTPStatus.FORBIDDEN, "Only this page may record.")
            return
        try:
            length = max(0, min(int(self.headers.get("Content-Length", "0")), _MOST_POSTED))
            asked = json.loads(self.rfile.read(length))
            text = keeper.keep(str(asked["label"]), float(asked["seconds"]))
        except TinymlError as error:
            self._answer(HTTPStatus.CONFLICT, f"{error.message}; {error.hint}".rstrip("; "))
        except (ValueError, TypeError, KeyError, OverflowError, RecursionError):
            self._answer(HTTPStatus.BAD_REQUEST, "a label and seconds are needed")
        else:
            self._answer(HTTPStatus.OK, f"kept as {text}")

    def _answer(self, status: HTTPStatus, text: str) -> None:
        body = json.dumps({"text": text}).encode()
        self._head(status, "application/json", len(body))
        self.wfile.write(body)

    def _events(self) -> None:
        joined = self.server.hub.join()
        if joined is None:
            self._refuse(HTTPStatus.SERVICE_UNAVAILABLE, "Too many look at this already.")
            return
        viewer, past = joined
        self.connection.settimeout(_SEND_S)
        try:
            self._head(HTTPStatus.OK, "text/event-stream")
            self._send(messages.encode({"kind": "start"}), *past)
            self._follow(viewer)
        except OSError:
            return  # it has gone, or takes nothing
        finally:
            self.server.hub.leave(viewer)

    def _follow(self, viewer: _Viewer) -> None:
        told = 0
        while True:
            try:
                encoded = viewer.waiting.get(timeout=_ALIVE_S)
            except queue.Empty:
                self.wfile.write(b": alive\n\n")
                continue
            if encoded is None:
                self._send(messages.encode({"kind": "end"}))
                return
            if viewer.missed != told:
                told = viewer.missed
                self._send(messages.encode({"kind": "missed", "count": told}))
            self._send(encoded)

    def _send(self, *encoded: str) -> None:
        self.wfile.write("".join(f"data: {message}\n\n" for message in encoded).encode("ascii"))
        self.wfile.flush()

    def _refuse(self, status: HTTPStatus, text: str) -> None:
        body = f"{text}\n".encode()
        self._head(status, "text/plain; charset=utf-8", len(body))
        self.wfile.write(body)

    def _head(self, status: HTTPStatus, kind: str, length: int | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        if length is not None:
            self.send_header("Content-Length", str(length))
        for name, value in _HEADERS.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Print nothing: only cli does."""


def _number(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        return 0.0
    return seconds if math.isfinite(seconds) else 0.0


def _is_ours(host: str) -> bool:
    """Whether a Host header is an address or this computer's own name.

    A page of somebody else's can make its own name lead here (DNS rebinding), but then that name is
    what the browser sends.
    """
    name = host.rpartition(":")[0] if ":" in host and not host.endswith("]") else host
    name = name.strip("[]").lower()
    if name in ("localhost", socket.gethostname().lower()):
        return True
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _warning(address: str) -> str:
    if ipaddress.ip_address(address).is_loopback:
        return ""
    return "everybody on the network can look at this page"


def _joined(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
