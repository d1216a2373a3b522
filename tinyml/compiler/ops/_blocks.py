"""Blocks of pixels of an image: shapes and parameters that rearranging operators share."""

from __future__ import annotations

from collections.abc import Sequence

from tinyml.compiler.call import Call, Ref, Struct
from tinyml.compiler.ops import Array, require_dtype, unsupported_anywhere
from tinyml.compiler.ops._walk import byte_walk, row_major
from tinyml.errors import ModelError
from tinyml.records import DTYPES
from tinyml.tflite import Graph, Op, Tensor

Shape = tuple[int, int, int, int]


def nhwc(op: Op, tensor: Tensor) -> Shape:
    """Return the shape of a tensor as [N, H, W, C]; rank 3 is [N, H, C] with a width of 1."""
    if len(tensor.shape) == 4:
        n, h, w, c = tensor.shape
        return n, h, w, c
    if len(tensor.shape) == 3:
        n, h, c = tensor.shape
        return n, h, 1, c
    raise unsupported_anywhere(op, tensor, f"rank {len(tensor.shape)}, not 3 or 4")


def pairs(op: Op, graph: Graph, position: int) -> list[tuple[int, int]]:
    """Return a constant int32 input [H and W, 2] as two pairs; raises ModelError for others."""
    values = _constant(op, graph, position)
    spatial = len(graph.input(op, 0).shape) - 2
    if values.size != 2 * spatial or values.min(initial=0) < 0:
        raise ModelError(f"operator {op}: {graph.input(op, position)} is not [{spatial}, 2]")
    found = [(int(before), int(after)) for before, after in values.reshape(-1, 2)]
    return [*found, (0, 0)][:2]


def block(op: Op, graph: Graph) -> tuple[int, int]:
    """Return the height and width of a block from the constant int32 input 1."""
    values = _constant(op, graph, 1)
    spatial = len(graph.input(op, 0).shape) - 2
    if values.size != spatial or values.min(initial=1) < 1:
        raise ModelError(f"operator {op}: {graph.input(op, 1)} is no block of {spatial} axes")
    sizes = [*(int(size) for size in values.reshape(-1)), 1]
    return sizes[0], sizes[1]


def require_same(op: Op, graph: Graph, *dtypes: str) -> None:
    """Raise UnsupportedOpError unless input 0 and output have one of `dtypes`, the same."""
    source, target = graph.input(op, 0), graph.output(op)
    require_dtype(op, source, *dtypes)
    require_dtype(op, target, source.dtype)


def depth_block(op: Op, graph: Graph) -> int:
    """Return the side of the blocks that trade places with channels.

    Raises UnsupportedOpError or ModelError unless input and output are int8 or float32 alike, the
    input has 4 axes, and the block has a side of 1 or more.
    """
    require_same(op, graph, "int8", "float32")
    source, side = graph.input(op, 0), int(op.option("block_size"))
    if len(source.shape) != 4 or side < 1:
        raise ModelError(f"operator {op} needs [N, H, W, C] and a block, got {source} and {side}")
    return side


def require_output(op: Op, graph: Graph, side: int, wanted: Shape) -> None:
    """Raise ModelError unless the output has the shape `wanted` and every element of the input."""
    source, target = graph.input(op, 0), graph.output(op)
    if target.shape != wanted or target.elements != source.elements:
        raise ModelError(f"operator {op} cannot turn {source} into {target} with blocks of {side}")


def rearranged(
    op: Op, graph: Graph, kernel: str, extents: Sequence[int], strides: Sequence[int]
) -> Call:
    """Return the call of `kernel`: a walk along the output, whose axes `extents` divide.

    `strides`: elements of the input between neighbours along each of them.
    """
    source, target = graph.input(op, 0), graph.output(op)
    walk = byte_walk(extents, strides, row_major(extents), DTYPES[source.dtype].bytes)
    return Call(kernel, (Ref(source.index), Ref(target.index), walk))


def batched(
    op: Op, graph: Graph, kernel: str, images: Shape, small: Shape, corner: tuple[int, int]
) -> Call:
    """Return the call of a kernel of `tml_batches.h`.

    `images` are the large images, `small` the batch of small ones that their blocks make. `corner`:
    rows and columns of the blocks that lie before the first pixel of the images (crops).
    """
    source, target = graph.input(op, 0), graph.output(op)
    height, width = block(op, graph)
    params = Struct(
        "tml_batches_t",
        {
            "images": images[0], "height": images[1], "width": images[2],
            "pixel_bytes": images[3] * DTYPES[source.dtype].bytes,
            "small_batch": small[0], "small_height": small[1], "small_width": small[2],
            "block_height": height, "block_width": width,
            "before_y": corner[0], "before_x": corner[1],
        },
    )  # fmt: skip
    return Call(kernel, (Ref(source.index), Ref(target.index), params))


def _constant(op: Op, graph: Graph, position: int) -> Array:
    tensor = graph.input(op, position)
    require_dtype(op, tensor, "int32")
    if tensor.data is None:
        raise unsupported_anywhere(op, tensor, "needs a constant")
    return tensor.data
