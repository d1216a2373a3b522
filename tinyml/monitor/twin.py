"""The host's twin of a device's front end: features that the model reads, and recent samples."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyml.features import FrontEnd
from tinyml.monitor.events import Seen

KEPT_S = 60.0

Samples = NDArray[np.int16]


class Twin:
    """A front end that is fed with the samples that the device has; `arrived` of them so far.

    One thread may `push`; `recent` may be called from any.
    """

    def __init__(self, front_end: FrontEnd) -> None:
        self.front_end = front_end
        self.arrived = 0
        self._rows = 0
        self._kept: list[Samples] = []  # the last minute, in order
        self._lock = threading.Lock()

    def push(self, start: int, samples: NDArray[Any], *, rows: bool = True) -> Seen | None:
        """Take samples from index `start` on; return the rows that they complete, None for none.

        `samples`: int16 [n], or [n, channels]. Those that came before are skipped; what the line
        lost before them is silence. Without `rows` they are kept alone.
        """
        if start > self.arrived:
            gap = np.zeros((min(start - self.arrived, self._most), *samples.shape[1:]), np.int16)
            samples, start = np.concatenate((gap, samples)), start - len(gap)
        new = samples[max(0, self.arrived - start) :]
        if not len(new):
            return None
        self.arrived = start + len(samples)
        self._keep(new)
        completed = self.front_end.push(new) if rows else np.empty((0, 1), np.int8)
        seen = Seen(self._rows, completed)
        self._rows += len(completed)
        return seen if len(completed) else None

    def recent(self, seconds: float) -> Samples:
        """Return the last `seconds` of samples, or as many as there are, int16 [n] or [n, ...]."""
        with self._lock:
            parts = list(self._kept)
        if not parts:
            return np.empty(0, np.int16)
        return np.concatenate(parts)[-max(1, round(seconds * self.front_end.rate_hz)) :]

    @property
    def _most(self) -> int:
        return round(KEPT_S * self.front_end.rate_hz)

    def _keep(self, samples: Samples) -> None:
        with self._lock:
            self._kept.append(np.array(samples, np.int16))
            count = sum(map(len, self._kept))
            while count - len(self._kept[0]) >= self._most:
                count -= len(self._kept.pop(0))
