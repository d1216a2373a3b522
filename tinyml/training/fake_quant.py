"""What int8 does to numbers, in float: the quantizers of TF Model Optimization that we train with.

The scales are those that TensorFlow Lite chooses later (its quantization specification for int8):
weights are symmetric with one scale per output channel and values of -127 to 127, activations have
one range of 256 steps. Imports TensorFlow: import it only where it is needed.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf
import tensorflow_model_optimization as tfmot
from tensorflow_model_optimization.python.core.quantization.keras import (
    quantize_layer,
    quantize_wrapper,
)


class Weights(tfmot.quantization.keras.quantizers.Quantizer):  # type: ignore[misc]
    """Rounds weights to the int8 grid of their channel; `axes` are those inside a channel.

    Gradients pass as if nothing was rounded (Bengio et al. 2013, arXiv:1308.3432).
    """

    def __init__(self, axes: tuple[int, ...]) -> None:
        self.axes = tuple(axes)

    def build(self, tensor_shape: Any, name: str, layer: Any) -> dict[str, Any]:
        """Return the variables that this needs: none."""
        return {}

    def __call__(self, inputs: Any, training: Any, weights: Any, **_: Any) -> Any:
        """Return `inputs` on the grid."""
        largest = tf.reduce_max(tf.abs(inputs), axis=self.axes, keepdims=True)
        scale = tf.maximum(largest / 127, 1e-9)
        return inputs + tf.stop_gradient(tf.round(inputs / scale) * scale - inputs)

    def get_config(self) -> dict[str, Any]:
        """Return what makes an equal one."""
        return {"axes": self.axes}


class InputQuantizer(tfmot.quantization.keras.quantizers.Quantizer):  # type: ignore[misc]
    """Rounds a network's input to the steps of its front end, from 0 to 255 * `step`."""

    def __init__(self, step: float) -> None:
        self.step = step

    def build(self, tensor_shape: Any, name: str, layer: Any) -> dict[str, Any]:
        """Return the variables that this needs: none."""
        return {}

    def __call__(self, inputs: Any, training: Any, weights: Any, **_: Any) -> Any:
        """Return `inputs` on the grid."""
        return tf.quantization.fake_quant_with_min_max_args(inputs, 0.0, 255 * self.step)

    def get_config(self) -> dict[str, Any]:
        """Return what makes an equal one."""
        return {"step": self.step}


class Rounding(tfmot.quantization.keras.QuantizeConfig):  # type: ignore[misc]
    """What of a layer is rounded: the weights called `kernel` (None for none), and its output."""

    def __init__(self, kernel: str | None, axes: tuple[int, ...], output: bool) -> None:
        self.kernel = kernel
        self.axes = tuple(axes)
        self.output = output

    def get_weights_and_quantizers(self, layer: Any) -> list[Any]:
        """Return the weights and how they are rounded."""
        return [(getattr(layer, self.kernel), Weights(self.axes))] if self.kernel else []

    def set_quantize_weights(self, layer: Any, quantize_weights: list[Any]) -> None:
        """Let the layer compute with rounded weights."""
        if self.kernel:
            setattr(layer, self.kernel, quantize_weights[0])

    def get_activations_and_quantizers(self, layer: Any) -> list[Any]:
        """Return nothing: activations inside a layer are its output."""
        return []

    def set_quantize_activations(self, layer: Any, quantize_activations: list[Any]) -> None:
        """Do nothing."""

    def get_output_quantizers(self, layer: Any) -> list[Any]:
        """Return how the output is rounded: to a range that follows what is seen."""
        if not self.output:
            return []
        return [
            tfmot.quantization.keras.quantizers.MovingAverageQuantizer(
                num_bits=8, per_axis=False, symmetric=False, narrow_range=False
            )
        ]

    def get_config(self) -> dict[str, Any]:
        """Return what makes an equal one."""
        return {"kernel": self.kernel, "axes": self.axes, "output": self.output}


def wrapped(layer: Any, rounding: Rounding) -> Any:
    """Return a layer that does what `layer` does, rounded."""
    return quantize_wrapper.QuantizeWrapperV2(layer, rounding)


def rounded_input(step: float) -> Any:
    """Return a layer that gives its input as the front end would."""
    return quantize_layer.QuantizeLayer(InputQuantizer(step))
