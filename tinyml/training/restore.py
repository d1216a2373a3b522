"""Float networks kept in a bundle: weights out as bytes, and back into a model."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import numpy as np

from tinyml.errors import ModelError
from tinyml.records import Bundle
from tinyml.tasks import Examples, Task
from tinyml.training import tensorflow
from tinyml.training.learner import Array, real


def weights(model: Any) -> bytes:
    """Return the weights of a tf_keras model as an .npz: w0, w1, ... in the model's order."""
    file = io.BytesIO()
    np.savez(file, **{f"w{number}": one for number, one in enumerate(model.get_weights())})
    return file.getvalue()


def model(task: Task, bundle: Bundle, contents: bytes) -> Any:
    """Return the float network of `bundle` (real inputs to logits) with the weights `contents`.

    Raises ModelError where they do not belong together.
    """
    tensorflow()
    try:
        with np.load(io.BytesIO(contents), allow_pickle=False) as loaded:
            arrays = [loaded[f"w{number}"] for number in range(len(loaded.files))]
        return network(task, len(bundle.labels), float(bundle.card["training"]["width"]), arrays)
    except (KeyError, ValueError, OSError) as error:
        raise ModelError(f"{bundle.path} has no usable float weights: {error}") from error


def network(task: Task, labels: int, width: float, arrays: Sequence[Array]) -> Any:
    """Return the task's float network with the weights `arrays`, in the model's order.

    Its layers are named as in a fresh process, so that equal weights give equal `.tflite` files.
    Raises ValueError for weights of another network.
    """
    import tf_keras

    tf_keras.backend.clear_session()
    made = task.build_model(labels, width)
    made.set_weights(list(arrays))
    return made


def accuracy(task: Task, network: Any, examples: Examples) -> float:
    """Return the share of `examples` that a float network gets right."""
    logits = network.predict(real(task, examples.inputs), batch_size=64, verbose=0)
    return float(np.mean(logits.argmax(axis=1) == examples.targets))
