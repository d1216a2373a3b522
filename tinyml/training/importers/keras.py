"""Importer of Keras models: `.keras` and `.h5` files of Keras 2 and 3.

A network's description is checked against allow-lists, its weights for links out of the file, and
both are written anew before Keras reads them. Models of Keras 3 are exported as a SavedModel next,
because TensorFlow's converter knows Keras 2 alone.
"""

from __future__ import annotations

import json
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tinyml import extras
from tinyml.errors import ModelError, ToolError
from tinyml.training.importers import (
    Description,
    Function,
    NetworkInput,
    _hdf5,
    _keras_config,
    one_shape,
)

SUFFIXES = (".keras", ".h5", ".hdf5")
WHAT = "a .keras or .h5 file that Keras 2 or 3 saved"
_MOST_CONFIG = 1 << 26  # bytes of a description
_MOST_WEIGHTS = 1 << 32
_ABOUT, _CONFIG, _WEIGHTS = "metadata.json", "config.json", "model.weights.h5"
_HINT = f"give {WHAT}, whole: model.save(FILE)"


def describe(path: Path) -> Description:
    """Return the network's inputs as its description states them; raises ModelError."""
    major, config = _checked(path)
    settings = config.get("config")
    if not isinstance(settings, dict):
        raise ModelError(f"{path.name} describes no network", _HINT)
    if config.get("class_name") == "Sequential":
        inputs, outputs = _sequential_inputs(path, config, settings), 1
    else:
        inputs = _functional_inputs(path, settings)
        outputs = len(_references(settings.get("output_layers")))
    layers = list(_keras_config.layers(config))
    return Description(
        f"Keras {major}",
        tuple(NetworkInput(name, one_shape(path, name, shape)) for name, shape in inputs),
        outputs,
        recurrent=any(kind in _keras_config.RECURRENT for kind, _ in layers),
        classifies=_classifies(settings),
    )


def load(path: Path, unroll: bool) -> Function:
    """Return the network as a function with a batch of one."""
    major, config = _checked(path)
    if unroll:
        for kind, settings in _keras_config.layers(config):
            if kind in _keras_config.RECURRENT:
                settings["unroll"] = True
    with tempfile.TemporaryDirectory() as folder:
        copy = _rewritten(path, Path(folder), config)
        if major >= 3:
            keras = _keras_3()
            return _exported(keras.models.load_model(copy, compile=False, safe_mode=True))
        import tf_keras

        return _function(tf_keras.models.load_model(copy, compile=False))


def _checked(path: Path) -> tuple[int, dict[str, Any]]:
    """Return which Keras wrote a file, and its description, checked and without training."""
    version, text = _zipped(path) if path.suffix == ".keras" else _attributes(path)
    try:
        config = json.loads(text)
        major = int(str(version).partition(".")[0])
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{path.name} cannot be read as a model: {error}", _HINT) from error
    if not isinstance(config, dict):
        raise ModelError(f"{path.name} describes no network", _HINT)
    config = _keras_config.without_training(config)
    _keras_config.check(path.name, config)
    return major, config


