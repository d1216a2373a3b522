"""Two generated models in one program: each under a prefix of its own, and both run."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import numpy as np
import pytest
import stored

from tinyml import proc, runtimes
from tinyml.compiler import c_prefix
from tinyml.errors import ConfigError
from tinyml.firmware import boards, plan, render
from tinyml.model import bundle
from tinyml.records import Bundle, RuntimeOptions

FLAGS = ("-std=c99", "-O1", "-g", "-Wall", "-Wextra", "-Wshadow", "-Wconversion", "-Werror")
SANITIZE = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all")
MODELS = {"left_": "conv_2d/pointwise", "right_": "softmax/labels_12"}


def golden(name: str) -> Bundle:
    path = stored.GOLDEN / f"{name}.tflite"
    model = path.read_bytes()
    return Bundle(path.stem, model, hashlib.sha256(model).hexdigest(), path)


def answer(prefix: str, name: str) -> tuple[str, bytes]:
    """The C that runs one model on its first golden vector, and the bytes that it must print."""
    vectors = np.load((stored.GOLDEN / name).with_suffix(".npz"))
    values = ", ".join(str(value) for value in vectors["in0"][0].reshape(-1).tolist())
    code = f"""
  {{
    static const int8_t input[] = {{{values}}};
    {prefix}tensor_t wanted = *{prefix}model_output_info(0);
    if ({prefix}model_init() != {prefix.upper()}OK) {{ return 1; }}
    memcpy({prefix}model_input(0), input, sizeof input);
    if ({prefix}model_invoke() != {prefix.upper()}OK) {{ return 1; }}
    fwrite({prefix}model_output(0), 1, wanted.bytes, stdout);
  }}
"""
    return code, vectors["out0"][0].tobytes()


@pytest.mark.needs_cc
def test_two_models_with_prefixes_of_their_own_run_in_one_program(tmp_path: Path) -> None:
    bodies, expected, units = [], b"", []
    for prefix, name in MODELS.items():
        folder = tmp_path / prefix
        source = runtimes.load("compiled").generate(golden(name), boards.load("qemu-m4"))
        contract = render.paths.shared("firmware_templates") / "common" / "model.h"
        files = {file: text.encode() for file, text in source.files.items()}
        files = c_prefix.renamed({**files, "model.h": contract.read_bytes()}, prefix)
        folder.mkdir()
        for file, content in files.items():
            (folder / file).write_bytes(content)
        units.append(folder / "model.c")
        code, output = answer(prefix, name)
        bodies.append(code)
        expected += output
    includes = [f'#include "{prefix}/model.h"' for prefix in MODELS]
    main = ["#include <stdio.h>", "#include <string.h>", *includes, "int main(void) {", *bodies]
    (tmp_path / "main.c").write_text("\n".join([*main, "  return 0;", "}", ""]))
    program = tmp_path / "both"
    proc.run(["cc", *FLAGS, *SANITIZE, "-o", program, tmp_path / "main.c", *units])
    proc.run(["sh", "-c", '"$0" > "$1"', program, tmp_path / "answers"])
    assert (tmp_path / "answers").read_bytes() == expected


@pytest.mark.parametrize("runtime", ["compiled", "tflm"])
def test_a_project_has_no_name_with_the_old_prefix(runtime: str, tmp_path: Path) -> None:
    options = RuntimeOptions(prefix="wand_")
    model, board = bundle.load("gesture"), boards.load("nano33ble")
    render.generate(plan.resolve(model, board, runtime, options), tmp_path / "p")
    texts = [path.read_text() for path in (tmp_path / "p/src").rglob("*") if path.is_file()]
    assert texts
    for text in texts:
        assert not re.findall(r"\b(?:tml|TML)_\w+\b(?!\.(?:h|cpp|c|ld)\b)", text)


@pytest.mark.parametrize("prefix", ["", "_", "1st_", "door", "Door_", "a-b_", "x" * 40 + "_"])
def test_a_prefix_that_is_no_name_is_refused(prefix: str) -> None:
    with pytest.raises(ConfigError, match="prefix"):
        c_prefix.renamed({}, prefix)


def test_file_names_and_other_files_stay() -> None:
    files = {"a.c": b'#include "tml_kernel.h"\nTML_X tml_y;', "README.md": b"tml_y"}
    assert c_prefix.renamed(files, "z_") == {
        "a.c": b'#include "tml_kernel.h"\nZ_X z_y;',
        "README.md": b"tml_y",
    }
