"""What a network for person detection is taught, by labels and by teachers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tinyml.datasets import rendered
from tinyml.media import photo
from tinyml.tasks import UNLABELLED, Examples, person_detection
from tinyml.training import Options, fit, logit_adjust
from tinyml.training.learner import soft_targets

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
    material = fit.TrainingExamples(person_detection.TASK, [one], LABELS, nothing, teach)
    made = fit._Variants(material, Options(variants=1), lambda _: None).of(0)
    assert made.targets.tolist() == (
        [1, UNLABELLED, UNLABELLED, 0] if taught else [1, 0]
    )  # 0: of nothing
    assert made.colour is None
    answers = soft_targets(made, np.arange(len(made.targets)), 2)
    np.testing.assert_allclose(answers.sum(axis=1), 1, rtol=1e-6)
    assert answers[0, 1] == pytest.approx(0.545 if taught else 0.95)  # a tenth is the label's
    if taught:
        np.testing.assert_array_equal(answers[1:3], np.full((2, 2), 0.5))
    np.testing.assert_allclose(answers[-1], [0.95, 0.05], rtol=1e-6)  # whatever teachers say


def test_shares_that_unlabelled_examples_shifted_are_put_back() -> None:
    recordings = [rendered.Recording(Path(str(n)), LABELS[n % 4 != 0], str(n)) for n in range(8)]
    taught = np.tile(np.array([[0.75, 0.25, 0.0]], np.float32), (20, 1))
    examples = Examples(np.zeros((20, 1), np.int8), np.full(20, UNLABELLED), soft_labels=taught)
    shift = logit_adjust.shift(recordings, (*LABELS, "silence"), examples)
    # 3 of 4 recordings are of people, 1 of 4 answers was: odds are 9 times as high.
    np.testing.assert_allclose(shift, [-np.log(3), np.log(3), 0], rtol=1e-5)
    network = person_detection.build_model(2, 0.1)
    before = network.layers[-1].get_weights()[1]
    logit_adjust.move(network, shift[:2])
    np.testing.assert_allclose(network.layers[-1].get_weights()[1], before + shift[:2], rtol=1e-5)
