"""Model files of strangers: what they say is read, and nothing in them is ever run."""

from __future__ import annotations

import contextlib
import copy
import io
import json
import marshal
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tinyml.errors import ModelError
from tinyml.training import conversion, importers
from tinyml.training.importers import NetworkInput, _saved_model_pb, keras, saved_model

h5py = pytest.importorskip("h5py")
DENSE = {
    "class_name": "Dense",
    "config": {
        "name": "dense",
        "units": 2,
        "activation": "softmax",
        "kernel_initializer": {"class_name": "GlorotUniform", "config": {"seed": None}},
    },
}
LSTM = {"class_name": "LSTM", "config": {"name": "lstm", "units": 4, "activation": "tanh"}}
NETWORK: dict[str, Any] = {
    "class_name": "Sequential",
    "config": {
        "name": "sequential",
        "layers": [
            {"class_name": "InputLayer", "config": {"batch_shape": [None, 8, 4], "name": "in"}},
            LSTM,
            DENSE,
        ],
    },
}
BYTECODE = marshal.dumps(compile("__import__('os').environ.update(RAN='yes')", "x", "eval")).hex()


def _with(layer: dict[str, Any]) -> dict[str, Any]:
    """The network with another layer in the middle."""
    config = copy.deepcopy(NETWORK)
    config["config"]["layers"].insert(1, layer)
    return config


def _h5(path: Path, config: Any, fill: Callable[[Any], None] | None = None) -> Path:
    with h5py.File(path, "w") as file:
        file.attrs["keras_version"] = "2.15.0"
        file.attrs["model_config"] = json.dumps(config)
        group = file.create_group("model_weights")
        group.create_dataset("dense/kernel", data=np.zeros((4, 2), np.float32))
        if fill is not None:
            fill(group)
    return path


def _keras(path: Path, config: Any, version: str = "3.0.0", **members: bytes) -> Path:
    weights = io.BytesIO()
    with h5py.File(weights, "w") as file:
        file.create_dataset("vars/0", data=np.zeros(3, np.float32))
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("metadata.json", json.dumps({"keras_version": version}))
        archive.writestr("config.json", json.dumps(config))
        archive.writestr("model.weights.h5", weights.getvalue())
        for name, contents in members.items():
            archive.writestr(name, contents)
    return path


def test_what_a_network_says_of_itself_is_read_without_tensorflow(tmp_path: Path) -> None:
    for path in (_h5(tmp_path / "a.h5", NETWORK), _keras(tmp_path / "a.keras", NETWORK, "2.15.0")):
        found = conversion.describe(path)
        assert found.kind == "Keras 2"
        assert found.inputs == (NetworkInput("in", (8, 4)),)
        assert (found.outputs, found.recurrent, found.classifies) == (1, True, True)


def test_inputs_of_a_functional_network_are_in_its_order(tmp_path: Path) -> None:
    layers = [
        {"class_name": "InputLayer", "name": name, "config": {"batch_input_shape": [None, size]}}
        for name, size in (("b", 3), ("a", 5))
    ]
    config = {
        "class_name": "Functional",
        "config": {
            "layers": [*layers, DENSE],
            "input_layers": [["a", 0, 0], ["b", 0, 0]],
            "output_layers": [["dense", 0, 0]],
        },
    }
    found = keras.describe(_keras(tmp_path / "two.keras", config))
    assert found.inputs == (NetworkInput("a", (5,)), NetworkInput("b", (3,)))


def _wrapper(kind: str) -> dict[str, Any]:
    """A Keras 2 wrapper around a cell, with marshalled bytecode, as its get_config writes it."""
    return {
        "class_name": "RNN",
        "config": {
            "cell": {
                "class_name": kind,
                "config": {
                    "cell": {"class_name": "LSTMCell", "config": {"units": 4}},
                    "function": [BYTECODE, None, None],
                    "function_type": "lambda",
                    "module": "builtins",
                },
            }
        },
    }


