"""What README and docs show, run as a user would: the commands, and the pytest plugin's lines."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import doc_pages
import doc_runs
import pytest

pytestmark = [pytest.mark.needs_arm_gcc, pytest.mark.needs_qemu, pytest.mark.needs_pio]

MODEL = min((doc_pages.ROOT / "tests" / "golden" / "softmax").glob("*.tflite"))
SHOWING = [page for page in doc_pages.pages() if doc_runs.runnable(page)]


def test_pages_show_commands() -> None:
    assert len(SHOWING) >= 8


@pytest.mark.needs_data
@pytest.mark.parametrize("page", SHOWING, ids=lambda page: str(page.relative_to(doc_pages.ROOT)))
def test_commands_do_what_the_page_shows(page: Path) -> None:
    wrong = doc_runs.run(page)
    assert not wrong, "\n\n".join(wrong)


def test_the_lines_of_a_test_with_a_board(pytester: pytest.Pytester) -> None:
    page = (doc_pages.ROOT / "docs" / "testing.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"^```python\n(.*?)^```$", page, re.M | re.S)
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
