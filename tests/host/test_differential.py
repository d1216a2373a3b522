"""A few random graphs against the oracle; `scripts/fuzz_compiler` runs as many as time allows."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "golden"))

import differential
from batch import Batch
from random_graph import random_graph

pytestmark = pytest.mark.needs_cc

SEEDS = range(10)


def test_random_graphs_equal_the_oracle() -> None:
    results = differential.compare([random_graph(seed) for seed in SEEDS])
    assert len(results) >= len(SEEDS) - 2, "the compiler refuses most graphs"
    assert {name: problem for name, problem in results.items() if problem is not None} == {}


def test_a_wrong_result_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    run = Batch.run

    def flipped(self: Batch, name: str, vectors: list[tuple[np.ndarray, ...]]) -> list[object]:
        answers = run(self, name, vectors)
        outputs, steps = answers[-1]
        return [*answers[:-1], (outputs, [*steps[:-1], bytes([steps[-1][0] ^ 1]) + steps[-1][1:]])]

    monkeypatch.setattr(Batch, "run", flipped)
    (problem,) = differential.compare([random_graph(0)]).values()
    assert problem is not None
    assert "1 bytes of" in problem


def test_a_seed_always_gives_the_same_graph() -> None:
    assert random_graph(3).bytes() == random_graph(3).bytes()
    assert random_graph(3).bytes() != random_graph(4).bytes()
