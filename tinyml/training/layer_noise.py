"""Quantization noise by layer (SQNR): a model, its float twin and inputs in, noise per layer out.

The signal-to-quantization-noise ratio of a layer is 10 log10 of the mean square of its float output
over the mean square of how far the dequantized int8 output is from it. Both networks run on the
reference interpreter, from the same inputs to the end, so a layer inherits the noise before it;
what it adds itself is told apart.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tinyml.errors import ConfigError, ModelError
from tinyml.model import bundle as bundles
from tinyml.model.oracle import Array, Oracle
from tinyml.records import Bundle, LayerNoise
from tinyml.tflite import Graph, Op, Tensor

_MOST = 48  # inputs that are enough to measure on
_SAME = 1e-12  # noise of a layer that is exact


def measure(
    model: bytes, floating: bytes, inputs: Sequence[Sequence[Array]]
) -> tuple[LayerNoise, ...]:
    """Return the noise of every layer of `model`, in order.

    `floating` is the same network with float32 tensors throughout, as a `.tflite`; `inputs`:
    for each inference the inputs of the int8 model, of which up to 48 are used. Raises ModelError
    where the two have other layers.
    """
    quantized, real = Oracle(model, "int8 model"), Oracle(floating, "float model")
    pairs = _pairs(quantized.graph, real.graph)
    sums = {op.index: np.zeros(4) for op, _ in pairs}
    chosen = np.linspace(0, len(inputs) - 1, min(_MOST, len(inputs))).astype(int)
    for number in chosen:
        given = [
            _dequantized(values, tensor).astype(np.float32)
            for values, tensor in zip(inputs[number], quantized.inputs, strict=True)
        ]
        _, small = quantized.run_all(inputs[number])
        _, large = real.run_all(given)
        for op, twin in pairs:
            tensor = quantized.graph.output(op)
            sums[op.index] += _sums(small[tensor.index], large[twin.outputs[0]], tensor)
    return _layers(quantized.graph, [op for op, _ in pairs], sums)


def worst(layers: Sequence[LayerNoise], count: int = 3) -> list[LayerNoise]:
    """Return the layers that add most noise, the worst first."""
    noisy = [layer for layer in layers if layer.added > _SAME]
    return sorted(noisy, key=lambda layer: -layer.added)[:count]


def floating(bundle: Bundle) -> bytes:
    """Return the float twin of a bundle's model as a `.tflite`.

    It is in the bundle, or made from its float weights, for which TensorFlow is needed. Raises
    ConfigError where the bundle has neither.
    """
    kept = bundle.path / bundles.FLOAT
    if kept.is_file():
        return kept.read_bytes()
    weights = bundle.path / bundles.WEIGHTS
    if not weights.is_file() or not bundle.task:
        raise ConfigError(
            f"{bundle.name} has no float weights to compare with",
            "give a bundle that `tinyml train` or `tinyml quantize` wrote",
        )
    from tinyml import tasks
    from tinyml.training import quantize, restore

    task = tasks.load(bundle.task)
    return quantize.floating(task, restore.model(task, bundle, weights.read_bytes()))


def training_inputs(bundle: Bundle, data: Path) -> list[list[Array]]:
    """Return int8 inputs from the training part of `data`, read as the task of `bundle` does.

    Raises what `evaluate.read_recordings` raises.
    """
    from tinyml import datasets, tasks
    from tinyml.measure import evaluate
    from tinyml.training import split

    parts = datasets.split(evaluate.read_recordings(bundle, data)).parts
    recordings = [recording for recording in parts[datasets.TRAIN] if not recording.long]
    chosen = np.linspace(0, len(recordings) - 1, min(_MOST, len(recordings))).astype(int)
    task = tasks.load(bundle.task)
    examples = split.examples(task, [recordings[number] for number in chosen], bundle.labels)
    return [[example] for example in examples.inputs[:, np.newaxis]]


def _pairs(quantized: Graph, real: Graph) -> list[tuple[Op, Op]]:
    """Return each operator of the int8 model with the one of the float model that it stands for."""
    small = [op for op in quantized.ops if op.name not in ("QUANTIZE", "DEQUANTIZE")]
    large = list(real.ops)
    if [op.name for op in small] != [op.name for op in large]:
        differ = [(a.name, b.name) for a, b in zip(small, large, strict=False) if a.name != b.name]
        what = f"{differ[0][1]} instead of {differ[0][0]}" if differ else "some are missing"
        raise ModelError(
            f"the float network has {len(large)} operators, the int8 model {len(small)}: {what}",
            "compare with the network that the model was quantized from",
        )
    return [
        (a, b)
        for a, b in zip(small, large, strict=True)
        if quantized.output(a).dtype in ("int8", "int16") and real.output(b).dtype == "float32"
    ]


def _dequantized(values: Array, tensor: Tensor) -> npt.NDArray[np.float64]:
    if not tensor.scales:
        return np.asarray(values, np.float64)
    return (np.asarray(values, np.float64) - tensor.zero_point) * tensor.scale


def _sums(small: Array, large: Array, tensor: Tensor) -> npt.NDArray[np.float64]:
    """Return the squares of signal and noise, how many values are out of range, and how many."""
    signal = np.asarray(large, np.float64).reshape(-1)
    noise = _dequantized(small, tensor).reshape(-1) - signal
    limits = np.iinfo(small.dtype)
    ends = [(end - tensor.zero_point) * tensor.scale for end in (limits.min, limits.max)]
    outside = (signal < ends[0] - tensor.scale) | (signal > ends[1] + tensor.scale)
    return np.array([np.sum(signal**2), np.sum(noise**2), np.sum(outside), len(signal)])


def _layers(
    graph: Graph, ops: Sequence[Op], sums: dict[int, npt.NDArray[np.float64]]
) -> tuple[LayerNoise, ...]:
    noise: dict[int, float] = {}  # tensor -> its noise as a share of its signal
    layers = []
    for op in ops:
        signal, wrong, outside, count = sums[op.index]
        share = float(wrong / signal) if signal else 0.0
        before = max((noise.get(index, 0.0) for index in op.inputs), default=0.0)
        tensor = graph.output(op)
        noise[tensor.index] = share
        layers.append(
            LayerNoise(
                index=op.index,
                operator=op.name,
                tensor=tensor.name,
                sqnr_db=-10 * math.log10(share) if share > _SAME else None,
                added=max(0.0, share - before),
                clipped=float(outside / count),
            )
        )
    return tuple(layers)
