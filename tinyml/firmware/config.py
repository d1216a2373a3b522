"""What a firmware knows about itself, computed here so that templates only insert it.

What is more than a text or a number is C already; `tml_config.h.j2` prints all of it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from tinyml import features
from tinyml.compiler import c_text
from tinyml.errors import ConfigError
from tinyml.firmware import parameters
from tinyml.firmware.plan import BuildPlan
from tinyml.firmware.templates import Escaped, code
from tinyml.protocol import messages
from tinyml.records import Bundle, CSource, StreamConfig

MAX_TEXT_BYTES = 255  # protocol: the length of a text is a u8
_ALIGNMENT = 16


@dataclass(frozen=True)
class FirmwareConfig:
    """Derived facts of one firmware. Raises ConfigError where they contradict one another."""

    plan: BuildPlan

    def __post_init__(self) -> None:
        for text in (self.bundle.name, self.plan.board.id, *self.bundle.labels):
            if len(text.encode()) > MAX_TEXT_BYTES:
                raise ConfigError(f"{text[:40]!r}... is longer than {MAX_TEXT_BYTES} bytes")
        if len(self.bundle.labels) > MAX_TEXT_BYTES - 1:
            raise ConfigError(f"{len(self.bundle.labels)} labels are more than a device can name")
        if self.bundle.features is not None and self.bundle.stream is not None:
            features.check(self.bundle.features)
            self._check_stream(self.bundle.stream)

    @property
    def bundle(self) -> Bundle:
        """The model that the firmware runs."""
        return self.plan.bundle

    @property
    def source(self) -> CSource:
        """The model's C."""
        return self.plan.source

    def _check_stream(self, stream: StreamConfig) -> None:
        inputs, output, labels = self.source.inputs, self.source.outputs[0], self.bundle.labels
        if len(inputs) != 1 or inputs[0].dtype != "int8":
            kinds = ", ".join(tensor.dtype for tensor in inputs)
            raise ConfigError(
                f"streaming needs one int8 input; model {self.bundle.name} has {kinds}",
                "remove `stream` from the model's card to use it without streaming",
            )
        if output.bytes != len(labels):
            raise ConfigError(
                f"model {self.bundle.name} has {output.bytes} scores and {len(labels)} labels",
                "list one label per score, in order, in the model's card",
            )
        if stream.stride_frames < 1:
            raise ConfigError(
                f"stride_frames is {stream.stride_frames}: an inference needs a frame at least",
                "correct `stream` in the model's card",
            )

    @property
    def input_offsets(self) -> list[int]:
        """Where each input lies in the buffer that keeps the inputs; last, the buffer's size."""
        offsets = [0]
        for tensor in self.source.inputs:
            end = offsets[-1] + tensor.bytes
            offsets.append(math.ceil(end / _ALIGNMENT) * _ALIGNMENT)
        return offsets

    @property
    def sha256(self) -> str:
        """The model's hash as the elements of a C array."""
        return _elements(self.bundle.sha256)

    @property
    def slot_structure(self) -> str:
        """The hash of the model slot's structure as the elements of a C array."""
        return _elements(self.source.slot.structure if self.source.slot else "")

    @property
    def front_end(self) -> str:
        """The front end's name; empty where the firmware has no stream."""
        front_end = self.bundle.features
        return front_end.name if front_end is not None and self.bundle.stream is not None else ""

    @property
    def feature_macros(self) -> list[tuple[str, Escaped]]:
        """The front end's settings as (macro, value)."""
        if self.bundle.features is None or self.bundle.stream is None:
            return []
        return [(f"TML_FEATURE_{name.upper()}", code(_number(value)))
                for name, value in sorted(self.bundle.features.params.items())]  # fmt: skip

    @property
    def stream_macros(self) -> list[tuple[str, Escaped]]:
        """The stream's settings as (macro, value)."""
        front_end, stream = self.bundle.features, self.bundle.stream
        if front_end is None or stream is None:
            return []
        rate_hz = int(front_end.params.get("sample_rate_hz", 16000))
        settings = features.RecognizerSettings.of(stream, self.source.outputs[0], rate_hz)
        recognizer = ", ".join(f".{name} = {value}" for name, value in vars(settings).items())
        return [
            ("TML_STREAM_STRIDE_ROWS", code(stream.stride_frames)),
            ("TML_RECOGNIZER_CONFIG", code(f"{{{recognizer}}}")),
        ]

    @property
    def mlperf_macros(self) -> list[tuple[str, str | int | Escaped]]:
        """What the text dialect of MLPerf Tiny needs as (macro, value); none without it."""
        profile = self.plan.profile
        if profile is None:
            return []
        return [
            ("TML_MLPERF_MODEL", profile.name),
            ("TML_MLPERF_ENCODING", code(c_text.dtype(profile.encoding))),
            ("TML_MLPERF_BYTES", profile.bytes),
            ("TML_MLPERF_RECONSTRUCTS", int(profile.reconstructs)),
        ]

    @property
    def parameters(self) -> list[tuple[str, str]]:
        """Settings of front end, stream and model slot that INFO reports, as (name, value)."""
        values = list(parameters.of(self.bundle))
        if self.source.slot is not None:
            values.append((messages.SLOT_BYTES, float(self.source.slot.room)))
        return [(name, repr(value)) for name, value in values]


def _elements(digest: str) -> str:
    return ", ".join(f"0x{byte:02x}" for byte in bytes.fromhex(digest))


def _number(value: int | float) -> str:
    return str(int(value)) if float(value).is_integer() else f"{float(value)!r}f"