HOSTILE = {
    "a lambda": {"class_name": "Lambda", "config": {"function": [BYTECODE, None, None]}},
    "a residual wrapper": _wrapper("ResidualWrapper"),
    "a dropout wrapper": _wrapper("DropoutWrapper"),
    "bytecode in a known layer": {
        "class_name": "LSTM",
        "config": {"units": 4, "residual_fn": BYTECODE},
    },
    "a function of a library": {
        "class_name": "Lambda",
        "config": {
            "function": {"class_name": "function", "module": "pydoc", "config": "pipepager"},
            "arguments": {"cmd": "id"},
        },
    },
    "a function as activation": {
        "class_name": "Dense",
        "config": {
            "activation": {"class_name": "function", "module": "os", "config": "system"},
        },
    },
    "an activation by name": {"class_name": "Dense", "config": {"activation": "system"}},
    "a serialized lambda": {
        "class_name": "Dense",
        "config": {"activation": {"class_name": "__lambda__", "config": {"value": BYTECODE}}},
    },
    "a module that is none of Keras": {
        "class_name": "Dense", "module": "subprocess", "config": {},
    },
    "a registered name": {
        "class_name": "Dense", "registered_name": "mine>Dense", "config": {},
    },
    "a layer that reads files": {
        "class_name": "TFSMLayer", "config": {"filepath": "/etc"},
    },
    "a vocabulary": {"class_name": "StringLookup", "config": {"vocabulary": "/etc/passwd"}},
    "a call of TensorFlow": {
        "class_name": "TFOpLambda", "config": {"function": "io.write_file"},
    },
    "a class that is no text": {"class_name": ["Dense"], "config": {}},
    "an initializer by path": {
        "class_name": "Dense", "config": {"kernel_initializer": "os.system"},
    },
    "a compiled part": {
        **DENSE, "compile_config": {"loss": {"class_name": "function", "config": "os.system"}},
    },
}  # fmt: skip


@pytest.mark.parametrize("layer", HOSTILE.values(), ids=HOSTILE)
def test_code_is_refused_in_every_form_and_format(layer: dict[str, Any], tmp_path: Path) -> None:
    for path in (
        _h5(tmp_path / "code.h5", _with(layer)),
        _keras(tmp_path / "claims_2.keras", _with(layer), "2.15.0"),
        _keras(tmp_path / "claims_3.keras", _with(layer)),
        _keras(tmp_path / "inside.keras", _with({**NETWORK, "config": _with(layer)["config"]})),
    ):
        with pytest.raises(ModelError) as caught:
            keras.describe(path)
        assert "SavedModel" in caught.value.hint
        with pytest.raises(ModelError):  # loading checks again, whoever calls it
            keras.load(path, False)


def test_known_functions_and_random_layers_are_let_through(tmp_path: Path) -> None:
    for layer in (
        {"class_name": "TFOpLambda", "config": {"name": "add", "function": "math.add"}},
        {"class_name": "SlicingOpLambda", "config": {"function": "__operators__.getitem"}},
        {"class_name": "RandomFlip", "config": {"mode": "horizontal"}},
    ):
        assert keras.describe(_h5(tmp_path / "known.h5", _with(layer))).outputs == 1
        assert keras.describe(_keras(tmp_path / "known.keras", _with(layer))).outputs == 1


def test_gradients_and_dropout_beside_a_graph_are_let_through(tmp_path: Path) -> None:
    names = ("ReluGrad", "FusedBatchNormGradV3", "CudnnRNNV3", "CudnnRNNBackpropV3")
    folder = _saved(tmp_path / "saved", "Placeholder", *names, "StatelessRandomUniformV2")
    assert saved_model.describe(folder).outputs == 1


def test_how_a_network_was_trained_is_never_read(tmp_path: Path) -> None:
    config = {**NETWORK, "compile_config": {"loss": {"class_name": "Lambda", "config": {}}}}
    path = _keras(tmp_path / "trained.keras", config)
    assert keras.describe(path).outputs == 1
    _, checked = keras._checked(path)
    copied = keras._rewritten(path, tmp_path, checked)
    with zipfile.ZipFile(copied) as archive:
        assert b"Lambda" not in archive.read("config.json")


