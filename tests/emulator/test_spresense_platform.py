"""The Spresense platform builds, links, packs and uploads with a stand-in core and SDK, offline."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from fake_spresense import FakeSpresense

from tinyml.build import pio
from tinyml.errors import DoesNotFitError, ToolError
from tinyml.firmware import boards, plan, render
from tinyml.model import bundle
from tinyml.platforms.spresense import packages, spk
from tinyml.records import Project

pytestmark = [pytest.mark.needs_arm_gcc, pytest.mark.needs_pio]

STAND_INS = Path(__file__).parents[1] / "stand_ins"
CPU = ["-mcpu=cortex-m4", "-mthumb", "-mfpu=fpv4-sp-d16", "-mfloat-abi=hard"]


def arm(program: str, *arguments: object) -> str:
    command = [f"arm-none-eabi-{program}", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def archive(source: Path, target: Path) -> None:
    made = target.with_suffix(".o")
    arm("gcc", *CPU, "-Os", "-w", "-fno-builtin", "-ffunction-sections", "-c", source, "-o", made)
    arm("ar", "rcs", target, made)
    made.unlink()


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of packages with a core and an SDK of our own."""
    home = tmp_path_factory.mktemp("packages")
    core, sdk = home / packages.CORE.directory, home / packages.SDK.directory
    shutil.copytree(STAND_INS / "spresense_packages" / "core", core)
    for library, header in (("Audio", "FrontEnd.h"), ("MemoryUtil", "MemoryUtil.h")):
        shutil.copy(STAND_INS / "spresense" / header, core / "libraries" / library)
    shutil.copytree(STAND_INS / "spresense", sdk / "release" / "nuttx" / "include")
    for header in ("FrontEnd.h", "MemoryUtil.h"):
        (sdk / "release" / "nuttx" / "include" / header).unlink()
    libraries = sdk / "release" / "nuttx" / "libs"
    libraries.mkdir()
    archive(STAND_INS / "spresense_packages" / "system.c", libraries / "libapps.a")
    archive(STAND_INS / "spresense_packages" / "old_cmsis.c", libraries / "libcmsis_nn.a")
    newlib = arm("gcc", *CPU, "-print-file-name=libc_nano.a").strip()
    shutil.copy(newlib, libraries / "libc.a")
    old = sdk / "release" / "sdk" / "externals" / "include" / "cmsis" / "arm_stand_in.h"
    old.parent.mkdir(parents=True)
    old.write_text('#error "the SDK\'s old CMSIS was taken"\n')
    for folder in (core, sdk):
        (folder / "package.json").write_text("{}")
    return home


