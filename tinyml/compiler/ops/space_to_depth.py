"""SPACE_TO_DEPTH: blocks of pixels become channels: int8 [N, H, W, C] -> [N, H/b, W/b, b*b*C]."""

from __future__ import annotations

from tinyml.compiler.call import Call
from tinyml.compiler.ops._blocks import depth_block, rearranged, require_output
from tinyml.compiler.ops._walk import row_major
from tinyml.tflite import Graph, Op


def check(op: Op, graph: Graph) -> None:
    """Take int8 or float32 of 4 axes whose sizes fit the block."""
    block = depth_block(op, graph)
    batches, height, width, depth = graph.input(op, 0).shape
    wanted = (batches, height // block, width // block, depth * block**2)
    require_output(op, graph, block, wanted)


def call(op: Op, graph: Graph) -> Call:
    """Return the call of tml_space_to_depth: a walk along the output."""
    source, block = graph.input(op, 0), depth_block(op, graph)
    batches, height, width, _ = graph.output(op).shape
    depth = source.shape[3]
    image, row, pixel, _ = row_major(source.shape)
    # n, block row, block column, row in it, column in it, c
    extents = [batches, height, width, block, block, depth]
    strides = [image, block * row, block * pixel, row, pixel, 1]
    return rearranged(op, graph, "tml_space_to_depth", extents, strides)
