"""The plan of a build: every choice that a firmware rests on, made once, before it is written.

A model, a board, a runtime and what the user asks for in; all that rendering, building and notes to
the user read out.
"""

from __future__ import annotations

from dataclasses import dataclass

from tinyml import runtimes
from tinyml.firmware import mlperf, sensors
from tinyml.firmware.mlperf import Profile
from tinyml.firmware.sensors import Sensor
from tinyml.records import DEFAULT_OPTIONS, Board, Bundle, CSource, RuntimeOptions


@dataclass(frozen=True)
class BuildPlan:
    """What a firmware is made of.

    `bundle`: its front end takes what `sensor` gives, which may be another one than in its card.
    `sensor`: None where the model listens to nothing. `profile`: the model of MLPerf Tiny whose
    text commands it answers, if any. `source`: the model as its runtime's C. `prefix`: how every
    name in the C begins.
    """

    bundle: Bundle
    board: Board
    source: CSource
    sensor: Sensor | None
    profile: Profile | None
    prefix: str


def resolve(
    bundle: Bundle,
    board: Board,
    runtime: str,
    options: RuntimeOptions = DEFAULT_OPTIONS,
    sensor: str | None = None,
) -> BuildPlan:
    """Plan the firmware of `bundle` on `board` under `runtime`; `sensor`: see `sensors.choose`.

    Raises ConfigError for what the board, the runtime or the model's card does not have, and what
    the runtime's `generate` raises.
    """
    chosen = sensors.choose(bundle, board, sensor)
    source = runtimes.load(runtime).generate(bundle, board, options)
    return _planned(bundle, board, source, chosen, options.prefix)


def of_source(
    bundle: Bundle, board: Board, source: CSource, sensor: str | None = None
) -> BuildPlan:
    """Plan the firmware around the C that a runtime made already; else as `resolve`."""
    chosen = sensors.choose(bundle, board, sensor)
    return _planned(bundle, board, source, chosen, DEFAULT_OPTIONS.prefix)


def _planned(
    bundle: Bundle, board: Board, source: CSource, sensor: Sensor | None, prefix: str
) -> BuildPlan:
    fitted = sensors.fitted(bundle, sensor)
    return BuildPlan(fitted, board, source, sensor, mlperf.profile_of(fitted, source), prefix)
