"""A model as a library in plain C: it compiles strictly, links from C++, and computes the same."""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tinyml import runtimes
from tinyml.errors import ConfigError
from tinyml.firmware import boards, c_library, render
from tinyml.firmware.plan import of_source
from tinyml.model import bundle
from tinyml.model.oracle import Oracle
from tinyml.records import Bundle, CSource

pytestmark = pytest.mark.needs_cc
STRICT = ("-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Werror")
SANITIZED = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-g", "-O1")

READ_AND_WRITE = """
#include <stdio.h>
#include "{name}.h"

int main(void) {{
  if ({name}_init() != 0) return 1;
  while (fread({name}_input(), 1, {upper}_INPUT_ELEMENTS, stdin) == {upper}_INPUT_ELEMENTS) {{
    if ({name}_run() != 0) return 2;
    fwrite({name}_output(), 1, {upper}_OUTPUT_ELEMENTS, stdout);
  }}
  return 0;
}}
"""


def source_of(model: Bundle) -> CSource:
    return runtimes.load("compiled").generate(model, boards.load("qemu-m4"))


def written(model: Bundle, form: str, folder: Path, prefix: str = "") -> Path:
    source = source_of(model)
    prefix = prefix or c_library.prefix_of(model)
    return render.generate_library(model, source, form, prefix, folder)


def compiled(folder: Path, *sources: Path | str, flags: tuple[str, ...] = ()) -> Path:
    program = folder / "program"
    subprocess.run(
        ["cc", "-std=c99", *STRICT, *SANITIZED, *flags, *map(str, sources), "-o", program, "-lm"],
        check=True,
    )
    return program


@pytest.fixture
def gesture() -> Bundle:
    return bundle.load("gesture")


def test_it_computes_what_the_oracle_computes(gesture: Bundle, tmp_path: Path) -> None:
    library = written(gesture, "c", tmp_path / "library")
    (tmp_path / "main.c").write_text(READ_AND_WRITE.format(name="gesture", upper="GESTURE"))
    src = library / "src"
    program = compiled(
        tmp_path, tmp_path / "main.c", src / "gesture.c", src / "model" / "model.c",
        flags=("-I", str(src)),
    )  # fmt: skip
    oracle = Oracle(gesture.model)
    inputs = np.random.default_rng(1).integers(-128, 128, (5, *oracle.inputs[0].shape), np.int8)
    done = subprocess.run([program], input=inputs.tobytes(), capture_output=True, check=True)
    expected = np.stack([oracle.run([values])[0] for values in inputs])
    assert np.array_equal(np.frombuffer(done.stdout, np.int8).reshape(expected.shape), expected)


def test_the_example_runs_and_names_the_labels(gesture: Bundle, tmp_path: Path) -> None:
    library = written(gesture, "c", tmp_path)
    src = library / "src"
    program = compiled(
        tmp_path, library / "main.c", src / "gesture.c", src / "model" / "model.c",
        flags=("-I", str(src)),
    )  # fmt: skip
    shown = subprocess.run([program], capture_output=True, text=True, check=True).stdout
    assert [line.split()[0] for line in shown.splitlines()] == list(gesture.labels)


def test_two_models_link_into_a_program_in_cpp(gesture: Bundle, tmp_path: Path) -> None:
    objects = []
    for name, model in (("wand_", gesture), ("words_", bundle.load("keyword_spotting"))):
        src = written(model, "c", tmp_path / name, name).joinpath("src")
        for file in (src / f"{name[:-1]}.c", src / "model" / "model.c"):
            objects.append(tmp_path / f"{name}{file.stem}.o")
            subprocess.run(["cc", "-std=c99", *STRICT, "-c", file, "-o", objects[-1]], check=True)
    (tmp_path / "main.cpp").write_text(
        '#include "wand_/src/wand.h"\n#include "words_/src/words.h"\n'
        "int main() { return wand_init() || words_init() || wand_run() || words_run(); }\n"
    )
    program = tmp_path / "both"
    cpp = ["c++", "-std=c++11", "-Wall", "-Wextra", "-Werror", tmp_path / "main.cpp", *objects]
    subprocess.run([*cpp, "-o", program, "-lm"], check=True)
    subprocess.run([program], check=True)


