"""Flashing a Spresense over a real port: a pty whose far end is a board that misbehaves."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from fake_device import SHA256, FakeDevice
from fake_spresense import FakeSpresense

from tinyml import device
from tinyml.device import ports
from tinyml.device.kinds import spresense
from tinyml.errors import ConfigError, DeviceError, DeviceTimeout, ToolError
from tinyml.firmware import boards
from tinyml.platforms.spresense import updater
from tinyml.records import Bundle, CSource, Firmware, Project

IMAGE = bytes(range(256)) * 13 + b"end"  # four blocks
# The longest that an answer may take here.
TIMINGS = updater.Timings(answer_s=2.0, resend_s=0.2, save_s=2.0)
LONGEST_S = 40.0


@pytest.fixture
def board(request: pytest.FixtureRequest) -> Iterator[FakeSpresense]:
    board = FakeSpresense(**getattr(request, "param", {}))
    yield board
    board.close()


def put(board: FakeSpresense, image: bytes = IMAGE, baud: int = updater.BAUD) -> None:
    with updater.open_port(board.path) as port:
        updater.install(
            port, image, transfer_baud=baud, timings=TIMINGS, sleep=lambda s: time.sleep(s / 10)
        )


def padded(image: bytes) -> bytes:
    return image.ljust(-(-len(image) // 1024) * 1024, b"\x1a")


@pytest.mark.parametrize(
    "board",
    [
        {},
        {"lost": {1, 3}},
        {"damaged": {2, 3}},
        {"ack_lost": {2, 4}},
        {"ack_damaged": {1}},
        {"late": {2}},
        {"lost": {1}, "damaged": {2}, "ack_lost": {3}, "late": {5}},
    ],
    indirect=True,
    ids=lambda faults: "-".join(faults) or "nothing",
)
def test_an_image_arrives_in_spite_of(board: FakeSpresense) -> None:
    put(board)
    assert board.installed == padded(IMAGE)
    assert board.synced
    assert [command.split()[0] for command in board.commands[:2]] == [b"install", b"sync"]


@pytest.mark.parametrize(
    ("board", "says"),
    [
        ({"mute": True}, "loader did not answer"),
        ({"no_loader": True}, "loader did not answer"),
        ({"no_updater": True}, "updater did not start"),
        ({"no_transfer": True}, "did not offer a transfer"),
        ({"no_request": True}, "did not ask for the first block"),
        ({"lost": range(1, 99)}, "block 1 of the transfer was not accepted"),
        ({"damaged": range(3, 99)}, "block 3 of the transfer was not accepted"),
        ({"ack_lost": range(1, 99)}, "block 1 of the transfer was not accepted"),
        ({"cancel": 2}, "cancelled"),
        ({"rejected": True}, "Install failed: -22"),
        ({"no_prompt": True}, "did not come back after 'install'"),
        ({"no_sync": True}, "did not come back after 'sync'"),
    ],
    indirect=["board"],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else "",
)
def test_a_failure_ends_in_time_with_its_name(board: FakeSpresense, says: str) -> None:
    began = time.monotonic()
    with pytest.raises(updater.UpdaterError, match=says) as caught:
        put(board)
    assert caught.value.hint
    assert not board.rebooted
    assert time.monotonic() - began < LONGEST_S


def test_missing_bootloader_files_are_recognised(board: FakeSpresense) -> None:
    board.faults["no_updater"] = True
    with pytest.raises(updater.UpdaterError, match="updater did not start") as caught:
        put(board)
    assert "Burn Bootloader" in caught.value.hint


@pytest.mark.parametrize("board", [{"unplugged": 2}], indirect=True)
def test_an_unplugged_board_is_an_error_of_its_port(board: FakeSpresense) -> None:
    with pytest.raises(DeviceError, match="cannot be used"):
        spresense.install(board.path, IMAGE, updater.BAUD, timings=TIMINGS)


def test_a_port_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(DeviceError, match="nowhere cannot be used"):
        spresense.install(str(tmp_path / "nowhere"), IMAGE, updater.BAUD)


def test_a_port_in_use_is_left_to_its_user(board: FakeSpresense) -> None:
    with (
        updater.open_port(board.path),
        pytest.raises(DeviceError, match="cannot be used") as caught,
    ):
        spresense.install(board.path, IMAGE, updater.BAUD)
    assert "another program" in caught.value.hint


def firmware(folder: Path, sha256: str = bytes(SHA256).hex()) -> Firmware:
    (folder / "firmware.spk").write_bytes(IMAGE)
    source = CSource("compiled", {}, (), (), (), (), 0, 0)
    model = Bundle("m", b"", sha256, folder)
    project = Project(folder, boards.load("spresense"), model, source)
    return Firmware(project, folder / "firmware.elf", 0, 0, 0)


def flashed(board: FakeSpresense, made: Firmware, timeout_s: float = 5.0) -> list[str]:
    steps: list[str] = []
    device.flash(made, board.path, timeout_s, steps.append)
    return steps


def test_flash_ends_when_the_firmware_answers(tmp_path: Path) -> None:
    board = FakeSpresense(FakeDevice().feed)
    try:
        steps = flashed(board, firmware(tmp_path))
    finally:
        board.close()
    assert board.installed == padded(IMAGE)
    assert board.commands[0] == b"install -b 921600"
    assert steps[0] == f"installing through {board.path}"
    assert "100 % of 3,331 bytes" in steps


def test_a_silent_or_another_firmware_is_no_success(tmp_path: Path) -> None:
    board = FakeSpresense()
    try:
        with pytest.raises(DeviceTimeout):
            flashed(board, firmware(tmp_path), 1.0)
    finally:
        board.close()
    assert board.installed
    board = FakeSpresense(FakeDevice().feed)
    try:
        with pytest.raises(DeviceError, match="holds model"):
            flashed(board, firmware(tmp_path, "ab" * 32))
    finally:
        board.close()


def test_a_transfer_that_fails_fast_is_repeated_slowly(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rates: list[int] = []

    def install(port: object, image: bytes, *, transfer_baud: int = updater.BAUD, **_: object):
        rates.append(transfer_baud)
        if transfer_baud > updater.BAUD:
            raise updater.TransferError("block 7 was not accepted", "")

    monkeypatch.setattr(updater, "install", install)
    board = FakeSpresense()
    try:
        spresense.install(board.path, IMAGE, 921600)
        assert rates == [921600, updater.BAUD]
        spresense.install(board.path, IMAGE, updater.BAUD)
        assert rates[2:] == [updater.BAUD]
    finally:
        board.close()


def test_what_cannot_be_flashed_is_refused_before_a_port_opens(tmp_path: Path) -> None:
    made = firmware(tmp_path)
    slow = replace(made.project.board, options={"upload_speed": "fast"})
    with pytest.raises(ConfigError, match="upload_speed is 'fast'"):
        device.flash(replace(made, project=replace(made.project, board=slow)), "/dev/nowhere")
    (tmp_path / "firmware.spk").unlink()
    with pytest.raises(ToolError, match=r"no firmware\.spk"):
        device.flash(made, "/dev/nowhere")


def test_one_of_several_spresenses_is_never_guessed(monkeypatch: pytest.MonkeyPatch) -> None:
    pair = [ports.Port(f"/dev/ttyUSB{n}", "CP2102N", f"{n}", 0x10C4, 0xEA60) for n in range(2)]
    monkeypatch.setattr(ports, "available", lambda: pair)
    with pytest.raises(ConfigError, match="more than one port"):
        spresense.attach(boards.load("spresense"), 1.0)
    other = ports.Port("/dev/ttyACM0", "Nano", "x", 0x2341, 0x805A)
    monkeypatch.setattr(ports, "available", lambda: [other])
    with pytest.raises(DeviceError, match="no port has the USB id 10c4:ea60"):
        spresense.attach(boards.load("spresense"), 1.0)


def test_the_extension_board_s_port_is_recognised(monkeypatch: pytest.MonkeyPatch) -> None:
    main = ports.Port("/dev/ttyUSB0", "CP2102N", "1", 0x10C4, 0xEA60)
    extension = ports.Port("/dev/ttyACM0", "CDC/ACM", "0", 0x054C, 0x0BC2)
    spresense_board = boards.load("spresense")
    monkeypatch.setattr(ports, "available", lambda: [extension])
    for wanted in (None, extension.path, "054c:0bc2"):
        with pytest.raises(ConfigError, match="ttyACM0 is the extension board's") as caught:
            spresense._path(spresense_board, wanted)
        assert "main board" in caught.value.hint
    monkeypatch.setattr(ports, "available", lambda: [extension, main])
    assert spresense._path(spresense_board, None) == main.path
