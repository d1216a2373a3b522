"""How an accelerometer may feel a gesture: variations of recordings, as milli-g in and out."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tinyml.datasets import wand

Motion = npt.NDArray[np.float64]  # [n, 3], milli-g with gravity
RATE_HZ = 100
_STILL_MG = 60.0  # change within 50 ms that a hand at rest does not make
_STEP_S = 0.05
_STEP = round(_STEP_S * RATE_HZ)
_MOMENT = 25  # samples: a rest between two motions is longer
_LOUDER = 0.35  # spread of the logarithm of how much larger a motion is
_TILT = 12.0  # degrees that a motion is askew against gravity
_SLOWER = 0.6, 2.0  # how much longer a motion by another hand takes
_RATES_HZ = 20.0, 200.0  # of sensors
_REST_S = 0.3  # kept around a motion that is recorded: gravity shows in it


class Mover:
    """Draws movements around a recorded one; equal generators and motions give equal results."""

    def __init__(self, draw: np.random.Generator) -> None:
        self._draw = draw

    def varied(self, motion: Motion) -> Motion:
        """Return `motion` by another hand and board.

        Larger or smaller, slower or faster, tilted, mounted in any position, sampled more or less
        often.
        """
        draw = self._draw
        rest = gravity(motion)
        slower = float(np.exp(draw.uniform(*np.log(_SLOWER))))
        louder = float(np.exp(draw.normal(0, _LOUDER))) / max(1.0, slower) ** draw.uniform(0, 2)
        tilt = wand.rotation(draw.normal(0, _TILT, 3))
        moved = rest + (motion - rest) * louder @ tilt.T
        return np.asarray(self._sampled(self._warped(moved, slower)) @ self._mounting().T)

    def _mounting(self) -> Motion:
        """Return any rotation, [3, 3], all as likely (Stewart 1980)."""
        basis, triangle = np.linalg.qr(self._draw.normal(0, 1, (3, 3)))
        basis *= np.sign(np.diag(triangle))
        basis[:, 0] *= np.linalg.det(basis)
        return np.asarray(basis)

    def _warped(self, motion: Motion, slower: float) -> Motion:
        draw = self._draw
        length = max(8, round(len(motion) * slower))
        at = np.linspace(0, 1, length)
        at += float(draw.normal(0, 0.03)) * np.sin(np.pi * at * int(draw.integers(1, 4)))
        return _at(motion, at)

    def _sampled(self, motion: Motion) -> Motion:
        """Return `motion` as a sensor of another rate gives it."""
        rate_hz = float(np.exp(self._draw.uniform(*np.log(_RATES_HZ))))
        count = max(4, round(len(motion) * rate_hz / RATE_HZ))
        return _at(_at(motion, np.linspace(0, 1, count)), np.linspace(0, 1, len(motion)))

    def placed(self, motion: Motion, start: int, length: int) -> Motion:
        """Return `length` samples in which `motion` begins at `start`, with rest around it."""
        draw = self._draw
        rest = gravity(motion)
        sides = [wand.rotation(draw.normal(0, 8, 3)) @ rest for _ in range(2)]
        ramps = [int(draw.integers(4, 30)) for _ in range(2)]
        felt = surrounded(motion, start, length, (sides[0], sides[1]), (ramps[0], ramps[1]))
        if draw.random() < 0.3:
            felt += self._sway(length)
        felt += draw.normal(0, float(draw.uniform(2, 30)), felt.shape)
        return felt

    def _sway(self, length: int) -> Motion:
        """What a hand or a step adds."""
        drawn = self._draw.normal(0, 1, (length, 3))
        sway = wand.smooth(drawn, int(self._draw.integers(5, 20)))
        sway *= float(self._draw.uniform(10, 90)) / sway.std()
        return sway

    def other(self, length: int) -> Motion:
        """Return motion that is no gesture, in any position: rest, sway, turns and shaking."""
        draw = self._draw
        position = draw.normal(0, 1, 3)
        felt = np.tile(1000 * position / np.linalg.norm(position), (length, 1))
        kind = draw.random()
        if kind < 0.3:
            felt += self._sway(length)
        elif kind < 0.6:
            turns = wand.smooth(draw.normal(0, 1, (length, 3)), 40)
            turns *= float(draw.uniform(20, 120)) / (np.abs(turns).max() + 1e-9)
            knots = np.arange(0, length, 16)
            turned = np.stack([wand.rotation(turns[at]) @ felt[0] for at in knots])
            felt = np.stack(
                [np.interp(np.arange(length), knots, axis_values) for axis_values in turned.T], 1
            )
        elif kind < 0.9:
            shaking = wand.smooth(draw.normal(0, 1, (length, 3)), int(draw.integers(3, 15)))
            shaking *= float(draw.uniform(100, 1200)) / shaking.std()
            start, width = int(draw.integers(-length // 2, length)), int(draw.integers(40, length))
            bell = np.interp(np.arange(length), start + np.array([0, width / 2, width]), [0, 1, 0])
            felt += shaking * bell[:, np.newaxis]
        return felt + draw.normal(0, float(draw.uniform(2, 30)), felt.shape)


def _at(motion: Motion, at: npt.NDArray[np.float64]) -> Motion:
    """Return `motion` at the times `at`, 0 where it begins to 1 where it ends."""
    ends = np.linspace(0, 1, len(motion))
    return np.stack([np.interp(at, ends, axis) for axis in motion.T], 1)


def gravity(motion: Motion) -> Motion:
    """Return what gravity probably is in `motion`, [3]: its mean, with the length of 1 g.

    A hand that comes to rest where it began has no acceleration on average.
    """
    mean = motion.mean(axis=0)
    return np.asarray(1000 * mean / max(float(np.linalg.norm(mean)), 1.0))


def moving(motion: Motion) -> Motion:
    """Return what of `motion` is moved, without the rests about it; all of it where it never moves.

    Of several motions with a rest between them it is the one that changes most. What moves changes
    by a quarter as much as where it changes most, on average over a quarter of a second: sensors
    that are cheap are never still.
    """
    if len(motion) <= _STEP:
        return motion
    change = np.abs(motion[_STEP:] - motion[:-_STEP]).max(axis=1)
    lively = np.convolve(change, np.ones(_MOMENT) / _MOMENT)[_MOMENT // 2 :][: len(change)]
    felt = np.flatnonzero(lively > max(_STILL_MG, 0.25 * float(lively.max())))
    if not len(felt):
        return motion
    motions = np.split(felt, np.flatnonzero(np.diff(felt) > _MOMENT) + 1)
    felt = max(motions, key=lambda moved: float(change[moved].sum()))
    return motion[max(0, felt[0] - _STEP) : felt[-1] + 2 * _STEP]


def active(samples: npt.NDArray[np.int16], rate_hz: int) -> tuple[int, int] | None:
    """Return from where to where a hand moves, with some of the rest around it; None if never.

    `samples` are int16 [n, 3] in milli-g.
    """
    step = max(1, round(_STEP_S * rate_hz))
    if len(samples) <= step:
        return None
    change = np.abs(samples[step:].astype(np.int32) - samples[:-step]).max(axis=1)
    felt = np.flatnonzero(change > max(_STILL_MG, 0.2 * float(change.max())))
    if not len(felt):
        return None
    rest_samples = round(_REST_S * rate_hz)
    return max(0, int(felt[0]) - rest_samples), min(
        len(samples), int(felt[-1]) + step + rest_samples
    )


def liveliness(samples: npt.NDArray[np.int16]) -> float:
    """Return how much int16 [n, 3] in milli-g change, 0 at rest to 1 at 2 g from peak to peak."""
    return float(np.clip(np.ptp(samples, axis=0).max() / 2000, 0.0, 1.0))


def surrounded(
    motion: Motion,
    start: int,
    length: int,
    rest: tuple[Motion, Motion],
    ramps: tuple[int, int] = (12, 12),
) -> Motion:
    """Return `length` samples with `motion` from `start` on, which may be negative.

    Before and after it the device rests as in `rest`, [3] each, after ramps of so many samples.
    """
    ends = (motion[0], motion[-1])
    into, out_of = (
        side + (end - side) * np.linspace(1, 0, ramp, endpoint=False)[:, np.newaxis]
        for side, end, ramp in zip(rest, ends, ramps, strict=True)
    )
    whole = np.concatenate([into[::-1], motion, out_of])
    at = np.arange(length) - start + len(into)
    felt: Motion = whole[np.clip(at, 0, len(whole) - 1)].copy()
    felt[at < 0], felt[at >= len(whole)] = rest
    return felt
