"""SPACE_TO_BATCH_ND: images as a batch of small ones, as before a dilated convolution.

TFLM never sets the value with which it pads (`output_offset` in micro/kernels/space_to_batch_nd.cc
of 2023 to 2026): what a border has there is what the memory had. So a border is refused.
"""

from __future__ import annotations

from tinyml.compiler.call import Call
from tinyml.compiler.ops import Registration, unsupported_anywhere
from tinyml.compiler.ops._blocks import batched, block, nhwc, pairs, require_same
from tinyml.errors import ModelError
from tinyml.tflite import Graph, Op

TFLM = Registration("SpaceToBatchNd")


def check(op: Op, graph: Graph) -> None:
    """Take int8 and float32 [N, H, W, C] or [N, H, C], a constant block and paddings of zero."""
    require_same(op, graph, "int8", "float32")
    source, target = graph.input(op, 0), graph.output(op)
    (n, h, w, c), (height, width) = nhwc(op, source), block(op, graph)
    if pairs(op, graph, 2) != [(0, 0), (0, 0)]:
        raise unsupported_anywhere(op, source, "a border, which TFLM leaves undefined")
    if h % height or w % width or nhwc(op, target) != (
        n * height * width, h // height, w // width, c,
    ):  # fmt: skip
        raise ModelError(f"operator {op} cannot turn {source} into {target}")


def call(op: Op, graph: Graph) -> Call:
    """Return the call of tml_to_batches."""
    images, small = nhwc(op, graph.input(op, 0)), nhwc(op, graph.output(op))
    return batched(op, graph, "tml_space_to_batch_nd", images, small, (0, 0))