@pytest.fixture(autouse=True)
def stand_in(installed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Build with the stand-ins, where every connection fails at once."""
    monkeypatch.setenv("SPRESENSE_PACKAGES", str(installed))
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "https_proxy", "http_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")


@pytest.fixture(scope="module")
def project(installed: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project with the board's own microphone and a library that is newer than the SDK's."""
    path = tmp_path_factory.mktemp("build") / "a project"
    project = render.generate(
        plan.resolve(bundle.load("keyword_spotting"), boards.load("spresense"), "compiled"), path
    )
    ours = path / "lib" / "ours"
    ours.mkdir(parents=True)
    (ours / "arm_stand_in.h").write_text("int arm_stand_in(void);\n")
    (ours / "arm_stand_in.c").write_text(
        '#include "arm_stand_in.h"\nint arm_stand_in(void) { return 0x5EED; }\n'
    )
    (path / "src" / "app" / "use.c").write_text(
        "#include <arm_stand_in.h>\nint tml_use(void);\nint tml_use(void) { return "
        "arm_stand_in(); }\n__attribute__((constructor)) static void use(void) {\n  __asm "
        'volatile("" ::"r"(tml_use()));\n}\n'
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SPRESENSE_PACKAGES", str(installed))
        pio.build(project)
    return project


@pytest.fixture
def copy(project: Project, tmp_path: Path) -> Project:
    shutil.copytree(project.path, tmp_path / "copy", symlinks=True)
    return replace(project, path=tmp_path / "copy")


def elf(project: Project) -> Path:
    return project.path / ".pio" / "build" / "spresense" / "firmware.elf"


def test_all_memory_is_counted_as_one(project: Project) -> None:
    made = pio.measure(project, elf(project))
    listed = arm("size", "-A", elf(project))
    size = {name: int(n) for name, n in re.findall(r"^(\.\S+)\s+(\d+)\s+\d+$", listed, re.M)}
    stored = sum(size.get(name, 0) for name in (".text", ".init_section", ".ARM.exidx", ".data"))
    assert made.flash_bytes == stored
    assert made.ram_bytes == stored + size[".bss"] + 8192
    assert made.stack_bytes == 8192


def test_the_spk_is_that_of_the_elf(project: Project) -> None:
    image = elf(project).with_suffix(".spk").read_bytes()
    assert image == spk.make_spk(elf(project).read_bytes())
    assert int.from_bytes(image[20:24], "little") == 0x0D000000 + 768 * 1024  # __stack


def test_the_flags_are_those_of_the_core_and_of_tflm(project: Project) -> None:
    def options(name: str) -> str:
        file = next((project.path / ".pio" / "build").rglob(name))
        return arm("readelf", "--debug-dump=info", file)

    for flag in ("-mcpu=cortex-m4", "-mfloat-abi=hard", "-mfpu=fpv4-sp-d16", "-fno-builtin"):
        assert flag in options("tml_app.c.o"), flag
        assert flag in options("tml_port.cpp.o"), flag
    for flag in ("-std=gnu++14", "-fno-threadsafe-statics", "-fno-use-cxa-atexit", "-fno-rtti"):
        assert flag in options("tml_port.cpp.o"), flag
    assert "-std=gnu11" in options("tml_app.c.o")


def test_a_project_s_cmsis_comes_before_the_sdk_s(project: Project) -> None:
    code = arm("objdump", "-d", "--disassemble=arm_stand_in", elf(project))
    assert "0x5eed" in code  # 24301 is the library's, 1 the SDK's


def test_the_microphone_s_library_is_found_in_the_core(project: Project) -> None:
    functions = arm("nm", "-C", elf(project))
    assert "FrontEnd::getInstance()" in functions
    assert "tml_decimate" in functions


@pytest.mark.parametrize("size", [700_000, 1_600_000])
def test_too_big_is_refused(copy: Project, size: int) -> None:
    file = copy.path / "src" / "app" / "use.c"
    file.write_text(
        f"extern char big[]; char big[{size}];\n"
        '__attribute__((constructor)) static void use(void) { __asm volatile("" ::"r"(big)); }\n'
    )
    with pytest.raises(DoesNotFitError, match="the 786,432 bytes of spresense") as caught:
        pio.build(copy)
    assert caught.value.hint.startswith("largest: big ")


def test_missing_packages_are_named_all_at_once(
    copy: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPRESENSE_PACKAGES", str(tmp_path / "empty"))
    with pytest.raises(ToolError, match="cannot be downloaded") as caught:
        pio.build(copy)
    for package in (packages.CORE, packages.SDK):
        assert package.url in caught.value.message
    assert "--from DIR" in caught.value.message


def upload(project: Project, port: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "platformio", "run", "-t", "upload", "--upload-port", port],
        cwd=project.path, env=os.environ | {"PLATFORMIO_NO_ANSI": "true"}, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300,
    )  # fmt: skip


def test_platformio_uploads_through_the_board_s_updater(project: Project) -> None:
    board = FakeSpresense()
    try:
        done = upload(project, board.path)
    finally:
        board.close()
    assert done.returncode == 0, done.stdout
    assert "100 %" in done.stdout
    image = elf(project).with_suffix(".spk").read_bytes()
    assert board.installed is not None
    assert board.installed.rstrip(b"\x1a") == image.rstrip(b"\x1a")
    assert board.rebooted


def test_a_failed_upload_is_a_failed_run(project: Project) -> None:
    board = FakeSpresense(cancel=2)
    try:
        done = upload(project, board.path)
    finally:
        board.close()
    assert done.returncode != 0
    assert "Error: the board cancelled the transfer" in done.stdout
    assert not board.rebooted
