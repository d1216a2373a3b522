"""Networks of a person's own: Keras 2 and 3, SavedModel; and what is refused, with the reason."""

from __future__ import annotations

import importlib
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tinyml import cli, runtimes
from tinyml.errors import ConfigError, DataError, ModelError
from tinyml.firmware.boards import load as board
from tinyml.model import bundle, host_library
from tinyml.model import card as cards
from tinyml.model.oracle import Oracle
from tinyml.training import conversion, import_network, layer_noise

pytestmark = pytest.mark.needs_tensorflow
SHAPE = (8, 8, 1)


def _network(keras: Any, last: Any = None) -> Any:
    """A network that tells a bright left half from a bright right half."""
    layers = keras.layers
    keras.utils.set_random_seed(3)
    inputs = keras.Input(SHAPE)
    tensor = layers.Conv2D(4, 3, padding="same", activation="relu")(inputs)
    tensor = layers.DepthwiseConv2D(3, strides=2, padding="same")(tensor)
    tensor = layers.ReLU()(layers.BatchNormalization()(tensor))
    tensor = layers.Flatten()(tensor)
    if last is not None:
        tensor = last(tensor)
    return keras.Model(inputs, layers.Dense(2, activation="softmax")(tensor))


@pytest.fixture(scope="module")
def examples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    draw = np.random.default_rng(1)
    inputs = draw.normal(0, 1, (40, *SHAPE)).astype(np.float32)
    labels = draw.integers(0, 2, 40)
    path = tmp_path_factory.mktemp("examples") / "some.npz"
    np.savez(path, inputs=inputs, labels=labels)
    return path


@pytest.fixture(scope="module")
def networks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    import keras
    import tf_keras

    folder = tmp_path_factory.mktemp("networks")
    _network(keras).save(folder / "three.keras")
    _network(keras).export(folder / "saved", verbose=False)
    _network(tf_keras).save(folder / "two.h5")
    return folder


def _converted(path: Path, examples: np.ndarray) -> conversion.Converted:  # type: ignore[type-arg]
    return conversion.convert(path, conversion.describe(path), [examples])


def _quantized(converted: conversion.Converted, inputs: np.ndarray) -> list[list[np.ndarray]]:  # type: ignore[type-arg]
    tensor = Oracle(converted.int8).inputs[0]
    return [[import_network._quantized(values, tensor)] for values in inputs]


def _scores(path: Path, inputs: np.ndarray) -> np.ndarray:  # type: ignore[type-arg]
    """Return what the library that wrote a network computes with it."""
    import keras
    import tf_keras

    if path.suffix == ".h5":
        return tf_keras.models.load_model(path, compile=False).predict(inputs, verbose=0)
    if path.suffix == ".keras":
        return keras.models.load_model(path, compile=False).predict(inputs, verbose=0)
    return keras.layers.TFSMLayer(path, call_endpoint="serve")(inputs).numpy()


@pytest.mark.needs_cc
@pytest.mark.parametrize(
    ("name", "kind"), [("three.keras", "Keras 3"), ("two.h5", "Keras 2"), ("saved", "SavedModel")]
)
def test_a_network_becomes_a_checked_bundle(
    name: str, kind: str, networks: Path, examples: Path, tmp_path: Path
) -> None:
    result = import_network.quantize(networks / name, examples, tmp_path / "out", labels=["a", "b"])
    assert (result.kind, result.shapes) == (kind, (SHAPE,))
    made = bundle.load(tmp_path / "out")
    assert made.labels == ("a", "b")
    graph = Oracle(made.model).graph
    assert {graph.tensors[index].dtype for op in graph.ops for index in op.outputs} == {"int8"}
    convolution = next(op for op in graph.ops if op.name == "CONV_2D")
    assert len(graph.input(convolution, 1).scales) == 4
    assert result.agreement.same is not None
    assert result.agreement.same >= 0.8
    assert result.agreement.rms_error < 0.05
    assert result.runtimes == ("compiled", "tflm")
    assert made.card.accuracy.test_clips == 10
    # The same numbers from the float network itself, and bit for bit from the compiled runtime.
    inputs = np.load(examples)["inputs"]
    floats = Oracle(layer_noise.floating(made)).run([inputs[:1]])[0]
    np.testing.assert_allclose(_scores(networks / name, inputs[:1]), floats, atol=1e-5)
    golden = np.load(tmp_path / "out" / "golden.npz")
    compiled = host_library.HostModel(runtimes.load("compiled").generate(made, board("qemu-m4")))
    for given, expected in zip(golden["in0"], golden["out0"], strict=True):
        np.testing.assert_array_equal(compiled.run([given])[0], expected)


