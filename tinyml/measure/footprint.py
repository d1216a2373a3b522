"""What a model is and what it costs, before anything is built: operators, MACs, arena, flash.

Input is a bundle and a board; nothing is compiled. The figures of a runtime that plans its memory
ahead of time are exact; the application above the model adds its own, which `build` reports.
"""

from __future__ import annotations

from dataclasses import dataclass

from tinyml import runtimes, tflite
from tinyml.compiler import ops
from tinyml.errors import TinymlError
from tinyml.records import DEFAULT_OPTIONS, Board, Bundle, CSource, RuntimeOptions, TensorInfo
from tinyml.tflite import Graph, Op


@dataclass(frozen=True)
class OperatorInfo:
    """An operator: shape and dtype of its first output, MACs, bytes of the constants it reads.

    `scale` is 0.0 where the output is not quantized. `folded` is the reason why a runtime does not
    execute it, or "".
    """

    index: int
    name: str
    dtype: str
    shape: tuple[int, ...]
    scale: float
    zero_point: int
    macs: int
    constant_bytes: int
    folded: str


@dataclass(frozen=True)
class RuntimeCost:
    """What a model needs under one runtime, in bytes; `problem` says why it cannot run there.

    `arena_exact`: the arena is what it needs, not an upper bound.
    `fits` compares arena and constants alone with the board: False is certain, True still leaves
    the application's own code and stack to be added. `generation`: of TFLM, whose arithmetic it
    computes, see `tinyml.model.generations`.
    """

    runtime: str
    arena_bytes: int
    arena_exact: bool
    constant_bytes: int
    steps: int
    fits: bool
    problem: str
    hint: str
    generation: str = ""


@dataclass(frozen=True)
class Footprint:
    """A model seen by a board. JSON document `tinyml.inspect/1` has exactly these fields."""

    model: str
    sha256: str
    model_bytes: int
    board: str
    board_flash_bytes: int
    board_ram_bytes: int
    inputs: tuple[TensorInfo, ...]
    outputs: tuple[TensorInfo, ...]
    labels: tuple[str, ...]
    operators: tuple[OperatorInfo, ...]
    macs: int
    runtimes: tuple[RuntimeCost, ...]

    @property
    def fits(self) -> bool:
        """True where at least one runtime can hold the model."""
        return any(cost.fits for cost in self.runtimes)

    @property
    def runs(self) -> bool:
        """True where at least one runtime takes the model, whether the board can hold it or not."""
        return any(cost.steps for cost in self.runtimes)


def inspect(bundle: Bundle, board: Board, options: RuntimeOptions = DEFAULT_OPTIONS) -> Footprint:
    """Describe `bundle` and what it costs on `board`; raises ModelError for an unusable model."""
    graph = tflite.read(bundle.model, bundle.name)
    costs = []
    folded: dict[int, str] = {}
    for name in runtimes.names():
        cost, source = _cost(name, bundle, board, options)
        costs.append(cost)
        if source is not None and not folded:
            folded = {operator.op_index: operator.reason for operator in source.folded}
    operators = tuple(_operator(graph, op, folded.get(op.index, "")) for op in graph.ops)
    return Footprint(
        model=bundle.name,
        sha256=bundle.sha256,
        model_bytes=len(bundle.model),
        board=board.id,
        board_flash_bytes=board.flash_bytes,
        board_ram_bytes=board.ram_bytes,
        inputs=tuple(graph.tensors[index].info for index in graph.inputs),
        outputs=tuple(graph.tensors[index].info for index in graph.outputs),
        labels=bundle.labels,
        operators=operators,
        macs=sum(operator.macs for operator in operators),
        runtimes=tuple(costs),
    )


def _operator(graph: Graph, op: Op, folded: str) -> OperatorInfo:
    output = graph.output(op).info if op.outputs else TensorInfo("", "", ())  # CALL_ONCE has none
    constants = [graph.tensors[index] for index in op.inputs if index >= 0]
    return OperatorInfo(
        index=op.index,
        name=op.name,
        dtype=output.dtype,
        shape=output.shape,
        scale=output.scale,
        zero_point=output.zero_point,
        macs=ops.macs(op, graph),
        constant_bytes=sum(tensor.data.nbytes for tensor in constants if tensor.data is not None),
        folded=folded,
    )


def _cost(
    name: str, bundle: Bundle, board: Board, options: RuntimeOptions
) -> tuple[RuntimeCost, CSource | None]:
    try:
        source = runtimes.load(name).generate(bundle, board, options)
    except TinymlError as error:
        return RuntimeCost(name, 0, False, 0, 0, False, error.message, error.hint), None
    problem = "; ".join(
        f"{what} need {need:,} bytes, {board.id} has {limit:,}"
        for what, need, limit in _needs(source, board)
        if need > limit
    )
    hint = "choose a model with a smaller input or fewer channels" if problem else ""
    cost = RuntimeCost(
        runtime=name,
        arena_bytes=source.arena_bytes,
        arena_exact=source.arena_exact,
        constant_bytes=source.constant_bytes,
        steps=len(source.steps),
        fits=not problem,
        problem=problem,
        hint=hint,
        generation=source.generation,
    )
    return cost, source


def _needs(source: CSource, board: Board) -> tuple[tuple[str, int, int], ...]:
    """Return what the model needs of each memory of the board: what, bytes, and how many it has."""
    if board.shared_memory:
        both = source.arena_bytes + source.constant_bytes
        return (("activations and constants", both, board.ram_bytes),)
    return (
        ("activations", source.arena_bytes, board.ram_bytes),
        ("constants", source.constant_bytes, board.flash_bytes),
    )
