"""What a `.tflite` file says: its graph, checked.

A `.tflite` file in, a validated `Graph` of its main subgraph out. No operator semantics here.

The flatbuffer is read with the schema that the `tflite_micro` package ships. Whatever the bytes
are (missing, truncated, random, bit-flipped), the answer is a `Graph` or a `ModelError`.
"""

from __future__ import annotations

from tinyml.tflite.encoding import Encoding, accelerator, encoding
from tinyml.tflite.graph import Graph, Op, Tensor
from tinyml.tflite.offline_plan import without as without_offline_plan
from tinyml.tflite.reader import read

__all__ = [
    "Encoding",
    "Graph",
    "Op",
    "Tensor",
    "accelerator",
    "encoding",
    "read",
    "without_offline_plan",
]
