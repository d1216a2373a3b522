"""Every golden model as Cortex-M4 code, with its DSP kernels, against the oracle's vectors."""

from __future__ import annotations

from pathlib import Path

import pytest
import stored
from batch import CORTEX_M4

pytestmark = [pytest.mark.needs_arm_gcc, pytest.mark.needs_qemu]


@pytest.mark.parametrize("folder", stored.FOLDERS, ids=lambda folder: folder.name)
def test_golden(folder: Path) -> None:
    assert stored.mismatches(folder, CORTEX_M4) == []
