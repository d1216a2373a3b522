"""A model as a little more training would leave it: other weights and scales, the same graph."""

from __future__ import annotations

import numpy as np

from tinyml import tflite


def fine_tuned(model: bytes, seed: int) -> bytes:
    """Return `model` with other weights, biases and scales of weights, all of them in place."""
    rng = np.random.default_rng(seed)
    graph = tflite.read(model, "fine-tuned")
    changed = model
    for tensor in graph.tensors:
        if tensor.data is None or tensor.dtype not in ("int8", "int32") or not tensor.scales:
            continue
        data = tensor.data
        if tensor.dtype == "int8":
            moved = data.astype(np.int16) + rng.integers(-6, 7, data.shape)
            changed = _replaced(changed, data, np.clip(moved, -127, 127).astype(np.int8))
        else:
            changed = _replaced(changed, data, data + rng.integers(-200, 200, data.shape, np.int32))
        if len(tensor.scales) > 1:
            scales = np.array(tensor.scales, np.float32)
            changed = _replaced(changed, scales, scales * np.float32(0.97))
    assert changed != model
    return changed


def _replaced(model: bytes, old: np.ndarray, new: np.ndarray) -> bytes:
    assert old.nbytes == new.nbytes
    return model.replace(old.tobytes(), new.tobytes()) if old.nbytes >= 8 else model