def _external_link(group: Any) -> None:
    group["elsewhere"] = h5py.ExternalLink("/etc/passwd", "/")


def _soft_link(group: Any) -> None:
    group["elsewhere"] = h5py.SoftLink("/model_weights")


def _external_bytes(group: Any) -> None:
    group.create_dataset("raw", (4,), "u1", external=[("/etc/passwd", 0, 4)])


def _virtual(group: Any) -> None:
    layout = h5py.VirtualLayout((4,), "f4")
    layout[:] = h5py.VirtualSource("/tmp/other.h5", "x", (4,))
    group.create_virtual_dataset("virtual", layout)


def _text(group: Any) -> None:
    group.create_dataset("text", data=["os.system"], dtype=h5py.string_dtype())


def _huge(group: Any) -> None:
    group.create_dataset("huge", (1 << 40,), "f4", chunks=(1 << 20,), compression="gzip")


@pytest.mark.parametrize(
    "fill", [_external_link, _soft_link, _external_bytes, _virtual, _text, _huge]
)
def test_weights_that_lie_elsewhere_are_refused(
    fill: Callable[[Any], None], tmp_path: Path
) -> None:
    with pytest.raises(ModelError, match=r"tricky\.h5"):
        conversion.describe(_h5(tmp_path / "tricky.h5", NETWORK, fill))


def test_a_group_within_itself_is_no_endless_loop(tmp_path: Path) -> None:
    path = _h5(tmp_path / "ring.h5", NETWORK, lambda group: group.__setitem__("self", group))
    assert keras.describe(path).outputs == 1


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_zip_tricks_are_refused(tmp_path: Path) -> None:
    twice = _keras(tmp_path / "twice.keras", NETWORK)
    with zipfile.ZipFile(twice, "a") as archive:
        archive.writestr("config.json", json.dumps(_with(HOSTILE["a lambda"])))
    lacking = tmp_path / "lacking.keras"
    with zipfile.ZipFile(lacking, "w") as archive:
        archive.writestr("config.json", "{}")
    deep = tmp_path / "deep.keras"
    _keras(deep, json.loads("[" * 500 + "]" * 500))
    for path in (twice, lacking, deep):
        with pytest.raises(ModelError, match=path.name):
            keras.describe(path)


@pytest.mark.parametrize("name", ["a.keras", "a.h5"])
def test_damage_anywhere_is_a_message(name: str, tmp_path: Path) -> None:
    make = _keras if name.endswith("keras") else _h5
    whole = make(tmp_path / name, NETWORK).read_bytes()  # type: ignore[operator]
    draw = np.random.default_rng(3)
    for _ in range(150):
        damaged = bytearray(whole[: draw.integers(1, len(whole) + 1)])
        for at in draw.integers(0, len(damaged), 4):
            damaged[at] = draw.integers(256)
        (tmp_path / name).write_bytes(damaged)
        with contextlib.suppress(ModelError):
            keras.describe(tmp_path / name)


def _message(*fields: tuple[int, bytes | int]) -> bytes:
    """A message of protocol buffers."""
    parts = []
    for number, value in fields:
        if isinstance(value, int):
            parts.append(_varint(number << 3) + _varint(value & (1 << 64) - 1))
        else:
            parts.append(_varint(number << 3 | 2) + _varint(len(value)) + value)
    return b"".join(parts)


def _varint(value: int) -> bytes:
    low = bytearray()
    while value > 127:
        low.append(value & 127 | 128)
        value >>= 7
    return bytes((*low, value))


