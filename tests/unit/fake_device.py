"""A device in Python that speaks `tinyml.protocol`: a peer of the firmware, for tests of the host.

`FakeDevice` turns bytes from the host into bytes for the host and knows neither time nor links;
`FakeLink` puts it behind the contract of `tinyml.device.links`, on a line that may lose things.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tinyml.errors import DeviceError
from tinyml.protocol import frames
from tinyml.protocol import messages as p

LABELS = ("silence", "unknown", "yes", "n\x1b[2Jo")
INPUT_SHAPE = (1, 40, 30)
INPUT_BYTES = 1200
OUTPUT_BYTES = 4
STEP_BYTES = (700, OUTPUT_BYTES)
SHA256 = tuple(range(32))
WINDOW = 1000  # samples under way
RESULT_SAMPLES = 400
CHUNK_SAMPLES = 60
ROOM = 30_000
FAULT = (0x1234, 0x5679, 0x01000000, 0x8200, 0x40000000, 0, 0xDEAD0000, 0x20001000)


def output_of(data: bytes) -> bytes:
    """The fake's model: the first bytes of its input, inverted."""
    return bytes(byte ^ 0xFF for byte in data[:OUTPUT_BYTES])


def step_of(data: bytes, step: int) -> bytes:
    """The tensor that a step of the fake's model writes."""
    return data[: STEP_BYTES[0]] if step == 0 else output_of(data)


@dataclass
class _Stream:
    """The virtual sensor: samples are consumed as they come."""

    next: int = 0
    limit: int = WINDOW
    results: int = 0


@dataclass
class _Capture:
    """A capture of one value per sample where the sensor is the virtual one."""

    channels: int
    count: int
    sent: int = 0


