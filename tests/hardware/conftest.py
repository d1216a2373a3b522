"""Tests of any board: `pytest tests/hardware --tinyml-board nano33ble --tinyml-port auto`.

Without options they run on the emulated board, through a farm with --lg-env (see `labgrid/`).
"""

from __future__ import annotations

from pathlib import Path

import pytest

TO_BUILD_AND_EMULATE = ("needs_arm_gcc", "needs_pio", "needs_qemu")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Ask for what building and emulating take, unless the board is there already."""
    if config.getoption("--tinyml-port") or config.getoption("lg_env", None):
        return
    here = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(here) and "tinyml_flashed" in getattr(item, "fixturenames", ()):
            for name in TO_BUILD_AND_EMULATE:
                item.add_marker(name)
