"""The ring between a sensor's interrupt and the application, under sanitizers, with two threads."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tinyml import paths

pytestmark = pytest.mark.needs_cc


@pytest.mark.parametrize("sanitizer", ["address,undefined", "thread"])
def test_samples_stay_whole_and_in_order_and_losses_are_counted(
    sanitizer: str, tmp_path: Path
) -> None:
    ring = paths.shared("firmware_templates") / "board_sensor"
    program = tmp_path / "ring"
    warnings = ["-Wall", "-Wextra", "-Werror", "-Wconversion", "-pedantic"]
    subprocess.run(
        ["cc", "-std=c99", "-O1", "-g", *warnings, f"-fsanitize={sanitizer}", f"-I{ring}",
         ring / "tml_ring.c", Path(__file__).with_name("ring_main.c"), "-pthread", "-o", program],
        check=True,
    )  # fmt: skip
    done = subprocess.run([program], check=False, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
