"""Device client: ask a board what it is, run its model, look at its layers, stream, reset.

A link in; arrays and records out. Everything has a deadline, and whatever a device sends is
bounded and checked before it is believed.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from tinyml.device import fault, recording, slot
from tinyml.device.channel import Channel, OnText, ignore
from tinyml.device.deadline import Deadline
from tinyml.device.identity import DeviceInfo, describe
from tinyml.device.links import Link
from tinyml.device.recording import OnChunk, SensorRecording
from tinyml.device.stream import ReadingStream
from tinyml.errors import DataError, DeviceError
from tinyml.protocol.frames import MAX_PAYLOAD, Record
from tinyml.protocol.messages import (
    ALL_STEPS,
    BENCH,
    INFER,
    INFO,
    INPUT,
    LAYERS,
    RESET,
    STREAM,
    Action,
    Bench,
    HelloReply,
    Identity,
    Infer,
    InferReply,
    Info,
    InfoSection,
    Input,
    InputReply,
    Label,
    Layer,
    Layers,
    Message,
    ModelState,
    Parameter,
    Reset,
    ResetTarget,
    SlotReply,
    Status,
    StepInfo,
    StreamRequest,
    TensorRecord,
    Trace,
)
from tinyml.records import ModelSlot, TensorInfo

Array = NDArray[Any]
R = TypeVar("R", bound=Record)

CONNECT_S = 10.0
INFERENCE_S = 60.0  # one inference, also of a large model on a busy computer's emulator
_MAX_INFO_BYTES = 1 << 20
_COUNTER = struct.Struct("<Q")


@dataclass(frozen=True)
class Inference:
    """One inference: `outputs` as `DeviceInfo.outputs` describes them; its cost as `counter_unit`.

    `time_us` is the device's own clock, which on an emulated board is no board's time.
    """

    outputs: list[Array]
    time_us: int
    counter: int


@dataclass(frozen=True)
class LayerResult:
    """One step of an inference; `crc` is the CRC-32 of the tensor it wrote, `counter` its cost."""

    step: int
    op_index: int
    tensor_index: int
    crc: int
    counter: int


class Device:
    """A connection to a device; use it in a `with` block. One thread only.

    All methods raise DeviceError when the device faults, restarts, refuses or goes away, and
    DeviceTimeout when it does not answer in time.
    """

    info: DeviceInfo

    def __init__(
        self,
        link: Link,
        name: str,
        *,
        elf: Path | None = None,
        serial_number: str = "",
        timeout_s: float = CONNECT_S,
        restart: bool = False,
        on_text: OnText = ignore,
        on_log: OnText = ignore,
    ) -> None:
        """Say HELLO over `link` until the device answers, and ask it what it is.

        `elf`: the program that runs, so that a fault can name functions and lines. `serial_number`
        of its port finds it again, "" where it has none. `restart` has the firmware start anew
        first. `on_text` gets printable text between frames, `on_log` what the firmware says in LOG
        events. The link is closed when this fails.
        """
        self.serial_number = serial_number

        def explain(registers: tuple[int, ...]) -> str:
            return fault.explain(registers, elf)

        self._channel = Channel(link, name, explain, on_text=on_text, on_log=on_log)
        try:
            deadline = Deadline(timeout_s)
            hello = self._channel.restart(deadline) if restart else self._channel.hello(deadline)
            self.info = self._describe(hello)
        except BaseException:
            link.close()
            raise

    def __enter__(self) -> Device:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection; the device runs on."""
        self._channel.close()

    @property
    def bad_frames(self) -> int:
        """Damaged frames that came from the device; `status()` has those that it received."""
        return self._channel.bad_frames

    def status(self) -> Status:
        """Return memory in bytes and what happened since the device started."""
        return Status.unpack(self._section(InfoSection.STATUS))

    def model_state(self) -> int:
        """Return 0, or the negative reason of model.h for which the model did not start."""
        return ModelState.unpack(self._section(InfoSection.MODEL)).reason

    def infer(
        self, inputs: Sequence[Array], *, repeat: int = 1, timeout_s: float = INFERENCE_S
    ) -> Inference:
        """Run one inference, or `repeat` on the same inputs (the counter is the last one's).

        `inputs` are arrays of exactly the shapes and dtypes of `info.inputs`; DataError otherwise.
        """
        self.send_inputs(inputs)
        body = self._compute(
            INFER,
            Infer(repeat),
            InferReply.fixed_bytes() + sum(info.bytes for info in self.info.outputs),
            timeout_s * repeat,
        )
        reply = InferReply.unpack(body)
        return Inference(self._outputs(reply.outputs), reply.time_us, reply.counter)

    def layers(
        self, inputs: Sequence[Array], *, timeout_s: float = INFERENCE_S
    ) -> list[LayerResult]:
        """Run one inference and return every step of it, in the order in which they ran."""
        self.send_inputs(inputs)
        steps = self.info.steps
        limit = Layer.fixed_bytes() * len(steps)
        body = self._compute(LAYERS, Layers(ALL_STEPS), limit, timeout_s)
        layers = Layer.unpack_all(body)
        if len(layers) != len(steps):
            raise DeviceError(f"{self._channel.name} ran {len(layers)} steps, not {len(steps)}")
        return [
            LayerResult(number, step.op_index, step.tensor_index, layer.crc, layer.counter)
            for number, (step, layer) in enumerate(zip(steps, layers, strict=True))
        ]

    def layer(self, step: int, *, timeout_s: float = INFERENCE_S) -> bytes:
        """Run the inputs of the last `layers` or `infer` again and return the tensor of `step`."""
        expected = self.info.steps[step].bytes
        limit = Layer.fixed_bytes() + expected
        body = self._compute(LAYERS, Layers(step), limit, timeout_s)
        layer, end = Layer.unpack_from(body, 0)
        tensor = body[end:]
        if len(tensor) != expected or crc32(tensor) != layer.crc:
            raise DeviceError(
                f"{self._channel.name} sent step {step} with {len(tensor)} bytes and CRC "
                f"{crc32(tensor):08x}, announced {expected} and {layer.crc:08x}"
            )
        return tensor

    def bench(self, count: int, warmup: int = 1, *, timeout_s: float = INFERENCE_S) -> list[int]:
        """Run `warmup` and then `count` inferences on the last inputs; return each one's counter.

        `timeout_s` is for each inference.
        """
        limit = _COUNTER.size * count
        total_s = timeout_s * (count + warmup)
        body = self._compute(BENCH, Bench(count, warmup), limit, total_s)
        if len(body) != limit:
            raise DeviceError(f"{self._channel.name} measured {len(body) // 8} runs, not {count}")
        return [counter for (counter,) in _COUNTER.iter_unpack(body)]

    def stream(
        self,
        samples: Array | Iterable[Array] | None = None,
        *,
        paced: bool = False,
        on_sent: Callable[[int], None] | None = None,
        trace_step: int = 0,
        on_trace: Callable[[Trace], None] = lambda trace: None,
    ) -> ReadingStream:
        """Play `samples` (int16, interleaved by channel) into the device's virtual sensor, or hear
        what a sensor of its own does.

        Iterate over the result to play them and get a Reading for every inference; they are
        fetched as the device can take them, so an endless iterable of chunks is fine; `paced` sends
        none before a real sensor would have it. `on_sent` gets the number of samples that have
        arrived there; `on_trace` what a sensor gives, `trace_step` samples a point (0: nothing).
        Raises ConfigError for samples with another sensor than the virtual one, and for that one
        without.
        """
        return ReadingStream(
            self._channel,
            self.info,
            samples,
            paced=paced,
            on_sent=on_sent,
            trace_step=trace_step,
            on_trace=on_trace,
        )

    def record(
        self,
        count: int,
        rate_hz: int,
        channels: int = 1,
        played: Array | None = None,
        on_chunk: OnChunk | None = None,
    ) -> SensorRecording:
        """Record `count` samples of the device's sensor; `played` goes into a virtual one.

        `on_chunk` gets int16 values as they come. Raises ConfigError for samples to play with
        another sensor than the virtual one, and for that one without.
        """
        return recording.record(
            self._channel, self.info, count, rate_hz, channels, played, on_chunk
        )

    def line_rate(self) -> float:
        """Measure how many bytes of samples a second the line brings from the device."""
        return recording.line_rate(self._channel, self.info)

    def room(self, channels: int) -> int:
        """Return how many samples of `channels` values fit into the device's memory."""
        return recording.room(self._channel, channels)

    def slot(self) -> SlotReply:
        """Return what the model slot takes; DeviceError where the firmware has none."""
        return slot.ask(self._channel)

    def load(
        self,
        content: ModelSlot,
        name: str,
        sha256: str,
        *,
        on_sent: Callable[[int], None] | None = None,
    ) -> None:
        """Run another model, of which `content.block` is sent, until the device restarts.

        `on_sent` gets the number of bytes that have arrived. The device checks all of it before it
        uses any; when it refuses, or the transfer ends early, the model that ran runs on.
        """
        slot.send(self._channel, self.info.max_payload, content.block, on_sent)
        slot.use(self._channel, content, name, sha256)
        self.info = self._describe(self._channel.hello(Deadline(CONNECT_S)))

    def unload(self) -> None:
        """Run the model that the firmware was built with again."""
        slot.use_built_in(self._channel)
        self.info = self._describe(self._channel.hello(Deadline(CONNECT_S)))

    def forget(self) -> None:
        """Have the model forget earlier inferences, where it keeps any state."""
        self._channel.request(RESET, Reset(ResetTarget.MODEL))

    def reset(self, timeout_s: float = CONNECT_S) -> None:
        """Restart the firmware and wait until it answers again."""
        self.info = self._describe(self._channel.restart(Deadline(timeout_s)))

    def _describe(self, hello: HelloReply) -> DeviceInfo:
        if not 64 <= hello.max_payload <= MAX_PAYLOAD:
            raise DeviceError(f"{self._channel.name} announces frames of {hello.max_payload} bytes")
        identity = Identity.unpack(self._section(InfoSection.IDENTITY))
        if identity.features:  # a stream that an earlier connection left running holds the model
            self._channel.request(STREAM, StreamRequest(Action.STOP))
        return describe(
            hello,
            identity,
            TensorRecord.unpack_all(self._section(InfoSection.TENSORS)),
            StepInfo.unpack_all(self._section(InfoSection.STEPS)),
            Label.unpack_all(self._section(InfoSection.LABELS)),
            Parameter.unpack_all(self._section(InfoSection.PARAMETERS)),
        )

    def _section(self, section: InfoSection) -> bytes:
        return self._channel.request(INFO, Info(section), limit=_MAX_INFO_BYTES)

    def _compute(self, message: Message, record: Record, limit: int, timeout_s: float) -> bytes:
        """Request what takes the device its time, and see that it was one device throughout."""
        body = self._channel.request(message, record, limit=limit, timeout_s=timeout_s)
        if self.info.has_slot:  # after a restart another model computes
            self._channel.same_boot(Deadline(CONNECT_S))
        return body

    def send_inputs(self, inputs: Sequence[Array]) -> None:
        """Give the device the inputs of the inferences that follow."""
        expected = self.info.inputs
        if len(inputs) != len(expected):
            raise DataError(f"{self.info.model} has {len(expected)} inputs, got {len(inputs)}")
        for index, (array, info) in enumerate(zip(inputs, expected, strict=True)):
            self._send_input(index, _bytes_of(array, info))

    def _send_input(self, index: int, data: bytes) -> None:
        chunk = self.info.max_payload - Input.fixed_bytes()
        for offset in range(0, len(data), chunk):
            part = data[offset : offset + chunk]
            reply = self._channel.request(INPUT, Input(index, offset, part))
            arrived = InputReply.unpack(reply).next
            if arrived != offset + len(part):
                raise DeviceError(
                    f"{self._channel.name} has {arrived} bytes of input {index}, was sent "
                    f"{offset + len(part)}"
                )

    def _outputs(self, data: bytes) -> list[Array]:
        expected = sum(info.bytes for info in self.info.outputs)
        if len(data) != expected:
            raise DeviceError(
                f"{self._channel.name} sent {len(data)} bytes of output, not {expected}"
            )
        outputs = []
        for info in self.info.outputs:
            dtype = np.dtype(info.dtype).newbyteorder("<")
            array = np.frombuffer(data[: info.bytes], dtype).reshape(info.shape)
            outputs.append(array.astype(info.dtype))
            data = data[info.bytes :]
        return outputs


def _bytes_of(array: Array, info: TensorInfo) -> bytes:
    if array.shape != info.shape or array.dtype != np.dtype(info.dtype):
        raise DataError(
            f"input {info.name!r} is {info.dtype} {list(info.shape)}, got {array.dtype} "
            f"{list(array.shape)}"
        )
    return array.astype(np.dtype(info.dtype).newbyteorder("<")).tobytes()
