"""The search for the smallest arena, and the figures it leaves behind."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinyml import runtimes
from tinyml.errors import ConfigError, DeviceError, ToolError
from tinyml.firmware import boards
from tinyml.measure import arena_fit
from tinyml.measure.arena_fit import smallest
from tinyml.model import arena_cache, bundle
from tinyml.records import RuntimeOptions
from tinyml.runtimes import _tflm_library

MODEL = next(iter(sorted((Path(__file__).parents[1] / "golden" / "add").glob("*.tflite"))))
SUBJECT = arena_cache.Subject("ab" * 32, "tflm", "nano33ble", "https://example.org/tflm#1")
MEASURED = arena_cache.Measured(22_832, "qemu-m4")


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TINYML_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv(_tflm_library.LIBRARY_VARIABLE, raising=False)
    return tmp_path / "cache"


@given(st.data())
def test_the_smallest_arena_is_found_whatever_was_left_untouched(data: st.DataObject) -> None:
    need = data.draw(st.integers(1, 20_000))
    untouched = data.draw(st.integers(0, need - 1))
    bound = (need + data.draw(st.integers(0, 5_000)) + 15) // 16 * 16
    tried: list[int] = []

    def run(arena: int) -> int | None:
        tried.append(arena)
        return need - untouched if arena >= need else None

    assert smallest(bound, run) == (need + 15) // 16 * 16
    assert len(tried) <= 2 + 12
    if untouched < 16 and need % 16 > untouched:
        assert len(tried) <= 3  # what was touched is what is needed: no search


@given(st.integers(1, 20_000), st.integers(0, 5_000), st.integers(1, 100))
def test_what_is_touched_of_a_larger_arena_is_not_taken_to_be_needed(
    need: int, more: int, percent: int
) -> None:
    """As the memory planner does: it takes a part of what is left for itself."""
    failed: list[int] = []
    tried: list[int] = []

    def run(arena: int) -> int | None:
        tried.append(arena)
        if arena < need:
            failed.append(arena)
            return None
        return need + (arena - need) * percent // 100

    bound = (need + more + 15) // 16 * 16
    found = smallest(bound, run)
    assert found == (need + 15) // 16 * 16
    assert found == 16 or found - 16 in failed
    assert len(tried) <= 2 * 11


def test_a_bound_that_does_not_do_is_no_bound() -> None:
    with pytest.raises(ConfigError, match="4,096 bytes") as caught:
        smallest(4096, lambda arena: None)
    assert "--arena" in caught.value.hint


def test_a_crash_means_too_small_an_arena_only_below_one_that_suffices(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*_: object) -> None:
        raise DeviceError("qemu-m4 stopped: MemManage fault")

    monkeypatch.setattr(arena_fit.render, "generate", lambda *_: None)
    monkeypatch.setattr(arena_fit.pio, "build", lambda *_: None)
    monkeypatch.setattr(arena_fit.device, "flash", crash)
    place = arena_fit.Target(boards.load("qemu-m4"), "tflm", None, tmp_path, RuntimeOptions())
    model = bundle.load(str(MODEL))
    assert arena_fit._touched(model, place, 64, lambda text: None, may_crash=True) is None
    with pytest.raises(DeviceError, match="MemManage"):
        arena_fit._touched(model, place, 64, lambda text: None, may_crash=False)


def test_a_figure_is_remembered_for_just_what_it_was_measured_with() -> None:
    assert arena_cache.recall(SUBJECT) is None
    arena_cache.remember(SUBJECT, MEASURED)
    assert arena_cache.recall(SUBJECT) == MEASURED
    for field, value in {"sha256": "cd" * 32, "board": "spresense", "library": "2"}.items():
        assert arena_cache.recall(arena_cache.Subject(**{**vars(SUBJECT), field: value})) is None


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"subject": 1, "bytes": 2, "on": "x"}'])
def test_a_damaged_figure_is_none(cache: Path, damage: str) -> None:
    arena_cache.remember(SUBJECT, MEASURED)
    (file,) = (cache / "arenas").iterdir()
    file.write_text(damage)
    assert arena_cache.recall(SUBJECT) is None


def test_a_cache_that_cannot_be_written_is_named(cache: Path) -> None:
    cache.write_text("a file where the folder should be")
    with pytest.raises(ToolError, match="cannot be kept") as caught:
        arena_cache.remember(SUBJECT, MEASURED)
    assert "TINYML_CACHE" in caught.value.hint


def test_builds_use_what_was_measured() -> None:
    model, board = bundle.load(str(MODEL)), boards.load("nano33ble")
    tflm_runtime = runtimes.load("tflm")
    bound = tflm_runtime.generate(model, board)
    assert (bound.arena_origin, bound.arena_exact) == ("bound", False)
    arena_cache.remember(
        _tflm_library.arena_subject(model, board, None), arena_cache.Measured(1_040, "qemu-m4")
    )
    fitted = tflm_runtime.generate(model, board)
    assert (fitted.arena_bytes, fitted.arena_origin) == (1_040, "measured")
    assert tflm_runtime.generate(model, boards.load("spresense")).arena_origin == "bound"
    elsewhere = tflm_runtime.generate(model, board, RuntimeOptions(measured=False))
    assert elsewhere.arena_origin == "bound"
    given_ = tflm_runtime.generate(model, board, RuntimeOptions(arena_bytes=2_000))
    assert (given_.arena_bytes, given_.arena_origin) == (2_000, "given")


def test_the_edition_of_a_folder_is_what_is_in_it(tmp_path: Path) -> None:
    model, board = bundle.load(str(MODEL)), boards.load("qemu-m4")
    folders = []
    for name in ("a", "b"):
        header = tmp_path / name / "src" / "tensorflow" / "lite" / "micro" / "micro_interpreter.h"
        header.parent.mkdir(parents=True)
        header.write_text("int x;")
        (tmp_path / name / "README.md").write_text(name)
        folders.append(header)
    a, b = (_tflm_library.arena_subject(model, board, tmp_path / name) for name in ("a", "b"))
    assert a == b
    folders[1].write_text("int y;")
    assert _tflm_library.arena_subject(model, board, tmp_path / "b") != a


def test_a_library_in_platformio_s_own_extra_folders_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    header = Path("src/tensorflow/lite/micro/micro_interpreter.h")
    library = tmp_path / "libraries" / "tflm"
    (library / header).parent.mkdir(parents=True)
    (library / header).touch()
    (tmp_path / "libraries" / "another").mkdir()
    monkeypatch.setenv(
        "PLATFORMIO_LIB_EXTRA_DIRS", f"{tmp_path / 'none'}, {tmp_path / 'libraries'}"
    )
    assert _tflm_library.folder(RuntimeOptions()) == library
    source = runtimes.load("tflm").generate(bundle.load(str(MODEL)), boards.load("nano33ble"))
    assert source.library == library
    assert "lib_deps" not in source.options


def test_a_tree_without_fast_kernels_is_recognised_before_anything_is_built(
    tmp_path: Path,
) -> None:
    header = tmp_path / "tensorflow" / "lite" / "micro" / "micro_interpreter.h"
    header.parent.mkdir(parents=True)
    header.touch()
    options = RuntimeOptions(library=tmp_path)
    with pytest.raises(ConfigError, match="without the kernels of CMSIS-NN") as caught:
        _tflm_library.folder(options)
    assert "OPTIMIZED_KERNEL_DIR=cmsis_nn TARGET_ARCH=cortex-m4+fp" in caught.value.hint
    glue = tmp_path / "third_party" / "cmsis_nn" / "Include" / "arm_nnfunctions.h"
    glue.parent.mkdir(parents=True)
    glue.touch()
    assert _tflm_library.folder(options) == tmp_path
