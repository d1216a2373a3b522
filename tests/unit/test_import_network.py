"""How examples of a person's own are divided."""

from __future__ import annotations

import numpy as np
import pytest

from tinyml.training import import_network
from tinyml.training.representative import RepresentativeSet


@pytest.mark.parametrize("targets", [np.arange(40) % 4, np.arange(40) // 10, None])
def test_each_label_is_tried_and_measured(targets: np.ndarray | None) -> None:
    """Also where the labels come in turn, so that every fourth example has the same."""
    examples = RepresentativeSet((np.zeros((40, 1), np.float32),), targets, (), "here")
    learned, tried = import_network._divided(examples)
    assert sorted([*learned, *tried]) == list(range(40))
    assert len(tried) == 10
    if targets is not None:
        assert set(np.bincount(targets[tried])) <= {2, 3}
    again = import_network._divided(examples)
    np.testing.assert_array_equal(again[1], tried)


def test_too_few_are_tried_as_they_were_measured() -> None:
    examples = RepresentativeSet((np.zeros((3, 1), np.float32),), None, (), "here")
    learned, tried = import_network._divided(examples)
    assert sorted(learned) == sorted(tried) == [0, 1, 2]
