"""Rewrites of the graph, in the order in which they run. Each keeps every output bit.

A pass is a file with `run(graph: Graph) -> tuple[Graph, tuple[Folded, ...]]`: the new graph, and
what it removed and why. The order below is meaning, so this is the one list to edit.
"""

from __future__ import annotations

from tinyml.compiler.passes import (
    alias,
    constant_channels,
    drop_unused,
    fold_constants,
    one_output,
    resource_variables,
)
from tinyml.records import Folded
from tinyml.tflite import Graph

_PASSES = (one_output, fold_constants, alias, resource_variables, drop_unused, constant_channels)


def run_all(graph: Graph) -> tuple[Graph, tuple[Folded, ...]]:
    """Apply every pass in turn; the removed operators come back sorted by their index."""
    folded: list[Folded] = []
    for rewrite in _PASSES:
        graph, removed = rewrite.run(graph)
        folded += removed
    return graph, tuple(sorted(folded, key=lambda item: item.op_index))
