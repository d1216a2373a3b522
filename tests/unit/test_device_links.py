"""Every link keeps the one contract: read, write, close, and errors that say who has gone."""

from __future__ import annotations

import os
import pty
import socket
import threading
import time
import tty
from collections.abc import Iterator
from pathlib import Path

import pytest
from fake_device import FakeDevice

from tinyml import device
from tinyml.device.client import Device
from tinyml.device.deadline import Deadline
from tinyml.device.links import Link, ReplayLink, SerialLink, SocketLink, write_all
from tinyml.errors import ConfigError, DeviceError, DeviceTimeout

SOON_S = 0.1


class Peer:
    """The far end of a link: what it is sent, and what it sends; `hang_up` leaves."""

    def __init__(self, link: Link, handle: int, *others: int) -> None:
        self.link = link
        self.handle = handle
        self._others = others

    def send(self, data: bytes) -> None:
        os.write(self.handle, data)

    def receive(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            data += os.read(self.handle, count - len(data))
        return data

    def hang_up(self) -> None:
        for handle in (self.handle, *self._others):
            os.close(handle)
        self._others = ()
        self.handle = -1


def socket_peer() -> Peer:
    ours, theirs = socket.socketpair()
    return Peer(SocketLink(ours, "peer"), theirs.detach())


def serial_peer() -> Peer:
    master, slave = pty.openpty()
    tty.setraw(slave)
    return Peer(SerialLink(os.ttyname(slave)), master, slave)


@pytest.fixture(params=[socket_peer, serial_peer], ids=["socket", "serial"])
def peer(request: pytest.FixtureRequest) -> Iterator[Peer]:
    made: Peer = request.param()
    yield made
    made.link.close()
    if made.handle >= 0:
        made.hang_up()


def test_bytes_arrive_in_both_directions(peer: Peer) -> None:
    every = bytes(range(256))
    peer.send(every)
    got = b""
    while len(got) < 256:
        got += peer.link.read(100, Deadline(5))
    assert got == every
    write_all(peer.link, every, Deadline(5), "peer")
    assert peer.receive(256) == every


def test_read_returns_what_there_is_and_no_more_than_asked(peer: Peer) -> None:
    peer.send(b"abcdef")
    assert peer.link.read(1, Deadline(5)) == b"a"
    rest = b""
    while len(rest) < 5:
        rest += peer.link.read(100, Deadline(5))
    assert rest == b"bcdef"


def test_read_ends_at_its_deadline(peer: Peer) -> None:
    assert peer.link.read(10, Deadline(SOON_S)) == b""


def test_after_the_deadline_read_returns_what_is_already_there(peer: Peer) -> None:
    peer.send(b"x")
    time.sleep(SOON_S)
    assert peer.link.read(10, Deadline(0)) == b"x"
    assert peer.link.read(10, Deadline(0)) == b""


def test_a_peer_that_leaves_is_an_error(peer: Peer) -> None:
    peer.hang_up()
    with pytest.raises(DeviceError, match="has gone"):
        peer.link.read(10, Deadline(5))
    with pytest.raises(DeviceError):
        peer.link.write(bytes(1000), Deadline(SOON_S))


def test_a_peer_that_takes_nothing_is_a_timeout(peer: Peer) -> None:
    with pytest.raises(DeviceTimeout, match="does not take"):
        write_all(peer.link, bytes(4_000_000), Deadline(SOON_S), "peer")


def test_close_may_be_called_twice(peer: Peer) -> None:
    peer.link.close()
    peer.link.close()


def test_a_serial_port_is_opened_by_one_process_at_a_time() -> None:
    peer = serial_peer()
    with pytest.raises(DeviceError, match="cannot open") as caught:
        SerialLink(os.ttyname(peer._others[0]))
    assert caught.value.hint == "another program has it open: close that first"
    peer.link.close()
    peer.hang_up()


def test_a_port_that_is_not_there_is_an_error() -> None:
    with pytest.raises(DeviceError, match="cannot open /dev/no-such-port"):
        SerialLink("/dev/no-such-port")


def test_pyserial_urls_are_links_too() -> None:
    link = SerialLink("loop://")
    link.write(b"around", Deadline(1))
    assert link.read(6, Deadline(1)) == b"around"
    link.close()


def serve(listener: socket.socket) -> None:
    """Be a device for one client."""
    firmware = FakeDevice()
    connection, _ = listener.accept()
    with connection:
        while data := connection.recv(4096):
            connection.sendall(firmware.feed(data))


@pytest.mark.parametrize("kind", ["tcp", "unix"])
def test_a_device_behind_a_socket_is_a_port(kind: str, tmp_path: Path) -> None:
    if kind == "tcp":
        listener = socket.create_server(("127.0.0.1", 0))
        port = f"socket://127.0.0.1:{listener.getsockname()[1]}"
    else:
        listener = socket.socket(socket.AF_UNIX)
        port = str(tmp_path / "line")
        listener.bind(port)
        listener.listen()
    server = threading.Thread(target=serve, args=(listener,), daemon=True)
    server.start()
    with Device(device.open_port(port, Deadline(5)), port) as connection:
        assert connection.info.model == "tiny"
    server.join(5)
    listener.close()


def test_a_device_behind_a_pty_is_a_port() -> None:
    master, slave = pty.openpty()
    tty.setraw(slave)
    firmware = FakeDevice()
    stop = threading.Event()

    def run() -> None:
        while not stop.is_set():
            os.write(master, firmware.feed(os.read(master, 4096)))

    threading.Thread(target=run, daemon=True).start()
    with Device(device.open_port(os.ttyname(slave), Deadline(5)), "pty") as connection:
        assert connection.info.model == "tiny"
        stop.set()
        connection.status()


@pytest.mark.parametrize("port", ["socket://nowhere", "socket://:5", "socket://host:x"])
def test_an_address_that_makes_no_sense_is_refused(port: str) -> None:
    with pytest.raises(ConfigError, match="is no address"):
        device.open_port(port, Deadline(1))


def test_nobody_listening_is_an_error(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        number = unused.getsockname()[1]
    with pytest.raises(DeviceError, match=f"cannot connect to 127.0.0.1:{number}: "):
        device.open_port(f"socket://127.0.0.1:{number}", Deadline(1))


def test_a_replay_gives_back_its_chunks_and_keeps_what_it_is_sent() -> None:
    link = ReplayLink([b"abc", b"d"], closes=True)
    assert link.read(2, Deadline(1)) == b"ab"
    assert link.read(9, Deadline(1)) == b"c"
    assert link.read(9, Deadline(1)) == b"d"
    link.write(b"xyz", Deadline(1))
    assert link.written == b"xyz"
    with pytest.raises(DeviceError, match="has gone"):
        link.read(9, Deadline(1))
