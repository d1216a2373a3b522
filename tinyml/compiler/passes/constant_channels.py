"""Dead channel elimination: channels that are constant, or that nothing reads, are not computed.

Training leaves many: in MLPerf Tiny's person model 985 of 2,738 output channels have one value for
every possible input. Proof that no bit of what stays changes:

* A channel is called constant where interval arithmetic leaves one value for it (`_ranges`).
* A convolution sums `weight * (input - zero point)`, and nothing over padding. Without padding a
  constant input `v` adds `sum(weights) * (v - zero point)` to every sum; with padding that depends
  on the position, unless `v` is the zero point, when it is 0. So in these two cases the channel may
  go once that product is in the bias. In any other case it stays.
* A weight of 0 adds 0, so an input channel that meets no other weight may go.
* What works channel by channel (depthwise convolutions with multiplier 1, pools, sums of equal
  shapes) keeps the channels that its output keeps: such tensors form a group.
* A constant channel that stays needs no input: weights of 0, and for a bias the smallest sum that
  it can have, which is requantized to its value as any other.

Sums of what stays are the same integers as before, so are their bytes. A group keeps a multiple of
4 channels where it can, which is what the kernels take at a time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyml.compiler import ops
from tinyml.compiler.ops._linear import bias_of
from tinyml.compiler.passes import _ranges
from tinyml.compiler.passes._ranges import Range
from tinyml.errors import TinymlError
from tinyml.records import Folded
from tinyml.tflite import Graph, Op, Tensor

Array = NDArray[Any]
_TOGETHER = 4
_POOLS = ("AVERAGE_POOL_2D", "MAX_POOL_2D")
_SUMS = ("ADD", "SUB", "MUL")


def run(graph: Graph) -> tuple[Graph, tuple[Folded, ...]]:
    """Remove channels of activations and what computes them; `graph.channels` says which stay.

    A graph that the kernels will refuse stays as it is, and so does one whose weights may change.
    """
    if graph.exchangeable or not _is_sound(graph):
        return graph, ()
    known = _ranges.ranges(graph)
    kept = _Liveness(graph, known).kept()
    return (_Rewrite(graph, known, kept).graph() if kept else graph), ()


def _is_sound(graph: Graph) -> bool:
    try:
        for op in graph.ops:
            ops.load(op, graph).check(op, graph)
    except TinymlError:
        return False
    return True


def _is_by_channel(op: Op, graph: Graph) -> bool:
    """Whether each channel of the output depends on the same channel of its inputs only."""
    shapes = [tuple(graph.tensors[index].shape) for index in (*op.inputs[:2], *op.outputs)]
    if op.name in _SUMS:
        return len(set(shapes)) == 1 and len(shapes[0]) == 4
    if op.name == "DEPTHWISE_CONV_2D":
        return graph.input(op, 0).shape[3] == graph.output(op).shape[3]
    return op.name in _POOLS


def _is_dense(op: Op, graph: Graph) -> bool:
    """Whether each output channel reads every input channel."""
    return op.name == "CONV_2D" and graph.input(op, 1).shape[3] == graph.input(op, 0).shape[3]


class _Liveness:
    """Which channels of which tensors must be computed."""

    def __init__(self, graph: Graph, known: Mapping[int, Range]) -> None:
        self._graph = graph
        self._known = known
        self._group: dict[int, int] = {}

    def kept(self) -> Mapping[int, Array]:
        """The channels that stay, in order, of each tensor that loses some."""
        fixed = self._fixed()
        sizes = {self._root(index): self._channels(index) for index in self._activations()}
        live = {root: np.full(size, root in fixed) for root, size in sizes.items()}
        before = -1
        while (now := sum(int(mask.sum()) for mask in live.values())) != before:
            before = now
            for op in reversed(self._graph.ops):
                self._read(op, live)
            for root, mask in live.items():
                live[root] = self._rounded(mask)
        return {
            index: np.flatnonzero(live[self._root(index)])
            for index in self._activations()
            if not live[self._root(index)].all()
        }

    def _activations(self) -> list[int]:
        """Every tensor that owns bytes and has channels."""
        graph = self._graph
        indices = {*graph.inputs, *graph.outputs}
        for op in graph.ops:
            indices |= {index for index in (*op.inputs, *op.outputs) if index >= 0}
        owners = {graph.storage(index) for index in indices}
        return sorted(i for i in owners if not graph.tensors[i].is_constant)

    def _channels(self, index: int) -> int:
        shape = self._graph.tensors[index].shape
        return shape[-1] if shape else 1

    def _root(self, index: int) -> int:
        while self._group.get(index, index) != index:
            index = self._group[index]
        return index

    def _fixed(self) -> set[int]:
        """Join tensors into groups; return those groups that must keep every channel."""
        graph = self._graph
        lasting = (*graph.inputs, *graph.outputs, *graph.initial)
        fixed = {graph.storage(index) for index in lasting}
        for op in graph.ops:
            sources = [graph.storage(i) for i in op.inputs if i >= 0]
            if len(op.outputs) != 1:
                fixed |= {*sources, *map(graph.storage, op.outputs)}
                continue
            target = graph.storage(op.outputs[0])
            if _is_by_channel(op, graph):
                for source in sources[: 2 if op.name in _SUMS else 1]:
                    if graph.tensors[source].is_constant:
                        fixed.add(target)
                    else:
                        self._group[self._root(source)] = self._root(target)
            elif _is_dense(op, graph):
                pass
            elif op.name == "FULLY_CONNECTED" and self._is_column(op):
                fixed.add(target)
            else:
                fixed |= {target, *sources}
        readers = [index for op in graph.ops for index in op.inputs if index >= 0]
        renamed = {graph.storage(i) for i in readers if graph.storage(i) != i}
        columns = {
            graph.storage(op.inputs[0])
            for op in graph.ops
            if op.name == "FULLY_CONNECTED" and self._is_column(op)
        }
        fixed |= renamed - columns
        return {self._root(index) for index in fixed}

    def _is_column(self, op: Op) -> bool:
        """Whether a fully connected layer reads one pixel, so that its inputs are channels."""
        graph = self._graph
        owner = graph.tensors[graph.storage(op.inputs[0])]
        alone = sum(graph.storage(i) == owner.index for o in graph.ops for i in o.inputs if i >= 0)
        return alone == 1 and owner.elements == self._channels(owner.index)

    def _read(self, op: Op, live: dict[int, Array]) -> None:
        """Mark what `op` needs of its input."""
        graph = self._graph
        column = op.name == "FULLY_CONNECTED" and self._is_column(op)
        if not (column or _is_dense(op, graph)):
            return  # the others share their output's mask, or are fixed
        if graph.tensors[graph.storage(op.inputs[0])].is_constant:
            return
        source, target = self._root(graph.storage(op.inputs[0])), graph.storage(op.outputs[0])
        weights = graph.input(op, 1).data
        assert weights is not None
        needed = np.array(live[self._root(target)])
        if column:
            if any(graph.input(op, 1).zero_points):
                live[source] = np.ones_like(live[source])
                return
            owner = graph.tensors[graph.storage(op.inputs[0])]
            absorbed = _ranges.of(self._known, owner).constant
        else:
            needed &= ~_ranges.of(self._known, graph.tensors[target]).constant
            absorbed = _absorbed(op, graph, self._known)
        met = (weights[needed] != 0).reshape(-1, weights.shape[-1]).any(axis=0)
        live[source] = live[source] | (met & ~absorbed)

    def _rounded(self, mask: Array) -> Array:
        """`mask` with channels added until their number is a multiple of 4, at least one."""
        count = int(mask.sum())
        more = (_TOGETHER - count) if count < _TOGETHER else -count % _TOGETHER
        mask = mask.copy()
        mask[np.flatnonzero(~mask)[:more]] = True
        return mask


def _absorbed(op: Op, graph: Graph, known: Mapping[int, Range]) -> Array:
    """Which input channels of a convolution are constants that its bias can take."""
    source = graph.input(op, 0)
    inputs = _ranges.of(known, source)
    zero = inputs.low == source.zero_point
    return np.asarray(inputs.constant & (zero | (not _ranges.is_padded(op, graph))))


@dataclass
class _Rewrite:
    """Builds the graph without the channels that are not in `kept`."""

    original: Graph
    known: Mapping[int, Range]
    kept: Mapping[int, Array]

    def graph(self) -> Graph:
        """The new graph; constants of changed operators are new tensors at its end."""
        old = self.original
        self._tensors = list(old.tensors)
        for index, channels in self.kept.items():
            tensor = old.tensors[index]
            self._tensors[index] = replace(tensor, shape=(*tensor.shape[:-1], len(channels)))
        changed = tuple(self._operator(op) for op in old.ops)
        left = {index: tuple(which.tolist()) for index, which in self.kept.items()}
        return replace(old, tensors=tuple(self._tensors), ops=changed, channels=left)

    def _operator(self, op: Op) -> Op:
        old = self.original
        if len(op.outputs) != 1:
            return op
        source, target = old.storage(op.inputs[0]), old.storage(op.outputs[0])
        if source not in self.kept and target not in self.kept:
            return op
        if op.name == "CONV_2D":
            return self._convolution(op, 0)
        if op.name == "DEPTHWISE_CONV_2D":
            return self._convolution(op, 3)
        if op.name == "FULLY_CONNECTED":
            return self._fully_connected(op)
        return op

    def _which(self, index: int) -> Array:
        tensor = self.original.tensors[index]
        return self.kept.get(index, np.arange(tensor.shape[-1] if tensor.shape else 1))

    def _convolution(self, op: Op, axis: int) -> Op:
        """A convolution whose weights count output channels along `axis`."""
        old = self.original
        weights, target = old.input(op, 1), old.output(op)
        assert weights.data is not None
        inputs, outputs = self._which(op.inputs[0]), self._which(op.outputs[0])
        by_channel = np.moveaxis(weights.data, axis, 0)
        bias = bias_of(op, old, by_channel.reshape(len(by_channel), -1)).astype(np.int64)
        data = weights.data
        if axis == 0:
            bias = bias + self._constants(op)
            data = data[:, :, :, inputs]
        data = np.take(data, outputs, axis)
        bias = bias[outputs]
        found = _ranges.of(self.known, target)
        constant = found.constant[outputs]
        if found.sums is not None and constant.any():
            selector = [slice(None)] * 4
            selector[axis] = np.flatnonzero(constant)  # type: ignore[call-overload]
            data[tuple(selector)] = 0
            bias = np.where(constant, found.sums[outputs], bias)
        return self._with(op, self._sliced(weights, data, outputs), bias)

    def _constants(self, op: Op) -> Array:
        """What the constant input channels that are gone add to each output channel's sum."""
        old = self.original
        source, weights = old.input(op, 0), old.input(op, 1).data
        assert weights is not None
        gone = np.ones(source.shape[-1], np.bool_)
        gone[self._which(source.index)] = False
        gone &= _absorbed(op, old, self.known)
        values = np.where(gone, _ranges.of(self.known, source).low - source.zero_point, 0)
        return np.asarray(weights.astype(np.int64).sum(axis=(1, 2)) @ values)

    def _fully_connected(self, op: Op) -> Op:
        old = self.original
        owner = old.tensors[old.storage(op.inputs[0])]
        weights = old.input(op, 1)
        assert weights.data is not None
        inputs = self._which(owner.index)
        gone = np.ones(weights.shape[1], np.bool_)
        gone[inputs] = False
        values = np.where(gone, _ranges.of(self.known, owner).low - owner.zero_point, 0)
        constant = _ranges.of(self.known, owner).constant
        bias = bias_of(op, old, weights.data).astype(np.int64)
        bias = bias + weights.data.astype(np.int64) @ np.where(constant, values, 0)
        if op.inputs[0] != owner.index:
            view = old.tensors[op.inputs[0]]
            self._tensors[view.index] = replace(view, shape=(1, len(inputs)))
        every = np.arange(len(weights.data))
        return self._with(op, self._sliced(weights, weights.data[:, inputs], every), bias)

    def _sliced(self, tensor: Tensor, data: Array, outputs: Array) -> Tensor:
        """The weights' tensor with other data, for the output channels `outputs`."""
        scales, zero_points = tensor.scales, tensor.zero_points
        if len(scales) > 1:
            scales = tuple(scales[i] for i in outputs)
            zero_points = tuple(zero_points[i] for i in outputs) if zero_points else ()
        content = np.ascontiguousarray(data)
        return replace(
            tensor, shape=content.shape, data=content, scales=scales, zero_points=zero_points
        )

    def _with(self, op: Op, weights: Tensor, bias: Array) -> Op:
        """`op` with new weights and bias."""
        added = []
        template = self.original.optional_input(op, 2) or replace(weights, name="bias")
        values = replace(
            template, dtype="int32", shape=bias.shape, data=bias.astype(np.int32), scales=(),
            zero_points=(), axis=0,
        )  # fmt: skip
        for tensor in (weights, values):
            added.append(len(self._tensors))
            self._tensors.append(replace(tensor, index=added[-1]))
        return replace(op, inputs=(op.inputs[0], *added))
