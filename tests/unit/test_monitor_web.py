"""The page's server: the same messages for everybody, and nothing else for anybody."""

from __future__ import annotations

import http.client
import json
import socket
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from monitor_story import device, read, story

from tinyml.errors import ConfigError
from tinyml.monitor import web as server
from tinyml.monitor.events import Attached, Printed, SessionEvent
from tinyml.monitor.picture import Picture
from tinyml.monitor.web import Web

WAIT_S = 20.0


class Teller:
    """A page's server, and the picture that it is told of."""

    def __init__(self, web: Web) -> None:
        self.web = web
        self.picture = Picture()
        self._at = 100.0

    def tell(self, *events: SessionEvent) -> None:
        for event in events:
            self._at += 0.1
            self.picture.take(event, self._at)
            self.web.take(event, self.picture, self._at)

    @property
    def port(self) -> int:
        return int(self.web.url.rstrip("/").rpartition(":")[2])

    def get(
        self, path: str = "/", host: str | None = None, method: str = "GET"
    ) -> tuple[int, dict[str, str], str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=WAIT_S)
        headers = {} if host is None else {"Host": host}
        connection.request(method, path, headers=headers)
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read().decode("utf-8", "replace")


class Viewer:
    """A browser's EventSource, as far as bytes go."""

    def __init__(self, port: int, receive_bytes: int = 0) -> None:
        self._socket = socket.socket()
        if receive_bytes:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        self._socket.settimeout(WAIT_S)
        self._socket.connect(("127.0.0.1", port))
        self._socket.sendall(b"GET /events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        self._lines = self._socket.makefile("r", encoding="utf-8")

    def messages(self) -> Iterator[dict[str, Any]]:
        for line in self._lines:
            if line.startswith("data: "):
                yield json.loads(line.removeprefix("data: "))

    def until(self, kind: str) -> list[dict[str, Any]]:
        got = []
        for message in self.messages():
            got.append(message)
            if message["kind"] == kind:
                return got
        raise AssertionError(f"no {kind} came, but {[one['kind'] for one in got]}")

    def close(self) -> None:
        self._lines.close()
        self._socket.close()


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.fixture
def teller() -> Iterator[Teller]:
    with Web("127.0.0.1", 0) as web:
        yield Teller(web)


def test_the_page_and_its_parts_come_from_here_alone(teller: Teller) -> None:
    for path, part in (
        ("/", "<!doctype html>"),
        ("/page.js", "page.state.js"),
        ("/page.state.js", "EventSource"),
        ("/page.charts.js", "spectrogram"),
        ("/page.css", "body"),
    ):
        status, headers, body = teller.get(path)
        assert status == 200
        assert part in body
        assert "://" not in body  # no other place is named
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert "Access-Control-Allow-Origin" not in headers


@pytest.mark.parametrize(
    "path",
    ["/../pyproject.toml", "/page.html", "/web.py", "//etc/passwd", "/%2e%2e/web.py", "/events/x"],
)
def test_no_other_file_can_be_read(teller: Teller, path: str) -> None:
    assert teller.get(path)[0] == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_nothing_but_reading_is_possible(teller: Teller, method: str) -> None:
    assert teller.get(method=method)[0] == 501


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:8000", 200), ("localhost", 200), ("LOCALHOST:1", 200), ("[::1]:8000", 200),
        ("192.168.1.7:8000", 200), ("evil.example", 421), ("evil.example:8000", 421),
        ("127.0.0.1.evil.example", 421), ("", 421), ("localhost.evil.example", 421),
    ],
)  # fmt: skip
def test_only_addresses_and_our_own_name_are_answered(
    teller: Teller, host: str, status: int
) -> None:
    assert teller.get(host=host)[0] == status
    if status != 200:
        assert teller.get("/events", host=host)[0] == status


def test_every_viewer_gets_every_message(teller: Teller) -> None:
    viewers = [Viewer(teller.port) for _ in range(3)]
    until(lambda: teller.web.viewers == 3)
    teller.tell(*story(device()))
    got = [viewer.until("clip") for viewer in viewers]
    assert got[0] == got[1] == got[2]
    kinds = [message["kind"] for message in got[0]]
    assert kinds[:2] == ["start", "device"]
    assert kinds.count("read") == 200
    for viewer in viewers:
        viewer.close()


def test_who_comes_late_gets_the_present_picture(teller: Teller) -> None:
    teller.tell(*story(device()), *(read(number) for number in range(200, 1000)))
    viewer = Viewer(teller.port)
    until(lambda: teller.web.viewers == 1)
    teller.tell(Printed("now"))
    got = viewer.until("text")  # of the story's own
    reads = [message for message in got if message["kind"] == "read"]
    assert [message["kind"] for message in got[:2]] == ["start", "device"]
    assert not reads or reads[-1]["inferences"] <= 1000
    rest = viewer.until("text")
    reads += [message for message in rest if message["kind"] == "read"]
    assert len(reads) == 300
    assert reads[-1]["inferences"] == 1000
    viewer.close()


