"""The compiled runtime against the reference: whole models, step by step, under the sanitizers."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

from tinyml import tflite
from tinyml.errors import DataError, ModelError, UnsupportedOpError
from tinyml.model.host_library import HostModel
from tinyml.model.oracle import Oracle
from tinyml.model.tensor_diff import computed
from tinyml.records import Board, Bundle, CSource
from tinyml.runtimes import load

MODELS = (
    "mlperf_tiny/ad01_int8",
    "mlperf_tiny/kws_ref_model",
    "mlperf_tiny/pretrainedResnet_quant",
    "mlperf_tiny/str_ww_ref_model",
    "mlperf_tiny/vww_96_int8",
    "tflm/hello_world_int8",
    "tflm/micro_speech_quantized",
    "tflm/person_detect",
    "tflm/simple_add_model",
    "extra/cfu_magic_wand_int8",
    "extra/cfu_mobilenetv2_160_035",
    "extra/nanguoyu_spells_int8",
    "extra/silabs_audio_example1",
    "extra/silabs_fingerprint_signature",
    "extra/silabs_keyword_spotting_alexa",
    "extra/silabs_rock_paper_scissors",
)
# Activations and scratch: what plans reach today. No change may need more.
ARENA_BYTES = {
    "mlperf_tiny/ad01_int8": 768,
    "mlperf_tiny/kws_ref_model": 8_432,
    "mlperf_tiny/pretrainedResnet_quant": 33_888,
    "mlperf_tiny/str_ww_ref_model": 3_840,
    "mlperf_tiny/vww_96_int8": 41_864,
    "tflm/hello_world_int8": 32,
    "tflm/micro_speech_quantized": 4_568,
    "tflm/person_detect": 41_768,
}
BOARD = Board("some-board", "", "", "", 0, 0, "qemu", "", "compiled", {}, Path())


def bundle(path: Path) -> Bundle:
    model = path.read_bytes()
    return Bundle(path.stem, model, hashlib.sha256(model).hexdigest(), path)


def compiled(path: Path) -> CSource:
    return load("compiled").generate(bundle(path), BOARD)


@pytest.mark.needs_cc
@pytest.mark.needs_data
@pytest.mark.parametrize("name", MODELS)
def test_every_step_and_output_equals_the_reference(name: str, data: Path) -> None:
    path = data / "models" / f"{name}.tflite"
    vectors = np.load(path.with_suffix(".golden.npz"))
    source = compiled(path)
    host = HostModel(source, sanitize=True)
    oracle = Oracle(path.read_bytes())
    for number in range(4):
        inputs = [vectors[f"in{i}_{number}"] for i in range(len(source.inputs))]
        outputs, steps = host.run_all(inputs)
        expected, tensors = oracle.run_all(inputs)
        for i, output in enumerate(outputs):
            np.testing.assert_array_equal(output, vectors[f"out{i}_{number}"])
            np.testing.assert_array_equal(output, expected[i])
        assert len(steps) == len(source.steps)
        for step, result in zip(source.steps, steps, strict=True):
            expected_bytes = computed(tensors[step.tensor_index], step.channels).tobytes()
            assert result == expected_bytes, step


@pytest.mark.needs_data
@pytest.mark.parametrize("name", MODELS)
def test_steps_and_folded_account_for_every_operator(name: str, data: Path) -> None:
    path = data / "models" / f"{name}.tflite"
    source = compiled(path)
    ops = tflite.read(path.read_bytes()).ops
    listed = [(s.op_index, s.op_name) for s in source.steps]
    listed += [(f.op_index, f.op_name) for f in source.folded]
    assert sorted(listed) == [(op.index, op.name) for op in ops]
    assert all(folded.reason for folded in source.folded)


@pytest.mark.needs_data
@pytest.mark.parametrize("name", sorted(ARENA_BYTES))
def test_the_arena_does_not_grow(name: str, data: Path) -> None:
    source = compiled(data / "models" / f"{name}.tflite")
    assert source.arena_bytes <= ARENA_BYTES[name]


@pytest.mark.needs_cc
@pytest.mark.needs_data
def test_the_library_and_the_sanitized_program_agree(data: Path) -> None:
    source = compiled(data / "models/tflm/hello_world_int8.tflite")
    inputs = [np.full((1, 1), 77, np.int8)]
    assert HostModel(source).steps(inputs) == HostModel(source, sanitize=True).steps(inputs)


@pytest.mark.needs_cc
@pytest.mark.needs_data
def test_an_inference_leaves_nothing_behind(data: Path) -> None:
    host = HostModel(compiled(data / "models/tflm/micro_speech_quantized.tflite"))
    shape = (1, 1960)
    one = [np.full(shape, 5, np.int8)]
    first = host.steps(one)
    host.run([np.full(shape, -100, np.int8)])
    assert host.steps(one) == first


@pytest.mark.needs_cc
@pytest.mark.needs_data
def test_wrong_inputs_are_refused(data: Path) -> None:
    host = HostModel(compiled(data / "models/tflm/hello_world_int8.tflite"))
    for inputs in ([], [np.zeros((1, 1), np.float32)], [np.zeros((1, 2), np.int8)]):
        with pytest.raises(DataError, match="input"):
            host.run(inputs)


@pytest.mark.needs_data
def test_equal_input_gives_equal_bytes(data: Path) -> None:
    path = data / "models/mlperf_tiny/kws_ref_model.tflite"
    assert compiled(path) == compiled(path)


@pytest.mark.needs_data
def test_the_first_line_names_the_model_and_forbids_editing(data: Path) -> None:
    path = data / "models/mlperf_tiny/kws_ref_model.tflite"
    first = compiled(path).files["model.c"].splitlines()[0]
    for part in ("tinyml", bundle(path).sha256, "compiled", "some-board", "do not edit"):
        assert part in first


@pytest.mark.needs_data
@pytest.mark.parametrize(
    ("name", "operator", "tensor"),
    [
        ("tflm/keyword_scrambled_8bit", "SVDF", "tensor 4 "),
        ("tflm/trained_lstm_int8", "UNIDIRECTIONAL_SEQUENCE_LSTM", "tensor 16 "),
    ],
)
def test_a_missing_operator_is_named_with_its_tensor(
    name: str, operator: str, tensor: str, data: Path
) -> None:
    with pytest.raises(UnsupportedOpError) as caught:
        compiled(data / "models" / f"{name}.tflite")
    assert operator in caught.value.message
    assert tensor in caught.value.message
    assert "--runtime tflm" in caught.value.hint


@pytest.mark.needs_data
@pytest.mark.parametrize("name", ["tflm/hello_world_float", "mlperf_tiny/kws_ref_model_float32"])
def test_a_float_model_is_refused(name: str, data: Path) -> None:
    with pytest.raises(ModelError, match="float32"):
        compiled(data / "models" / f"{name}.tflite")


@pytest.mark.needs_cc
@pytest.mark.needs_data
def test_a_streaming_wake_word_model_is_exact_over_a_long_sequence(data: Path) -> None:
    """A microWakeWord model (CALL_ONCE, VAR_HANDLE, READ_VARIABLE, ASSIGN_VARIABLE), and reset."""
    path = data / "models" / "extra" / "esphome_okay_nabu_v2.tflite"
    oracle, host = Oracle(path.read_bytes()), HostModel(compiled(path))
    draw = np.random.default_rng(1)
    for _ in range(2):  # the second time after a reset
        oracle.restart()
        host.restart()
        seen = set()
        for number in range(300):
            level = int(draw.integers(-128, 100))
            values = draw.integers(level, min(level + 40, 128), (1, 3, 40), np.int8)
            (expected,), (got,) = oracle.step([values]), host.step([values])
            assert np.array_equal(expected, got), number
            seen.add(int(got.reshape(-1)[0]))
        assert len(seen) > 1
