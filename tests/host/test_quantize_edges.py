"""Float inputs that do not fit int32: the oracle's result there is whatever its processor does."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from batch import generate, run

MODEL = Path(__file__).parent.parent / "golden" / "quantize" / "float_to_int8.tflite"
ZERO_POINT, SCALE = -3, np.float32(0.05)

pytestmark = pytest.mark.needs_cc


def test_out_of_range_saturates_and_nan_is_zero() -> None:
    source = generate(MODEL.stem, MODEL.read_bytes())
    assert (source.outputs[0].zero_point, np.float32(source.outputs[0].scale)) == (-3, SCALE)
    cases = {
        np.nan: ZERO_POINT, np.inf: 127, -np.inf: -128, 1e30: 127, -1e30: -128,
        1e-44: ZERO_POINT, -0.0: ZERO_POINT,
        float(SCALE) * 2147483520: 127, float(SCALE) * -2147483648: -128,
    }  # fmt: skip
    values = np.zeros(256, np.float32)
    values[: len(cases)] = list(cases)
    ((outputs, _),) = run({"model": source}, {"model": [[values]]})["model"]
    assert outputs[0][: len(cases)].tolist() == list(cases.values())
