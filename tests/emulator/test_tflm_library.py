"""TensorFlow Lite Micro itself on the emulated board, with the library that the boards use.

$TINYML_TFLM_DIR names a checkout of tflite-micro-arduino-examples at the commit that board files
pin, or a tree that tflite-micro's create_tflm_tree.py wrote. It can be neither downloaded here nor
committed, so these tests are skipped without it.
"""

from __future__ import annotations

import struct
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest
from fine_tuned import fine_tuned

from tinyml import device
from tinyml.build import elf, pio
from tinyml.device import Device, model_slot
from tinyml.device.refusal import ModelRefusal
from tinyml.errors import ModelError
from tinyml.firmware import boards, plan, render
from tinyml.measure import arena_fit, validate
from tinyml.model import arena_cache, bundle, vectors
from tinyml.model.oracle import Oracle
from tinyml.protocol.messages import ModelReason
from tinyml.records import Board, Bundle, Firmware, RuntimeOptions
from tinyml.runtimes import _tflm_library, tflm

pytestmark = [
    pytest.mark.needs_tflm,
    pytest.mark.needs_arm_gcc,
    pytest.mark.needs_pio,
    pytest.mark.needs_qemu,
    pytest.mark.needs_data,
]

MODELS = {
    "kws": "mlperf_tiny/kws_ref_model",
    "vww": "mlperf_tiny/vww_96_int8",
    "ic": "mlperf_tiny/pretrainedResnet_quant",
    "ad": "mlperf_tiny/ad01_int8",
    "sww": "mlperf_tiny/str_ww_ref_model",
    "person_detect": "tflm/person_detect",
    "micro_speech": "tflm/micro_speech_quantized",
    "hello_world": "tflm/hello_world_int8",
    "scrambled": "tflm/keyword_scrambled_8bit",  # keeps state in SVDF
    "okay_nabu": "extra/esphome_okay_nabu_v2",  # keeps state in resource variables
}
BUNDLES = bundle.shipped()
_VECTORS = 3


def load(name: str, data: Path) -> Bundle:
    file = MODELS.get(name)
    return bundle.load(name if file is None else str(data / "models" / f"{file}.tflite"))


def built(
    model: Bundle, board: Board, out: Path, options: RuntimeOptions | None = None
) -> Firmware:
    return pio.build(
        render.generate(plan.resolve(model, board, "tflm", options or RuntimeOptions()), out)
    )


@pytest.mark.parametrize("name", [*MODELS, *BUNDLES])
def test_every_layer_is_the_reference_s(
    name: str, data: Path, board: Board, runtime: Path, tmp_path: Path
) -> None:
    model = load(name, data)
    made = built(model, board, tmp_path / "project")
    device.flash(made)
    with device.connect(board) as connected:
        chosen = vectors.default(model, connected.info.inputs, _VECTORS, seed=1)[:_VECTORS]
        report = validate.validate(connected, model, chosen, layers=True, firmware=made)
    assert report.passed, report.first_diverging_layer
    assert report.layers
    print(f"\n{name}: {report.counter_median:,} {report.counter_unit}, "
          f"arena {report.arena_bytes:,} of {made.project.source.arena_bytes:,}")  # fmt: skip


def test_cmsis_nn_is_linked_and_floats_are_in_hardware(
    data: Path, board: Board, tmp_path: Path
) -> None:
    made = built(load("kws", data), board, tmp_path / "project")
    text = made.elf.with_suffix(".map").read_text(encoding="utf-8")
    for function in ("arm_convolve", "arm_depthwise_conv", "arm_fully_connected", "arm_softmax"):
        assert f" .text.{function}" in text, function
    assert elf.floats_in_hardware(made.elf)


