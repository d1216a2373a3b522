"""Person detection: what a model reads of pictures, rendered ones, and teachers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tinyml.datasets import Recording, rendered
from tinyml.errors import ConfigError
from tinyml.features import image_features
from tinyml.records import Bundle, TensorInfo
from tinyml.tasks import UNLABELLED, Examples, person_detection
from tinyml.training import teachers
from tinyml.training.teachers import Teacher

LABELS = ("not_person", "person")


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> list[Recording]:
    folder = tmp_path_factory.mktemp("pictures")
    found = []
    for number, size in enumerate(((160, 120), (96, 96), (60, 200), (30, 20))):
        file = folder / f"{number}.png"
        pixels = np.random.default_rng(number).integers(0, 256, (size[1], size[0], 3), np.uint8)
        Image.fromarray(pixels).save(file)
        found.append(Recording(file, LABELS[number % 2], str(number)))
    return found


def test_examples_are_the_middle_as_the_front_end_sees_it(pictures: list[Recording]) -> None:
    made = person_detection.examples(pictures, LABELS)
    assert (made.inputs.shape, made.inputs.dtype) == ((4, 96, 96, 1), np.int8)
    assert made.targets.tolist() == [0, 1, 0, 1]
    square = np.asarray(Image.open(pictures[1].path))
    expected = image_features(square, person_detection.FEATURES)
    np.testing.assert_array_equal(made.inputs[1], expected)
    assert person_detection.examples([], LABELS).inputs.shape == (0, 96, 96, 1)


def test_crops_are_labelled_and_neither_details_of_people_nor_mixtures(
    pictures: list[Recording],
) -> None:
    made = person_detection.augmented(pictures, LABELS, 3)
    again = person_detection.augmented(pictures, LABELS, 3)
    other = person_detection.augmented(pictures, LABELS, 4)
    np.testing.assert_array_equal(made.inputs, again.inputs)
    assert not np.array_equal(made.inputs, other.inputs)
    assert made.targets.tolist() == [0, 1, 0, 1, 0, UNLABELLED, 0, *[UNLABELLED] * 5, 0]
    assert not np.array_equal(made.inputs[8:12], made.inputs[:4])
    assert made.certain is not None
    assert np.flatnonzero(made.certain).tolist() == [12]  # a picture of nothing
    assert made.colour is not None
    red, green, blue = np.moveaxis(made.colour.astype(np.int32) + 128, -1, 0)
    gray = (77 * red + 150 * green + 29 * blue + 128) // 256 - 128
    np.testing.assert_array_equal(gray, made.inputs[..., 0])


def test_what_was_drawn_shows_what_its_label_says(pictures: list[Recording]) -> None:
    mixed = [replace(pictures[0], source=rendered.SOURCE), *pictures[1:]]
    made = person_detection.augmented(mixed, LABELS, 3)
    # 4 crops, 3 details, 3 mixtures, 1 of nothing
    assert made.targets.tolist() == [0, 1, 0, 1, UNLABELLED, 0, *[UNLABELLED] * 4, 0]
    assert made.certain is not None
    assert np.flatnonzero(made.certain).tolist() == [0, 10]


def test_other_light_leaves_the_original_alone(pictures: list[Recording]) -> None:
    inputs = person_detection.examples(pictures, LABELS).inputs
    kept = inputs.copy()
    seen = person_detection.mask(inputs, 5)
    np.testing.assert_array_equal(inputs, kept)
    np.testing.assert_array_equal(seen, person_detection.mask(inputs, 5))
    assert all(not np.array_equal(one, two) for one, two in zip(inputs, seen, strict=True))


def test_rendered_scenes_are_seen_with_and_without_people(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TINYML_CACHE", str(tmp_path))
    heard: list[tuple[int, int]] = []
    dataset = rendered.generate(3, seed=1, on_progress=lambda *step: heard.append(step))
    assert heard[-1] == (6, 6)
    assert dataset.stand_in
    assert dataset.labels == LABELS
    assert len({one.group for one in dataset.recordings}) == 3
    first = dataset.recordings[1].path
    assert first.parent.name == "person"
    before = first.read_bytes(), first.stat().st_mtime_ns
    rendered.generate(3, seed=1)
    assert (first.read_bytes(), first.stat().st_mtime_ns) == before
    with pytest.raises(ConfigError, match="no rendered pictures of dog"):
        rendered.generate(1, classes=("dog",))


def test_a_scene_follows_its_seed_and_differs_by_its_people() -> None:
    empty, again, other = (rendered.rendered("not_person", *at) for at in ((7, 1), (7, 1), (7, 2)))
    assert empty.shape == (128, 128, 3)
    np.testing.assert_array_equal(empty, again)
    assert not np.array_equal(empty, other)
    assert not np.array_equal(empty, rendered.rendered("person", 7, 1))


class Model:
    """A teacher's model that counts how often it is asked; its scores are its input's first two."""

    def __init__(self, *shape: int) -> None:
        self.asked = 0
        bundle = Bundle("wise", b"", "ab" * 32, Path("wise"))
        input_ = TensorInfo("in", "int8", shape)
        output = TensorInfo("out", "int8", (1, 2), 1 / 256, -128)
        self.teacher = Teacher(bundle, input_, output, self._run)

    def _run(self, inputs: list[np.ndarray]) -> list[np.ndarray]:  # type: ignore[type-arg]
        self.asked += 1
        return [inputs[0].ravel()[:2]]


def examples(*rows: tuple[int, int], colour: bool = False) -> Examples:
    inputs = np.array(rows, np.int8)
    targets = np.zeros(len(rows), np.int64)
    return Examples(inputs, targets, np.repeat(inputs[..., np.newaxis], 3, 2) if colour else None)


def test_teachers_answer_with_their_geometric_mean_and_are_asked_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TINYML_CACHE", str(tmp_path))
    model = Model(1, 2)
    some = examples((127, -128), (0, 0))
    shares = teachers.soft_labels([model.teacher], some)
    np.testing.assert_allclose(shares, [[255.5 / 256, 0.5 / 256], [0.5, 0.5]], rtol=1e-6)
    np.testing.assert_array_equal(
        teachers.soft_labels([model.teacher, model.teacher], some), shares
    )
    assert model.asked == 2
    next(tmp_path.rglob("*.npy")).write_bytes(b"damaged")
    np.testing.assert_array_equal(teachers.soft_labels([model.teacher], some), shares)
    assert model.asked == 4


def test_a_teacher_sees_colour_where_it_takes_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TINYML_CACHE", str(tmp_path))
    model = Model(1, 2, 3)
    assert teachers.soft_labels([model.teacher], examples((5, 9), colour=True)).shape == (1, 2)
    with pytest.raises(ConfigError, match=r"wise takes \[1, 2, 3\], which this task's"):
        teachers.soft_labels([model.teacher], examples((5, 9)))


def test_a_teacher_of_other_labels_is_refused() -> None:
    with pytest.raises(ConfigError, match="keyword_spotting knows silence, unknown"):
        teachers.load(["keyword_spotting"], LABELS)
