"""Server-sent events of the web page: JSON objects, told apart by `kind`.

The page folds them as `Picture` folds events. `Past` keeps what somebody who comes later needs.
Nothing here knows sockets.
"""

from __future__ import annotations

import base64
import json
import math
from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyml.device import DeviceInfo
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
    View,
)
from tinyml.monitor.picture import Picture

# How many of each kind somebody who comes later is sent; other kinds are the last one only.
KEPT = {"read": 300, "heard": 50, "text": 50, "clip": 200, "rows": 400, "trace": 200}
KEPT_BYTES = 256 << 10  # of "rows", which may be camera pictures
_OF_A_CONNECTION = ("read", "rows", "trace", "status", "playing")
_POINTS_PER_S = 100  # of a trace

Message = dict[str, Any]


def of(event: SessionEvent, picture: Picture, at: float) -> Iterator[Message]:
    """Yield the messages of `event`, which `picture` has taken already, at the time `at`."""
    return event.show(_Messages(picture, at))


class _Messages(View[Iterator[Message]]):
    """The messages of one event."""

    def __init__(self, picture: Picture, at: float) -> None:
        self._picture = picture
        self._at = at

    def attached(self, event: Attached) -> Iterator[Message]:
        yield {"kind": "device", **_identity(event.info), "after": event.after}
        if event.after:
            yield {"kind": "text", "text": f"--- {event.after}"}

    def detached(self, event: Detached) -> Iterator[Message]:
        yield {"kind": "gone", "reason": event.reason}
        yield {"kind": "text", "text": f"--- disconnected: {event.reason}"}

    def played(self, event: Played) -> Iterator[Message]:
        yield {"kind": "playing", **vars(event)}

    def inferred(self, event: Inferred) -> Iterator[Message]:
        reading, picture = event.reading, self._picture
        yield {
            "kind": "read",
            "second": picture.second,
            "scores": [round(float(score), 4) for score in event.scores],
            "top": reading.top,
            "counter": reading.infer_counter,
            "front_counter": reading.front_counter,
            "inferences": picture.inferences,
            "dropped": picture.dropped,
            "lost": picture.lost,
            "bad_frames": picture.bad_frames,
            "rate": round(picture.rate(self._at), 3),
            "factor": picture.factor,
        }
        if reading.event is not None and event.score is not None:
            yield {"kind": "heard", **vars(picture.heard[-1])}

    def seen(self, event: Seen) -> Iterator[Message]:
        data = base64.b64encode(event.rows.tobytes()).decode("ascii")
        width = event.rows.shape[1]
        second = self._picture.second_before
        yield {"kind": "rows", "second": second, "first": event.first, "width": width, "data": data}

    def sensed(self, event: Sensed) -> Iterator[Message]:
        step, values = _envelope(event)
        yield {
            "kind": "trace",
            "second": self._picture.second_before + event.first / event.rate_hz,
            "step": step,
            "rate_hz": event.rate_hz,
            "channels": values.shape[1],
            "data": base64.b64encode(values.astype("<i2").tobytes()).decode("ascii"),
        }

    def printed(self, event: Printed) -> Iterator[Message]:
        yield {"kind": "text", "text": self._picture.lines[-1]}

    def bytes(self, event: Bytes) -> Iterator[Message]:
        return iter(())  # the page shows no bytes

    def status(self, event: DeviceStatus) -> Iterator[Message]:
        bad_frames = self._picture.bad_frames
        yield {"kind": "status", **vars(event.status), "host_bad_frames": bad_frames}

    def summed(self, event: Summed) -> Iterator[Message]:
        for clip in event.report.clips:
            yield {
                "kind": "clip",
                "name": clip.name,
                "said": clip.said,
                "heard": [recognition.label for recognition in clip.heard],
                "right": clip.right,
            }


def encode(message: Mapping[str, Any]) -> str:
    """Return a message as one line of JSON; numbers that JSON has not become null."""
    try:
        return json.dumps(message, allow_nan=False)
    except ValueError:
        return json.dumps({key: _finite(value) for key, value in message.items()})


class Past:
    """The messages that somebody who comes later needs to see the same picture."""

    def __init__(self) -> None:
        self._kept: dict[str, deque[tuple[int, str]]] = {}
        self._count = 0
        self._row_bytes = 0

    def add(self, kind: str, encoded: str) -> None:
        """Keep a message, and forget what it makes stale."""
        if kind == "device":
            for stale in (*_OF_A_CONNECTION, "gone"):
                self._kept.pop(stale, None)
            self._row_bytes = 0
        kept = self._kept.setdefault(kind, deque())
        kept.append((self._count, encoded))
        self._count += 1
        if kind == "rows":
            self._row_bytes += len(encoded)
        while len(kept) > KEPT.get(kind, 1) or (kind == "rows" and self._row_bytes > KEPT_BYTES):
            _, old = kept.popleft()
            self._row_bytes -= len(old) if kind == "rows" else 0

    def replay(self) -> list[str]:
        """Return what is kept, in the order in which it came."""
        return [
            encoded
            for _, encoded in sorted(message for kept in self._kept.values() for message in kept)
        ]


def _identity(info: DeviceInfo) -> Message:
    return {
        "board": info.board,
        "version": info.version,
        "runtime": info.runtime,
        "model": info.model,
        "sha256": info.sha256,
        "labels": list(info.labels),
        "features": info.features,
        "sensor": info.sensor,
        "is_virtual": info.is_virtual,
        "input_shape": list(info.inputs[0].shape),
        "threshold": info.parameters.get("stream.threshold", (None,))[0],
        "stride_ms": info.parameters.get("features.stride_ms", (0.0,))[0],
        "counter_unit": info.counter_unit,
        "counter_hz": info.counter_hz,
    }


def _envelope(event: Sensed) -> tuple[int, NDArray[np.int16]]:
    """Return the samples per point and the points: no more a second than a page can draw."""
    each = max(1, event.rate_hz // (_POINTS_PER_S * event.step))
    if each == 1:
        return event.step, event.values
    starts = np.arange(0, len(event.values), each)
    low = np.minimum.reduceat(event.values.min(axis=2), starts, axis=0)
    high = np.maximum.reduceat(event.values.max(axis=2), starts, axis=0)
    return event.step * each, np.stack((low, high), axis=2)


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, list):
        return [_finite(item) for item in value]
    return value
