"""A program in place of qemu-system-arm: its sockets, QMP and pid file, with a FakeDevice inside.

Started by `tinyml.device.emulator` through a script on PATH. $FAKE_QEMU says how it misbehaves:
"crash" at once, "silent" firmware, "fault" at the first request, "stubborn" against being ended.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import selectors
import signal
import socket
import sys
from pathlib import Path

from fake_device import FakeDevice


class FakeQemu:
    """The event loop; the firmware runs from `cont` on."""

    def __init__(self, arguments: list[str], mood: str) -> None:
        line = " ".join(arguments)
        self.mood = mood
        self.firmware = FakeDevice(faults_on="HELLO" if mood == "fault" else "")
        self.running = "-S" not in arguments
        self.clients: dict[str, socket.socket] = {}
        self.selector = selectors.DefaultSelector()
        self.pid_file = Path(arguments[arguments.index("-pidfile") + 1])
        for name, path in re.findall(r"socket,id=(\w+),path=([^,]+),server=on,wait=off", line):
            listener = socket.socket(socket.AF_UNIX)
            Path(path).unlink(missing_ok=True)
            listener.bind(path)
            listener.listen()
            self.selector.register(listener, selectors.EVENT_READ, (self.accept, name))

    def run(self) -> None:
        self.pid_file.write_text(f"{os.getpid()}\n")
        while True:
            for key, _ in self.selector.select():
                action, name = key.data
                action(name, key.fileobj)

    def accept(self, name: str, listener: socket.socket) -> None:
        client, _ = listener.accept()
        self.clients[name] = client
        self.selector.register(client, selectors.EVENT_READ, (getattr(self, name), name))
        if name == "qmp":
            self.say({"QMP": {"version": {}, "capabilities": []}})

    def line(self, name: str, client: socket.socket) -> None:
        data = self.received(client)
        if data and self.running and self.mood != "silent":
            self.send("line", self.firmware.feed(data))

    def qmp(self, name: str, client: socket.socket) -> None:
        for command in self.received(client).splitlines():
            self.obey(json.loads(command)["execute"])

    def obey(self, command: str) -> None:
        if command == "quit" and self.mood == "stubborn":
            return
        self.say({"return": {}})
        if command == "cont":
            self.say({"event": "RESUME"})
            self.running = True
            self.send("line", b"booting\r\n\0")
        elif command == "system_reset":
            self.send("line", self.firmware.restart())
        elif command == "quit":
            self.pid_file.unlink()
            sys.exit(0)

    def say(self, message: dict[str, object]) -> None:
        self.send("qmp", json.dumps(message).encode() + b"\r\n")

    def send(self, name: str, data: bytes) -> None:
        with contextlib.suppress(OSError):  # a client that has gone hears nothing
            self.clients[name].sendall(data)

    def received(self, client: socket.socket) -> bytes:
        try:
            data = client.recv(4096)
        except OSError:
            data = b""
        if not data:
            self.selector.unregister(client)
            client.close()
        return data


if __name__ == "__main__":
    mood = os.environ.get("FAKE_QEMU", "")
    if mood == "crash":
        sys.exit("qemu-system-arm: could not load kernel")
    if mood == "stubborn":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    print("fake emulator", flush=True)
    FakeQemu(sys.argv[1:], mood).run()
