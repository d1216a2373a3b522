"""Which kernels the `tflm` runtime asks the library for."""

from __future__ import annotations

from pathlib import Path

import pytest

from tinyml import runtimes
from tinyml.firmware import boards
from tinyml.model import bundle


def operators(model: str) -> list[str]:
    source = runtimes.load("tflm").generate(bundle.load(model), boards.load("nano33ble"))
    return list(source.facts["operators"])


def test_a_scale_per_channel_is_not_left_to_a_library_that_takes_the_first() -> None:
    assert "AddFullyConnected(tml_fully_connected_per_channel())" in operators("keyword_spotting")
    source = runtimes.load("tflm").generate(
        bundle.load("keyword_spotting"), boards.load("nano33ble")
    )
    assert "arm_fully_connected" not in source.functions  # our kernel does not call it


@pytest.mark.needs_data
def test_one_scale_for_all_channels_is_the_library_s_business(data: Path) -> None:
    found = operators(str(data / "models" / "mlperf_tiny" / "kws_ref_model.tflite"))
    assert "AddFullyConnected(tflite::Register_FULLY_CONNECTED_INT8())" in found
