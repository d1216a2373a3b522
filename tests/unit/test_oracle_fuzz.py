"""Damaged models through the reader and the reference: an answer or a message, never a crash."""

from __future__ import annotations

import collections

import mutants
import numpy as np
import pytest

from tinyml.errors import ModelError
from tinyml.model import bundle
from tinyml.model.oracle import Oracle


@pytest.mark.parametrize("name", ["gesture", "keyword_spotting"])
def test_a_damaged_model_answers_or_is_refused(name: str) -> None:
    model = bundle.load(name).model
    ends: collections.Counter[str] = collections.Counter()
    for mutant in mutants.mutants(model, 120, seed=7):
        try:
            oracle = Oracle(mutant, "mutant")
            oracle.run([np.zeros(tensor.shape, tensor.dtype) for tensor in oracle.inputs])
        except ModelError as error:
            ends["died" if "dies of it" in error.message else "refused"] += 1
        else:
            ends["answered"] += 1
    assert ends["answered"] > 10
    assert ends["refused"] > 10
    # The worker that died of some of them is not the one that answers now.
    golden = np.load(bundle.load(name).path / "golden.npz")
    np.testing.assert_array_equal(Oracle(model).run([golden["in0"][0]])[0], golden["out0"][0])
