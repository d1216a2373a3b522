"""BATCH_TO_SPACE_ND: a batch of small images as large ones, as after a dilated convolution."""

from __future__ import annotations

from tinyml.compiler.call import Call
from tinyml.compiler.ops import Registration
from tinyml.compiler.ops._blocks import batched, block, nhwc, pairs, require_same
from tinyml.errors import ModelError
from tinyml.tflite import Graph, Op

TFLM = Registration("BatchToSpaceNd")


def check(op: Op, graph: Graph) -> None:
    """Take int8 and float32 [N, H, W, C] or [N, H, C], a constant block and crops."""
    require_same(op, graph, "int8", "float32")
    source, target = graph.input(op, 0), graph.output(op)
    (n, h, w, c), (height, width) = nhwc(op, source), block(op, graph)
    (top, bottom), (left, right) = pairs(op, graph, 2)
    if n % (height * width) or nhwc(op, target) != (
        n // (height * width), h * height - top - bottom, w * width - left - right, c,
    ):  # fmt: skip
        raise ModelError(f"operator {op} cannot turn {source} into {target}")


def call(op: Op, graph: Graph) -> Call:
    """Return the call of tml_from_batches."""
    (top, _), (left, _) = pairs(op, graph, 2)
    images, small = nhwc(op, graph.output(op)), nhwc(op, graph.input(op, 0))
    return batched(op, graph, "tml_batch_to_space_nd", images, small, (top, left))
