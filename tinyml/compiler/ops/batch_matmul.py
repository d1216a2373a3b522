"""BATCH_MATMUL: products of two stacks of matrices; under TFLM only."""

from __future__ import annotations

from tinyml.compiler.ops import Registration
from tinyml.tflite import Graph, Op

TFLM = Registration("BatchMatMul")


def macs(op: Op, graph: Graph) -> int:
    """Return the multiply-accumulates: one for each output and each column of the left matrix."""
    return graph.output(op).elements * graph.input(op, 0).shape[-1]
