"""A person's own network: a model file of Keras or TensorFlow in, int8 and float `.tflite` out.

Accepted are `.keras` and `.h5` of Keras 2 and 3, and SavedModel folders. Models of Keras 3 are
exported as a SavedModel first, because the converter knows Keras 2 alone. A network with one input
and one output is meant; its batch size becomes one.
"""

from __future__ import annotations

import json
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tinyml import tflite
from tinyml.errors import ModelError, ToolError
from tinyml.training import INSTALL, quantize, silenced, tensorflow

_HINT = "give a .keras, .h5 or SavedModel of one input and one output, saved by Keras 2 or 3"
_FLOAT = ("DEQUANTIZE", "QUANTIZE")

Inputs = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Network:
    """A float network: a function from float32 [1, *shape] to scores. `kind` is what it was.

    `source` holds the variables that the function reads.
    """

    name: str
    kind: str
    shape: tuple[int, ...]
    function: Any
    source: Any


def load(path: Path) -> Network:
    """Return the network in a model file; raises ModelError for anything that is none.

    Code that the file brings is never executed: custom objects and lambda layers are refused. But a
    SavedModel is itself a program of TensorFlow's operators, some of which read and write files.
    """
    if not path.exists():
        raise ModelError(f"{path} does not exist", _HINT)
    tf = tensorflow()
    try:
        with silenced():
            if path.is_dir():
                return _saved_model(tf, path)
            if path.suffix == ".keras":
                return _keras(tf, path, _keras_major(path))
            if path.suffix in (".h5", ".hdf5"):
                return _h5(tf, path)
    except (ModelError, ToolError):
        raise
    except Exception as error:  # what TensorFlow and Keras raise is of every kind
        raise _unusable(path, error) from error
    raise ModelError(f"{path} is no model file that is known here", _HINT)


def convert(network: Network, representative: Inputs) -> tuple[bytes, bytes]:
    """Return `network` as int8 and as float `.tflite`.

    `representative` [n, *shape] are real inputs, from which the ranges of all activations are
    measured. Weights have a scale per channel. Raises ModelError where int8 cannot express a layer,
    or operators that need floats remain.
    """
    tf = tensorflow()

    def batches() -> Iterator[list[Any]]:
        for example in quantize.spread(representative):
            yield [example[np.newaxis]]

    try:
        small = quantize.integer(_converter(tf, network), batches)
        with silenced():
            large = bytes(_converter(tf, network).convert())
    except Exception as error:  # the converter raises all kinds
        raise ModelError(
            f"{network.name} cannot become int8: {_first_line(error)}",
            "replace that layer by one that TensorFlow Lite knows in int8",
        ) from error
    _check_int8(network, small)
    return small, large


def _converter(tf: Any, network: Network) -> Any:
    return tf.lite.TFLiteConverter.from_concrete_functions([network.function], network.source)


def _check_int8(network: Network, model: bytes) -> None:
    graph = tflite.read(model, network.name)
    for op in graph.ops:
        tensors = [graph.tensors[index] for index in (*op.inputs, *op.outputs) if index >= 0]
        if any(one.dtype.startswith("float") for one in tensors):
            raise ModelError(
                f"{network.name} keeps floats: operator {op.index} ({op.name}) has no int8 form",
                "replace that layer by one that TensorFlow Lite knows in int8",
            )


def _keras_major(path: Path) -> int:
    """Return which Keras wrote a `.keras` file."""
    with zipfile.ZipFile(path) as archive:
        about = json.loads(archive.read("metadata.json"))
    return int(str(about["keras_version"]).partition(".")[0])


def _keras(tf: Any, path: Path, major: int) -> Network:
    if major >= 3:
        keras = _keras_3()
        return _from_keras_3(tf, path, keras.models.load_model(path, compile=False, safe_mode=True))
    import tf_keras

    return _from_keras(tf, path, tf_keras.models.load_model(path, compile=False), "Keras 2")


def _h5(tf: Any, path: Path) -> Network:
    """Load an `.h5`, which says its Keras version inside; its layers' names differ between them."""
    import h5py
    import tf_keras

    with h5py.File(path) as file:
        if "model_config" not in file.attrs:
            raise ModelError(f"{path} holds weights only, no network", "save the whole model")
        version = file.attrs.get("keras_version", "2")
        _refuse_lambdas(path, json.loads(file.attrs["model_config"]))
    if int(str(version).partition(".")[0]) >= 3:
        keras = _keras_3()
        return _from_keras_3(tf, path, keras.models.load_model(path, compile=False, safe_mode=True))
    return _from_keras(tf, path, tf_keras.models.load_model(path, compile=False), "Keras 2")


