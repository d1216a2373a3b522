"""Float weights in a bundle: a network's weights out as bytes, and back into a network."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import numpy as np

from tinyml.errors import ModelError, ToolError
from tinyml.model import bundle as bundles
from tinyml.model import npz
from tinyml.records import Bundle
from tinyml.tasks import Examples, Task
from tinyml.training import WIDTHS, tensorflow
from tinyml.training.learner import Array, real


def weights(model: Any) -> bytes:
    """Return the weights of a tf_keras model as an .npz: w0, w1, ... in the model's order."""
    file = io.BytesIO()
    np.savez(file, **{f"w{number}": array for number, array in enumerate(model.get_weights())})
    return file.getvalue()


def model(task: Task, bundle: Bundle, contents: bytes) -> Any:
    """Return the float network of `bundle` (real inputs to logits) with the weights `contents`.

    Raises ModelError where they do not belong together.
    """
    tensorflow()
    width = bundle.card.width
    try:
        if width is None or not WIDTHS[0] <= width <= WIDTHS[1]:
            raise ValueError(f"its card states a training.width of {width}")
        return network(task, len(bundle.labels), width, arrays(contents))
    except ValueError as error:
        raise ModelError(f"{bundle.path} has no usable float weights: {error}") from error


def arrays(contents: bytes) -> list[Array]:
    """Return what `weights` made bytes of; raises ModelError for anything else."""
    try:
        loaded = npz.arrays(contents)
        arrays = [loaded[f"w{number}"] for number in range(len(loaded))]
        if any(array.dtype.kind not in "fiu" for array in arrays):
            raise ValueError("an array holds no numbers")
    except (KeyError, ValueError) as error:
        raise ModelError(f"the float weights are damaged: {error}") from error
    return arrays


def network(task: Task, labels: int, width: float, weights: Sequence[Array]) -> Any:
    """Return the task's float network with `weights`, in the model's order.

    Its layers are named as in a fresh process, so that equal weights give equal `.tflite` files.
    Raises ValueError for weights of another network.
    """
    import tf_keras

    tf_keras.backend.clear_session()
    made = task.build_model(labels, width)
    made.set_weights(list(weights))
    return made


def accuracy(task: Task, network: Any, examples: Examples) -> float:
    """Return the share of `examples` that a float network gets right."""
    logits = network.predict(real(task, examples.inputs), batch_size=64, verbose=0)
    return float(np.mean(logits.argmax(axis=1) == examples.targets))


def float_accuracy(bundle: Bundle, task: Task, examples: Examples) -> tuple[float | None, str]:
    """Return the share of `examples` that the float network of `bundle` has right, 0..1, and "".

    Or None and why there is no such figure: no float weights, or no TensorFlow.
    """
    file = bundle.path / bundles.WEIGHTS
    if not file.is_file():
        return None, "the bundle has no float weights"
    try:
        return accuracy(task, model(task, bundle, file.read_bytes()), examples), ""
    except ToolError as error:
        return None, f"the float weights were not run: {error.message}"
