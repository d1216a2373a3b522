"""Which descriptions of Keras networks are loaded: allow-lists of classes, functions and values.

Keras builds whatever a description names, and its readers of older formats run bytecode in it. So
nothing is built of which not every class and function is on a list here. The lists hold for Keras
2 and 3: what one of them does not know, it refuses itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from tinyml.errors import ModelError

RECURRENT = ("LSTM", "GRU", "SimpleRNN", "RNN")
_MODELS = "Functional Model Sequential InputLayer"
_LAYERS = """
Activation ActivityRegularization Add AdditiveAttention AlphaDropout Attention Average
AveragePooling1D AveragePooling2D AveragePooling3D AvgPool1D AvgPool2D AvgPool3D
BatchNormalization BatchNormalizationV1 BatchNormalizationV2 Bidirectional Concatenate Conv1D
Conv1DTranspose Conv2D Conv2DTranspose Conv3D Conv3DTranspose Convolution1D Convolution2D
Convolution3D Cropping1D Cropping2D Cropping3D Dense DepthwiseConv1D DepthwiseConv2D Dot Dropout
ELU EinsumDense Embedding Flatten GELU GRU GRUCell GaussianDropout GaussianNoise
GlobalAveragePooling1D GlobalAveragePooling2D GlobalAveragePooling3D GlobalAvgPool1D
GlobalAvgPool2D GlobalMaxPool1D GlobalMaxPool2D GlobalMaxPooling1D GlobalMaxPooling2D
GlobalMaxPooling3D GroupNormalization GroupQueryAttention Identity LSTM LSTMCell
LayerNormalization LeakyReLU LocallyConnected1D LocallyConnected2D Masking MaxPool1D MaxPool2D
MaxPool3D MaxPooling1D MaxPooling2D MaxPooling3D Maximum Minimum MultiHeadAttention Multiply
Normalization PReLU Permute RMSNormalization RNN RandomBrightness RandomContrast RandomCrop
RandomFlip RandomHeight RandomRotation RandomTranslation RandomWidth RandomZoom ReLU RepeatVector
Rescaling Reshape Resizing SeparableConv1D SeparableConv2D SeparableConvolution1D
SeparableConvolution2D SimpleRNN SimpleRNNCell Softmax SpatialDropout1D SpatialDropout2D
SpatialDropout3D SpectralNormalization StackedRNNCells Subtract ThresholdedReLU TimeDistributed
UnitNormalization UpSampling1D UpSampling2D UpSampling3D ZeroPadding1D ZeroPadding2D ZeroPadding3D
"""
_OPERATIONS = """
Abs Absolute Amax Amin Argmax Argmin BroadcastTo Cast Ceil Clip Conv Cos Divide DivideNoNan Einsum
Erf Erfinv Exp ExpandDims Expm1 Flip Floor Gelu GetItem Greater GreaterEqual HardSigmoid HardSilu
HardSwish HardTanh Less LessEqual Log Log1p LogSigmoid LogSoftmax Logsumexp Matmul Max Mean Min Mod
Moveaxis Negative Normalize OneHot Pad Power Prod Ravel Reciprocal Relu Relu6 Repeat Round Rsqrt
Selu Sigmoid Sign Silu Sin Softplus Softsign Split Sqrt Square Squeeze Stack Std Sum SwapAxes
Swapaxes Take Tanh Tensordot Tile Transpose TrueDivide Unstack Var Where
"""
_PARTS = """
DTypePolicy Policy GlorotUniform GlorotNormal HeUniform HeNormal LecunUniform LecunNormal Orthogonal
OrthogonalInitializer RandomNormal RandomUniform TruncatedNormal VarianceScaling Zeros Ones Constant
Identity IdentityInitializer L1 L2 L1L2 OrthogonalRegularizer MaxNorm MinMaxNorm NonNeg UnitNorm
TensorShape SeedGenerator
__tuple__ __ellipsis__ __keras_tensor__ __tensor__ __numpy__ __slice__
"""
_CLASSES = frozenset(" ".join((_MODELS, _LAYERS, _OPERATIONS, _PARTS)).split())
_FUNCTION_LAYERS = ("TFOpLambda", "SlicingOpLambda")
_FUNCTION_NAMES = """
__operators__.add __operators__.radd __operators__.subtract __operators__.sub __operators__.rsub
__operators__.multiply __operators__.mul __operators__.rmul __operators__.truediv
__operators__.rtruediv __operators__.getitem __operators__.neg __operators__.abs __operators__.pow
__operators__.matmul math.add math.subtract math.multiply math.divide math.truediv math.abs
math.square math.sqrt math.rsqrt math.exp math.log math.pow math.maximum math.minimum
math.negative math.reduce_mean math.reduce_sum math.reduce_max math.reduce_min math.sigmoid
math.tanh math.floor math.l2_normalize linalg.matmul linalg.l2_normalize cast concat stack reshape
squeeze expand_dims transpose clip_by_value split unstack tile strided_slice slice pad
image.resize nn.relu nn.relu6 nn.leaky_relu nn.elu nn.softmax nn.sigmoid nn.tanh nn.silu nn.swish
nn.gelu nn.hard_swish nn.avg_pool2d nn.max_pool2d nn.bias_add nn.l2_normalize nn.moments identity
zeros_like ones_like compat.v1.shape shape
"""
_FUNCTIONS = frozenset(_FUNCTION_NAMES.split())
_ACTIVATION_NAMES = """
celu elu exponential gelu glu hard_shrink hard_sigmoid hard_silu hard_swish hard_tanh leaky_relu
linear log_sigmoid log_softmax mish relu relu6 selu sigmoid silu soft_shrink softmax softplus
softsign sparse_plus sparse_sigmoid sparsemax squareplus swish tanh tanh_shrink threshold
"""
_ACTIVATIONS = frozenset(_ACTIVATION_NAMES.split())
_MODULE = re.compile(r"(tf_)?keras(\.[a-z_0-9]+)*|builtins")
_CODE_NAMES = """
function function_type residual_fn dropout_state_filter dropout_state_filter_visitor py_function
output_shape_module output_shape_type arguments vocabulary filepath file code
"""
_CODE = frozenset(_CODE_NAMES.split())
_NAME = re.compile(r"[A-Za-z_][A-Za-z_0-9]*")
_NAMED = ("_initializer", "_regularizer", "_constraint")
_DEEPEST = 100
_HINT = "export it as a SavedModel, which brings its own graph: model.export(folder)"


def check(name: str, config: Any) -> None:
    """Raise ModelError unless the description `config`, as JSON has it, only builds what is known.

    `name` is the file's, for messages.
    """
    calls: list[Any] = []  # settings of layers that call a function of TensorFlow by its name
    for place in _objects(config, name, 0):
        if (kind := place.get("class_name")) is not None:
            _check_class(name, kind, place)
        if kind in _FUNCTION_LAYERS:
            calls.append(place.get("config"))
        _check_values(name, place, any(place is settings for settings in calls))


def without_training(config: Any) -> Any:
    """Return a description without how the network was trained, which is not needed."""
    return {key: value for key, value in config.items() if key != "compile_config"}


def layers(config: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield class and settings of every layer in a description, also of those in others."""
    for place in _objects(config, "", 0):
        kind, settings = place.get("class_name"), place.get("config")
        if isinstance(kind, str) and isinstance(settings, dict):
            yield kind, settings


