"""A short soak; `scripts/soak` runs for an hour."""

from __future__ import annotations

import os

import pytest
import stream_account

from tinyml import device

pytestmark = [pytest.mark.needs_arm_gcc, pytest.mark.needs_qemu, pytest.mark.needs_pio]


def test_a_stream_loses_and_invents_nothing(connection: device.Device) -> None:
    pids = (os.getpid(), device.devices()[0].pid)
    heard: list[int] = []
    found = stream_account.run(
        connection, 6.0, 2.5, pids, lambda so_far: heard.append(so_far.readings)
    )
    assert found.problems == []
    assert found.rounds == len(heard) >= 2
    assert found.readings == heard[-1] > 0
