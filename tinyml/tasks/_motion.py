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
_REST_S = 0.3  # kept around a motion that is recorded: gravity shows in it


class Mover:
    """Draws movements around a recorded one; equal generators and motions give equal results."""

    def __init__(self, draw: np.random.Generator) -> None:
        self._draw = draw

    def varied(self, motion: Motion) -> Motion:
        """Return `motion` by another hand: turned, larger or smaller, slower or faster."""
        draw = self._draw
        rest = gravity(motion)
        factor = float(np.exp(draw.normal(0, 0.15)))
        turn = wand.rotation(draw.normal(0, 10, 3))
        moved = (rest + (motion - rest) * factor) @ turn.T
        return self._warped(moved)

    def _warped(self, motion: Motion) -> Motion:
        draw = self._draw
        length = max(8, round(len(motion) * float(np.exp(draw.normal(0, 0.12)))))
        at = np.linspace(0, 1, length)
        at += float(draw.normal(0, 0.03)) * np.sin(np.pi * at * int(draw.integers(1, 4)))
        ends = np.linspace(0, 1, len(motion))
        return np.stack([np.interp(at, ends, axis) for axis in motion.T], 1)

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


def gravity(motion: Motion) -> Motion:
    """Return what gravity probably is in `motion`, [3]: its mean, with the length of 1 g.

    A hand that comes to rest where it began has no acceleration on average.
    """
    mean = motion.mean(axis=0)
    return np.asarray(1000 * mean / max(float(np.linalg.norm(mean)), 1.0))


def moving(motion: Motion) -> Motion:
    """Return `motion` without the rest at its ends; all of it where it never moves."""
    if len(motion) <= _STEP:
        return motion
    change = np.abs(motion[_STEP:] - motion[:-_STEP]).max(axis=1)
    felt = np.flatnonzero(change > max(_STILL_MG, 0.2 * float(change.max())))
    if not len(felt):
        return motion
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
