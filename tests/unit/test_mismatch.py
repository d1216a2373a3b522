"""What a firmware was built with: differences are named, what a sensor decides is none."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from tinyml.device import mismatch
from tinyml.device.identity import DeviceInfo
from tinyml.device.mismatch import SettingMismatch
from tinyml.firmware import parameters, sensors
from tinyml.protocol.messages import SLOT_BYTES
from tinyml.records import Bundle, FeatureConfig, StreamConfig

GRAY_96 = {
    "sample_rate_hz": 5 * 4608, "source_width": 96, "source_height": 96, "format": 1,
    "width": 96, "height": 96, "channels": 1,
}  # fmt: skip
SEEING = Bundle(
    "seeing", b"", "ab" * 32, Path("seeing"), "", ("no", "yes"),
    FeatureConfig("image", GRAY_96), StreamConfig(1, 1, 0.5, 1000, (0,), repeats=True),
)  # fmt: skip


def built(bundle: Bundle, sensor: str) -> DeviceInfo:
    """What a device says whose firmware was made of `bundle`."""
    values: dict[str, tuple[float, ...]] = {}
    for name, value in parameters.of(bundle):
        values[name] = (*values.get(name, ()), value)
    assert bundle.features is not None
    return DeviceInfo(
        board="b", version="v", runtime="compiled", model=bundle.name, sha256=bundle.sha256,
        inputs=(), outputs=(), steps=(), labels=bundle.labels, features=bundle.features.name,
        sensor=sensor, parameters=values, counter_hz=0, boot_id=1, max_payload=1, window_bytes=1,
    )  # fmt: skip


def test_firmware_of_the_bundle_has_its_settings() -> None:
    info = built(SEEING, "virtual")
    assert info.parameters["stream.repeats"] == (1.0,)
    assert mismatch.of_settings(info, SEEING) == ()
    other = replace(SEEING, stream=StreamConfig(1, 1, 0.6, 1000, (0,), repeats=True))
    assert mismatch.of_settings(info, other) == (SettingMismatch("stream.threshold", "0.6", "0.5"),)


def test_labels_are_compared_as_they_are_and_shown_escaped() -> None:
    odd = ("a\u00a0b", "\U0001f469\u200d\U0001f680", "x\u3000y")
    bundle = replace(SEEING, labels=odd)
    assert mismatch.of_settings(built(bundle, "virtual"), bundle) == ()
    info = replace(built(bundle, "virtual"), labels=("a b", *odd[1:]))
    (differs,) = mismatch.of_settings(info, bundle)
    assert differs.expected.startswith("a\\xa0b, ")
    assert differs.actual.startswith("a b, ")


def test_a_bare_model_in_a_slot_takes_the_settings_of_the_firmware() -> None:
    info = built(SEEING, "virtual")
    bare = Bundle("bare", b"", "cd" * 32, Path("bare"))
    assert mismatch.of_settings(info, bare) == (SettingMismatch("features", "none", "image"),)
    with_slot = replace(info, parameters={**info.parameters, SLOT_BYTES: (1024.0,)})
    assert mismatch.of_settings(with_slot, bare) == ()
    other = replace(SEEING, stream=StreamConfig(1, 1, 0.6, 1000, (0,), repeats=True))
    assert mismatch.of_settings(with_slot, other) == (
        SettingMismatch("stream.threshold", "0.6", "0.5"),
    )


def test_the_size_of_a_camera_s_pictures_is_no_difference() -> None:
    camera = sensors.driver("image", "ov767x")
    fitted = sensors.fitted(SEEING, camera)
    assert fitted.features is not None
    assert fitted.features.params["source_width"] == 160
    assert mismatch.of_settings(built(fitted, "ov767x"), SEEING) == ()
    names = {one.name for one in mismatch.of_settings(built(fitted, "virtual"), SEEING)}
    assert names == {
        "features.sample_rate_hz", "features.source_height", "features.source_width",
    }  # fmt: skip
