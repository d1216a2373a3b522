"""Device identification: INFO's records as a `DeviceInfo`, checked before it is believed."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tinyml.errors import DeviceError
from tinyml.protocol.messages import (
    SLOT_BYTES,
    VIRTUAL_SENSOR,
    HelloReply,
    Identity,
    Label,
    Parameter,
    StepInfo,
    TensorRecord,
)
from tinyml.records import DTYPES, Step, TensorInfo

# Numbers of TensorType in the TFLite schema.
_DTYPES = {dtype.number: name for name, dtype in DTYPES.items() if dtype.number >= 0}
BACKGROUND = "stream.background"  # the parameter whose values are indices of labels
_MAX_TENSOR_BYTES = 16 << 20  # more than any of these boards has; a larger claim is damage


@dataclass(frozen=True)
class DeviceInfo:
    """What runs on a device. `sha256` is that of the .tflite file, in hex.

    `counter_unit`: "instructions", or "cycles" at `counter_hz`. `parameters`: settings of the front
    end and the stream, named as in the card ("features.stride_ms"). `features`: the front end's
    name, empty where the firmware cannot stream; `sensor`: what it listens to. The names in `steps`
    are numbers: a device does not know those of the `.tflite`. `labels` are as the device has them,
    to be compared: what shows them makes them `printable`, as all other texts are.
    """

    board: str
    version: str
    runtime: str
    model: str
    sha256: str
    inputs: tuple[TensorInfo, ...]
    outputs: tuple[TensorInfo, ...]
    steps: tuple[Step, ...]
    labels: tuple[str, ...]
    features: str
    sensor: str
    parameters: Mapping[str, tuple[float, ...]]
    counter_hz: int
    boot_id: int
    max_payload: int
    window_bytes: int

    @property
    def counter_unit(self) -> str:
        """What counters count."""
        return "cycles" if self.counter_hz else "instructions"

    @property
    def is_virtual(self) -> bool:
        """Whether the samples of its streams come from the host."""
        return self.sensor == VIRTUAL_SENSOR

    @property
    def has_slot(self) -> bool:
        """Whether the model can be exchanged, and a restart brings the built-in one back."""
        return SLOT_BYTES in self.parameters

    @property
    def sample_rate_hz(self) -> int:
        """Samples a second that the front end takes, 0 where there is none."""
        rates = self.parameters.get("features.sample_rate_hz", ())
        return int(rates[0]) if rates and 0 < rates[0] < 1e9 else 0


def describe(
    hello: HelloReply,
    identity: Identity,
    tensors: Sequence[TensorRecord],
    steps: Sequence[StepInfo],
    labels: Sequence[Label],
    parameters: Sequence[Parameter],
) -> DeviceInfo:
    """Return what the records say. Raises DeviceError where they contradict each other."""
    counts = (identity.inputs + identity.outputs, identity.steps, identity.labels)
    if counts != (len(tensors), len(steps), len(labels)):
        raise DeviceError(
            f"the device announces {counts} tensors, steps and labels but describes "
            f"{(len(tensors), len(steps), len(labels))}"
        )
    described = tuple(_tensor(tensor) for tensor in tensors)
    if not identity.inputs or not identity.outputs:
        raise DeviceError("the device describes a model without inputs or without outputs")
    return DeviceInfo(
        board=printable(identity.board),
        version=printable(identity.version),
        runtime=printable(identity.runtime),
        model=printable(identity.model),
        sha256=bytes(identity.sha256).hex(),
        inputs=described[: identity.inputs],
        outputs=described[identity.inputs :],
        steps=tuple(_step(step) for step in steps),
        labels=tuple(label.name for label in labels),
        features=printable(identity.features),
        sensor=printable(identity.sensor),
        parameters=_settings(parameters, len(labels)),
        counter_hz=identity.counter_hz,
        boot_id=hello.boot_id,
        max_payload=hello.max_payload,
        window_bytes=hello.window,
    )


def _settings(parameters: Sequence[Parameter], labels: int) -> Mapping[str, tuple[float, ...]]:
    values: defaultdict[str, tuple[float, ...]] = defaultdict(tuple)
    for parameter in parameters:
        is_label = parameter.name != BACKGROUND or parameter.value in range(labels)
        if not math.isfinite(parameter.value) or not is_label:
            raise DeviceError(f"the device describes a setting that cannot be: {parameter!r}")
        values[printable(parameter.name)] += (parameter.value,)
    return dict(values)


def printable(text: str) -> str:
    """Return `text` with control characters spelled out: no device commands a terminal."""
    return "".join(char if char.isprintable() else f"\\x{ord(char):02x}" for char in text)


def _tensor(tensor: TensorRecord) -> TensorInfo:
    shape = tensor.shape[: tensor.rank]
    dtype = _DTYPES.get(tensor.dtype, "")
    known = dtype and tensor.rank <= len(tensor.shape) and all(size > 0 for size in shape)
    known = known and math.isfinite(tensor.scale)
    if known and math.prod(shape) * DTYPES[dtype].bytes == tensor.bytes <= _MAX_TENSOR_BYTES:
        return TensorInfo(
            printable(tensor.name), dtype, shape, float(tensor.scale), tensor.zero_point
        )
    raise DeviceError(f"the device describes a tensor that cannot be: {tensor!r}")


def _step(step: StepInfo) -> Step:
    if step.bytes > _MAX_TENSOR_BYTES:
        raise DeviceError(f"the device describes a step that cannot be: {step!r}")
    return Step(
        op_index=step.op,
        op_name=f"op {step.op}",
        tensor_index=step.tensor,
        tensor_name=f"tensor {step.tensor}",
        bytes=step.bytes,
        channels=step.channels or None,
    )
