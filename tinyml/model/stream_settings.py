"""How scores become events: a bundle with another threshold, average or refractory time.

The model stays as it is, to the bit; only what its card says of streams is another.
"""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path
from typing import Any

from tinyml.errors import ConfigError
from tinyml.model import bundle as bundles
from tinyml.records import Bundle

AVERAGE_MOST = 32  # inferences; TML_RECOGNIZER_AVERAGE of `tinyml/features/recognizer.h`
REFRACTORY_MOST_MS = 60_000


def changed(
    bundle: Bundle,
    *,
    threshold: float | None = None,
    average: int | None = None,
    refractory_ms: int | None = None,
) -> Bundle:
    """Return `bundle` with what is not None changed in its stream settings and its card.

    `threshold`: averaged score that an event needs, above 0 and at most 1. `average`: inferences,
    1 to AVERAGE_MOST. `refractory_ms`: silence after an event, 0 to REFRACTORY_MOST_MS. Raises
    ConfigError for a value outside of these, and for a model that is not used on streams.
    """
    given = {"threshold": threshold, "average": average, "refractory_ms": refractory_ms}
    wanted: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    if not wanted:
        return bundle
    if bundle.stream is None:
        raise ConfigError(
            f"{bundle.name} is not used on streams, so it has no {' and no '.join(wanted)}",
            f"leave --{next(iter(wanted)).partition('_')[0]} away",
        )
    _check(wanted)
    stream = dataclasses.replace(bundle.stream, **wanted)
    return dataclasses.replace(
        bundle, stream=stream, card=dataclasses.replace(bundle.card, stream=stream)
    )


def save(bundle: Bundle, folder: Path) -> Bundle:
    """Write a copy of `bundle`, with all its files and the card it has now, into `folder`.

    The copy is called as its folder. Raises what `tinyml.model.bundle.save` raises.
    """
    card = dataclasses.replace(bundle.card, name=folder.resolve().name)
    return bundles.save(folder, card, bundles.read_files(bundle))


def _check(wanted: dict[str, Any]) -> None:
    ranges = {
        "threshold": (math.ulp(0.0), 1.0),
        "average": (1, AVERAGE_MOST),
        "refractory_ms": (0, REFRACTORY_MOST_MS),
    }
    for name, value in wanted.items():
        least, most = ranges[name]
        if not least <= value <= most:
            option = name.partition("_")[0]
            raise ConfigError(
                f"{option} is {value:g}, not {least:.0f} to {most:,.0f}",
                f"give a value in that range: --{option} {most / 2:g}",
            )
