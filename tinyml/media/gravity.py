"""The unit of an accelerometer: whether motion at rest measures 1 g, and which unit fits if not.

An accelerometer that does not move measures gravity alone. So the stillest moments of all
recordings of one sensor say what unit they are in; where there are none, the median of each axis
does, which is gravity as long as the sensor keeps its position (and a little less where it turns).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Motion = npt.NDArray[np.float64]

_STILL_S = 0.25  # how long a moment is
_STILL = 0.05  # spread of a still one, as a share of what it measures
_FEWEST_STILL = 3  # moments that say more than means do
_AT_REST = (0.75, 1.35)  # of 1 g: cheap sensors have offsets of 0.1 g on each axis
_ON_AVERAGE = (0.5, 1.45)
_TURNING = 0.3  # a mean that is a smaller share of the usual magnitude is no gravity
# What sensors and libraries give: units of 1 g, the most usual first where two would fit.
_UNITS = {
    "g": 1.0,
    "m/s2": 9.80665,
    **{f"counts of 1/{per_g:,} g": float(per_g)
       for per_g in (16384, 8192, 4096, 2048, 512, 256, 128, 64)},
}  # fmt: skip


@dataclass(frozen=True)
class Gravity:
    """What recordings measure of gravity, in the unit that they are in.

    `magnitude`: at rest, or on average. `usual`: the median magnitude of all samples. `still`: how
    many moments at rest there are; 0 where `magnitude` is the average.
    """

    magnitude: float
    usual: float
    still: int

    @property
    def fits(self) -> bool:
        """Whether the recordings can be in milli-g."""
        low, high = self._range
        return low <= self.magnitude / 1000 <= high

    @property
    def _range(self) -> tuple[float, float]:
        return _AT_REST if self.still else _ON_AVERAGE

    @property
    def evidence(self) -> str:
        """How the unit is known, in words."""
        several = "s" if self.still > 1 else ""
        what = f"at rest ({self.still} moment{several})" if self.still else "on average"
        return f"measures {self.magnitude:.4g} {what}"

    @property
    def is_linear(self) -> bool:
        """Whether gravity was taken out of the recordings."""
        return self.magnitude < _TURNING * self.usual

    def unit(self) -> tuple[str, float] | None:
        """Return the unit that fits and how many of it are 1 g; None where none does."""
        low, high = self._range
        fitting = [
            (abs(np.log(self.magnitude / per_g)), unit, per_g)
            for unit, per_g in _UNITS.items()
            if low <= self.magnitude / per_g <= high
        ]
        if self.is_linear or not fitting:
            return None
        _, name, per_g = min(fitting)
        return name, per_g

    def problem(self) -> str:
        """Return why the recordings are not in milli-g, with the evidence, and what fits; or ""."""
        if self.fits:
            return ""
        measured = f"{self.evidence}, where milli-g would be 1000"
        if self.is_linear:
            return (
                f"{measured}, though it usually measures {self.usual:.4g}: gravity was taken out "
                "(linear acceleration); record acceleration with gravity"
            )
        if (found := self.unit()) is None:
            return f"{measured}, which is no unit that is known here"
        name, per_g = found
        return f"{measured} (it is probably in {name}: multiply by {1000 / per_g:.5g})"


def measure(recordings: Iterable[tuple[npt.NDArray[np.generic], float]]) -> Gravity | None:
    """Return what `recordings` measure of gravity; None where there are none.

    Each is acceleration, [n, 3] of any dtype and unit, with its samples a second.
    """
    still: list[float] = []
    means: list[float] = []
    usual: list[float] = []
    for samples, rate_hz in recordings:
        values = np.asarray(samples, np.float64)[:, :3]
        if not len(values):
            continue
        usual.append(float(np.median(np.linalg.norm(values, axis=1))))
        means.append(float(np.linalg.norm(np.median(values, axis=0))))
        if (moment := _stillest(values, max(4, round(_STILL_S * rate_hz)))) is not None:
            still.append(moment)
    if not means:
        return None
    enough = len(still) >= min(_FEWEST_STILL, len(means))
    magnitude = float(np.median(still if enough else means))
    return Gravity(magnitude, float(np.median(usual)), len(still) if enough else 0)


def _stillest(values: Motion, length: int) -> float | None:
    """Return what the stillest `length` samples measure, if they are at rest."""
    if len(values) < length:
        return None
    windows = np.lib.stride_tricks.sliding_window_view(values, length, axis=0)
    spread = np.sqrt(windows.var(axis=2).sum(axis=1))
    at = int(spread.argmin())
    magnitude = float(np.linalg.norm(windows[at].mean(axis=1)))
    return magnitude if spread[at] <= _STILL * magnitude else None
