"""Our C and C++ keep to what GCC 7.2.1 has, the oldest compiler that a board's platform pins.

GCC 7.2.1 itself is not at hand: every project is compiled by the GCC that is, with an `arm_acle.h`
that declares nothing and warnings for newer dialects, and what is particular to GCC is compared
with lists that were checked against the manual of GCC 7.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tinyml import paths
from tinyml.firmware import boards, plan, render
from tinyml.model import bundle

STAND_INS = Path(__file__).parents[1] / "stand_ins"
CPU = ["-mcpu=cortex-m4", "-mthumb", "-mfloat-abi=softfp", "-mfpu=fpv4-sp-d16"]
# -Wc11-c2x-compat and -Wpedantic speak up for what a later standard than the named one has.
STRICT = ["-O2", "-funsigned-char", "-Wall", "-Wextra", "-Wpedantic", "-Werror"]
LANGUAGES = {
    ".c": ["arm-none-eabi-gcc", "-std=gnu11", "-Wc11-c2x-compat"],
    ".cpp": ["arm-none-eabi-g++", "-std=gnu++14", "-fno-exceptions", "-fno-rtti"],
}
# "Other Builtins" and "Return Address" of the manual of GCC 7.
BUILTINS = {"__builtin_clz", "__builtin_clzll", "__builtin_frame_address"}
# "Common Function Attributes", "Common Variable Attributes", "Common Type Attributes" and "ARM
# Function Attributes" of the manual of GCC 7.
ATTRIBUTES = {
    "aligned", "always_inline", "may_alias", "naked", "noinline", "section", "unused", "used",
    "weak",
}  # fmt: skip
# "Option Summary" of the manual of GCC 7, and the GNU ld 2.29 that comes with it.
OPTIONS = {
    "-DNDEBUG", "-D__ASSEMBLY__", "-O2", "-Os", "-T", "-Wall", "-Wextra", "-Werror",
    "-Wl,--defsym,__reserved_ramsize=", "-Wl,--entry=__start",
    "-Wl,--gc-sections", "-Wl,-Map", "-Wl,-T", "-Wl,-u", "-Wl,-u,spresense_main",
    "-fdata-sections", "-ffunction-sections", "-fno-builtin", "-fno-exceptions", "-fno-rtti",
    "-fno-strength-reduce", "-fno-strict-aliasing", "-fno-threadsafe-statics",
    "-fno-use-cxa-atexit", "-fomit-frame-pointer", "-fpermissive", "-g", "-idirafter",
    "-mabi=aapcs", "-mcpu=", "-mcpu=cortex-m4", "-mfloat-abi=hard", "-mfloat-abi=soft",
    "-mfpu=fpv4-sp-d16", "-mthumb", "-nodefaultlibs", "-nostartfiles", "--specs=nano.specs",
    "--specs=nosys.specs", "-std=gnu++14", "-std=gnu++17", "-std=gnu11", "-w", "-x",
}  # fmt: skip

OF_OTHERS = {"-A", "-B", "-d", "-M"}  # of `size` and of QEMU


def our_sources() -> Iterator[Path]:
    """Every C and C++ file that can become part of a firmware, templates included."""
    folders = [paths.shared("firmware_templates"), paths.shared("features")]
    for folder in [*folders, paths.shared("features").parent / "compiler"]:
        for pattern in ("*.c", "*.h", "*.cpp", "*.c.j2", "*.h.j2", "*.cpp.j2"):
            yield from (file for file in folder.rglob(pattern) if not file.name.startswith("_"))


@pytest.mark.needs_arm_gcc
@pytest.mark.parametrize("board", ["nano33ble", "spresense"])
@pytest.mark.parametrize("runtime", ["compiled", "tflm"])
@pytest.mark.parametrize("model", bundle.shipped())
def test_a_project_compiles(board: str, runtime: str, model: str, tmp_path: Path) -> None:
    """All of a project but what includes headers of TFLM itself."""
    known = boards.load(board)
    project = render.generate(
        plan.resolve(bundle.load(model), known, runtime), tmp_path / "project"
    )
    sources = project.path / "src"
    headers = [STAND_INS / "gcc_7", STAND_INS / known.template]
    headers += [folder for folder in sources.rglob("*") if folder.is_dir()]
    for suffix, command in LANGUAGES.items():
        files = [
            file for file in sources.rglob(f"*{suffix}") if b"tensorflow/" not in file.read_bytes()
        ]
        assert files
        includes = [f"-I{folder}" for folder in headers]
        subprocess.run(
            [*command, *CPU, *STRICT, *includes, "-c", *sorted(files)], cwd=tmp_path, check=True
        )


def test_builtins_and_attributes_are_those_of_gcc_7() -> None:
    for file in our_sources():
        text = file.read_text()
        assert set(re.findall(r"\b__builtin_\w+", text)) <= BUILTINS, file
        for arguments in re.findall(r"__attribute__\(\((.*?)\)\)", text):
            bare = re.sub(r"\([^)]*\)?", "", arguments)
            names = {name.strip().strip("_") for name in bare.split(",")}
            assert names <= ATTRIBUTES, (file, names)
        assert "arm_acle" not in re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL), file
        assert not re.search(r"\[\[\w|__VA_OPT__|\b_Float|\basm inline", text), file


def test_options_are_those_of_gcc_7() -> None:
    files = [
        *paths.shared("platforms").rglob("builder/*.py"),
        paths.shared("firmware_templates") / "project" / "build_rules.py",
        paths.shared("firmware_templates") / "tflm_library" / "library.json.j2",
        *paths.shared("boards").glob("*.ini"),
    ]
    for file in files:
        # An option: a string, or a board's value, that begins with a dash.
        options = re.findall(
            r'(?:"|= |  )(-[-\w=+.,]+?)(?:,?\{|,?"|$)', file.read_text(), re.MULTILINE
        )
        assert {option for option in options if option not in OF_OTHERS} <= OPTIONS, file