def _refuse_lambdas(path: Path, config: Any) -> None:
    """Raise ModelError for Python code in a network's description.

    Keras sees to that in a `.keras`, but its readers of `.h5` know no safe mode.
    """
    if isinstance(config, dict):
        if config.get("class_name") in ("Lambda", "__lambda__"):
            raise _lambda_layer(path, "its code would run as yours")
        config = list(config.values())
    for inner in config if isinstance(config, list) else ():
        _refuse_lambdas(path, inner)


def _keras_3() -> Any:
    try:
        import keras
    except ImportError as error:
        raise ToolError(f"models of Keras 3 need the package keras ({error})", INSTALL) from error
    return keras


def _from_keras_3(tf: Any, path: Path, model: Any) -> Network:
    shape = _one_shape(path, [one.shape for one in model.inputs], len(model.outputs))
    with tempfile.TemporaryDirectory() as folder:
        model.export(folder, verbose=False)
        loaded = tf.saved_model.load(folder)
        function = _with_batch_of_one(tf, lambda inputs: loaded.serve(inputs), shape)
    return Network(path.stem, "Keras 3", shape, function, loaded)


def _from_keras(tf: Any, path: Path, model: Any, kind: str) -> Network:
    shape = _one_shape(path, [one.shape for one in model.inputs], len(model.outputs))
    function = _with_batch_of_one(tf, lambda inputs: model(inputs, training=False), shape)
    return Network(path.stem, kind, shape, function, model)


def _saved_model(tf: Any, path: Path) -> Network:
    if not (path / "saved_model.pb").is_file():
        raise ModelError(f"{path} is no SavedModel: it has no saved_model.pb", _HINT)
    loaded = tf.saved_model.load(str(path))
    signatures = dict(loaded.signatures)
    if not signatures:
        raise ModelError(f"{path} has no signature to call", "save it with model.export(folder)")
    signature = signatures.get("serving_default", next(iter(signatures.values())))
    specs = list(signature.structured_input_signature[1].items())
    shape = _one_shape(path, [spec.shape for _, spec in specs], len(signature.structured_outputs))
    (name, _), *_ = specs

    def answer(inputs: Any) -> Any:
        (scores,) = signature(**{name: inputs}).values()
        return scores

    function = _with_batch_of_one(tf, answer, shape)
    return Network(path.name, "SavedModel", shape, function, loaded)


def _with_batch_of_one(tf: Any, answer: Any, shape: tuple[int, ...]) -> Any:
    function = tf.function(answer, input_signature=[tf.TensorSpec((1, *shape), tf.float32)])
    return function.get_concrete_function()


def _one_shape(path: Path, shapes: list[Any], outputs: int) -> tuple[int, ...]:
    """Return the shape of one example; raises ModelError unless there is one input and output."""
    if len(shapes) != 1 or outputs != 1:
        raise ModelError(
            f"{path} has {len(shapes)} inputs and {outputs} outputs; one of each is needed", _HINT
        )
    shape = tuple(shapes[0])[1:]
    if not shape or any(size is None for size in shape):
        raise ModelError(
            f"{path} has an input of shape {list(shapes[0])}; all but the first must be fixed",
            "save the model with a fixed input shape",
        )
    return tuple(int(size) for size in shape)


def _unusable(path: Path, error: Exception) -> ModelError:
    text = _first_line(error)
    custom = any(word in str(error) for word in ("custom_objects", "Unknown layer", "registered"))
    if custom:
        return ModelError(
            f"{path} has layers that are code of your own: {text}",
            "export it as a SavedModel, which brings its own graph: model.export(folder)",
        )
    if "ambda" in str(error) and "safe" in str(error):
        return _lambda_layer(path, text)
    return ModelError(f"{path} cannot be read as a model: {text}", _HINT)


def _lambda_layer(path: Path, text: str) -> ModelError:
    return ModelError(
        f"{path} has a Lambda layer, which is code: {text}",
        "export it as a SavedModel, which brings its own graph: model.export(folder)",
    )


def _first_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[0][:200] if lines else 'no reason given'}"
