"""Float networks kept in a bundle: weights out as bytes, and back into a model."""

from __future__ import annotations

import io
from typing import Any

import numpy as np

from tinyml.errors import ModelError
from tinyml.records import Bundle
from tinyml.tasks import Examples, Task
from tinyml.training import tensorflow
from tinyml.training.fit import real


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
        network = task.build_model(len(bundle.labels), float(bundle.card["training"]["width"]))
        network.set_weights(arrays)
    except (KeyError, ValueError, OSError) as error:
        raise ModelError(f"{bundle.path} has no usable float weights: {error}") from error
    return network


def accuracy(task: Task, network: Any, examples: Examples) -> float:
    """Return the share of `examples` that a float network gets right."""
    logits = network.predict(real(task, examples.inputs), batch_size=64, verbose=0)
    return float(np.mean(logits.argmax(axis=1) == examples.targets))