def test_a_viewer_that_reads_nothing_holds_nobody_up(teller: Teller) -> None:
    lazy, quick = Viewer(teller.port, receive_bytes=2048), Viewer(teller.port)
    until(lambda: teller.web.viewers == 2)
    teller.tell(Attached(device()))
    seen = 0
    for start in range(0, 20_000, 100):  # far more than sockets hold
        teller.tell(*(read(number) for number in range(start, start + 100)))
        for message in quick.messages():
            seen += message["kind"] == "read"
            if message["kind"] == "read" and message["inferences"] == start + 100:
                break
    assert seen == 20_000
    assert teller.web.missed > 0
    missed = lazy.until("missed")[-1]
    assert missed["count"] > 0
    lazy.close()
    quick.close()


def test_viewers_that_leave_are_forgotten_and_too_many_are_refused(
    teller: Teller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "MAX_VIEWERS", 2)
    viewers = [Viewer(teller.port) for _ in range(2)]
    until(lambda: teller.web.viewers == 2)
    assert teller.get("/events")[0] == 503
    viewers[0].close()
    teller.tell(*(Printed(f"{number}" * 1000) for number in range(10)))
    until(lambda: teller.web.viewers == 1)
    viewers[1].close()


def test_the_end_is_told(teller: Teller) -> None:
    viewer = Viewer(teller.port)
    until(lambda: teller.web.viewers == 1)
    teller.web.__exit__(None, None, None)
    assert viewer.until("end")
    assert next(viewer.messages(), None) is None


def test_it_listens_to_this_computer_only_unless_told_otherwise() -> None:
    with Web("127.0.0.1", 0) as web:
        assert web.warning == ""
    with Web("0.0.0.0", 0) as web:
        assert "everybody" in web.warning
    with Web("localhost", 0) as web:
        assert web.url.startswith("http://localhost:")


def test_a_port_that_is_taken_or_a_host_that_is_none_is_an_error() -> None:
    with Web("127.0.0.1", 0) as web, pytest.raises(ConfigError, match="cannot serve") as caught:
        Web("127.0.0.1", int(web.url.rstrip("/").rpartition(":")[2]))
    assert "--web :0" in caught.value.hint
    with pytest.raises(ConfigError, match="cannot serve"):
        Web("no host at all", 0)


class Recorder:
    """A keeper that only notes what it is asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, float]] = []

    def keep(self, label: str, seconds: float) -> str:
        if label == "bad":
            raise ConfigError("'bad' cannot be a label", "use letters")
        self.asked.append((label, seconds))
        return f"{label}.wav"

    def wav(self, seconds: float) -> bytes:
        return b"RIFF" if seconds == 2.0 else b""


def post(
    teller: Teller, body: str, path: str = "/record", **headers: str
) -> tuple[int, dict[str, Any]]:
    connection = http.client.HTTPConnection("127.0.0.1", teller.port, timeout=WAIT_S)
    own = {
        "Host": f"127.0.0.1:{teller.port}",
        "Origin": f"http://127.0.0.1:{teller.port}",
        "Content-Type": "application/json",
    }
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request("POST", path, body=body, headers={**own, **given})
    answer = connection.getresponse()
    text = answer.read().decode()
    return answer.status, json.loads(text) if text.startswith("{") else {}


def test_the_page_alone_may_record(teller: Teller) -> None:
    recorder = Recorder()
    teller.web.keeper = recorder  # type: ignore[assignment]
    teller.tell(Attached(device()))
    wish = json.dumps({"label": "yes", "seconds": 2})
    assert post(teller, wish) == (200, {"text": "kept as yes.wav"})
    assert recorder.asked == [("yes", 2.0)]
    assert post(teller, wish, Origin="http://evil.example")[0] == 403
    assert post(teller, wish, Origin="null")[0] == 403
    assert post(teller, wish, Content_Type="text/plain")[0] == 403
    assert post(teller, wish, Host="evil.example", Origin="http://evil.example")[0] == 403
    assert post(teller, wish, path="/other")[0] == 501
    assert post(teller, json.dumps({"label": "bad", "seconds": 2})) == (
        409,
        {"text": "'bad' cannot be a label; use letters"},
    )
    for body in ("", "{", "[]", '{"label": "yes"}', '{"label": "a", "seconds": "x"}', "7"):
        assert post(teller, body)[0] == 400
    assert recorder.asked == [("yes", 2.0)]
    assert teller.get("/recent.wav?seconds=2")[0] == 200
    assert teller.get("/recent.wav?seconds=x")[0] == 204


def test_nothing_is_recorded_or_played_back_unless_it_is_wanted(teller: Teller) -> None:
    teller.tell(Attached(device()))
    assert post(teller, json.dumps({"label": "yes", "seconds": 2}))[0] == 501
    assert teller.get("/recent.wav?seconds=2")[0] == 404


def test_half_a_request_ends_at_its_deadline(
    teller: Teller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server._Handler, "timeout", 0.2)
    with socket.create_connection(("127.0.0.1", teller.port)) as half:
        half.settimeout(WAIT_S)
        half.sendall(b"GET / HT")
        assert half.recv(100) == b""
