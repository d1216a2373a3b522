"""Whatever a card, a board or a runtime says: a rendered file stays what its template is."""

from __future__ import annotations

import configparser
import json
import re
from dataclasses import fields, replace
from pathlib import Path

import pytest

from tinyml import paths
from tinyml.errors import ConfigError
from tinyml.firmware import boards, plan, render, templates
from tinyml.firmware.plan import BuildPlan
from tinyml.model import bundle
from tinyml.records import Board, RuntimeOptions, TensorInfo

HOSTILE = (
    'x"; PWNED(); /* */ //\nPWNED = !PWNED\n#define PWNED 1\n\\\r\nPWNED${x}`PWNED`<b>|{{ 7 * 7 }}'
)
PARTS = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"', re.DOTALL)


def hostile(board: Board, runtime: str) -> BuildPlan:
    """A plan in which every text that does not name a file is hostile."""
    good = plan.resolve(
        bundle.load("gesture"), board, runtime, RuntimeOptions(slot=True), "virtual"
    )
    model = replace(
        good.bundle, name=HOSTILE[:200], labels=tuple(f"{i}{HOSTILE}"[:250] for i in range(3)),
        task=HOSTILE, path=Path("x"),
    )  # fmt: skip
    tensors = {
        field: tuple(replace(info, name=HOSTILE) for info in getattr(good.source, field))
        for field in ("inputs", "outputs")
    }
    source = replace(good.source, **tensors, facts=good.source.facts)
    texts = {f.name: HOSTILE for f in fields(Board) if f.name in ("name", "cpu", "timing")}
    options = {**board.options, "custom_name": HOSTILE, "custom_arduino_core": HOSTILE}
    return replace(
        good, bundle=model, source=source, board=replace(board, options=options, **texts)
    )


def bare(text: str) -> str:
    """C without its comments and literals."""
    return PARTS.sub(" ", text)


@pytest.mark.parametrize("board", ["qemu-m4", "nano33ble"])
@pytest.mark.parametrize("runtime", ["compiled", "tflm"])
def test_hostile_texts_stay_texts(board: str, runtime: str) -> None:
    files = render.render(hostile(boards.load(board), runtime))
    templated = {
        name: contents.decode() for name, contents in files.items() if b"PWNED" in contents
    }
    assert {"platformio.ini", "README.md", "src/app/tml_config.h"} <= set(templated)
    for name, text in templated.items():
        suffix = Path(name).suffix
        if suffix in (".c", ".cpp", ".h", ".ld"):
            assert "PWNED" not in bare(text), name
        elif suffix == ".ini":
            parser = configparser.ConfigParser(interpolation=None)
            parser.read_string(text)
            assert parser.sections() == ["platformio", f"env:{board}"]
            assert "pwned" not in parser[f"env:{board}"]
        else:
            assert suffix == ".md", name
            assert not re.search(r"^PWNED|^#define|`PWNED|<b>", text, re.MULTILINE)


def test_an_arduino_sketch_too(tmp_path: Path) -> None:
    made = hostile(boards.load("nano33ble"), "compiled")
    file = render.generate_sketch(made, tmp_path / "sketch")
    assert "PWNED" not in bare(file.read_text())
    readme = (file.parent / "README.md").read_text()
    assert not re.search(r"^PWNED|^#define|`PWNED|<b>", readme, re.MULTILINE)


@pytest.mark.parametrize(
    ("suffix", "expected"),
    [
        (".h", '"a\\042\\012b"'),
        (".ini", 'a"\n  b'),
        (".md", 'a" b'),
        (".json", json.dumps('a"\nb')),
    ],
)
def test_a_value_is_escaped_without_being_asked_for(
    suffix: str, expected: str, tmp_path: Path
) -> None:
    file = tmp_path / f"t{suffix}.j2"
    file.write_text("{{ value }}")
    assert templates.render(file, {"value": 'a"\nb'}).decode() == expected
    file.write_text("{{ value | comment }}")
    assert b"\n" not in templates.render(file, {"value": "a\nb"})


@pytest.mark.parametrize("text", ["a // b", "a /* b", "a */ b", '"', "a\nb", "#if", "\\", "é"])
def test_more_than_one_piece_is_no_code(text: str, tmp_path: Path) -> None:
    file = tmp_path / "t.h.j2"
    file.write_text("{{ value | code }}")
    with pytest.raises(ConfigError, match=r"t\.h\.j2 cannot be rendered.*no single piece"):
        templates.render(file, {"value": text})


def test_a_language_without_a_rule_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "t.sh.j2"
    file.write_text("echo {{ value }}")
    with pytest.raises(ConfigError, match="cannot be rendered"):
        templates.render(file, {"value": 1})


def test_every_template_has_a_language() -> None:
    found = list(paths.shared("firmware_templates").rglob("*.j2"))
    assert found
    for file in found:
        assert Path(file.stem).suffix in templates._LANGUAGES, file


def test_names_of_tensors_reach_c_as_literals() -> None:
    from tinyml.compiler import c_text

    assert "PWNED" not in bare(c_text.tensor_info(TensorInfo(HOSTILE, "int8", (1,))))
