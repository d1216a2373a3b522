"""Streaming for long: is everything that the device says said once, and does memory stay flat?"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyml.device import Device, ReadingStream

CHUNK_S = 0.1  # samples are handed over as a microphone would have them
MEMORY_SLACK_BYTES = 4 << 20  # what an allocator may keep without anything growing


@dataclass
class Soak:
    """What happened; `problems` says in words what should not have.

    `high_water`: (stack, arena) used by the device after each round; `resident`: bytes of this
    process and of the emulator then.
    """

    rounds: int = 0
    readings: int = 0
    samples: int = 0
    lost: int = 0
    duplicated: int = 0
    dropped: int = 0
    bad_frames: int = 0
    seconds: float = 0.0
    high_water: list[tuple[int, int]] = field(default_factory=list)
    resident: list[tuple[int, ...]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def run(
    device: Device,
    seconds: float,
    round_s: float,
    pids: tuple[int, ...],
    tell: Callable[[Soak], None],
) -> Soak:
    """Play the same `round_s` of noise in real time, over and over for `seconds`.

    Every round must give the readings of the first, bit for bit. `pids`: processes whose memory
    may not grow. `tell` hears the figures after each round.
    """
    rate = device.info.sample_rate_hz
    noise = np.random.default_rng(1).integers(-8000, 8000, int(rate * round_s)).astype(np.int16)
    found = Soak()
    first: list[bytes] = []
    began = time.monotonic()
    while not found.rounds or time.monotonic() - began < seconds:
        heard = _round(device.stream(_paced(noise, rate)), found)
        first = first or heard
        if heard != first:
            found.problems.append(f"round {found.rounds} gave other readings than the first")
        status = device.status()
        found.rounds += 1
        found.seconds = time.monotonic() - began
        found.bad_frames = status.bad_frames + device.bad_frames
        found.high_water.append((status.stack_used, status.arena_used))
        found.resident.append(tuple(_resident(pid) for pid in pids))
        tell(found)
    _judge(found)
    return found


def _round(stream: ReadingStream, found: Soak) -> list[bytes]:
    """Play one round; return what makes up each reading."""
    heard, numbers = [], []
    for reading in stream:
        numbers.append(reading.number)
        heard.append(reading.sample.to_bytes(8, "little") + reading.scores.tobytes())
    totals = stream.totals
    assert totals is not None
    found.readings += len(numbers)
    found.samples += totals.samples
    found.duplicated += len(numbers) - len(set(numbers))
    found.lost += totals.results - len(set(numbers))
    found.dropped += totals.dropped
    return heard


def _judge(found: Soak) -> None:
    for name in ("lost", "duplicated", "dropped", "bad_frames"):
        if count := getattr(found, name):
            found.problems.append(f"{count} {name.replace('_', ' ')}")
    if len(set(found.high_water)) > 1:
        found.problems.append(f"stack or arena grew: {sorted(set(found.high_water))}")
    # The first quarter is warming up: caches fill, libraries are loaded.
    settled = found.resident[len(found.resident) // 4 :]
    for before, after in zip(settled[0], settled[-1], strict=True):
        if after - before > MEMORY_SLACK_BYTES:
            found.problems.append(f"a process grew from {before:,} to {after:,} bytes")


def _paced(samples: NDArray[np.int16], rate: int) -> Iterator[NDArray[Any]]:
    """Yield `samples` as they would come from a sensor: not before their time."""
    began = time.monotonic()
    step = int(rate * CHUNK_S)
    for start in range(0, len(samples), step):
        time.sleep(max(0.0, began + start / rate - time.monotonic()))
        yield samples[start : start + step]


def _resident(pid: int) -> int:
    """Return the resident memory of a process in bytes."""
    text = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return int(text.partition("VmRSS:")[2].split()[0]) * 1024
