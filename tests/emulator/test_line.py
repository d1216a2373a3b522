"""The line to a real firmware on QEMU, where accidents can be arranged: each is told honestly.

What every board does, accidents apart, is in `tests/hardware`.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tinyml import device
from tinyml.device import emulator
from tinyml.errors import DeviceError, DeviceTimeout
from tinyml.records import Board, Firmware

pytestmark = [pytest.mark.needs_arm_gcc, pytest.mark.needs_qemu, pytest.mark.needs_pio]

Broken = Callable[[str, str, str], tuple[Firmware, int]]


def inputs(connection: device.Device, seed: int) -> list[np.ndarray[Any, Any]]:
    generator = np.random.default_rng(seed)
    return [
        generator.integers(-128, 128, info.shape).astype(info.dtype)
        for info in connection.info.inputs
    ]


def test_a_device_describes_what_was_generated(
    connection: device.Device, flashed: Firmware
) -> None:
    info, source = connection.info, flashed.project.source
    assert info.runtime == source.runtime
    assert [(one.shape, one.dtype, one.zero_point) for one in info.inputs] == [
        (one.shape, one.dtype, one.zero_point) for one in source.inputs
    ]
    assert [(one.op_index, one.tensor_index, one.bytes, one.channels) for one in info.steps] == [
        (one.op_index, one.tensor_index, one.bytes, one.channels) for one in source.steps
    ]


def test_boot_says_something_and_none_of_it_is_lost(runtime: Path, built: Firmware) -> None:
    said: list[str] = []

    def answers(link: device.Link) -> None:
        device.Device(link, "qemu-m4", on_log=said.append)

    emulator.start(built, 30, answers)
    assert said == ["started"]


def test_the_reset_button_in_the_middle_of_a_stream_is_noticed(
    connection: device.Device, board: Board
) -> None:
    playing = iter(connection.stream(np.zeros(connection.info.sample_rate_hz * 60, np.int16)))
    next(playing)
    device.reset(board.id)
    with pytest.raises(DeviceError, match="qemu-m4 restarted") as caught:
        list(playing)
    assert not isinstance(caught.value, DeviceTimeout)
    connection.infer(inputs(connection, 0))


def test_the_reset_button_in_the_middle_of_inferences_is_noticed(
    connection: device.Device, board: Board
) -> None:
    connection.infer(inputs(connection, 0))
    device.reset(board.id)
    with pytest.raises(DeviceError, match="qemu-m4 restarted"):
        connection.bench(3)
    connection.infer(inputs(connection, 0))


def test_a_killed_emulator_is_an_error_at_once_and_the_next_flash_mends_it(
    connection: device.Device, flashed: Firmware, board: Board
) -> None:
    (one,) = device.devices()
    connection.infer(inputs(connection, 0))
    threading.Timer(0.3, os.kill, (one.pid, signal.SIGKILL)).start()
    with pytest.raises(DeviceError, match="qemu-m4 has gone") as caught:
        connection.bench(60_000)
    assert not isinstance(caught.value, DeviceTimeout)
    connection.close()
    assert device.devices() == []
    device.flash(flashed)
    device.connect(board).close()


def test_an_emulator_that_stands_still_is_a_timeout(
    connection: device.Device, board: Board
) -> None:
    (one,) = device.devices()
    os.kill(one.pid, signal.SIGSTOP)
    try:
        connection.close()
        with pytest.raises(DeviceTimeout, match="qemu-m4 does not answer"):
            device.connect(board, timeout_s=1)
    finally:
        os.kill(one.pid, signal.SIGCONT)
    device.connect(board).close()


def test_an_idle_board_needs_no_processor(connection: device.Device) -> None:
    (one,) = device.devices()

    def ticks() -> int:
        fields = Path(f"/proc/{one.pid}/stat").read_text().rpartition(")")[2].split()
        return int(fields[11]) + int(fields[12])

    before = ticks()
    time.sleep(2)
    assert ticks() - before < 20  # of about 200


def test_a_fault_names_the_line_of_the_source(broken: Broken, board: Board) -> None:
    firmware, line = broken(
        "app/tml_run.c", "tml_model_invoke()", "  *(volatile uint32_t *)0xA0000000u = 1;"
    )
    device.flash(firmware)
    with device.connect(board) as connection:
        with pytest.raises(DeviceError) as caught:
            connection.infer(inputs(connection, 0))
        assert "BusFault accessing memory" in caught.value.message
        assert "address 0xa0000000" in caught.value.message
        assert f" in tml_run (tml_run.c:{line}), called from " in caught.value.message
        with pytest.raises(DeviceError, match="BusFault"):
            connection.status()
        connection.reset()
        assert connection.status().inferences == 0


@pytest.mark.parametrize(
    ("statement", "kind", "words"),
    [
        ("  for (;;) {}", DeviceTimeout, "qemu-m4 does not answer"),
        ("  *(volatile int *)0xA0000000u = 1;", DeviceError, "in tml_app_start (tml_app.c:"),
        ('  __asm__ volatile("cpsid i\\n b .");', DeviceTimeout, "qemu-m4 does not answer"),
    ],
    ids=["loop", "fault", "interrupts off"],
)
def test_firmware_that_does_not_start_leaves_no_emulator(
    broken: Broken, statement: str, kind: type[DeviceError], words: str
) -> None:
    firmware, _ = broken("app/tml_app.c", "if (tml_run_init() < 0)", statement)
    with pytest.raises(kind) as caught:
        device.flash(firmware, timeout_s=2)
    assert type(caught.value) is kind
    assert words in caught.value.message
    assert device.devices() == []
