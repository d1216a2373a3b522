"""Values as C text: any name, number or list a model may bring."""

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinyml.compiler import c_text
from tinyml.records import Step, TensorInfo


def test_strings_hold_any_text() -> None:
    assert c_text.string('a"b\\?é\n') == r'"a\042b\134\077\303\251\012"'


@given(st.text())
def test_a_comment_ends_neither_itself_nor_its_line(text: str) -> None:
    comment = c_text.comment(text)
    assert "*/" not in comment
    assert "/*" not in comment
    assert all(" " <= letter <= "~" and letter != "\\" for letter in comment)


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_a_float_literal_is_the_same_float32(value: float) -> None:
    literal = c_text.number(value)
    assert literal.endswith("f")
    assert set(literal[:-1]) & set(".e")
    assert struct.pack("f", float(literal[:-1])) == struct.pack("f", np.float32(value))


@pytest.mark.parametrize(
    ("value", "text"),
    [(5, "5"), (-(1 << 31), "(-2147483647 - 1)"), (float("inf"), "INFINITY"), (1.0, "1.0f")],
)
def test_numbers(value: float, text: str) -> None:
    assert c_text.number(value) == text


@given(st.lists(st.integers(-1000, 1000).map(str), max_size=200))
def test_wrapped_lists_keep_every_item_within_the_width(items: list[str]) -> None:
    text = c_text.wrapped("int x[] = {", items, "};")
    assert max(map(len, text.splitlines())) <= 102
    inside = text.removeprefix("int x[] = {").removesuffix("};").split(",")
    assert [item.strip() for item in inside if item.strip()] == items


def test_rows_of_the_tables_of_model_h() -> None:
    info = TensorInfo("in", "int8", (1, 49, 10), 0.5, -3)
    assert c_text.tensor_info(info) == (
        '{.name = "in", .dtype = TML_INT8, .rank = 3, .shape = {1, 49, 10, 1, 1, 1}, '
        ".scale = 0.5f, .zero_point = -3, .bytes = 490}"
    )
    assert c_text.step_info(Step(2, "ADD", 7, "sum", 64)) == "{2, 7, 64, NULL, 0}"
    computed = Step(2, "ADD", 7, "sum", 64, channels=(0, 3))
    assert c_text.step_info(computed, "step2_channels") == "{2, 7, 64, step2_channels, 2}"
