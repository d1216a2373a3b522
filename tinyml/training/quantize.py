"""Full-integer quantization after training: a float model in, an int8 `.tflite` out.

Per-channel weights, int8 activations, inputs and outputs, by TensorFlow's converter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from tinyml.errors import ModelError
from tinyml.tasks import Features, Task
from tinyml.training import silenced, tensorflow
from tinyml.training.learner import real

_REPRESENTATIVE = 400  # examples are enough for the ranges

Batches = Callable[[], Iterator[list[Any]]]


def quantize(task: Task, model: Any, representative: Features) -> bytes:
    """Return `model` with a softmax as int8 `.tflite` with a batch of one.

    `representative` are int8 features [n, *input_shape] of training recordings, from which the
    ranges of all activations are measured. Its input takes the front end's int8 as they are: two
    examples with the lowest and highest values see to the range, and ModelError is raised if the
    converter chose another scale than `task.input_scale` or another zero point than -128.
    """
    ends = [np.full(task.input_shape, end, np.int8) for end in (-128, 127)]

    def batches() -> Iterator[list[Any]]:
        for example in [*spread(representative), *ends]:
            yield [real(task, example)[np.newaxis]]

    return _checked(task, integer(_converter(task, model), batches))


def aware(task: Task, model: Any) -> bytes:
    """Return a model of `qat.prepare`, trained, as int8 `.tflite`; it brings its ranges along."""
    return _checked(task, integer(_converter(task, model), None))


def floating(task: Task, model: Any) -> bytes:
    """Return `model` with a softmax as a float `.tflite`, layer for layer as `quantize` does."""
    with silenced():
        return bytes(_converter(task, model).convert())


def integer(converter: Any, batches: Batches | None) -> bytes:
    """Return what a converter of TensorFlow makes, in int8 from input to output.

    `batches` yields inputs from which ranges are measured; None where the network has its own.
    """
    tf = tensorflow()
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.inference_input_type = tf.int8
    converter.inference_output_type = tf.int8
    if batches is not None:
        converter.representative_dataset = batches
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    with silenced():
        return bytes(converter.convert())


def spread(examples: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return as many of `examples` [n, ...] as ranges need, from first to last."""
    chosen = np.linspace(0, len(examples) - 1, min(_REPRESENTATIVE, len(examples)))
    spread_out: npt.NDArray[Any] = examples[chosen.astype(int)]
    return spread_out


def _converter(task: Task, model: Any) -> Any:
    """Return the converter of a function with constants for weights.

    `from_keras_model` would export a SavedModel first, which takes ten times as long.
    """
    tf = tensorflow()
    scoring = _scoring(task, model)
    specification = tf.TensorSpec((1, *task.input_shape), tf.float32, "input")
    function = tf.function(
        lambda inputs: scoring(inputs, training=False), input_signature=[specification]
    )
    with silenced():
        return tf.lite.TFLiteConverter.from_concrete_functions([function.get_concrete_function()])


def _scoring(task: Task, model: Any) -> Any:
    import tf_keras

    inputs = tf_keras.layers.Input(task.input_shape, batch_size=1)
    return tf_keras.Model(inputs, tf_keras.layers.Softmax()(model(inputs, training=False)))


def _checked(task: Task, converted: bytes) -> bytes:
    """Return `converted`; raises ModelError where its input does not read the front end's int8."""
    with silenced():
        reader = tensorflow().lite.Interpreter(model_content=converted)
    scale, zero_point = reader.get_input_details()[0]["quantization"]
    if zero_point != -128 or not np.isclose(scale, task.input_scale, rtol=1e-6, atol=0):
        raise ModelError(
            f"the converter quantized the input with scale {scale} and zero point {zero_point}; "
            f"the front end's int8 need {task.input_scale} and -128"
        )
    return converted
