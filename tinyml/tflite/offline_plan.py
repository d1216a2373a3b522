"""The memory plan that some compilers put into a model's metadata, and a copy of the model without.

TFLM takes such a plan as it is. It has no room for tensors that are kept after their last use, so
an interpreter that is to keep them all needs the model without.
"""

from __future__ import annotations

_NAME = b"OfflineMemoryAllocation"


def without(model: bytes) -> bytes:
    """Return `model`, a valid `.tflite` file, with its offline plan under a name nobody looks for.

    Nothing moves: the file keeps its length. A model without a plan comes back as it is.
    """
    from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

    root = schema.Model.GetRootAs(model)
    names = [root.Metadata(index).Name() for index in range(root.MetadataLength())]
    if _NAME not in names:
        return model
    return model.replace(_NAME, _NAME[::-1])
