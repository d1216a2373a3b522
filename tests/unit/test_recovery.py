"""Cables that are pulled and put back, and hosts that do not read: the right error, then it works.

The reset button, a killed and a halted board are in `tests/emulator/test_line.py`.
"""

from __future__ import annotations

import os
import select
import threading
import time
import tty
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from fake_device import FakeDevice

from tinyml import device
from tinyml.device.client import Device
from tinyml.device.deadline import Deadline
from tinyml.errors import DeviceError, DeviceTimeout

WAIT_S = 30.0


class Cable:
    """A device behind a pseudo terminal, at a path that stays when it is plugged in again."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.plug()

    def plug(self) -> None:
        """Connect a device that has just started."""
        self._master, slave = os.openpty()
        tty.setraw(slave)
        self.path.unlink(missing_ok=True)
        self.path.symlink_to(os.ttyname(slave))
        self._slave = slave
        os.set_blocking(self._master, False)
        ended, self._end = os.pipe()
        run = (self._master, ended, FakeDevice())
        self._thread = threading.Thread(target=self._run, args=run, daemon=True)
        self._thread.start()

    def pull(self) -> None:
        """Disconnect it: the port is gone."""
        os.close(self._end)
        self._thread.join()  # or it would take the next port of the same number for its own
        os.close(self._slave)
        os.close(self._master)

    @staticmethod
    def _run(master: int, ended: int, firmware: FakeDevice) -> None:
        answer = b""
        while True:
            readers, writers = ([ended], [master]) if answer else ([ended, master], [])
            if ended in select.select(readers, writers, [])[0]:
                os.close(ended)
                return
            if answer:
                answer = answer[os.write(master, answer) :]
            else:
                answer = firmware.feed(os.read(master, 4096))


@pytest.fixture
def cable(tmp_path: Path) -> Iterator[Cable]:
    cable = Cable(tmp_path / "port")
    yield cable
    cable.pull()


def connect(cable: Cable) -> Device:
    return Device(device.open_port(str(cable.path), Deadline(WAIT_S)), "board", timeout_s=WAIT_S)


def test_a_pulled_cable_is_an_error_at_once_and_a_new_connection_works(cable: Cable) -> None:
    with connect(cable) as connection:
        connection.status()
        cable.pull()
        with pytest.raises(DeviceError, match="has gone") as caught:
            connection.status()
        assert not isinstance(caught.value, DeviceTimeout)
    cable.plug()
    with connect(cable) as connection:
        assert connection.info.model == "tiny"


def test_a_cable_pulled_in_a_stream_is_an_error_and_the_next_stream_is_whole(cable: Cable) -> None:
    samples = np.zeros(4000, np.int16)
    with connect(cable) as connection:
        readings = iter(connection.stream(samples))
        next(readings)
        cable.pull()
        with pytest.raises(DeviceError, match="has gone"):
            list(readings)
    cable.plug()
    with connect(cable) as connection:
        stream = connection.stream(samples)
        numbers = [reading.number for reading in stream]
        assert stream.totals is not None
        assert numbers == list(range(stream.totals.results))
        assert stream.totals.lost_results == 0


def test_a_host_that_does_not_read_for_a_while_loses_nothing(cable: Cable) -> None:
    with connect(cable) as connection:
        stream = connection.stream(np.zeros(8000, np.int16))
        numbers = []
        for reading in stream:
            numbers.append(reading.number)
            if reading.number in (1, 5):
                time.sleep(0.5)
        assert stream.totals is not None
        assert numbers == list(range(stream.totals.results))
        assert (stream.totals.samples, stream.totals.lost_results) == (8000, 0)
