"""Configuration mismatch: where a device's firmware was built with other settings than a bundle's.

A device computes other features, or hears words at another threshold, though every layer of its
model is right; then the settings differ, which this names.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tinyml import __version__
from tinyml.device.identity import printable
from tinyml.firmware import parameters, sensors
from tinyml.protocol.messages import SLOT_BYTES
from tinyml.records import Bundle, CSource

if TYPE_CHECKING:
    from tinyml.device import DeviceInfo

NONE = "none"


@dataclass(frozen=True)
class SettingMismatch:
    """One setting that differs: what the model's bundle asks for, and what the device has.

    `name`: as in the card ("features.stride_ms", "labels") or "arena_bytes".
    """

    name: str
    expected: str
    actual: str


def of_settings(info: DeviceInfo, bundle: Bundle) -> tuple[SettingMismatch, ...]:
    """Return what the device says of itself that is not what `bundle` says, in the card's order.

    What the device's own sensor decides, such as the size of a camera's pictures, is no difference.
    A bare .tflite in a model slot takes the firmware's settings, so there it has no others.
    """
    if SLOT_BYTES in info.parameters and bundle.features is None and not bundle.labels:
        return ()
    if bundle.features is not None and not info.is_virtual:
        bundle = sensors.fitted(bundle, sensors.driver(bundle.features.name, info.sensor))
    expected = _grouped(bundle)
    front_end = bundle.features.name if bundle.features is not None and expected else ""
    if front_end != info.features:  # whose own settings then mean nothing
        return (SettingMismatch("features", front_end or NONE, info.features or NONE),)
    differing = []
    if bundle.labels and bundle.labels != info.labels:
        differing.append(of_labels(info, bundle))
    for name in sorted({*expected, *info.parameters} - {SLOT_BYTES}):
        wanted, has = expected.get(name, ()), info.parameters.get(name, ())
        if wanted != has:
            differing.append(SettingMismatch(name, _text(wanted), _text(has)))
    return tuple(differing)


def of_labels(info: DeviceInfo, bundle: Bundle) -> SettingMismatch:
    """Return the labels as a differing setting, fit to show."""
    expected, actual = (
        ", ".join(map(printable, labels)) for labels in (bundle.labels, info.labels)
    )
    return SettingMismatch("labels", expected, actual or NONE)


def of_arena(info: DeviceInfo, reserved_bytes: int, source: CSource) -> tuple[SettingMismatch, ...]:
    """Return the arena as a differing setting where the device has less than its model needs.

    `reserved_bytes` is what the device reports, `source` what this version makes of the same model:
    nothing is known of firmware of another version, or where the need is only an upper bound.
    """
    comparable = source.arena_exact and info.version == __version__
    if not comparable or info.runtime != source.runtime or reserved_bytes >= source.arena_bytes:
        return ()
    return (SettingMismatch("arena_bytes", f"{source.arena_bytes}", f"{reserved_bytes}"),)


def _grouped(bundle: Bundle) -> Mapping[str, tuple[float, ...]]:
    grouped: dict[str, tuple[float, ...]] = {}
    for name, value in parameters.of(bundle):
        grouped[name] = (*grouped.get(name, ()), value)
    return grouped


def _text(values: tuple[float, ...]) -> str:
    return ", ".join(f"{value:g}" for value in values) or NONE