def _objects(value: Any, name: str, depth: int) -> Iterator[dict[str, Any]]:
    if depth > _DEEPEST:
        raise ModelError(f"{name} describes a network nested more than {_DEEPEST} deep", _HINT)
    if isinstance(value, dict):
        yield value
        value = list(value.values())
    for inner in value if isinstance(value, list) else ():
        yield from _objects(inner, name, depth + 1)


def _check_class(name: str, kind: Any, place: Mapping[str, Any]) -> None:
    if kind in ("Lambda", "__lambda__"):
        raise ModelError(f"{name} has a Lambda layer, which is code that would run as yours", _HINT)
    if kind in ("function", "__function__", "builtin_function_or_method"):
        raise ModelError(f"{name} names a function {_short(place.get('config'))}", _HINT)
    known = isinstance(kind, str) and (kind in _CLASSES or kind in _FUNCTION_LAYERS)
    registered = place.get("registered_name")
    if not known or registered not in (None, kind):
        shown = kind if registered in (None, kind) else registered
        raise ModelError(
            f"{name} has layers that are code of your own, or not known here: {_short(shown)}",
            _HINT,
        )
    module = place.get("module")
    if module is not None and not (isinstance(module, str) and _MODULE.fullmatch(module)):
        raise ModelError(f"{name} takes {kind} from the module {_short(module)}", _HINT)


def _check_values(name: str, settings: Mapping[str, Any], calls: bool) -> None:
    for key, value in settings.items():
        if key == "function" and calls:
            if not isinstance(value, str) or value not in _FUNCTIONS:
                raise ModelError(f"{name} calls the function {_short(value)}", _HINT)
        elif key in _CODE and value not in (None, "", {}, []):
            raise ModelError(f"{name} has code or a file in a layer's `{key}`", _HINT)
        elif key.endswith("activation") and isinstance(value, str):
            if value not in _ACTIVATIONS:
                raise ModelError(f"{name} has the activation {_short(value)}", _HINT)
        elif key.endswith(_NAMED) and isinstance(value, str) and not _NAME.fullmatch(value):
            raise ModelError(f"{name} has a `{key}` {_short(value)}", _HINT)


def _short(value: Any) -> str:
    return repr(value)[:80]