def test_real_values_become_steps_as_numpy_has_them(gesture: Bundle, tmp_path: Path) -> None:
    src = written(gesture, "c", tmp_path).joinpath("src")
    (tmp_path / "main.c").write_text(
        '#include <stdio.h>\n#include "gesture.h"\nint main(void) {\n  float value;\n'
        "  while (fread(&value, 4, 1, stdin) == 1) putchar(gesture_quantize(value));\n"
        "  return 0;\n}\n"
    )
    program = compiled(tmp_path, tmp_path / "main.c", flags=("-I", str(src)))
    info = Oracle(gesture.model).inputs[0]
    ties = (np.arange(-300, 300) + 0.5) * info.scale
    values = np.concatenate([ties, [np.inf, -np.inf, 0, 1e30, -1e30]]).astype(np.float32)
    done = subprocess.run([program], input=values.tobytes(), capture_output=True, check=True)
    steps = values.astype(np.float64) / info.scale
    away = np.trunc(steps + np.copysign(0.5, steps))
    expected = np.clip(away + info.zero_point, -128, 127).astype(np.int8)
    assert np.array_equal(np.frombuffer(done.stdout, np.int8), expected)


@pytest.mark.parametrize("form", c_library.formats())
def test_each_format_has_what_its_build_system_asks_for(
    gesture: Bundle, tmp_path: Path, form: str
) -> None:
    library = written(gesture, form, tmp_path)
    present = {path.relative_to(library).as_posix() for path in library.rglob("*")}
    asked = {
        "c": {"CMakeLists.txt", "main.c"},
        "zephyr": {"zephyr/module.yml", "zephyr/CMakeLists.txt", "zephyr/Kconfig"},
        "esp-idf": {"CMakeLists.txt", "idf_component.yml"},
        "library": {"library.properties", "library.json", "examples/basic/basic.ino"},
    }[form]
    assert asked | {"src/gesture.h", "src/gesture.c", "src/model/model.c", "README.md"} <= present
    if form == "library":
        assert json.loads((library / "library.json").read_text())["name"] == "gesture"
        properties = dict(
            line.split("=", 1) for line in (library / "library.properties").read_text().splitlines()
        )
        # All that the Arduino library specification requires.
        assert {"name", "version", "author", "maintainer", "sentence", "paragraph", "category",
                "url", "architectures"} <= set(properties)  # fmt: skip
        assert properties["includes"] == "gesture.h"


def test_hostile_names_are_words_in_every_language(gesture: Bundle, tmp_path: Path) -> None:
    evil = replace(
        gesture, name='a"; #include </etc/passwd>\n*/ $(id) ${x}', labels=("a\\", '"b', "*/")
    )
    assert c_library.prefix_of(evil) == "a_include_etc_passwd_id_x_"
    for form in c_library.formats():
        library = written(evil, form, tmp_path / form)
        for name in ("CMakeLists.txt", "zephyr/CMakeLists.txt", "library.properties"):
            if (library / name).is_file():
                assert "$(id)" not in (library / name).read_text()
        src = library / "src"
        objects = ["-c", str(src / "a_include_etc_passwd_id_x.c"), "-o", str(tmp_path / "x.o")]
        subprocess.run(["cc", "-std=c99", *STRICT, *objects], check=True)


def test_cmake_builds_it(gesture: Bundle, tmp_path: Path) -> None:
    library = written(gesture, "c", tmp_path / "library")
    subprocess.run(["cmake", "-S", library, "-B", tmp_path / "build"], check=True)
    subprocess.run(["cmake", "--build", tmp_path / "build"], check=True)
    subprocess.run([tmp_path / "build" / "example"], check=True)


def test_nothing_else_that_was_generated_is_replaced_unasked(
    gesture: Bundle, tmp_path: Path
) -> None:
    written(gesture, "c", tmp_path)
    written(gesture, "c", tmp_path)
    with pytest.raises(ConfigError, match="holds the c library of gesture, not the zephyr library"):
        written(gesture, "zephyr", tmp_path)
    plan = of_source(gesture, boards.load("qemu-m4"), source_of(gesture))
    with pytest.raises(ConfigError, match="not a PlatformIO project") as refused:
        render.generate(plan, tmp_path)
    assert "--force" in refused.value.hint
    render.generate(plan, tmp_path, force=True)
    assert (tmp_path / "platformio.ini").is_file()
    assert not (tmp_path / "main.c").exists()