def _zipped(path: Path) -> tuple[str, str]:
    """Return version and description of a `.keras` file, which is a zip archive."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = [info.filename for info in archive.infolist()]
            if len(set(names)) != len(names) or not {_ABOUT, _CONFIG, _WEIGHTS} <= set(names):
                raise ModelError(f"{path.name} has the files {', '.join(names)[:200]}", _HINT)
            about = json.loads(_member(archive, _ABOUT, _MOST_CONFIG))
            config = _member(archive, _CONFIG, _MOST_CONFIG).decode()
            with tempfile.TemporaryDirectory() as folder:
                weights = Path(folder, _WEIGHTS)
                weights.write_bytes(_member(archive, _WEIGHTS, _MOST_WEIGHTS))
                _hdf5.check(weights)
            return str(about["keras_version"]), config
    except (ModelError, ToolError):
        raise
    except Exception as error:  # zipfile and zlib raise many kinds for a damaged file
        raise ModelError(f"{path.name} cannot be read as a model: {error}", _HINT) from error


def _member(archive: zipfile.ZipFile, name: str, most: int) -> bytes:
    with archive.open(name) as member:
        contents = member.read(most + 1)
    if len(contents) > most:
        raise ModelError(f"{archive.filename}: {name} has more than {most:,} bytes", _HINT)
    return contents


def _attributes(path: Path) -> tuple[str, str]:
    """Return version and description of an `.h5` file, which are attributes of its root."""
    _hdf5.check(path)
    import h5py

    with h5py.File(path, "r") as file:
        if "model_config" not in file.attrs:
            raise ModelError(f"{path.name} holds weights only, no network", "save the whole model")
        version, config = file.attrs.get("keras_version", "2"), file.attrs["model_config"]
    texts = [one.decode() if isinstance(one, bytes) else one for one in (version, config)]
    if not all(isinstance(text, str) for text in texts):
        raise ModelError(f"{path.name} describes no network", _HINT)
    return texts[0], texts[1]


def _rewritten(path: Path, folder: Path, config: dict[str, Any]) -> Path:
    """Write a copy that has the description `config` and the weights of `path`, nothing else."""
    copy = folder / f"model{path.suffix}"
    if path.suffix == ".keras":
        with zipfile.ZipFile(path) as source, zipfile.ZipFile(copy, "w") as target:
            target.writestr(_ABOUT, _member(source, _ABOUT, _MOST_CONFIG))
            target.writestr(_CONFIG, json.dumps(config))
            target.writestr(_WEIGHTS, _member(source, _WEIGHTS, _MOST_WEIGHTS))
        return copy
    import h5py

    with h5py.File(path, "r") as source, h5py.File(copy, "w") as target:
        for name, value in source.attrs.items():
            if name in ("keras_version", "backend"):
                target.attrs[name] = value
        if "model_weights" not in source:
            raise ModelError(f"{path.name} has no weights", _HINT)
        target.attrs["model_config"] = json.dumps(config)
        source.copy("model_weights", target)
    return copy


def _sequential_inputs(
    path: Path, config: dict[str, Any], settings: dict[str, Any]
) -> list[tuple[str, Any]]:
    layers = settings.get("layers")
    first = layers[0] if isinstance(layers, list) and layers else {}
    inner = first.get("config") if isinstance(first, dict) else None
    inner = inner if isinstance(inner, dict) else {}
    built = config.get("build_config")
    for shape in (
        inner.get("batch_shape"),
        inner.get("batch_input_shape"),
        settings.get("build_input_shape"),
        built.get("input_shape") if isinstance(built, dict) else None,
    ):
        if shape is not None:
            return [(str(inner.get("name", "input")), shape)]
    if first.get("class_name") in ("Functional", "Model"):
        return _functional_inputs(path, inner)
    if first.get("class_name") == "Sequential":
        return _sequential_inputs(path, first, inner)
    return [("input", None)]


def _functional_inputs(path: Path, settings: dict[str, Any]) -> list[tuple[str, Any]]:
    shapes = {}
    layers = settings.get("layers")
    for layer in layers if isinstance(layers, list) else ():
        inner = layer.get("config") if isinstance(layer, dict) else None
        if isinstance(inner, dict) and layer.get("class_name") == "InputLayer":
            name = layer.get("name", inner.get("name"))
            shapes[name] = inner.get("batch_shape", inner.get("batch_input_shape"))
    names = _references(settings.get("input_layers"))
    if not names:
        raise ModelError(f"{path.name} describes no network: it has no input", _HINT)
    return [(str(name), shapes.get(name)) for name in names]


def _references(value: Any) -> list[Any]:
    """Return the layers named by `[name, 0, 0]`, a list of such, or an object of such."""
    if isinstance(value, dict):
        value = list(value.values())
    if not isinstance(value, list):
        return []
    if len(value) == 3 and isinstance(value[0], str) and isinstance(value[1], int):
        return [value[0]]
    return [name for each in value for name in _references(each)]


def _classifies(settings: dict[str, Any]) -> bool:
    """Whether the last layer makes probabilities: a softmax, or a single sigmoid."""
    layers = settings.get("layers")
    last = layers[-1] if isinstance(layers, list) and layers else {}
    inner = last.get("config") if isinstance(last, dict) else None
    if not isinstance(inner, dict):
        return False
    if last.get("class_name") in ("Sequential", "Functional", "Model"):
        return _classifies(inner)
    activation, units = inner.get("activation"), inner.get("units")
    softmax = last.get("class_name") == "Softmax" or activation == "softmax"
    return softmax or (activation == "sigmoid" and units == 1)


def _keras_3() -> Any:
    try:
        import keras
    except ImportError as error:
        raise ToolError(
            f"models of Keras 3 need the package keras ({error})", extras.install("train")
        ) from error
    return keras


def _exported(model: Any) -> Function:
    import tensorflow as tf

    shapes = [tuple(tensor.shape)[1:] for tensor in model.inputs]
    with tempfile.TemporaryDirectory() as folder:
        model.export(folder, verbose=False)
        loaded = tf.saved_model.load(folder)
        return Function(_concrete(lambda *inputs: _call(loaded.serve, inputs), shapes), loaded)


def _function(model: Any) -> Function:
    shapes = [tuple(tensor.shape)[1:] for tensor in model.inputs]

    def answer(*inputs: Any) -> Any:
        return model(inputs[0] if len(inputs) == 1 else list(inputs), training=False)

    return Function(_concrete(answer, shapes), model)


def _call(serve: Any, inputs: Sequence[Any]) -> Any:
    return serve(inputs[0] if len(inputs) == 1 else list(inputs))


def _concrete(answer: Any, shapes: Sequence[tuple[int, ...]]) -> Any:
    """Return `answer` as a function of float32 tensors [1, *shape], named in0, in1, ..."""
    import tensorflow as tf

    names = ["inputs"] if len(shapes) == 1 else [f"in{number}" for number in range(len(shapes))]
    specs = [
        tf.TensorSpec((1, *shape), tf.float32, name)
        for shape, name in zip(shapes, names, strict=True)
    ]
    return tf.function(answer, input_signature=specs).get_concrete_function()