def test_what_is_no_network_is_refused(networks: Path, tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.keras"
    damaged.write_bytes((networks / "three.keras").read_bytes()[:500])
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes.txt").write_text("no model")
    for path, said in (
        (damaged, "cannot be read as a model"),
        (tmp_path / "empty", "no saved_model.pb"),
        (tmp_path / "notes.txt", "no model file"),
        (tmp_path / "missing.h5", "does not exist"),
    ):
        with pytest.raises(ModelError, match=said):
            conversion.describe(path)


def test_code_in_a_file_is_refused(tmp_path: Path) -> None:
    import keras

    network = _network(keras, keras.layers.Lambda(lambda value: value * 2))
    network.save(tmp_path / "code.keras")
    with pytest.raises(ModelError, match="Lambda layer"):
        conversion.describe(tmp_path / "code.keras")

    class Mine(keras.layers.Layer):  # type: ignore[misc]
        def call(self, value: Any) -> Any:
            return value

    _network(keras, Mine()).save(tmp_path / "mine.keras")
    with pytest.raises(ModelError, match="code of your own") as caught:
        conversion.describe(tmp_path / "mine.keras")
    assert "SavedModel" in caught.value.hint


@pytest.mark.parametrize("library", ["keras", "tf_keras"])
def test_code_in_an_h5_is_refused_before_it_runs(
    library: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither library has a safe mode for this format."""
    keras = importlib.import_module(library)
    monkeypatch.setenv("RAN", "")
    layer = keras.layers.Lambda(
        lambda value: __import__("os").environ.update(RAN="yes") or value, output_shape=(64,)
    )
    network = _network(keras, layer)
    network.save(tmp_path / "code.h5")
    network(np.zeros((1, *SHAPE), np.float32))
    assert os.environ["RAN"] == "yes"
    monkeypatch.setenv("RAN", "")
    with pytest.raises(ModelError, match="Lambda layer"):
        conversion.describe(tmp_path / "code.h5")
    assert os.environ["RAN"] == ""


def test_examples_that_do_not_fit_are_refused(networks: Path, tmp_path: Path) -> None:
    network, out = networks / "two.h5", tmp_path / "out"
    wrong = tmp_path / "wrong.npy"
    for values, said in (
        (np.zeros((3, 8, 8), np.float32), r"takes rows of \[8, 8, 1\]"),
        (np.full((3, *SHAPE), np.nan, np.float32), "not finite"),
        (np.zeros((3, *SHAPE), np.float32), "of all 3 examples in .* is 0: nothing varies"),
    ):
        np.save(wrong, values)
        with pytest.raises(DataError, match=said):
            import_network.quantize(network, wrong, out)
    with pytest.raises(ConfigError, match="front end of gesture gives"):
        import_network.quantize(network, wrong, out, task="gesture")
    with pytest.raises(ConfigError, match="names a more than once"):
        import_network.quantize(network, wrong, out, labels=["a", "a"])
    assert not out.exists()


def test_labels_of_no_score_are_refused(networks: Path, examples: Path, tmp_path: Path) -> None:
    some = dict(np.load(examples))
    np.savez(tmp_path / "from_one.npz", inputs=some["inputs"], labels=some["labels"] + 1)
    with pytest.raises(DataError, match=r"are 1 to 2; the network has 2 classes, which are 0 to 1"):
        import_network.quantize(networks / "two.h5", tmp_path / "from_one.npz", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_one_example_is_too_few_to_divide(
    networks: Path, examples: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    np.save(tmp_path / "one.npy", np.load(examples)["inputs"][:1])
    command = ["quantize", str(networks / "two.h5"), "--representative", str(tmp_path / "one.npy")]
    assert cli.main([*command, "--out", str(tmp_path / "out")]) == 0
    assert "too few examples to divide" in capsys.readouterr().err
    assert "too few" in bundle.load(tmp_path / "out").card.split.rule


def test_a_network_of_zeros_is_refused_and_not_run(networks: Path) -> None:
    """The interpreter aborts the process for scores of such a scale."""
    converted = _converted(networks / "two.h5", np.zeros((3, *SHAPE), np.float32))
    with pytest.raises(ModelError, match="as if they were always zero"):
        Oracle(converted.int8)


def test_layers_without_int8_are_named(tmp_path: Path, examples: Path) -> None:
    import keras

    inputs = keras.Input(SHAPE)
    scores = keras.layers.Dense(2)(keras.ops.erfinv(keras.layers.Flatten()(inputs)))
    keras.Model(inputs, scores).save(tmp_path / "odd.keras")
    with pytest.raises(ModelError, match=r"cannot become int8|keeps floats"):
        import_network.quantize(tmp_path / "odd.keras", examples, tmp_path / "out")


def test_a_float_tflite_is_refused_with_the_reason(
    tmp_path: Path, examples: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "float.tflite").write_bytes(b"anything")
    command = ["quantize", str(tmp_path / "float.tflite"), "--representative", str(examples)]
    assert cli.main([*command, "--out", str(tmp_path / "out")]) == 2
    assert "bit-exact" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_the_noisy_layer_is_blamed(networks: Path, examples: Path) -> None:
    """A channel that is a thousand times as loud leaves the others few steps."""
    inputs = np.load(examples)["inputs"]
    good, bad = (
        layer_noise.measure(converted.int8, converted.floating, _quantized(converted, inputs[:8]))
        for converted in (
            _converted(networks / "two.h5", inputs),
            _converted(networks / "two.h5", np.concatenate([inputs, 50 * inputs[:1]])),
        )
    )
    assert [one.operator for one in good] == [one.operator for one in bad]
    assert good[0].sqnr_db > 25 > bad[0].sqnr_db
    assert layer_noise.worst(bad, 1)[0].added > 10 * layer_noise.worst(good, 1)[0].added
    json.dumps([cards.plain(layer) for layer in good])


def test_a_recurrent_network_with_two_inputs_is_unrolled(tmp_path: Path) -> None:
    """Its output is no class, so that it is compared by error alone."""
    import keras

    layers = keras.layers
    keras.utils.set_random_seed(5)
    sequence, still = keras.Input((4, 3), name="sequence"), keras.Input((2,), name="still")
    tensor = layers.Concatenate()([layers.GRU(4)(sequence), still])
    keras.Model([sequence, still], layers.Dense(3)(tensor)).save(tmp_path / "two.keras")
    draw = np.random.default_rng(2)
    arrays = {"still": (20, 2), "sequence": (20, 4, 3)}
    np.savez(
        tmp_path / "examples.npz",
        **{name: draw.normal(0, 1, shape).astype(np.float32) for name, shape in arrays.items()},
    )
    result = import_network.quantize(
        tmp_path / "two.keras", tmp_path / "examples.npz", tmp_path / "out"
    )
    assert result.shapes == ((4, 3), (2,))
    assert any("unrolled" in note for note in result.notes)
    assert result.agreement.same is None
    assert result.agreement.rms_error < 0.1
    assert result.agreement.sqnr_db is not None
    assert result.agreement.sqnr_db > 15
    shapes = [tensor.shape for tensor in Oracle(result.bundle.model).inputs]
    assert shapes == [(1, 4, 3), (1, 2)]
