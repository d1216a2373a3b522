"""Forms of operators that a TFLM library computes wrong or lacks, though upstream takes them today.

Each line was tried: models of the form ran as Cortex-M4 code of that library with its CMSIS-NN
kernels, and their outputs were compared with the reference interpreter's. A model with such a form
is refused for the library by name, before anything is built. To add one, add a line.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tinyml.errors import ModelError
from tinyml.tflite import Graph, Op

_ARDUINO = frozenset({"2023"})
_TREES = frozenset({"2026-08", "2026-10"})
_ALL = _ARDUINO | _TREES
_INT = ("int8", "int16")
_FINEST_CELL_SCALE = 2.0**-12  # the tanh of finer cell states is wrong until upstream's 2023-03-01


@dataclass(frozen=True)
class BadForm:
    """A form of `operators` that libraries of `generations` cannot be trusted with.

    `what`: the form and what comes of it, as the end of "operator N NAME: ". `has`: whether an
    operator has it; what raises ModelError has not.
    """

    operators: tuple[str, ...]
    generations: frozenset[str]
    what: str
    has: Callable[[Op, Graph], bool]


def bad_form(graph: Graph, generation: str) -> tuple[Op, BadForm] | None:
    """Return the first operator that a library of `generation` computes wrong or lacks, if any."""
    return next(
        ((op, form) for op in graph.ops for form in _of(op, generation) if _has(form, op, graph)),
        None,
    )


def require_right(graph: Graph, generation: str, about: str) -> None:
    """Raise ModelError, naming operator and form, where `bad_form` finds one.

    `about`: the library in words.
    """
    found = bad_form(graph, generation)
    if found is not None:
        op, form = found
        raise ModelError(
            f"{about} cannot run {graph.name}: operator {op}: {form.what}",
            "use --runtime compiled where it takes the model, or name a current tree of TFLM with "
            "--tflm-dir DIR",
        )


def _of(op: Op, generation: str) -> Iterator[BadForm]:
    return (
        form for form in BAD_FORMS if op.name in form.operators and generation in form.generations
    )


def _has(form: BadForm, op: Op, graph: Graph) -> bool:
    try:
        return form.has(op, graph)
    except ModelError:
        return False


def _always(op: Op, graph: Graph) -> bool:
    return True


def _dtype(*names: str) -> Callable[[Op, Graph], bool]:
    return lambda op, graph: graph.input(op, 0).dtype in names


def _rank_above(most: int, *names: str) -> Callable[[Op, Graph], bool]:
    return lambda op, graph: (
        len(graph.input(op, 0).shape) > most and graph.input(op, 0).dtype in names
    )


def _has_groups(op: Op, graph: Graph) -> bool:
    return graph.input(op, 0).shape[-1] != graph.input(op, 1).shape[-1]


def _has_no_bias(op: Op, graph: Graph) -> bool:
    return graph.optional_input(op, 2) is None


def _has_batch(op: Op, graph: Graph) -> bool:
    return graph.input(op, 0).dtype in _INT and graph.input(op, 0).shape[0] > 1


def _has_activation(op: Op, graph: Graph) -> bool:
    return bool(op.option("fused_activation_function", 0))


def _reduces_many_axes(op: Op, graph: Graph) -> bool:
    return graph.input(op, 1).elements > 2


def _broadcasts_above_rank_4(op: Op, graph: Graph) -> bool:
    first, second = graph.input(op, 0), graph.input(op, 1)
    return first.shape != second.shape and max(len(first.shape), len(second.shape)) > 4


def _has_large_square(op: Op, graph: Graph) -> bool:
    widest = 2 * max(graph.input(op, 0).scale, graph.input(op, 1).scale)
    return widest**2 >= graph.output(op).scale * 2**14


def _has_fine_cell_state(op: Op, graph: Graph) -> bool:
    return graph.input(op, 19).scale < _FINEST_CELL_SCALE


def _has_half_pixels(op: Op, graph: Graph) -> bool:
    """Whether sizes are not whole multiples, for which alone the flag means something."""
    before, after = graph.input(op, 0).shape[1:3], graph.output(op).shape[1:3]
    whole = all(new % old == 0 for old, new in zip(before, after, strict=True))
    return bool(op.option("half_pixel_centers", False)) and not whole


BAD_FORMS = (
    BadForm(
        ("UNIDIRECTIONAL_SEQUENCE_LSTM",),
        _ARDUINO,
        "a cell state with a scale below 1/4096 gives other outputs there",
        _has_fine_cell_state,
    ),
    BadForm(("CONV_2D",), _ARDUINO, "groups of channels give other outputs there", _has_groups),
    BadForm(
        ("CONV_2D", "DEPTHWISE_CONV_2D"), _ARDUINO, "does not start without a bias there",
        _has_no_bias,
    ),
    BadForm(
        ("AVERAGE_POOL_2D", "MAX_POOL_2D"), _ARDUINO,
        "of a batch only the first picture is computed there", _has_batch,
    ),
    BadForm(("MEAN",), _ARDUINO, "means of integers are rounded in another way there",
            _dtype(*_INT)),
    BadForm(("SUM",), _ARDUINO, "sums of integers are rounded, and overflow, in another way there",
            _dtype(*_INT)),
    BadForm(("MEAN", "SUM"), _ARDUINO, "more than two axes overflow its tables there",
            _reduces_many_axes),
    BadForm(
        ("RESIZE_NEAREST_NEIGHBOR",), _ARDUINO,
        "half-pixel centres are ignored there", _has_half_pixels,
    ),
    BadForm(
        ("ADD", "MUL", "SQUARED_DIFFERENCE"), _ARDUINO,
        "ends the program there where it broadcasts over more than four axes",
        _broadcasts_above_rank_4,
    ),
    BadForm(
        ("SQUARED_DIFFERENCE",), _ARDUINO, "ends the program there with scales like these",
        _has_large_square,
    ),
    BadForm(("TRANSPOSE_CONV",), _ALL, "its activation is dropped there", _has_activation),
    BadForm(("TRANSPOSE",), _ARDUINO, "is missing for int16 there", _dtype("int16")),
    BadForm(("TRANSPOSE",), _ARDUINO, "is missing for more than five axes there",
            _rank_above(5, "int8", "float32")),
    BadForm(("TRANSPOSE",), _TREES, "more than four axes give other outputs there",
            _rank_above(4, "int8")),
    BadForm(("DIV",), _ARDUINO, "ends the program there at some quotients", _dtype("int8")),
    BadForm(("EXP", "NEG"), _ARDUINO, "is missing for int8 there", _dtype("int8")),
    BadForm(
        ("ARG_MAX", "GATHER", "PRELU", "RELU", "RELU6"), _ARDUINO, "is missing for int16 there",
        _dtype("int16"),
    ),
    BadForm(
        ("BATCH_MATMUL", "DYNAMIC_UPDATE_SLICE", "EMBEDDING_LOOKUP", "REDUCE_ALL", "REDUCE_MIN",
         "REVERSE_V2"),
        _ARDUINO, "is missing there", _always,
    ),
    BadForm(
        ("UNIDIRECTIONAL_SEQUENCE_LSTM",), _TREES,
        "its state is forgotten between inferences there", _always,
    ),
)  # fmt: skip
