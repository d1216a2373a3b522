"""The wire protocol's messages: one description for host and firmware.

Python packs and unpacks the record classes below; `firmware_templates/common/tml_protocol.h.j2`
renders the same classes as C. Framing is in `frames`.

* The host sends one request at a time and waits for its reply, which has the request's type and
  sequence number. Repeating a request is always safe: executing it twice is executing it once.
* A reply is one frame, or (`Message.long`) a body of any length: each frame carries the `offset`
  of its piece, and all but the last have the flag MORE. A piece at offset 0 starts the body anew.
* SENSOR has no reply: CREDIT events allow and acknowledge it.
* Printable text between frames is not ours: both ends let it pass.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from tinyml.protocol.frames import (
    Digest,
    List,
    Record,
    Registers,
    Rest,
    Shape,
    Text,
    f32,
    f64,
    i8,
    i32,
    u8,
    u16,
    u32,
    u64,
)

VERSION_MIN = 1  # VERSION_MIN..VERSION is what a device accepts
ALL_STEPS = 0xFFFF  # Layers.step: the CRC and counter of every step
NO_LABEL = 0xFF  # Result.event: no event
SLOT_BYTES = "slot.bytes"  # Parameter.name: the room of the model slot, where there is one
VIRTUAL_SENSOR = "virtual"  # Identity.sensor: samples come in SENSOR frames


class ErrorCode(IntEnum):
    """Why a device refuses a request; `Error.value` and `Error.text` say more."""

    UNSUPPORTED = 1  # text: what this firmware cannot do
    BAD_ARG = 2  # text: the field, or "length"; value: what it was
    BAD_FRAME = 3  # an event; value: damaged frames since start
    VERSION = 4  # value: lowest and highest version accepted, as low | high << 8
    STATE = 5  # not now; text: what has to happen first
    MODEL = 6  # value: the negative reason of model.h
    SENSOR = 7  # value: the negative reason of tml_sensor.h


class ModelReason(IntEnum):
    """Why a model does not start or run: the negative reasons of model.h."""

    SCHEMA = -1
    OPERATOR = -2
    ARENA = -3
    STATE = -4


class InfoSection(IntEnum):
    """What INFO is asked for; its body is one record of the kind named here, or several."""

    IDENTITY = 0  # Identity
    TENSORS = 1  # TensorRecord, inputs first
    LABELS = 2  # Label, in index order
    PARAMETERS = 3  # Parameter: of the front end and of the stream, named as in the card
    STATUS = 4  # Status
    STEPS = 5  # StepInfo, in the order in which steps run
    MODEL = 6  # ModelState


class Action(IntEnum):
    """What STREAM and CAPTURE are asked for."""

    STOP = 0
    START = 1


class ResetTarget(IntEnum):
    """What RESET restarts: MODEL has it forget earlier inferences, and the rest runs on."""

    APPLICATION = 0
    BOOTLOADER = 1
    MODEL = 2


@dataclass(frozen=True)
class Piece(Record):
    """One frame of a long reply: bytes of the body from `offset` on."""

    offset: u32
    data: Rest = b""


@dataclass(frozen=True)
class Nothing(Record):
    """An empty payload."""


@dataclass(frozen=True)
class Hello(Record):
    """`nonce`: any number; the reply that carries it is the first to believe after an open."""

    nonce: u32


@dataclass(frozen=True)
class HelloReply(Record):
    """`window`: bytes that may be under way to the device. `boot_id`: another after a restart."""

    nonce: u32
    boot_id: u32
    version_min: u8
    version_max: u8
    max_payload: u16
    window: u16


@dataclass(frozen=True)
class Info(Record):
    """`section`: one of Section."""

    section: u8


@dataclass(frozen=True)
class Identity(Record):
    """What runs on the device. `sha256` is that of the .tflite file.

    `counter_hz`: core clock that counters count at, 0 where they count instructions.
    `features`: the front end's name, empty where there is none and STREAM is unsupported.
    `sensor`: what it listens to; any but VIRTUAL_SENSOR is the board's own and refuses SENSOR.
    """

    sha256: Digest
    counter_hz: u32
    inputs: u8
    outputs: u8
    labels: u8
    steps: u16
    board: Text
    version: Text
    runtime: Text
    model: Text
    features: Text
    sensor: Text


@dataclass(frozen=True)
class TensorRecord(Record):
    """`dtype`: number of TensorType in the TFLite schema. `shape` is 1 from `rank` on."""

    dtype: u8
    rank: u8
    shape: Shape
    scale: f32
    zero_point: i32
    bytes: u32
    name: Text


@dataclass(frozen=True)
class Label(Record):
    """The name of one class."""

    name: Text


@dataclass(frozen=True)
class Parameter(Record):
    """A setting; names start with "features.", "stream." or "slot.", lists repeat their name."""

    value: f64
    name: Text


@dataclass(frozen=True)
class Status(Record):
    """Memory in bytes as in model.h and tml_port.h, and what happened since start."""

    uptime_us: u64
    arena: u32
    arena_used: u32
    constants: u32
    stack: u32
    stack_used: u32
    frames: u32
    bad_frames: u32
    inferences: u32
    dropped: u32


@dataclass(frozen=True)
class ModelState(Record):
    """`reason`: 0, or the ModelReason for which the model did not start."""

    reason: i32


@dataclass(frozen=True)
class StepInfo(Record):
    """As tml_step_t in model.h; empty `channels` means all of them."""

    op: u16
    tensor: u16
    bytes: u32
    channels: List


@dataclass(frozen=True)
class Input(Record):
    """Bytes of input tensor `index` from `offset` on; offset 0 starts the tensor anew."""

    index: u8
    offset: u32
    data: Rest = b""


@dataclass(frozen=True)
class InputReply(Record):
    """`next`: bytes of this input that the device has now."""

    next: u32


@dataclass(frozen=True)
class Infer(Record):
    """Run `repeat` (at least 1) inferences, each on a fresh copy of the inputs."""

    repeat: u16 = 1


@dataclass(frozen=True)
class InferReply(Record):
    """Time of all inferences, counter of the last; the bytes of all outputs follow."""

    time_us: u64
    counter: u64
    outputs: Rest = b""


@dataclass(frozen=True)
class Layers(Record):
    """Run one inference and report each step, or (`step` not ALL_STEPS) one with its tensor."""

    step: u16 = ALL_STEPS


@dataclass(frozen=True)
class Layer(Record):
    """`crc`: CRC-32 of the step's tensor. `counter`: what the step took.

    The body of LAYERS is one Layer per step, or that of one step followed by its tensor's bytes.
    """

    crc: u32
    counter: u64


@dataclass(frozen=True)
class StreamRequest(Record):
    """`action`: one of Action. START when a stream runs starts it anew, at sample 0."""

    action: u8


@dataclass(frozen=True)
class Totals(Record):
    """Of a stream or capture: samples consumed, inferences run, samples lost unread."""

    samples: u64
    results: u32
    dropped: u32


@dataclass(frozen=True)
class SensorSamples(Record):
    """Samples for the virtual sensor, int16 interleaved by channel; `index` is that of the first.

    No samples at all: the stream ends at `index`. A frame whose samples are already there is
    answered by a CREDIT; one after a gap is dropped, the first such by a CREDIT with `rewind`.
    """

    index: u64
    samples: Rest = b""


@dataclass(frozen=True)
class Capture(Record):
    """Record `count` samples of `channels` values, `rate_hz` a second. `action`: one of Action.

    START begins at sample 0, also when a capture runs; the sensor has one user, so STREAM and
    CAPTURE end each other. `rate_hz` 0: no sensor, but zeros as fast as the line takes them.
    """

    action: u8
    channels: u8 = 1
    rate_hz: u32 = 0
    count: u32 = 0


@dataclass(frozen=True)
class Captured(Record):
    """Of the capture: samples sent, and lost before they were read.

    `room`: samples that can wait for the line, in memory that nothing else uses.
    """

    samples: u32
    dropped: u32
    room: u32


@dataclass(frozen=True)
class Bench(Record):
    """Run `warmup` and then `count` inferences; the body is the counter of each, as u64.

    Every counter comes in a frame of its own, as soon as it is known.
    """

    count: u16
    warmup: u16


@dataclass(frozen=True)
class Reset(Record):
    """`target`: one of ResetTarget. The reply comes before a restart, but after that of MODEL."""

    target: u8


@dataclass(frozen=True)
class SlotReply(Record):
    """The model slot. `structure`: SHA-256 of what a model must have in common with the firmware.

    `bytes`: room for a model. `loaded`: 1 where one from the slot runs, 0 for the built-in one.
    """

    structure: Digest
    bytes: u32
    loaded: u8


@dataclass(frozen=True)
class Load(Record):
    """Bytes of a model for the slot from `offset` on; offset 0 starts it anew.

    The model that runs runs on, until USE.
    """

    offset: u32
    data: Rest = b""


@dataclass(frozen=True)
class LoadReply(Record):
    """`next`: bytes of the model that the device has now."""

    next: u32


@dataclass(frozen=True)
class Use(Record):
    """Run what LOAD brought: `bytes` of it, whose SHA-256 is `content`, made for `structure`.

    `sha256` is that of the .tflite file and `name` the model's, for INFO. Where anything is not as
    it says, the model that ran runs on. `bytes` 0: the built-in model, as after every restart.
    """

    bytes: u32
    structure: Digest
    content: Digest
    sha256: Digest
    name: Text


@dataclass(frozen=True)
class StreamResult(Record):
    """One inference of a stream, which read the samples before index `sample`.

    `number` counts from 0. `front_counter`: the front end's cost since the result before.
    `top`: index of the highest of `scores`, which are the raw bytes of output 0.
    `event`: the label that was recognised now, or NO_LABEL; `score`: its averaged score, in
    the units of `scores`. `dropped`: as in Totals.
    """

    number: u32
    sample: u64
    time_us: u64
    front_counter: u64
    infer_counter: u64
    dropped: u32
    top: u8
    event: u8
    score: i8
    scores: Rest = b""


@dataclass(frozen=True)
class Resend(Record):
    """Send the RESULT of inference `number` again, of the stream that runs or ran last.

    A device keeps some of its last results; it refuses a number that it does not have.
    """

    number: u32


@dataclass(frozen=True)
class Watch(Record):
    """Have the stream that runs tell what its sensor gives, in TRACE events.

    Every sample with `step` 1, the lowest and the highest of every `step` samples, or with 0
    nothing, as after its start.
    """

    step: u16


@dataclass(frozen=True)
class Trace(Record):
    """Samples that a stream has read, int16 interleaved by channel; `index` is that of the first.

    `step` 1: every sample. Else, for every `step` samples, the lowest and the highest of each
    channel, one after the other.
    """

    index: u64
    step: u16
    samples: Rest = b""


@dataclass(frozen=True)
class Chunk(Record):
    """Samples of a capture as the sensor gave them, int16 interleaved by channel.

    `index` is that of the first, `dropped` as in Captured. ENDED follows the last chunk.
    """

    index: u32
    dropped: u32
    samples: Rest = b""


@dataclass(frozen=True)
class Credit(Record):
    """Samples below `next` arrived; those below `limit` may be sent.

    `rewind`: 1 when something was lost on the way: send again from `next`. A host that hears
    nothing for a while sends again from the last `next` by itself.
    """

    next: u64
    limit: u64
    rewind: u8


@dataclass(frozen=True)
class Log(Record):
    """Something worth knowing, in words."""

    text: Text


@dataclass(frozen=True)
class Fault(Record):
    """A processor fault: pc, lr, xpsr, cfsr, hfsr, mmfar, bfar, sp. Only RESET works after it."""

    registers: Registers


@dataclass(frozen=True)
class Error(Record):
    """`code`: one of ErrorCode. `type`: that of the request, 0 in an event."""

    code: u8
    type: u8
    value: i32
    text: Text


@dataclass(frozen=True)
class Message:
    """A message type. Requests (`request` set) come from the host, events from the device.

    `long`: the reply is a body in pieces, which starts with (or is several of) `reply`.
    `once`: doing it again takes long or begins anew what runs, so it is repeated only when no reply
    to it can be under way.
    """

    name: str
    number: int
    request: type[Record] | None = None
    reply: type[Record] | None = None
    event: type[Record] | None = None
    long: bool = False
    once: bool = False


HELLO = Message("HELLO", 1, Hello, HelloReply)
INFO = Message("INFO", 2, Info, long=True)
INPUT = Message("INPUT", 3, Input, InputReply)
INFER = Message("INFER", 4, Infer, InferReply, long=True)
LAYERS = Message("LAYERS", 5, Layers, Layer, long=True, once=True)
STREAM = Message("STREAM", 6, StreamRequest, Totals, once=True)
SENSOR = Message("SENSOR", 7, SensorSamples)
BENCH = Message("BENCH", 8, Bench, long=True, once=True)
RESET = Message("RESET", 9, Reset, Nothing, once=True)
CAPTURE = Message("CAPTURE", 10, Capture, Captured, once=True)
SLOT = Message("SLOT", 11, Nothing, SlotReply)
LOAD = Message("LOAD", 12, Load, LoadReply)
USE = Message("USE", 13, Use, Nothing, once=True)
RESEND = Message("RESEND", 14, Resend, StreamResult)
WATCH = Message("WATCH", 15, Watch, Nothing)
RESULT = Message("RESULT", 64, event=StreamResult)
CREDIT = Message("CREDIT", 65, event=Credit)
ENDED = Message("ENDED", 66, event=Totals)
LOG = Message("LOG", 67, event=Log)
FAULT = Message("FAULT", 68, event=Fault)
ERROR = Message("ERROR", 69, reply=Error, event=Error)
CHUNK = Message("CHUNK", 70, event=Chunk)
TRACE = Message("TRACE", 71, event=Trace)

MESSAGES = (HELLO, INFO, INPUT, INFER, LAYERS, STREAM, SENSOR, BENCH, RESET, CAPTURE,
            SLOT, LOAD, USE, RESEND, WATCH, RESULT, CREDIT, ENDED, LOG, FAULT, ERROR, CHUNK,
            TRACE)  # fmt: skip
RECORDS: tuple[type[Record], ...] = tuple(Record.__subclasses__())
