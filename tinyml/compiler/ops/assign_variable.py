"""ASSIGN_VARIABLE: what a variable holds from now on, of any stored dtype.

`passes/resource_variables.py` has given the variable a tensor, which is the output here.
"""

from __future__ import annotations

from tinyml.compiler.call import Call, Ref
from tinyml.compiler.ops import require_dtype
from tinyml.records import DTYPES
from tinyml.tflite import Graph, Op


def check(op: Op, graph: Graph) -> None:
    """Take any stored dtype; the pass has compared value and variable."""
    require_dtype(op, graph.input(op, 0), *DTYPES)


def call(op: Op, graph: Graph) -> Call:
    """Return the call of tml_assign_variable."""
    value, variable = graph.input(op, 0), graph.output(op)
    return Call("tml_assign_variable", (Ref(value.index), Ref(variable.index), value.bytes))