@dataclass
class FakeDevice:
    """The firmware. `executed` lists the requests it obeyed.

    `faults_on`: the request that makes it fault. `resends`: whether it keeps results. `sensor`:
    what streams hear; `overruns`: samples that it loses when it records. `claims`: records of INFO
    to send in place of its own, by section.
    """

    faults_on: str = ""
    streams: bool = True
    resends: bool = True
    sensor: str = p.VIRTUAL_SENSOR
    uptime_us: int = 5
    overruns: int = 0
    model_state: int = 0
    version: int = frames.VERSION
    claims: dict[int, list[frames.Record]] = field(default_factory=dict)
    executed: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._receiver = frames.Receiver()
        self._event_seq = 0
        self.restart()

    def restart(self) -> bytes:
        """Press reset: forget everything; return what the boot says."""
        self._boot_id: int | None = None
        self._faulted = False
        self._data = bytearray()
        self._stream: _Stream | None = None
        self._totals = p.Totals(0, 0, 0)
        self._results: dict[int, p.StreamResult] = {}  # of the stream, by number
        self._capture: _Capture | None = None
        self._captured = 0  # by the capture that runs or ran last
        return b"booting\r\n" + self._event(p.LOG, p.Log("started"))

    def feed(self, data: bytes) -> bytes:
        """Take bytes from the host and return what the device sends."""
        out = b""
        for frame in self._receiver.feed(data):
            out += self._answer(frame)
        while self._receiver.bad:
            self._receiver.bad -= 1
            out += self._event(p.ERROR, p.Error(p.ErrorCode.BAD_FRAME, 0, 1, ""))
        return out

    def _answer(self, frame: frames.Frame) -> bytes:
        message = next(m for m in p.MESSAGES if m.number == frame.type)
        assert message.request is not None
        if message.name == self.faults_on:
            self._faulted = True
        if self._faulted and message is not p.RESET:
            return self._event(p.FAULT, p.Fault(FAULT))
        if frame.version != self.version:
            return self._refuse(frame, p.ErrorCode.VERSION, self.version * 0x101, "version")
        self.executed.append(message.name)
        ask = message.request.unpack(frame.payload)
        handler: Callable[[frames.Frame, Any], bytes] = getattr(self, f"on_{message.name.lower()}")
        return handler(frame, ask)

    def on_hello(self, frame: frames.Frame, ask: p.Hello) -> bytes:
        self._boot_id = ask.nonce if self._boot_id is None else self._boot_id
        return _reply(frame, p.HelloReply(ask.nonce, self._boot_id, 1, 1, 512, 4096))

    def on_info(self, frame: frames.Frame, ask: p.Info) -> bytes:
        records = self.claims.get(ask.section) or self._records(p.InfoSection(ask.section))
        return _body(frame, b"".join(record.pack() for record in records))

    def on_input(self, frame: frames.Frame, ask: p.Input) -> bytes:
        if ask.offset > len(self._data):
            return self._refuse(frame, p.ErrorCode.BAD_ARG, len(self._data), "offset")
        self._data[ask.offset :] = ask.data
        return _reply(frame, p.InputReply(len(self._data)))

    def on_infer(self, frame: frames.Frame, ask: p.Infer) -> bytes:
        if len(self._data) != INPUT_BYTES:
            return self._refuse(frame, p.ErrorCode.STATE, 0, "an INPUT is incomplete")
        return _body(frame, p.InferReply(12, 345 * ask.repeat, output_of(self._data)).pack())

    def on_layers(self, frame: frames.Frame, ask: p.Layers) -> bytes:
        wanted = range(len(STEP_BYTES)) if ask.step == p.ALL_STEPS else (ask.step,)
        tensors = [step_of(self._data, step) for step in wanted]
        body = b"".join(p.Layer(zlib.crc32(tensor), 50).pack() for tensor in tensors)
        return _body(frame, body + (b"" if ask.step == p.ALL_STEPS else tensors[0]))

    def on_bench(self, frame: frames.Frame, ask: p.Bench) -> bytes:
        if len(self._data) != INPUT_BYTES:
            return self._refuse(frame, p.ErrorCode.STATE, 0, "an INPUT is incomplete")
        return _body(frame, b"".join((1000 + n).to_bytes(8, "little") for n in range(ask.count)))

    def on_stream(self, frame: frames.Frame, ask: p.StreamRequest) -> bytes:
        self._stream = None
        if ask.action == p.Action.STOP:
            return _reply(frame, self._totals)
        self._stream = _Stream()
        self._totals = p.Totals(0, 0, 0)
        self._results.clear()
        if self.sensor != p.VIRTUAL_SENSOR:  # its own heard three results' worth, then no more
            heard = self._consume(self._stream, bytes(2 * 3 * RESULT_SAMPLES))
            return _reply(frame, p.Totals(0, 0, 0)) + heard
        return _reply(frame, self._totals) + self._credit()

    def on_watch(self, frame: frames.Frame, ask: p.Watch) -> bytes:
        """A sensor of its own has given all it has by now: it is told at once."""
        if not self.resends:
            return self._refuse(frame, p.ErrorCode.UNSUPPORTED, frame.type, "type")
        reply = _reply(frame, p.Nothing())
        if self._stream is None or self.sensor == p.VIRTUAL_SENSOR:
            return reply
        values = np.arange(self._stream.next, dtype="<i2")
        for start in range(0, len(values), 200):
            part = values[start : start + 200].tobytes()
            reply += self._event(p.TRACE, p.Trace(start, ask.step, part))
        return reply

    def on_resend(self, frame: frames.Frame, ask: p.Resend) -> bytes:
        if not self.resends:
            return self._refuse(frame, p.ErrorCode.UNSUPPORTED, frame.type, "type")
        if ask.number not in self._results:
            return self._refuse(frame, p.ErrorCode.BAD_ARG, ask.number, "number")
        return _reply(frame, self._results[ask.number])

    def on_sensor(self, frame: frames.Frame, ask: p.SensorSamples) -> bytes:
        stream = self._stream
        count = len(ask.samples) // 2
        if stream is None:
            return self._refuse(frame, p.ErrorCode.STATE, 0, "STREAM start comes first")
        if ask.index > stream.next or ask.index + count > stream.limit:
            return self._credit(rewind=1)
        known = stream.next - ask.index
        if count == 0 and known == 0:
            if self._capture is not None:
                return self._end_capture()
            self._stream = None
            return self._event(p.ENDED, self._totals)
        out = b""
        if known < count:
            out += self._consume(stream, ask.samples[2 * known :])
        if self._stream is None:
            return out  # the capture has enough
        if known >= count or stream.limit - stream.next < WINDOW // 2:
            stream.limit = stream.next + WINDOW
            out += self._credit()
        return out

    def on_capture(self, frame: frames.Frame, ask: p.Capture) -> bytes:
        """The virtual sensor is played to; any other gives 0, 1, 2 ... ; both lose `overruns`."""
        if ask.action == p.Action.STOP:
            self._capture = self._stream = None
            return _reply(frame, p.Captured(self._captured, self.overruns, ROOM))
        self._capture, self._captured = _Capture(ask.channels, ask.count), 0
        out = _reply(frame, p.Captured(0, 0, ROOM))
        if ask.rate_hz and self.sensor == p.VIRTUAL_SENSOR:
            self._stream = _Stream()
            return out + self._credit()
        values = np.arange(ask.count * ask.channels if ask.rate_hz else 0)
        values = values if ask.rate_hz else np.zeros(ask.count * ask.channels)
        return out + self._chunks(values.astype("<i2").tobytes())

    def _chunks(self, samples: bytes) -> bytes:
        """Everything that there is, in chunks, and the end when it is enough."""
        capture = self._capture
        assert capture is not None
        step = 2 * capture.channels * CHUNK_SAMPLES
        out = b""
        for start in range(0, len(samples), step):
            room = 2 * capture.channels * (capture.count - capture.sent)
            part = samples[start : start + min(step, room)]
            if part:
                out += self._event(p.CHUNK, p.Chunk(capture.sent, self.overruns, part))
                capture.sent += len(part) // (2 * capture.channels)
                self._captured = capture.sent
        return out + (self._end_capture() if capture.sent == capture.count else b"")

    def _end_capture(self) -> bytes:
        assert self._capture is not None
        sent, self._capture, self._stream = self._capture.sent, None, None
        return self._event(p.ENDED, p.Totals(sent, 0, self.overruns))

    def on_reset(self, frame: frames.Frame, ask: p.Reset) -> bytes:
        return _reply(frame, p.Nothing()) + self.restart()

    def _consume(self, stream: _Stream, samples: bytes) -> bytes:
        """A result after every RESULT_SAMPLES; the third recognises a word."""
        stream.next += len(samples) // 2
        out = b""
        if self._capture is not None:
            return self._chunks(samples)
        while (stream.results + 1) * RESULT_SAMPLES <= stream.next:
            sample = (stream.results + 1) * RESULT_SAMPLES
            event = 3 if stream.results == 2 else p.NO_LABEL
            result = p.StreamResult(
                stream.results, sample, 7, 8, 9, 0, 2, event, 99, bytes((1, 2, 127, 128))
            )
            stream.results += 1
            self._results[result.number] = result
            out += self._event(p.RESULT, result)
        self._totals = p.Totals(stream.next, stream.results, 0)
        return out

    def _credit(self, rewind: int = 0) -> bytes:
        assert self._stream is not None
        return self._event(p.CREDIT, p.Credit(self._stream.next, self._stream.limit, rewind))

    def _event(self, message: p.Message, record: frames.Record) -> bytes:
        self._event_seq = (self._event_seq + 1) % 256
        payload = record.pack()
        return frames.Frame(message.number, self._event_seq, payload, frames.Flag.EVENT).encode()

    def _refuse(self, frame: frames.Frame, code: int, value: int, text: str) -> bytes:
        payload = p.Error(code, frame.type, value, text).pack()
        flags = frames.Flag.RESPONSE | frames.Flag.ERROR
        return frames.Frame(p.ERROR.number, frame.seq, payload, flags).encode()

    def _records(self, section: p.InfoSection) -> list[frames.Record]:
        features = "audio" if self.streams else ""
        identity = p.Identity(
            SHA256, 0, 1, 1, 4, 2, "fake\x1b[31m", "1.0", "compiled", "tiny", features,
            self.sensor if self.streams else "",
        )  # fmt: skip
        every: dict[int, list[frames.Record]] = {
            p.InfoSection.IDENTITY: [identity],
            p.InfoSection.TENSORS: [
                p.TensorRecord(9, 3, (*INPUT_SHAPE, 1, 1, 1), 0.5, -3, INPUT_BYTES, "in"),
                p.TensorRecord(
                    9, 2, (1, OUTPUT_BYTES, 1, 1, 1, 1), 1 / 256, -128, OUTPUT_BYTES, "out"
                ),
            ],
            p.InfoSection.LABELS: [p.Label(label) for label in LABELS],
            p.InfoSection.PARAMETERS: [
                p.Parameter(16000.0, "features.sample_rate_hz"),
                p.Parameter(0.0, "stream.background"),
                p.Parameter(1.0, "stream.background"),
            ],
            p.InfoSection.STATUS: [p.Status(self.uptime_us, 100, 90, 80, 8192, 600, 7, 6, 5, 4)],
            p.InfoSection.STEPS: [
                p.StepInfo(0, 5, STEP_BYTES[0], (0, 2)),
                p.StepInfo(3, 9, STEP_BYTES[1], ()),
            ],
            p.InfoSection.MODEL: [p.ModelState(self.model_state)],
        }
        return every[section]


