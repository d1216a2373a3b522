"""Importer of TensorFlow SavedModels: a folder with a graph of operators and its variables.

A SavedModel is a program of TensorFlow's operators, some of which read and write files or call
Python. Only those that networks compute with, on the list here, are let through.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from tinyml.errors import ModelError
from tinyml.training.importers import (
    Description,
    Function,
    NetworkInput,
    _saved_model_pb,
    one_shape,
)

SUFFIXES = ("",)
WHAT = "a SavedModel folder"
_GRAPH = "saved_model.pb"
_OTHER_FORMS = ("saved_model.cpb", "saved_model.pbtxt")
_MOST_BYTES = 1 << 30
_SERVING = "serving_default"
_OPERATOR_NAMES = """
Abs Add AddN AddV2 All Any ArgMax ArgMin Assert AssignAddVariableOp AssignSubVariableOp
AssignVariableOp AvgPool AvgPool3D BatchMatMul BatchMatMulV2 BatchMatMulV3 BatchToSpaceND BiasAdd
Bincount BroadcastArgs BroadcastGradientArgs BroadcastTo Cast Ceil ClipByValue Concat ConcatOffset
ConcatV2 Const Conv2D Conv2DBackpropInput Conv3D Cos Cumsum DepthToSpace DepthwiseConv2dNative
DisableCopyOnRead DivNoNan DynamicStitch Einsum Elu EmptyTensorList EnsureShape Equal Erf Erfinv
Exp ExpandDims Expm1 FakeQuantWithMinMaxArgs FakeQuantWithMinMaxVars
FakeQuantWithMinMaxVarsPerChannel Fill Floor FloorDiv FloorMod FusedBatchNorm FusedBatchNormV2
FusedBatchNormV3 Gather GatherNd GatherV2 Greater GreaterEqual Identity IdentityN If Inv
InvertPermutation IsFinite L2Loss LRN LeakyRelu Less LessEqual LinSpace Log Log1p LogSoftmax
LogicalAnd LogicalNot LogicalOr MatMul MatrixBandPart MatrixDiag Max MaxPool MaxPool3D MaxPoolV2
Maximum Mean Merge MergeV2Checkpoints Min Minimum MirrorPad Mul Neg NoOp NotEqual OneHot OnesLike
Pack Pad PadV2 PartitionedCall Placeholder PlaceholderWithDefault Pow Prod Range Rank
ReadVariableOp RealDiv Reciprocal Relu Relu6 Reshape ResizeBilinear ResizeNearestNeighbor
ResourceGather RestoreV2 ReverseSequence ReverseV2 Rint Round Rsqrt SaveV2 Select SelectV2 Selu
Shape ShapeN ShardedFilename Sigmoid Sign Sin Size Slice Softmax Softplus Softsign SpaceToBatchND
SpaceToDepth Split SplitV Sqrt Square SquaredDifference Squeeze StatefulPartitionedCall
StatelessIf StatelessWhile StaticRegexFullMatch StopGradient StridedSlice StringJoin Sub Sum
Switch Tan Tanh TensorListFromTensor TensorListGetItem TensorListLength TensorListReserve
TensorListSetItem TensorListStack Tile TopKV2 Transpose TruncateDiv Unpack VarHandleOp
VarIsInitializedOp Where While Xdivy ZerosLike
"""
_OPERATORS = frozenset(_OPERATOR_NAMES.split())
# Gradients, which Keras 2 saves beside a network, recurrent layers of a GPU, dropout's numbers.
_FAMILIES = re.compile(
    r"[A-Za-z0-9]+Grad(V\d)?|[A-Za-z0-9]+Backprop(V\d|Input|Filter)*|CudnnRNN(V\d)?"
    r"|Random(Uniform|StandardNormal)|StatelessRandom[A-Za-z0-9]+"
)


def describe(path: Path) -> Description:
    """Return the inputs of the signature that is to be served; raises ModelError."""
    signature = _checked(path)[1]
    return Description(
        "SavedModel",
        tuple(NetworkInput(name, one_shape(path, name, shape)) for name, shape in signature.inputs),
        signature.outputs,
    )


def load(path: Path, unroll: bool) -> Function:
    """Return the signature that is to be served as a function with a batch of one."""
    import tensorflow as tf

    name, expected = _checked(path)
    loaded = tf.saved_model.load(str(path))
    signature = loaded.signatures[name]
    names = [name for name, _ in expected.inputs]

    def answer(*inputs: Any) -> Any:
        return list(signature(**dict(zip(names, inputs, strict=True))).values())

    labels = ["inputs"] if len(names) == 1 else [f"in{number}" for number in range(len(names))]
    specs = [
        tf.TensorSpec((1, *shape[1:]), tf.float32, label)
        for (_, shape), label in zip(expected.inputs, labels, strict=True)
    ]
    return Function(tf.function(answer, input_signature=specs).get_concrete_function(), loaded)


def _checked(path: Path) -> tuple[str, _saved_model_pb.Signature]:
    """Return name and signature of what is served, where every operator is known."""
    file = path / _GRAPH
    if any((path / name).exists() for name in _OTHER_FORMS):
        raise ModelError(f"{path.name} has a graph in another form beside or instead of {_GRAPH}")
    if not file.is_file():
        raise ModelError(
            f"{path.name} is no SavedModel: it has no {_GRAPH}", "export it: model.export(folder)"
        )
    if file.stat().st_size > _MOST_BYTES:
        raise ModelError(f"{path.name}: {_GRAPH} has more than {_MOST_BYTES:,} bytes")
    try:
        signatures, operators = _saved_model_pb.read(file.read_bytes())
    except ValueError as error:
        raise ModelError(
            f"{path.name} cannot be read as a model: {error}", "export it anew"
        ) from error
    strange = sorted(name for name in operators - _OPERATORS if not _FAMILIES.fullmatch(name))
    if strange:
        raise ModelError(
            f"{path.name} has operators that networks do not compute with, or none known here: "
            + ", ".join(name[:60] for name in strange[:10]),
            "export the network alone, without reading, writing or Python code in it",
        )
    usable = {name: one for name, one in signatures.items() if one.inputs}
    if not usable:
        raise ModelError(
            f"{path.name} has no signature to call", "save it with model.export(folder)"
        )
    name = _SERVING if _SERVING in usable else min(usable)
    return name, usable[name]
