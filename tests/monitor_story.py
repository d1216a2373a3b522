"""What a device might be and do, as events of the monitor: for tests of what is shown of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from tinyml.device import DeviceInfo, Reading
from tinyml.features import Event as Word
from tinyml.measure.playback import ClipResult, StreamReport
from tinyml.monitor.events import (
    Attached,
    DeviceStatus,
    Inferred,
    Played,
    Printed,
    Seen,
    SessionEvent,
    Summed,
)
from tinyml.protocol.messages import Status
from tinyml.records import TensorInfo

HOSTILE = "<img src=x onerror=document.title='owned'>"
LABELS = ("silence", "yes", HOSTILE, "no")
STATUS = Status(5_000_000, 100, 90, 80, 8192, 600, 7, 6, 5, 4)
RATES = {"audio": 16000, "motion": 100, "image": 9216}


def device(features: str = "audio", **changes: Any) -> DeviceInfo:
    """A device with four labels whose front end is `features`."""
    shape = {"audio": (1, 49, 40, 1), "motion": (1, 128, 3, 1), "image": (1, 96, 96, 1)}[features]
    facts: dict[str, Any] = {
        "board": "nano33ble",
        "version": "1.0",
        "runtime": "tflm",
        "model": "words",
        "sha256": "0123456789abcdef" * 4,
        "inputs": (TensorInfo("in", "int8", shape, 0.5, -3),),
        "outputs": (TensorInfo("out", "int8", (1, 4), 1 / 256, -128),),
        "steps": (),
        "labels": LABELS,
        "features": features,
        "sensor": "virtual",
        "parameters": {
            "features.sample_rate_hz": (float(RATES[features]),),
            "features.stride_ms": (20.0,),
            "stream.threshold": (0.6,),
        },
        "counter_hz": 64_000_000,
        "boot_id": 1,
        "max_payload": 512,
        "window_bytes": 4096,
    }
    return DeviceInfo(**{**facts, **changes})


def read(
    number: int, event: str | None = None, dropped: int = 0, clip: int | None = None
) -> Inferred:
    """Inference `number`, a tenth of a second of sound after the one before."""
    phase = (number % 20) / 20
    scores = np.array([0.1, phase, 0.9 * (1 - phase), 0.0], np.float32)
    reading = Reading(
        number, (number + 1) * 1600, 7, np.array([1, 2, 127, -128], np.int8), "yes",
        event, 99 if event else None, 8, 1_000_000 + 1000 * number, dropped,
    )  # fmt: skip
    return Inferred(reading, scores, 0.9 if event else None, clip)


def report() -> StreamReport:
    """A stream of two clips, one of them recognised."""
    clips = (
        ClipResult("a.wav", "yes", 0.0, (Word("yes", 0.9, 9600),), True),
        ClipResult("b.wav", "no", 1.0, (), False),
    )
    return StreamReport(
        True, False, "words", "00", "nano33ble", "tflm", 16000, 2.0, 1.0, clips,
        1, 2, 3, 0, "", 0, "cycles", 8, 9, 9, 20, 4,
    )  # fmt: skip


def rows(features: str) -> Iterator[Seen]:
    """What the front end makes: a rising tone, a swing, or a picture of a disc."""
    if features == "audio":
        bands = np.arange(40)
        for start in range(0, 200, 10):
            at = np.arange(start, start + 10)[:, None] / 200 * 40
            values = 127 - 30 * np.abs(bands - at)
            yield Seen(start, np.clip(values, -128, 127).astype(np.int8))
    elif features == "motion":
        at = np.arange(150)[:, None] / 10
        values = 100 * np.sin(at + np.arange(3))
        yield Seen(0, values.astype(np.int8))
    else:
        y, x = np.mgrid[-48:48, -48:48]
        disc = np.where(x * x + y * y < 900, 120, -100 + x // 2)
        yield Seen(0, disc.astype(np.int8).reshape(1, -1))


def story(info: DeviceInfo) -> Iterator[SessionEvent]:
    """A device answers, hears 200 windows of two clips, recognises a label, and is summed up."""
    yield Attached(info)
    yield Played(0, 2, "a.wav", "yes", 10, 100)
    yield from rows(info.features)
    for number in range(200):
        event = read(number, "yes" if number == 12 else HOSTILE if number == 60 else None, clip=0)
        sample = (number + 1) * info.sample_rate_hz // 10
        yield replace(event, reading=replace(event.reading, sample=sample))
    yield DeviceStatus(STATUS, 3)
    yield Printed(f"{HOSTILE} \x1b[2J")
    yield Summed(report())
