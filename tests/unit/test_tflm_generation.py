"""Which generation of TFLM a library is."""

from __future__ import annotations

from pathlib import Path

import pytest

from tinyml.runtimes import _tflm_library

KERNEL = "tensorflow/lite/micro/kernels/sub_common.cpp"


def write(path: Path, text: str = "") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_the_boards_library_and_the_arduino_layout_are_of_2023(tmp_path: Path) -> None:
    write(tmp_path / "src/tensorflow/lite/micro/micro_interpreter.h")
    assert _tflm_library.generation(None) == "2023"
    assert _tflm_library.generation(tmp_path) == "2023"


@pytest.mark.parametrize(
    ("expression", "generation"),
    [
        ("static_cast<double>(input1->params.scale /\n      twice)", "2026-08"),
        ("static_cast<double>(input1->params.scale) / twice", "2026-10"),
    ],
)
def test_a_tree_is_told_by_how_it_divides_scales(
    expression: str, generation: str, tmp_path: Path
) -> None:
    write(tmp_path / "tensorflow/lite/micro/micro_interpreter.h")
    write(tmp_path / KERNEL, f"const double real = {expression};\n")
    assert _tflm_library.generation(tmp_path) == generation
