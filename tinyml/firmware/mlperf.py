"""MLPerf Tiny: which of its models a firmware answers for, and how the benchmark gives the inputs.

Firmware of a model that has a profile speaks the benchmark's text commands beside the protocol. A
model without a front end has the profile of its tensors; a card may name one in `mlperf`, or say
`false` there.

To add a profile, append it to PROFILES.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from tinyml.errors import ConfigError, nearest
from tinyml.records import DTYPES, Bundle, CSource


@dataclass(frozen=True)
class Profile:
    """A model of the benchmark, whose input and output are one int8 tensor each.

    `encoding`: of the values the benchmark sends. "int8" is the input itself; "uint8" is it plus
    128, as of pixels; "float32" is quantized by the device. `reconstructs`: the result is the mean
    square of output less input, instead of the outputs.
    """

    name: str
    shape: tuple[int, ...]
    outputs: int
    encoding: str
    reconstructs: bool = False

    @property
    def bytes(self) -> int:
        """Size of one input as the benchmark sends it."""
        return math.prod(self.shape) * DTYPES[self.encoding].bytes


PROFILES = (
    Profile("kws01", (1, 49, 10, 1), 12, "int8"),
    Profile("vww01", (1, 96, 96, 3), 2, "uint8"),
    Profile("ic01", (1, 32, 32, 3), 10, "uint8"),
    Profile("ad01", (1, 640), 640, "float32", reconstructs=True),
)


def profile_of(bundle: Bundle, source: CSource) -> Profile | None:
    """Return the profile of a model, None where it has none.

    Raises ConfigError where the card names one that does not exist or does not fit the tensors.
    """
    named = bundle.card.mlperf
    if named is None:
        free = bundle.features is None
        return next((one for one in PROFILES if free and _fits(one, source)), None)
    if named is False:
        return None
    for profile in PROFILES:
        if profile.name == named:
            return _checked(profile, bundle, source)
    raise ConfigError(
        f"the card of {bundle.name} names the MLPerf model {named!r}, which does not exist",
        nearest(str(named), [profile.name for profile in PROFILES]),
    )


def _checked(profile: Profile, bundle: Bundle, source: CSource) -> Profile:
    if bundle.stream is not None:
        raise ConfigError(
            f"model {bundle.name} streams, and the benchmark's commands need it for themselves",
            "remove `stream` or `mlperf` from the model's card",
        )
    if not _fits(profile, source):
        raise ConfigError(
            f"model {bundle.name} does not have the tensors of {profile.name}: int8 "
            f"{'x'.join(map(str, profile.shape))} in, {profile.outputs} int8 values out",
            "correct or remove `mlperf` in the model's card",
        )
    return profile


def _fits(profile: Profile, source: CSource) -> bool:
    tensors = (*source.inputs, *source.outputs)
    return (
        (len(source.inputs), len(source.outputs)) == (1, 1)
        and all(tensor.dtype == "int8" and tensor.scale > 0 for tensor in tensors)
        and source.inputs[0].shape == profile.shape
        and source.outputs[0].bytes == profile.outputs
    )
