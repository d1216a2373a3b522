"""What the README shows of the pytest plugin, run as a user would: in an empty folder."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

pytestmark = [pytest.mark.needs_arm_gcc, pytest.mark.needs_qemu, pytest.mark.needs_pio]

ROOT = Path(__file__).parents[2]
MODEL = min((ROOT / "tests" / "golden" / "softmax").glob("*.tflite"))


def test_the_lines_of_the_readme(pytester: pytest.Pytester) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (section,) = re.findall(r"^## Test boards with pytest\n(.*?)(?=^## |\Z)", readme, re.M | re.S)
    (code,) = re.findall(r"^```python\n(.*?)^```$", section, re.M | re.S)
    assert len([line for line in code.splitlines() if line]) <= 10
    pytester.path.joinpath("test_model.py").write_text(code, encoding="utf-8")
    result = pytester.runpytest_subprocess(
        "-p", "tinyml.pytest_plugin", "--tinyml-model", MODEL, "--junitxml", "results.xml"
    )
    result.assert_outcomes(passed=1)
    (case,) = ET.parse(pytester.path / "results.xml").iter("testcase")
    found = {one.get("name"): one.get("value") for one in case.iter("property")}
    assert (found["tinyml_board"], found["tinyml_runtime"]) == ("qemu-m4", "compiled")
    assert found["tinyml_model"] == str(MODEL)