def test_the_arena_is_fitted_and_a_smaller_one_is_refused_as_such(
    data: Path, board: Board, runtime: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Objects stay where they are: only figures are kept elsewhere.
    from tinyml.build import object_cache

    monkeypatch.setenv(object_cache.VARIABLE, str(object_cache.folder()))
    monkeypatch.setenv("TINYML_CACHE", str(tmp_path / "cache"))
    model = load("hello_world", data)
    found = arena_fit.measure(model, board, "tflm", tmp_path / "project", RuntimeOptions())
    assert found.on == board.id
    assert 0 < found.bytes <= tflm.arena_bound(Oracle(model.model))
    assert found.bytes % 16 == 0
    library = _tflm_library.folder(RuntimeOptions())
    assert arena_cache.recall(_tflm_library.arena_subject(model, board, library)) == found

    made = built(model, board, tmp_path / "project")
    assert (made.project.source.arena_bytes, made.project.source.arena_origin) == (
        found.bytes, "measured",
    )  # fmt: skip
    device.flash(made)  # answers, and its model has started

    small = built(model, board, tmp_path / "small", RuntimeOptions(arena_bytes=found.bytes - 16))
    with pytest.raises(ModelRefusal, match="its arena is too small") as caught:
        device.flash(small)
    assert caught.value.reason == ModelReason.ARENA
    assert "tinyml build --fit" in caught.value.hint


def test_a_board_that_is_not_attached_is_measured_on_the_emulated_one(
    data: Path, runtime: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tinyml.build import object_cache

    monkeypatch.setenv(object_cache.VARIABLE, str(object_cache.folder()))
    monkeypatch.setenv("TINYML_CACHE", str(tmp_path / "cache"))
    nano = boards.load("nano33ble")
    found = arena_fit.measure(
        load("hello_world", data), nano, "tflm", tmp_path / "project", RuntimeOptions()
    )
    assert found.on == "qemu-m4"
    assert not device.devices()


def passes(connection: Device, model: Bundle) -> bool:
    chosen = vectors.default(model, connection.info.inputs, 2, seed=1)[:2]
    return validate.validate(connection, model, chosen, layers=True).passed


def of_a_later_schema(model: bytes) -> bytes:
    """Return `model` with a schema version that no library knows: the root table's first field."""
    (root,) = struct.unpack_from("<I", model)
    (back,) = struct.unpack_from("<i", model, root)
    (offset,) = struct.unpack_from("<H", model, root - back + 4)
    changed = bytearray(model)
    assert struct.unpack_from("<I", changed, root + offset) == (3,)
    struct.pack_into("<I", changed, root + offset, 99)
    return bytes(changed)


def test_the_slot_takes_a_fine_tuned_model_and_refuses_a_wrong_one(
    board: Board, runtime: Path, tmp_path: Path
) -> None:
    plain = replace(bundle.load("gesture"), features=None, stream=None)
    content = fine_tuned(plain.model, 1)
    tuned = replace(
        plain, name="tuned", model=content, sha256=sha256(content).hexdigest(), path=tmp_path
    )
    made = built(plain, board, tmp_path / "project", RuntimeOptions(slot=True))
    device.flash(made)
    with device.connect(board) as connection:
        assert passes(connection, plain)
        slot = model_slot.prepare(connection, board, tuned)
        connection.load(slot, tuned.name, tuned.sha256)
        assert (connection.info.model, connection.info.sha256) == ("tuned", tuned.sha256)
        assert passes(connection, tuned)

        with pytest.raises(ModelError, match="does not fit the firmware"):
            model_slot.prepare(connection, board, bundle.load("keyword_spotting"))
        head = slot.block.removesuffix(content)
        later = replace(slot, block=head + of_a_later_schema(content))
        with pytest.raises(ModelRefusal) as caught:
            connection.load(later, "later", "ab" * 32)
        assert caught.value.reason == ModelReason.SCHEMA
        assert connection.info.model == "tuned"
        assert passes(connection, tuned)  # runs on

        connection.unload()
        assert connection.info.sha256 == plain.sha256
        assert passes(connection, plain)