def _reply(frame: frames.Frame, record: frames.Record) -> bytes:
    return frames.Frame(frame.type, frame.seq, record.pack(), frames.Flag.RESPONSE).encode()


def _body(frame: frames.Frame, body: bytes, piece_bytes: int = 100) -> bytes:
    """A long reply in pieces so small that most bodies have several."""
    out = []
    for offset in range(0, max(len(body), 1), piece_bytes):
        more = offset + piece_bytes < len(body)
        flags = frames.Flag.RESPONSE | (frames.Flag.MORE if more else frames.NO_FLAGS)
        payload = p.Piece(offset, body[offset : offset + piece_bytes]).pack()
        out.append(frames.Frame(frame.type, frame.seq, payload, flags).encode())
    return b"".join(out)


class Clock:
    """Time that passes only while somebody waits, so that no test does."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


class FakeLink:
    """The line to a FakeDevice.

    `to_device` and `to_host` may change what travels: they get the number of the write or answer,
    counted from 0, and its bytes. A silent line costs `clock` the time that is waited.
    """

    def __init__(
        self,
        device: FakeDevice,
        clock: Clock,
        *,
        to_device: Callable[[int, bytes], bytes] = lambda number, data: data,
        to_host: Callable[[int, bytes], bytes] = lambda number, data: data,
    ) -> None:
        self.device = device
        self.closed = False
        self.gone = False
        self.pending = bytearray()
        self._clock = clock
        self._to_device = to_device
        self._to_host = to_host
        self._writes = 0

    def read(self, n: int, deadline: Any) -> bytes:
        if self.gone:
            raise DeviceError("fake has gone")
        data = bytes(self.pending[:n])
        del self.pending[:n]
        if not data:
            self._clock.now += deadline.left() + 0.001
        return data

    def write(self, data: bytes, deadline: Any) -> int:
        number, self._writes = self._writes, self._writes + 1
        answer = self.device.feed(self._to_device(number, data))
        self.pending += self._to_host(number, answer)
        return len(data)

    def close(self) -> None:
        self.closed = True
