"""What can happen while a device is watched. Records only; who tells them is `session`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tinyml.device import DeviceInfo, Reading
from tinyml.measure.playback import StreamReport
from tinyml.protocol.messages import Status

RECONNECTED = "reconnected"  # it had gone
RESET = "reset"  # it was asked to start anew


@dataclass(frozen=True)
class Attached:
    """A device answers; a new stream follows. `after`: what came before, one of the words above."""

    info: DeviceInfo
    after: str = ""


@dataclass(frozen=True)
class Detached:
    """The device has gone, or failed; `reason` says how."""

    reason: str


@dataclass(frozen=True)
class Played:
    """Samples of the sources have arrived at the device: `done` of `total`.

    `clip` of `clips` (from 0, both through all connections) has the name `name`, and `said` is its
    label, or None. `total` and `done` count the clips of this connection.
    """

    clip: int
    clips: int
    name: str
    said: str | None
    done: int
    total: int


@dataclass(frozen=True)
class Inferred:
    """One inference. `clip`: number of the clip that it heard, None where nothing is played.

    `scores`: as `DeviceInfo.outputs` dequantizes them. `score`: that of the event that it made.
    """

    reading: Reading
    scores: NDArray[np.float32]
    score: float | None
    clip: int | None


@dataclass(frozen=True)
class Seen:
    """Rows that the model reads: int8 [n, row_bytes], the host's twin of what the device has.

    `first`: the number of the first, from 0 in each stream.
    """

    first: int
    rows: NDArray[np.int8]


@dataclass(frozen=True)
class Printed:
    """A line that the firmware prints; with `is_log`, one that it sends as LOG."""

    text: str
    is_log: bool = False


@dataclass(frozen=True)
class Bytes:
    """What travelled on the line, as it is."""

    to_device: bool
    data: bytes


@dataclass(frozen=True)
class DeviceStatus:
    """What the device says of itself, and the damaged frames that came from it."""

    status: Status
    bad_frames: int


@dataclass(frozen=True)
class Summed:
    """A stream of sources has ended, or broke; the report is about its finished clips."""

    report: StreamReport


Event = Attached | Detached | Played | Inferred | Seen | Printed | Bytes | DeviceStatus | Summed
