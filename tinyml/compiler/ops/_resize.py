"""What RESIZE_NEAREST_NEIGHBOR and RESIZE_BILINEAR have in common: the check of their images."""

from __future__ import annotations

from tinyml.compiler.ops import require_dtype, unsupported_anywhere
from tinyml.errors import ModelError
from tinyml.tflite import Graph, Op


def check_resize(op: Op, graph: Graph, *dtypes: str) -> None:
    """Check images [N, H, W, C] of one of `dtypes`, and that the constant size is the output's."""
    source, size, target = graph.input(op, 0), graph.input(op, 1), graph.output(op)
    require_dtype(op, source, *dtypes)
    require_dtype(op, target, source.dtype)
    if size.data is None:
        raise unsupported_anywhere(op, size, "needs a constant size")
    if len(source.shape) != 4 or len(target.shape) != 4:
        raise ModelError(f"operator {op} needs [N, H, W, C], got {source} and {target}")
    wanted = (source.shape[0], *size.data.reshape(-1).tolist(), source.shape[3])
    if target.shape != wanted:
        raise ModelError(f"operator {op} cannot turn {source} into {target}")
