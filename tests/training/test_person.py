"""What a network for person detection is taught, by labels and by teachers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tinyml import photo
from tinyml.datasets import rendered
from tinyml.tasks import UNLABELLED, Examples, person_detection
from tinyml.training import Options, fit
from tinyml.training.learner import _targets

pytestmark = pytest.mark.needs_tensorflow
LABELS = ("not_person", "person")


def _answers(examples: Examples) -> np.ndarray:  # type: ignore[type-arg]
    return np.full((len(examples.targets), 2), 0.5, np.float32)


@pytest.mark.parametrize("taught", [True, False])
def test_what_nobody_labelled_is_learned_from_teachers_alone(tmp_path: Path, taught: bool) -> None:
    photo.write(tmp_path / "a.png", rendered.rendered("person", 1, 1))
    one = rendered.Recording(tmp_path / "a.png", "person", "a")
    nothing = person_detection.examples([], LABELS)
    teach = _answers if taught else None
    material = fit.Material(person_detection.TASK, [one], LABELS, nothing, teach)
    made = fit._Variants(material, Options(variants=1), lambda _: None).of(0)
    assert made.targets.tolist() == ([1, UNLABELLED] if taught else [1])
    assert made.colour is None
    answers = _targets(made, np.arange(len(made.targets)), 2)
    np.testing.assert_allclose(answers.sum(axis=1), 1, rtol=1e-6)
    assert answers[0, 1] > 0.6
    if taught:
        np.testing.assert_array_equal(answers[1], [0.5, 0.5])