def _saved(folder: Path, *operators: str, in_function: bool = False) -> Path:
    nodes = [(1, _message((1, b"n"), (2, name.encode()))) for name in operators]
    graph = _message(*nodes)
    if in_function:
        function = _message(*((3, node) for _, node in nodes))
        graph = _message((2, _message((1, function))))
    shape = _message(*((2, _message((1, size))) for size in (-1, 8, 4)))
    tensor = _message((1, b"x:0"), (2, 1), (3, shape))
    signature = _message((1, _message((1, b"x"), (2, tensor))), (2, _message((1, b"y"))))
    entry = _message((1, b"serving_default"), (2, signature))
    folder.mkdir(exist_ok=True)
    contents = _message((1, 1), (2, _message((2, graph), (5, entry))))
    (folder / "saved_model.pb").write_bytes(contents)
    return folder


def test_a_saved_model_is_read_without_tensorflow(tmp_path: Path) -> None:
    found = conversion.describe(_saved(tmp_path / "saved", "Placeholder", "MatMul"))
    assert found.kind == "SavedModel"
    assert found.inputs == (NetworkInput("x", (8, 4)),)


@pytest.mark.parametrize("in_function", [False, True])
@pytest.mark.parametrize("name", ["EagerPyFunc", "WriteFile", "ReadFile", "PrintV2", "MyCustomOp"])
def test_operators_that_no_network_needs_are_refused(
    name: str, in_function: bool, tmp_path: Path
) -> None:
    folder = _saved(tmp_path / "saved", "Placeholder", name, in_function=in_function)
    with pytest.raises(ModelError, match=name):
        saved_model.describe(folder)


def test_another_form_of_the_graph_is_refused(tmp_path: Path) -> None:
    folder = _saved(tmp_path / "saved", "Placeholder")
    (folder / "saved_model.pbtxt").write_text("meta_graphs {}")
    with pytest.raises(ModelError, match="another form"):
        saved_model.describe(folder)


def test_damaged_graphs_are_value_errors(tmp_path: Path) -> None:
    whole = (_saved(tmp_path / "saved", "Placeholder", "MatMul") / "saved_model.pb").read_bytes()
    draw = np.random.default_rng(4)
    for _ in range(500):
        damaged = bytearray(whole[: draw.integers(1, len(whole) + 1)])
        damaged[draw.integers(len(damaged))] = draw.integers(256)
        with contextlib.suppress(ValueError):  # UnicodeDecodeError is one
            _saved_model_pb.read(bytes(damaged))


def test_what_no_importer_takes_is_told_what_is(tmp_path: Path) -> None:
    (tmp_path / "net.onnx").write_bytes(b"")
    with pytest.raises(ModelError, match="no model file that is known here") as caught:
        importers.find(tmp_path / "net.onnx")
    assert ".keras" in caught.value.hint
    assert "SavedModel" in caught.value.hint


def _failing(monkeypatch: pytest.MonkeyPatch, good: int) -> list[bool]:
    """Let conversion succeed at attempt number `good`, counted from 0; returns what was tried."""
    tried: list[bool] = []

    def converted(path: Path, examples: Any, unroll: bool) -> conversion.Converted:
        tried.append(unroll)
        if len(tried) <= good:
            raise ModelError(f"{path.name} keeps floats, {len(tried)}")
        return conversion.Converted(b"int8", b"float", unroll)

    monkeypatch.setattr(conversion, "_converted", converted)
    return tried


def test_recurrent_layers_are_unrolled_where_they_must(monkeypatch: pytest.MonkeyPatch) -> None:
    recurrent = importers.Description("Keras 3", (NetworkInput("in", (8, 4)),), 1, recurrent=True)
    tried = _failing(monkeypatch, 2)
    assert conversion.convert(Path("net.keras"), recurrent, []).unrolled
    assert tried == [False, True, True]
    _failing(monkeypatch, 99)
    with pytest.raises(ModelError, match=r"keeps floats, 1; unrolled: net\.keras keeps floats, 11"):
        conversion.convert(Path("net.keras"), recurrent, [])
    tried = _failing(monkeypatch, 9)
    with pytest.raises(ModelError, match=r"keeps floats, 1$"):
        conversion.convert(
            Path("net.h5"), importers.Description("Keras 2", recurrent.inputs, 1), []
        )
    assert tried == [False]
