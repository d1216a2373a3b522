"""The C that people read: a comment above each call, names for places in the arena, guards."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tinyml import tflite
from tinyml.compiler import compile_graph

GOLDEN = Path(__file__).parent.parent / "golden"


def model_c(name: str, with_slot: bool = False) -> str:
    graph = tflite.read((GOLDEN / f"{name}.tflite").read_bytes())
    return compile_graph(graph, "test", with_slot=with_slot).files["model.c"]


def comments(text: str) -> list[str]:
    """The comment above each call of run(), in order."""
    body = text[text.index("static void run(void)") :]
    return re.findall(r"/\* (operator .*?) \*/\n +(?:tml_|const |\{)", body, re.DOTALL)


@pytest.mark.parametrize("with_slot", [False, True])
@pytest.mark.parametrize("name", ["graph/diamond", "graph/keras_flatten", "conv_2d/relu6"])
def test_each_call_stands_under_a_comment(name: str, with_slot: bool) -> None:
    text = model_c(name, with_slot)
    assert len(comments(text)) == text.count("  done(") > 0


def test_the_comment_says_shapes_filter_stride_padding_and_what_was_decided() -> None:
    (comment,) = comments(model_c("conv_2d/same_3x3_stride_2"))
    lines = comment.replace("\n   * ", "\n").splitlines()
    assert lines[0] == "operator 0, step 0: CONV_2D"
    assert re.fullmatch(r"in  tensor \d+ 't\d+' int8\[\d+, \d+, \d+, \d+\]", lines[1])
    assert lines[2].startswith("in  ")
    assert lines[2].endswith(", constant")
    assert any(line.startswith("out tensor") for line in lines)
    assert "filter 3x3, stride 2x2, padding SAME" in lines[-2]
    assert re.fullmatch(r"kernel tml_conv_2d_\w*s8, .*scratch \d+ bytes", lines[-1])


def test_an_output_in_the_place_of_its_input_is_said() -> None:
    assert "in place on tensor 0" in comments(model_c("relu/same_quant"))[0]


@pytest.mark.parametrize("with_slot", [False, True])
def test_offsets_in_the_arena_have_names(with_slot: bool) -> None:
    text = model_c("graph/diamond", with_slot)
    used = set(re.findall(r"\bat\((\w+)\)", text))
    assert used
    for name in used:
        assert re.search(rf"^  {name} = \d+, /\* [\d,]+ bytes \*/$", text, re.MULTILINE), name


def test_a_name_of_any_letters_gives_an_identifier() -> None:
    graph = tflite.read((GOLDEN / "relu/same_quant.tflite").read_bytes())
    odd = [graph.tensors[0], graph.tensors[1]]
    names = ("a/b*/;c", "日本")
    tensors = tuple(
        type(tensor)(**{**vars(tensor), "name": name})
        for tensor, name in zip(odd, names, strict=True)
    )
    text = compile_graph(type(graph)(**{**vars(graph), "tensors": tensors}), "test").files[
        "model.c"
    ]
    assert "AT_0_A_B = 0" in text
    assert "AT_1 = 0" in text
