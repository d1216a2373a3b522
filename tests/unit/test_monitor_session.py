"""A device in Python behind a real line: watched, unplugged, plugged in again, reset, noisy."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fake_board import FakeBoard, listening_device
from fake_device import LABELS, FakeDevice

from tinyml import cli
from tinyml.errors import DeviceError
from tinyml.firmware import boards
from tinyml.media import wav
from tinyml.monitor import Session, SessionOptions
from tinyml.monitor.events import (
    Attached,
    Bytes,
    Detached,
    DeviceStatus,
    Inferred,
    Played,
    Printed,
    Seen,
    Sensed,
    SessionEvent,
    Summed,
)
from tinyml.protocol import frames
from tinyml.protocol import messages as p

WAIT_S = 30.0
BOARD = boards.load("qemu-m4")


class Watched:
    """A session on a thread, and what it told so far."""

    def __init__(self, options: SessionOptions) -> None:
        self.events: list[SessionEvent] = []
        self.error: BaseException | None = None
        self.session = Session(options, self.events.append)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self.session.run()
        except BaseException as error:
            self.error = error

    def of(self, kind: type[Any]) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]

    def until(self, condition: Callable[[Watched], bool]) -> None:
        end = time.monotonic() + WAIT_S
        while not condition(self):
            assert time.monotonic() < end, self.events[-5:]
            assert self._thread.is_alive(), self.error or self.events[-5:]
            time.sleep(0.01)

    def end(self) -> None:
        self.session.stop()
        self.join()

    def join(self) -> None:
        self._thread.join(WAIT_S)
        assert not self._thread.is_alive()


@pytest.fixture
def board() -> Iterator[FakeBoard]:
    with FakeBoard() as board:
        yield board


@pytest.fixture
def clips(tmp_path: Path) -> Path:
    folder = tmp_path / "clips"
    for word, samples in (("yes", 4800), ("no", 3200)):
        (folder / word).mkdir(parents=True)
        tone = (np.sin(np.arange(samples) / 5) * 9000).astype(np.int16)
        wav.write(folder / word / f"{word}.wav", tone)
    return folder


def wanted(board: FakeBoard, **changes: Any) -> SessionOptions:
    return SessionOptions(**{"board": BOARD, "port": board.port, **changes})


def has_read(count: int) -> Callable[[Watched], bool]:
    return lambda watched: len(watched.of(Inferred)) >= count


def test_a_virtual_sensor_at_rest_gives_readings_until_stopped(board: FakeBoard) -> None:
    watched = Watched(wanted(board, rows=True, traffic=True))
    watched.until(has_read(5))
    watched.end()
    assert watched.error is None
    assert isinstance(watched.of(Attached)[0], Attached)
    read = watched.of(Inferred)[0]
    assert read.scores.tolist() == pytest.approx([129 / 256, 130 / 256, 255 / 256, 0])
    assert read.clip is None
    assert watched.of(DeviceStatus)
    assert watched.of(Seen)[0].rows.shape[1] == 40
    sent = b"".join(event.data for event in watched.of(Bytes) if event.to_device)
    assert sent.count(b"\0") > 10


def test_clips_are_played_and_summed_up(board: FakeBoard, clips: Path) -> None:
    watched = Watched(wanted(board, sources=(clips,), paced=False))
    watched.join()
    assert watched.error is None
    (summed,) = watched.of(Summed)
    assert [clip.said for clip in summed.report.clips] == ["no", "yes"]
    played = watched.of(Played)
    assert {event.clip for event in played} == {0, 1}
    assert played[-1].done == played[-1].total == 3200 + 4800 + 2 * 16000
    assert len(watched.of(Inferred)) == (3200 + 4800 + 32000) // 400
    assert {event.clip for event in watched.of(Inferred)} == {0, 1}


def test_a_board_that_goes_and_comes_back_plays_on_with_the_clip_that_broke(
    board: FakeBoard, clips: Path
) -> None:
    watched = Watched(wanted(board, sources=(clips,)))
    watched.until(lambda one: any(event.clip == 1 for event in one.of(Inferred)))
    board.unplug()
    watched.until(lambda one: bool(one.of(Detached)))
    board.plug()
    watched.join()
    assert watched.error is None
    assert [event.after for event in watched.of(Attached)] == ["", "reconnected"]
    reports = [event.report for event in watched.of(Summed)]
    assert [[clip.name for clip in report.clips] for report in reports] == [["no.wav"], ["yes.wav"]]


def test_a_port_that_comes_back_under_another_name_is_found(tmp_path: Path) -> None:
    with FakeBoard(link=tmp_path / "ttyFAKE0") as board:
        watched = Watched(wanted(board, port=str(tmp_path / "ttyFAKE*")))
        watched.until(has_read(2))
        board.unplug()
        watched.until(lambda one: bool(one.of(Detached)))
        before = len(watched.of(Inferred))
        board.plug(tmp_path / "ttyFAKE1")
        watched.until(has_read(before + 2))
        watched.end()
    assert watched.error is None


def test_a_board_that_does_not_come_back_is_an_error_after_the_deadline(board: FakeBoard) -> None:
    watched = Watched(wanted(board, reconnect_s=0.5))
    watched.until(has_read(1))
    board.unplug()
    watched.join()
    assert isinstance(watched.error, DeviceError)
    assert "did not come back in 0.5 s" in watched.error.message


def test_without_reconnecting_a_board_that_goes_is_an_error_at_once(board: FakeBoard) -> None:
    watched = Watched(wanted(board, reconnect_s=0.0))
    watched.until(has_read(1))
    board.unplug()
    watched.join()
    assert isinstance(watched.error, DeviceError)
    assert not watched.of(Detached)


def test_a_reset_starts_the_device_and_the_clip_anew(board: FakeBoard, clips: Path) -> None:
    watched = Watched(wanted(board, sources=(clips,)))
    watched.until(has_read(3))
    watched.session.reset()
    watched.join()
    assert watched.error is None
    assert [event.after for event in watched.of(Attached)] == ["", "reset"]
    assert board.device.executed.count("RESET") == 1
    (summed,) = watched.of(Summed)
    assert [clip.name for clip in summed.report.clips] == ["no.wav", "yes.wav"]


def test_a_device_that_failed_is_waited_for_and_can_be_reset(board: FakeBoard) -> None:
    watched = Watched(wanted(board))
    watched.until(has_read(1))
    board.device.faults_on = "SENSOR"
    watched.until(lambda one: bool(one.of(Detached)))
    assert "stopped" in watched.of(Detached)[0].reason
    board.device.faults_on = ""
    before = len(watched.of(Inferred))
    watched.session.reset()
    watched.until(has_read(before + 2))
    watched.end()
    assert watched.error is None


def test_a_device_that_restarts_by_itself_is_noticed_and_followed(board: FakeBoard) -> None:
    watched = Watched(wanted(board))
    watched.until(has_read(2))
    board.device.restart()
    watched.until(lambda one: len(one.of(Attached)) == 2)
    assert "restarted" in watched.of(Detached)[0].reason
    before = len(watched.of(Inferred))
    watched.until(has_read(before + 2))
    watched.end()
    assert watched.error is None


@pytest.mark.parametrize(
    "noise",
    [b"\0panic: \x1b[2Jwords\n\0", b"\0" + bytes(range(1, 256)) * 40 + b"\0", b"flood\n" * 700],
    ids=["escapes", "garbage", "flood"],
)
def test_noise_between_frames_is_counted_and_survived(board: FakeBoard, noise: bytes) -> None:
    board.noise = noise
    watched = Watched(wanted(board))
    watched.until(has_read(10))
    watched.end()
    assert watched.error is None
    assert not watched.of(Detached)
    if b"flood" in noise:
        assert any(event.text == "flood" for event in watched.of(Printed))
    else:
        assert watched.of(DeviceStatus)[-1].bad_frames > 5


def test_a_sensor_of_the_boards_own_is_heard_until_stopped() -> None:
    device = listening_device()
    device.sensor = "microphone"
    with FakeBoard(device) as board:
        watched = Watched(wanted(board))
        watched.until(has_read(3))
        watched.end()  # though the device is silent now
    assert watched.error is None
    assert not watched.of(Seen)
    assert device.executed.count("STREAM") >= 3  # at rest, started, stopped


def test_what_a_sensor_of_the_boards_own_gives_is_seen_by_who_wants_rows() -> None:
    device = listening_device()
    device.sensor = "microphone"
    with FakeBoard(device) as board:
        watched = Watched(wanted(board, rows=True))
        watched.until(lambda one: bool(one.of(Sensed)) and has_read(3)(one))
        watched.end()
    sensed = watched.of(Sensed)
    given = np.concatenate([event.values for event in sensed])
    assert given.shape == (1200, 1, 1)
    assert given[:, 0, 0].tolist() == list(range(1200))
    assert sensed[0].rate_hz == 16000
    assert sum(len(event.rows) for event in watched.of(Seen)) == 3  # windows of 30 ms every 20 ms
    heard = watched.session.recent(0.05)
    assert heard is not None
    assert heard[1].tolist() == list(range(400, 1200))


def test_firmware_that_tells_nothing_of_its_sensor_is_listened_to_all_the_same() -> None:
    device = listening_device()
    device.sensor, device.resends = "microphone", False
    with FakeBoard(device) as board:
        watched = Watched(wanted(board, rows=True))
        watched.until(has_read(3))
        watched.end()
    assert watched.error is None
    assert not watched.of(Sensed)
    assert watched.session.recent(1.0) is None


def run(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> list[str]:
    assert cli.main(["monitor", *arguments]) == code
    return capsys.readouterr().out.splitlines()


def test_the_command_prints_lines_and_appends_to_its_log(
    board: FakeBoard, clips: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "x.log"
    log.write_text("before\n")
    out = run(
        capsys, "--port", board.port, "--source", str(clips), "--fast",
        "--log", str(log), "--timestamp",
    )  # fmt: skip
    stamp, first = out[0].split("  ", 1)
    assert first.startswith("fake\\x1b[31m runs tiny")
    assert stamp[:2] == "20"
    assert "T" in stamp
    assert any(line.endswith("n\\x1b[2Jo  0.89") for line in out)
    assert out[-1].startswith("100 inferences")
    assert "0 samples dropped" in out[-1]
    logged = log.read_text().splitlines()
    assert logged[0] == "before"
    assert logged[1] == out[0]


def test_json_lines_tell_scores_bytes_and_the_sum(
    board: FakeBoard, clips: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = run(
        capsys, "--port", board.port, "--source", str(clips), "--fast", "--json", "--hex",
        "--timestamp",
    )  # fmt: skip
    records = [json.loads(line) for line in out]
    kinds = {record["kind"] for record in records}
    assert kinds >= {"device", "playing", "inference", "event", "status", "bytes", "clips"}
    inference = next(record for record in records if record["kind"] == "inference")
    assert len(inference["scores"]) == 4
    assert "time" in inference
    assert records[-1]["kind"] == "summary"
    assert (records[-1]["inferences"], records[-1]["judged"]) == (100, 2)


def test_another_threshold_is_applied_to_the_scores_here(
    board: FakeBoard, clips: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def events(*more: str) -> list[str]:
        out = run(capsys, "--port", board.port, "--source", str(clips), "--fast", "--json", *more)
        return [r["label"] for r in map(json.loads, out) if r["kind"] == "event"]

    assert set(events()) == {LABELS[3]}  # as the device says
    assert events("--threshold", "0.95") == ["yes"]  # its scores say yes, with 0.996
    assert events("--threshold", "0.2") == ["yes"]  # nothing else has any score


def test_what_was_missed_is_kept_under_its_label(
    board: FakeBoard, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, pause = tmp_path / "misses", np.zeros(8000, np.int16)
    tone = (np.sin(np.arange(8000) / 5) * 9000).astype(np.int16)
    for word in ("yes", "no"):
        (tmp_path / "said" / word).mkdir(parents=True)
        wav.write(tmp_path / "said" / word / "a.wav", np.concatenate((pause, tone, pause)))
    source = ("--port", board.port, "--source", str(tmp_path / "said"), "--fast")
    run(capsys, *source, "--keep-misses", str(folder))  # the fake recognises neither
    kept = sorted(folder.glob("*/*.wav"))
    assert [path.parent.name for path in kept] == ["no", "yes"]
    assert len(wav.read(kept[0])) == 24000
    run(capsys, "--port", board.port, "--keep-misses", str(folder), code=2)
    run(capsys, "--port", board.port, "--record", str(folder), code=2)


def test_a_flood_of_frames_outlasts_no_timeout(capsys: pytest.CaptureFixture[str]) -> None:
    error = p.Error(p.ErrorCode.BAD_FRAME, 0, 1, "").pack()
    flood = frames.Frame(p.ERROR.number, 0, error, frames.Flag.EVENT).encode() * 200
    with socket.create_server(("127.0.0.1", 0)) as server:

        def pour() -> None:
            connection, _ = server.accept()
            with connection, contextlib.suppress(OSError):
                while True:
                    connection.sendall(flood)

        thread = threading.Thread(target=pour, daemon=True)
        thread.start()
        port = f"socket://127.0.0.1:{server.getsockname()[1]}"
        assert cli.main(["monitor", "--port", port, "--timeout", "1"]) == 3
    assert "did not answer in 1 s" in capsys.readouterr().err


def test_until_decides_the_exit_code(board: FakeBoard, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "--port", board.port, "--until", "runs tiny")[0].endswith("runtime compiled")
    run(capsys, "--port", board.port, "--until", "never said", "--timeout", "0.5", code=1)


def test_a_board_that_is_not_there_ends_it_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    board = FakeBoard()
    board.plug()
    board.unplug()
    assert cli.main(["monitor", "--port", board.port]) == 3
    assert "cannot connect" in capsys.readouterr().err


def test_firmware_without_a_front_end_cannot_be_listened_to(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with FakeBoard(FakeDevice(streams=False)) as board:
        assert cli.main(["monitor", "--port", board.port]) == 2
    assert "cannot stream" in capsys.readouterr().err
