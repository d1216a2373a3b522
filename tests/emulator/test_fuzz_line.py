"""The emulated board after damage and disorder on its line: alive, and nothing false believed."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from emulated import emulated_peer
from line_noise import forged, torture

pytestmark = [pytest.mark.needs_arm_gcc, pytest.mark.needs_qemu, pytest.mark.needs_pio]

BYTES = 250_000  # scripts/fuzz_line sends more


def test_fuzz(tmp_path: Path) -> None:
    kinds: Counter[str] = Counter()
    with emulated_peer(tmp_path) as peer:
        good, bad = torture(peer, BYTES, 4, kinds, frames=forged())
    assert min(good, bad) > 100
    assert len(kinds) == 12  # every kind of damage and disorder that there is
