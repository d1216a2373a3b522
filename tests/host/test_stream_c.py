"""The stream of a firmware with the audio front end: equal to the host's own, nothing lost."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from host_firmware import AUDIO, LABELS, STREAM, HostDevice, ProcessLink, build, stub
from line_peer import Refused

from tinyml.device import Device
from tinyml.device.deadline import Deadline
from tinyml.features import Recognizer, audio_features
from tinyml.protocol import frames, messages
from tinyml.protocol.frames import Flag
from tinyml.protocol.messages import Action, ErrorCode, InfoSection
from tinyml.records import TensorInfo

pytestmark = pytest.mark.needs_cc

ROWS, CHANNELS = 49, 40
FRAME_SAMPLES = (frames.MAX_PAYLOAD - messages.SensorSamples.fixed_bytes()) // 2


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    parts = stub([ROWS * CHANNELS], [len(LABELS)], stream=True)
    return build(tmp_path_factory.mktemp("stream"), *parts)


@pytest.fixture
def device(program: Path) -> Iterator[HostDevice]:
    with HostDevice(program) as device:
        yield device


@pytest.fixture(scope="module")
def samples() -> np.ndarray:
    rng = np.random.default_rng(8)
    tone = 9000 * np.sin(np.arange(50_123) * np.linspace(0.1, 1.2, 50_123))
    return (tone + rng.normal(0, 900, 50_123)).astype(np.int16)


def play(
    device: HostDevice,
    samples: np.ndarray,
    lose: tuple[int, ...] = (),
    step: int = FRAME_SAMPLES,
    watch: int = 0,
    traces: list[messages.Trace] | None = None,
) -> tuple[list[messages.StreamResult], messages.Totals]:
    """Play samples by the rules of credit; damage the n-th frames in `lose` on the way.

    `traces` gets what the device tells of its sensor, in points of `watch` samples.
    """
    device.ask(messages.STREAM, messages.StreamRequest(Action.START))
    if watch:  # its reply is passed over below: asking for it would drop the first CREDIT
        device.request(messages.Watch(watch), messages.WATCH.number)
    results: list[messages.StreamResult] = []
    at = limit = sent = acknowledged = 0
    while True:
        while at < limit:
            part = samples[at : min(at + step, limit)]
            ask = messages.SensorSamples(at, part.tobytes())
            data = bytearray(frames.Frame(messages.SENSOR.number, 0, ask.pack()).encode())
            if sent in lose:
                data[20] ^= 0xFF
            device.send(bytes(data))
            sent += 1
            at += len(part)
            if at == len(samples):
                device.request(messages.SensorSamples(at), messages.SENSOR.number)
                break
        frame = device.poll(lambda f: Flag.EVENT in f.flags, 0.5)
        if frame is None:
            at = acknowledged
        elif frame.type == messages.TRACE.number:
            assert traces is not None, "nobody watches"
            traces.append(messages.Trace.unpack(frame.payload))
        elif frame.type == messages.RESULT.number:
            results.append(messages.StreamResult.unpack(frame.payload))
        elif frame.type == messages.CREDIT.number:
            credit = messages.Credit.unpack(frame.payload)
            assert credit.limit - credit.next <= 4096
            limit = min(credit.limit, len(samples))
            acknowledged = credit.next
            at = credit.next if credit.rewind else at
        elif frame.type == messages.ENDED.number:
            return results, messages.Totals.unpack(frame.payload)


def expected(samples: np.ndarray) -> list[tuple[int, bytes, str | None]]:
    """(sample, scores, label of the event) of every inference, from the Python side."""
    recognizer = Recognizer(STREAM, LABELS, TensorInfo("out", "int8", (1, 4), 1 / 256, -128))
    rows = audio_features(samples, AUDIO)
    found = []
    for end in range(ROWS, len(rows) + 1, STREAM.stride_frames):
        window = rows[end - ROWS : end].reshape(-1).astype(np.int64)
        weights = np.arange(len(window)) + 1 + np.arange(len(LABELS))[:, None]
        scores = ((window * weights).sum(1) & 255).astype(np.uint8).view(np.int8)
        sample = (end - 1) * 320 + 480
        event = recognizer.push(scores, sample)
        found.append((sample, scores.tobytes(), event.label if event else None))
    return found


def same(results: list[messages.StreamResult], want: list[tuple[int, bytes, str | None]]) -> None:
    assert [r.number for r in results] == list(range(len(want)))
    for result, (sample, scores, event) in zip(results, want, strict=True):
        assert (result.sample, result.scores) == (sample, scores)
        assert result.top == np.frombuffer(scores, np.int8).argmax()
        assert (None if result.event == messages.NO_LABEL else LABELS[result.event]) == event
        assert result.dropped == 0


def test_a_stream_equals_the_host(device: HostDevice, samples: np.ndarray) -> None:
    results, totals = play(device, samples)
    want = expected(samples)
    assert any(event for _, _, event in want), "the test's samples make no event"
    same(results, want)
    assert totals == messages.Totals(len(samples), len(want), 0)


def test_frames_of_any_size_and_a_second_stream_change_nothing(
    device: HostDevice, samples: np.ndarray
) -> None:
    first, _ = play(device, samples[:20_000], step=37)
    again, _ = play(device, samples[:20_000], step=252)
    assert [r.scores for r in first] == [r.scores for r in again]
    same(again, expected(samples[:20_000]))


def test_lost_frames_are_sent_again(device: HostDevice, samples: np.ndarray) -> None:
    results, totals = play(device, samples[:30_000], lose=(0, 3, 4, 50))
    same(results, expected(samples[:30_000]))
    assert totals.samples == 30_000


def test_a_bad_line_costs_no_result_and_makes_no_difference(
    program: Path, samples: np.ndarray
) -> None:
    """A bit of every 40th piece of what travels is flipped, whichever way it goes."""
    count = itertools.count(1)

    def flip(data: bytes) -> bytes:
        if not data or next(count) % 40:
            return data
        middle = len(data) // 2
        return data[:middle] + bytes([data[middle] ^ 4]) + data[middle + 1 :]

    class BadLink(ProcessLink):
        def read(self, n: int, deadline: Deadline) -> bytes:
            return flip(super().read(n, deadline))

        def write(self, data: bytes, deadline: Deadline) -> int:
            super().write(flip(data), deadline)
            return len(data)

    with Device(BadLink(program), "bad line") as device:
        stream = device.stream(samples)
        readings = list(stream)
        status = device.status()
    want = expected(samples)
    assert [(r.number, r.sample, r.scores.tobytes()) for r in readings] == [
        (number, sample, scores) for number, (sample, scores, _) in enumerate(want)
    ]
    assert [reading.event for reading in readings] == [event for _, _, event in want]
    assert stream.totals is not None
    assert (stream.totals.lost_results, stream.totals.samples) == (0, len(samples))
    assert status.bad_frames > 0  # there was damage


@pytest.mark.parametrize("count", [0, 1, 479, 480, 15839, 15840])
def test_short_streams_end_too(device: HostDevice, samples: np.ndarray, count: int) -> None:
    if count == 0:
        device.ask(messages.STREAM, messages.StreamRequest(Action.START))
        device.request(messages.SensorSamples(0), messages.SENSOR.number)
        frame = device.next(lambda f: f.type == messages.ENDED.number)
        assert messages.Totals.unpack(frame.payload) == messages.Totals(0, 0, 0)
        return
    results, totals = play(device, samples[:count])
    same(results, expected(samples[:count]))
    assert totals.samples == count


def test_the_last_results_are_sent_again_and_no_others(
    device: HostDevice, samples: np.ndarray
) -> None:
    results, totals = play(device, samples)
    assert totals.results > 20
    for result in results[-16:]:
        again = device.ask(messages.RESEND, messages.Resend(result.number))
        assert messages.StreamResult.unpack(again) == result
    for number in (results[-17].number, totals.results, 0xFFFFFFFF):
        with pytest.raises(Refused) as refused:
            device.ask(messages.RESEND, messages.Resend(number))
        assert (refused.value.error.code, refused.value.error.text) == (ErrorCode.BAD_ARG, "number")
    device.ask(messages.STREAM, messages.StreamRequest(Action.START))
    with pytest.raises(Refused):  # a stream anew has none yet
        device.ask(messages.RESEND, messages.Resend(0))


@pytest.mark.parametrize("step", [1, 2, 7, 160, 4000])
def test_a_host_that_watches_is_told_what_the_sensor_gives(
    device: HostDevice, samples: np.ndarray, step: int
) -> None:
    samples = samples[:30_000]
    traces: list[messages.Trace] = []
    results, _ = play(device, samples, watch=step, traces=traces)
    same(results, expected(samples))  # watching changes nothing
    points, each = [], 1 if step == 1 else 2
    for trace in traces:
        assert trace.step == step
        assert trace.index == len(points) * step  # nothing is left out, nothing comes twice
        points += np.frombuffer(trace.samples, "<i2").reshape(-1, each).tolist()
    whole = samples[: len(points) * step].reshape(-1, step)
    assert len(samples) - whole.size < step
    wanted = whole if step == 1 else np.stack((whole.min(axis=1), whole.max(axis=1)), axis=1)
    assert points == wanted.tolist()


def test_who_does_not_watch_is_told_nothing(device: HostDevice, samples: np.ndarray) -> None:
    device.ask(messages.WATCH, messages.Watch(1))
    play(device, samples[:5000])  # a stream anew is not watched
    traces: list[messages.Trace] = []
    play(device, samples[:5000], watch=1, traces=traces)
    assert traces


def test_info_tells_the_settings(device: HostDevice) -> None:
    body = device.ask(messages.INFO, messages.Info(InfoSection.PARAMETERS))
    found = [(p.name, p.value) for p in messages.Parameter.unpack_all(body)]
    assert ("features.stride_ms", 20.0) in found
    assert ("stream.threshold", STREAM.threshold) in found
    assert [value for name, value in found if name == "stream.background"] == [0.0, 1.0]
    body = device.ask(messages.INFO, messages.Info(InfoSection.IDENTITY))
    assert messages.Identity.unpack(body).features == "audio"


def test_the_model_belongs_to_a_running_stream(device: HostDevice) -> None:
    device.ask(messages.STREAM, messages.StreamRequest(Action.START))
    for message, record in (
        (messages.INPUT, messages.Input(0, 0, b"x")),
        (messages.INFER, messages.Infer(1)),
        (messages.LAYERS, messages.Layers()),
        (messages.BENCH, messages.Bench(1, 0)),
    ):
        with pytest.raises(Refused) as caught:
            device.ask(message, record)
        assert caught.value.error.code == ErrorCode.STATE
    for _ in range(2):
        body = device.ask(messages.STREAM, messages.StreamRequest(Action.STOP))
        assert messages.Totals.unpack(body) == messages.Totals(0, 0, 0)
    with pytest.raises(Refused) as caught:
        device.ask(messages.INFER, messages.Infer(1))
    assert caught.value.error.text == "an INPUT is incomplete"


def test_samples_against_the_rules_are_refused(device: HostDevice) -> None:
    with pytest.raises(Refused) as caught:
        device.ask(messages.SENSOR, messages.SensorSamples(0, b"ab"))
    assert caught.value.error.code == ErrorCode.STATE
    with pytest.raises(Refused) as caught:
        device.ask(messages.STREAM, messages.StreamRequest(2))
    assert caught.value.error.text == "action"
    device.ask(messages.STREAM, messages.StreamRequest(Action.START))
    device.next(lambda f: f.type == messages.CREDIT.number)
    with pytest.raises(Refused) as caught:
        device.ask(messages.SENSOR, messages.SensorSamples(0, b"abc"))
    assert caught.value.error.text == "length"
    # After a gap, and far beyond any index there can be: nothing is taken, one rewind is asked for.
    for index in (5, 1 << 63, (1 << 64) - 1):
        device.request(messages.SensorSamples(index, bytes(504)), messages.SENSOR.number)
    frame = device.next(lambda f: f.type == messages.CREDIT.number)
    assert messages.Credit.unpack(frame.payload).rewind == 1
    device.request(messages.SensorSamples(0, bytes(200)), messages.SENSOR.number)
    device.request(messages.SensorSamples(0, bytes(200)), messages.SENSOR.number)  # a duplicate
    device.request(
        messages.SensorSamples(50, bytes(200)), messages.SENSOR.number
    )  # half of it is new
    device.request(messages.SensorSamples(150), messages.SENSOR.number)
    frame = device.next(lambda f: f.type == messages.ENDED.number)
    assert messages.Totals.unpack(frame.payload).samples == 150


def test_a_lost_credit_is_repeated(device: HostDevice) -> None:
    device.ask(messages.STREAM, messages.StreamRequest(Action.START))
    device.next(lambda f: f.type == messages.CREDIT.number)
    for _ in range(3):
        device.request(messages.SensorSamples(0, bytes(504)), messages.SENSOR.number)
        device.request(messages.SensorSamples(0, bytes(504)), messages.SENSOR.number)
        frame = device.next(
            lambda f: (
                f.type == messages.CREDIT.number
                and messages.Credit.unpack(f.payload).next == FRAME_SAMPLES
            )
        )
        assert messages.Credit.unpack(frame.payload).rewind == 0


def test_a_host_that_ignores_credit_loses_nothing_that_was_taken(
    device: HostDevice, samples: np.ndarray
) -> None:
    device.ask(messages.STREAM, messages.StreamRequest(Action.START))
    sent = 0
    while sent < 40_000:
        flood = samples[sent : sent + FRAME_SAMPLES]
        device.request(messages.SensorSamples(sent, flood.tobytes()), messages.SENSOR.number)
        sent += len(flood)
    totals = messages.Totals.unpack(
        device.ask(messages.STREAM, messages.StreamRequest(Action.STOP))
    )
    # How many were taken depends on which side was faster; none that was never sent may count.
    assert totals.samples <= sent
    results, _ = play(device, samples[:20_000])
    same(results, expected(samples[:20_000]))


def captured(
    device: HostDevice, samples: np.ndarray, count: int
) -> tuple[np.ndarray, messages.Totals]:
    """Capture what is played into the virtual sensor by the rules of credit."""
    ask = messages.Capture(Action.START, 1, 16000, count)
    reply = messages.Captured.unpack(device.ask(messages.CAPTURE, ask))
    assert (reply.samples, reply.dropped, reply.room) == (0, 0, 16384)
    parts = np.empty(0, np.int16)
    at = limit = 0
    while True:
        while at < limit:
            part = samples[at : min(at + FRAME_SAMPLES, limit)]
            device.request(messages.SensorSamples(at, part.tobytes()), messages.SENSOR.number)
            at += len(part)
            if at == len(samples):
                device.request(messages.SensorSamples(at), messages.SENSOR.number)
        frame = device.next(lambda f: Flag.EVENT in f.flags)
        if frame.type == messages.CREDIT.number:
            limit = min(messages.Credit.unpack(frame.payload).limit, len(samples))
        elif frame.type == messages.CHUNK.number:
            chunk = messages.Chunk.unpack(frame.payload)
            assert (chunk.index, chunk.dropped) == (len(parts), 0)
            parts = np.concatenate([parts, np.frombuffer(chunk.samples, "<i2")])
        elif frame.type == messages.ENDED.number:
            return parts, messages.Totals.unpack(frame.payload)


@pytest.mark.parametrize("count", [1, 251, 20_000, 50_123])
def test_a_capture_is_what_the_sensor_gave(
    device: HostDevice, samples: np.ndarray, count: int
) -> None:
    played = samples if count == 20_000 else samples[:count]
    parts, totals = captured(device, played, count)
    assert np.array_equal(parts, samples[:count])
    assert totals == messages.Totals(count, 0, 0)
    results, _ = play(device, samples[:20_000])  # the sensor is free again
    same(results, expected(samples[:20_000]))


def test_a_capture_ends_with_its_sensor(device: HostDevice, samples: np.ndarray) -> None:
    parts, totals = captured(device, samples[:700], 16_000)
    assert np.array_equal(parts, samples[:700])
    assert totals.samples == 700


def test_stream_and_capture_end_each_other(device: HostDevice, samples: np.ndarray) -> None:
    start = messages.Capture(Action.START, 1, 16000, 1000)
    device.ask(messages.STREAM, messages.StreamRequest(Action.START))
    device.ask(messages.CAPTURE, start)
    with pytest.raises(Refused) as caught:  # no stream holds the model
        device.ask(messages.INFER, messages.Infer(1))
    assert caught.value.error.text == "an INPUT is incomplete"
    results, _ = play(device, samples[:20_000])
    same(results, expected(samples[:20_000]))
    device.ask(messages.CAPTURE, start)
    stopped = messages.Captured.unpack(device.ask(messages.CAPTURE, messages.Capture(Action.STOP)))
    assert (stopped.samples, stopped.dropped) == (0, 0)
    with pytest.raises(Refused) as caught:
        device.ask(messages.SENSOR, messages.SensorSamples(0, b"ab"))
    assert caught.value.error.code == ErrorCode.STATE


def test_the_line_is_measured_with_zeros(device: HostDevice) -> None:
    device.ask(messages.CAPTURE, messages.Capture(Action.START, 3, 0, 40_000))
    heard = 0
    while True:
        frame = device.next(lambda f: f.type in (messages.CHUNK.number, messages.ENDED.number))
        if frame.type == messages.ENDED.number:
            break
        chunk = messages.Chunk.unpack(frame.payload)
        assert chunk.index == heard
        assert chunk.samples == bytes(len(chunk.samples))
        heard += len(chunk.samples) // 6
    assert heard == messages.Totals.unpack(frame.payload).samples == 40_000


@pytest.mark.parametrize(
    ("ask", "code"),
    [
        (messages.Capture(2, 1, 16000, 1), ErrorCode.BAD_ARG),
        (messages.Capture(Action.START, 0, 16000, 1), ErrorCode.BAD_ARG),
        (messages.Capture(Action.START, 253, 0, 1), ErrorCode.BAD_ARG),
        (messages.Capture(Action.START, 1, 16000, 0), ErrorCode.BAD_ARG),
    ],
)
def test_impossible_captures_are_refused(
    device: HostDevice, ask: messages.Capture, code: int
) -> None:
    with pytest.raises(Refused) as caught:
        device.ask(messages.CAPTURE, ask)
    assert caught.value.error.code == code
    captured(device, np.zeros(100, np.int16), 100)
