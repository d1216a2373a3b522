"""What AVERAGE_POOL_2D and MAX_POOL_2D have in common: int8 [N, H, W, C] -> int8 [N, H', W', C]."""

from __future__ import annotations

from tinyml.compiler.call import Call, Learned, Ref, Struct
from tinyml.compiler.ops import require_quantized
from tinyml.compiler.ops._window import Window, window
from tinyml.compiler.quant import activation_range
from tinyml.errors import ModelError
from tinyml.tflite import Graph, Op

_WORD = 4


def check_pool(op: Op, graph: Graph) -> None:
    """Check a pool; TFLM demands the same quantization on both sides."""
    source, target = graph.input(op, 0), graph.output(op)
    require_quantized(op, source, target)
    _window(op, graph)
    if source.shape[3] != target.shape[3]:
        raise ModelError(f"operator {op} cannot turn {source} into {target}")
    same = source.zero_point == target.zero_point
    if not same or abs(source.scale - target.scale) > 1e-6:
        raise ModelError(f"operator {op}: {source} and {target} are quantized differently")


def call_pool(op: Op, graph: Graph, kernel: str, struct: str) -> Call:
    """The call of a pool's `kernel`, whose parameters have the C type `struct`."""
    source, target = graph.input(op, 0), graph.output(op)
    act_min, act_max = activation_range(op, target)
    fields: dict[str, int | Learned] = {
        **_window(op, graph).fields,
        "depth": source.shape[3],
        "act_min": Learned(act_min),
        "act_max": Learned(act_max),
    }
    return Call(kernel, (Ref(source.index), Ref(target.index), Struct(struct, fields)))


def has_words(op: Op, graph: Graph) -> bool:
    """Whether the channels of a pixel fill whole words of four."""
    return graph.input(op, 0).shape[3] % _WORD == 0


def _window(op: Op, graph: Graph) -> Window:
    return window(op, graph, op.option("filter_height"), op.option("filter_width"))
