"""A few random graphs against the oracle; `scripts/fuzz_compiler` runs as many as time allows."""

from __future__ import annotations

from collections.abc import Callable

import differential
import pytest
from random_graph import random_graph

pytestmark = pytest.mark.needs_cc

SEEDS = range(40)


def test_random_graphs_equal_the_oracle() -> None:
    results: dict[str, str | None] = {}
    for first in SEEDS[::20]:
        results |= differential.compare([random_graph(seed) for seed in SEEDS[first : first + 20]])
    assert len(results) >= len(SEEDS) - 2, "the compiler refuses most graphs"
    assert {name: problem for name, problem in results.items() if problem is not None} == {}


def test_a_wrong_result_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    run: Callable[..., dict[str, list[differential.Answer]]] = differential.run

    def flipped(*args: object) -> dict[str, list[differential.Answer]]:
        answers = run(*args)
        (rows,) = answers.values()
        step = rows[-1][1][-1]
        rows[-1][1][-1] = bytes([step[0] ^ 1]) + step[1:]
        return answers

    monkeypatch.setattr(differential, "run", flipped)
    (problem,) = differential.compare([random_graph(0)]).values()
    assert problem is not None
    assert "1 bytes of" in problem


def test_a_seed_always_gives_the_same_graph() -> None:
    assert random_graph(3).bytes() == random_graph(3).bytes()
    assert random_graph(3).bytes() != random_graph(4).bytes()
