"""Operators as no converter writes them, on which the TFLM interpreter reads out of bounds.

The schema has no rules for what belongs together; these are the ones that protect a process.
"""

from __future__ import annotations

from tinyml.errors import ModelError
from tinyml.tflite.graph import Graph, Op

_CONVOLUTIONS = {"CONV_2D": 2, "DEPTHWISE_CONV_2D": 2, "TRANSPOSE_CONV": 3}  # position of the bias


def require_sound(graph: Graph) -> None:
    """Raise ModelError for an operator whose parts do not belong together."""
    for op in graph.ops:
        if op.name in _CONVOLUTIONS:
            _require_convolution(op, graph)
        if op.name in ("ARG_MAX", "ARG_MIN"):
            _require_axis(op, graph)


def _require_convolution(op: Op, graph: Graph) -> None:
    """Weights of rank 4, a bias that is there or not listed, and a depth multiplier that fits."""
    weights = graph.input(op, 1)
    if len(weights.shape) != 4:
        raise _malformed(op, f"weights {weights}, which need 4 axes")
    place = _CONVOLUTIONS[op.name]
    if len(op.inputs) > place and op.inputs[place] < 0:
        raise _malformed(op, "a bias that is listed and is not there")
    if op.name == "DEPTHWISE_CONV_2D":
        source = graph.input(op, 0)
        multiplier = op.option("depth_multiplier", 1)
        depth = source.shape[-1] if source.shape else 0
        # 0 is what some converters write: TFLite ignores the option, TFLM does not.
        if multiplier != 0 and depth * multiplier != weights.shape[3]:
            raise _malformed(
                op, f"{depth} channels times depth multiplier {multiplier} for weights {weights}"
            )


def _require_axis(op: Op, graph: Graph) -> None:
    """A constant axis that the input has."""
    source, axis = graph.input(op, 0), graph.input(op, 1)
    rank = len(source.shape)
    values = [] if axis.data is None else axis.data.reshape(-1).tolist()
    if any(not -rank <= value < rank for value in values):
        raise _malformed(op, f"axis {values[0]} of {source}")


def _malformed(op: Op, what: str) -> ModelError:
    return ModelError(f"operator {op} has {what}", "download or export the model again")
