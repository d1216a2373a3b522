"""SPACE_TO_DEPTH: blocks of pixels become channels: int8 [N, H, W, C] -> [N, H/b, W/b, b*b*C]."""

from __future__ import annotations

from tinyml.compiler.call import Call, Ref
from tinyml.compiler.ops import require_dtype
from tinyml.compiler.ops._walk import byte_walk, row_major
from tinyml.errors import ModelError
from tinyml.records import DTYPES
from tinyml.tflite import Graph, Op


def check(op: Op, graph: Graph) -> None:
    """Take int8 or float32 of 4 axes whose sizes fit the block."""
    source, target = graph.input(op, 0), graph.output(op)
    require_dtype(op, source, "int8", "float32")
    require_dtype(op, target, source.dtype)
    block = op.option("block_size")
    if len(source.shape) != 4 or block < 1:
        raise ModelError(f"operator {op} needs [N, H, W, C] and a block, got {source} and {block}")
    batches, height, width, depth = source.shape
    wanted = (batches, height // block, width // block, depth * block**2)
    if target.shape != wanted or target.elements != source.elements:
        raise ModelError(f"operator {op} cannot turn {source} into {target} with blocks of {block}")


def call(op: Op, graph: Graph) -> Call:
    """Return the call of tml_space_to_depth: a walk along the output."""
    source, target = graph.input(op, 0), graph.output(op)
    block = op.option("block_size")
    batches, height, width, depth = (
        target.shape[0],
        target.shape[1],
        target.shape[2],
        source.shape[3],
    )
    image, row, pixel, _ = row_major(source.shape)
    # n, block row, block column, row in it, column in it, c
    extents = [batches, height, width, block, block, depth]
    strides = [image, block * row, block * pixel, row, pixel, 1]
    walk = byte_walk(extents, strides, row_major(extents), DTYPES[source.dtype].bytes)
    return Call("tml_space_to_depth", (Ref(source.index), Ref(target.index), walk))
