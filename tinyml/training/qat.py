"""Quantization-aware training: a float network in, one that knows it will be int8 out.

Batch normalization is folded into the layers before it, as the converter does; then weights and
activations are rounded as int8 will be, while training goes on (Jacob et al. 2018,
arXiv:1712.05877). The int8 model takes the ranges that were learned: no representative data.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from tinyml.errors import ModelError, ToolError
from tinyml.tasks import Features, Task
from tinyml.training import INSTALL, silenced, tensorflow
from tinyml.training.learner import real

SHARE = 6  # one epoch for so many of float training
LEARNING_RATE = 0.1  # of that of float training
# The axes of a kernel inside one output channel, whose weights share a scale.
_KERNELS = {
    "Conv2D": ("kernel", (0, 1, 2)),
    "DepthwiseConv2D": ("depthwise_kernel", (0, 1)),
    "Dense": ("kernel", (0,)),
}
_ACTIVATIONS = ("ReLU", "Activation")
_COMPUTING = ("Add", "Subtract", "Multiply", "Concatenate", "GlobalAveragePooling2D")
_SAME_SCALE = (
    "InputLayer", "Flatten", "Reshape", "AveragePooling2D", "MaxPooling2D", "ZeroPadding2D",
    "Dropout",
)  # fmt: skip


def prepare(task: Task, network: Any, features: Features) -> Any:
    """Return a tf_keras model that computes as `network` will when it is int8; it can be trained.

    `features` (int8 [n, *input_shape], training recordings) set the ranges to begin with. Raises
    ModelError for a network with a layer whose int8 is not known here.
    """
    tensorflow()
    import tf_keras

    rounding = _module()
    folded = fold(network)
    plan = _plan(folded)

    def copied(layer: Any) -> Any:
        copy = layer.__class__.from_config(layer.get_config())
        kernel, axes = _KERNELS.get(type(layer).__name__, (None, ()))
        output = plan[layer.name]
        if kernel is None and not output:
            return copy
        return rounding.wrapped(copy, rounding.Rounding(kernel, axes, output))

    body = tf_keras.models.clone_model(folded, clone_function=copied)
    inputs = tf_keras.layers.Input(task.input_shape)
    model = tf_keras.Model(inputs, body(rounding.rounded_input(task.input_scale)(inputs)))
    _fill(folded, body, _ranges(folded, plan, real(task, features)))
    return model


def fold(network: Any) -> Any:
    """Return the same function without batch normalization: it became weights and biases."""
    import tf_keras

    config = network.get_config()
    by_name = {layer["name"]: layer for layer in config["layers"]}
    into = {
        layer["name"]: _before(layer)
        for layer in config["layers"]
        if layer["class_name"] == "BatchNormalization"
    }
    for norm, name in into.items():
        if by_name[name]["class_name"] not in _KERNELS:
            raise ModelError(f"layer {norm} follows {name}, into which it cannot be folded")
        by_name[name]["config"]["use_bias"] = True
    config["layers"] = [layer for layer in config["layers"] if layer["name"] not in into]
    for layer in config["layers"]:
        for node in layer["inbound_nodes"]:
            for source in node:
                source[0] = into.get(source[0], source[0])
    folded = tf_keras.Model.from_config(config)
    norms = {name: norm for norm, name in into.items()}
    for layer in folded.layers:
        weights = network.get_layer(layer.name).get_weights()
        if layer.name in norms:
            weights = _folded(network.get_layer(norms[layer.name]), type(layer).__name__, weights)
        layer.set_weights(weights)
    return folded


def _before(layer: Mapping[str, Any]) -> str:
    return str(layer["inbound_nodes"][0][0][0])


def _folded(norm: Any, kind: str, weights: list[Any]) -> list[Any]:
    """Return kernel and bias of a layer with its normalization."""
    kernel, bias = weights[0], weights[1] if len(weights) > 1 else 0.0
    gamma = norm.gamma.numpy() if norm.scale else 1.0
    beta = norm.beta.numpy() if norm.center else 0.0
    factor = gamma / np.sqrt(norm.moving_variance.numpy() + norm.epsilon)
    shift = beta + (bias - norm.moving_mean.numpy()) * factor
    by_channel = factor.reshape(kernel.shape[2:]) if kind == "DepthwiseConv2D" else factor
    return [kernel * by_channel, shift]


def _plan(model: Any) -> dict[str, bool]:
    """Return layer -> whether its output has a range of its own."""
    config = model.get_config()
    kinds = {layer["name"]: layer["class_name"] for layer in config["layers"]}
    strange = [name for name, kind in kinds.items() if kind not in _known()]
    if strange:
        raise ModelError(
            f"quantization-aware training does not know layer {strange[0]} ({kinds[strange[0]]})",
            f"train without --qat, or use {', '.join(sorted(_known()))}",
        )
    consumers: dict[str, list[str]] = {name: [] for name in kinds}
    for layer in config["layers"]:
        for node in layer["inbound_nodes"]:
            for source in node:
                consumers[source[0]].append(kinds[layer["name"]])
    # An activation is computed with the layer before it: only what comes out exists in int8.
    return {
        name: kind in (*_ACTIVATIONS, *_COMPUTING)
        or (kind in _KERNELS and not set(consumers[name]) & set(_ACTIVATIONS))
        for name, kind in kinds.items()
    }


def _known() -> set[str]:
    return {*_KERNELS, *_ACTIVATIONS, *_COMPUTING, *_SAME_SCALE}


def _ranges(model: Any, plan: Mapping[str, bool], inputs: Any) -> dict[str, tuple[float, float]]:
    """Return layer -> least and greatest output for `inputs`; zero is inside."""
    import tf_keras

    names = [name for name, ranged in plan.items() if ranged]
    seen = tf_keras.Model(model.inputs, [model.get_layer(name).output for name in names])
    outputs = seen.predict(inputs, batch_size=64, verbose=0)
    outputs = outputs if len(names) > 1 else [outputs]
    return {
        name: (min(0.0, float(one.min())), max(1e-3, float(one.max())))
        for name, one in zip(names, outputs, strict=True)
    }


def _fill(folded: Any, body: Any, ranges: Mapping[str, tuple[float, float]]) -> None:
    """Give the layers of `body` the weights of `folded` and the ranges of their outputs."""
    for layer, twin in zip(folded.layers, body.layers, strict=True):
        here = {_last(one.name): one for one in twin.weights}
        for weight in layer.weights:
            here[_last(weight.name)].assign(weight)
        if layer.name in ranges:
            for name, value in zip(("output_min", "output_max"), ranges[layer.name], strict=True):
                here[name].assign(value)


def _last(name: str) -> str:
    return name.rpartition("/")[2].partition(":")[0]


def _module() -> Any:
    try:
        with silenced():
            from tinyml.training import fake_quant
    except ImportError as error:
        raise ToolError(f"--qat needs tensorflow-model-optimization ({error})", INSTALL) from error
    return fake_quant
