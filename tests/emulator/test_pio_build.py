"""Projects built for real, by tinyml and by hand: sizes, limits, errors, and staying offline."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tinyml.build import elf, object_cache
from tinyml.build import pio as build
from tinyml.errors import ConfigError, DoesNotFitError, ToolError
from tinyml.firmware import boards, plan, render
from tinyml.model import bundle
from tinyml.records import Project

pytestmark = [pytest.mark.needs_arm_gcc, pytest.mark.needs_pio]

ROOT = Path(__file__).parents[2]
MODEL = next(iter(sorted((ROOT / "tests" / "golden" / "conv_2d").glob("*.tflite"))))


def generated(out: Path) -> Project:
    board = boards.load(boards.DEFAULT)
    return render.generate(plan.resolve(bundle.load(str(MODEL)), board, board.runtime), out)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project that has been built; a test that changes it copies it."""
    project = generated(tmp_path_factory.mktemp("build") / "project")
    build.build(project)
    return project


@pytest.fixture
def copy(project: Project, tmp_path: Path) -> Project:
    path = tmp_path / "copied here"
    shutil.copytree(project.path, path)
    return replace(project, path=path)


def pio(
    folder: Path, *arguments: str, home: Path, **environment: str
) -> subprocess.CompletedProcess[str]:
    """PlatformIO by hand, where every connection fails at once."""
    nowhere = "http://127.0.0.1:9"
    env = {name: value for name, value in os.environ.items() if not name.startswith("PLATFORMIO")}
    env |= {"HOME": str(home), "HTTP_PROXY": nowhere, "HTTPS_PROXY": nowhere, **environment}
    return subprocess.run(
        [sys.executable, "-m", "platformio", "run", *arguments],
        cwd=folder, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        timeout=600,
    )  # fmt: skip


def test_sizes_are_those_of_the_toolchain(project: Project) -> None:
    made = build.build(project)
    listed = subprocess.run(
        ["arm-none-eabi-size", "-A", made.elf], capture_output=True, text=True, check=True
    ).stdout
    size = {name: int(n) for name, n in re.findall(r"^(\.\S+)\s+(\d+)\s+\d+$", listed, re.M)}
    stored = (".text", ".rodata", ".ARM.exidx", ".ARM.extab", ".data")
    assert made.flash_bytes == sum(size.get(name, 0) for name in stored)
    assert made.ram_bytes == size[".stack"] + size[".data"] + size[".bss"]
    assert made.stack_bytes == size[".stack"] == 8192
    arena = [entry for entry in made.contributors if entry[0] == "arena"]
    assert arena == [("arena", ".bss", project.source.arena_bytes)]


def test_building_again_compiles_only_what_changed(copy: Project) -> None:
    build.build(copy)  # the first build at a new place
    heard: list[str] = []
    build.build(copy, heard.append)
    assert heard == []
    file = copy.path / "src" / "app" / "tml_app.c"
    file.write_text(file.read_text() + "int more;\n")
    build.build(copy, heard.append)
    assert len(heard) == 2
    assert re.fullmatch(r"compiling 1 of \d+: tml_app", heard[0])
    assert heard[1] == "linking"


def test_projects_that_share_an_object_cache_never_keep_each_other_s_old_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(object_cache.VARIABLE, str(tmp_path / "objects"))
    board = boards.load("qemu-m4")
    first, second = sorted((ROOT / "tests" / "golden" / "add").glob("*.tflite"))[:2]

    def elf_of(model: Path, folder: str) -> bytes:
        project = render.generate(
            plan.resolve(bundle.load(str(model)), board, "compiled"), tmp_path / folder
        )
        return build.build(project).elf.read_bytes()

    before = elf_of(first, "a")
    expected = elf_of(second, "b")
    assert elf_of(second, "a") == expected != before


def test_the_model_is_compiled_for_speed_and_the_rest_for_size(project: Project) -> None:
    # GCC notes its options in the debug information.
    def options(name: str) -> str:
        file = next((project.path / ".pio" / "build").rglob(name))
        return subprocess.run(
            ["arm-none-eabi-readelf", "--debug-dump=info", file],
            capture_output=True, text=True, check=True,
        ).stdout  # fmt: skip

    assert re.search(r"DW_AT_producer.* -O2 ", options("model.o"))
    assert re.search(r"DW_AT_producer.* -Os ", options("tml_app.o"))


def test_a_project_builds_by_hand_anywhere_and_offline(tmp_path: Path) -> None:
    project = generated(tmp_path / "first")
    for file in project.path.rglob("*"):
        assert file.is_dir() or str(tmp_path).encode() not in file.read_bytes(), file
    moved = tmp_path / "moved elsewhere"
    project.path.rename(moved)
    home = tmp_path / "home"
    home.mkdir()
    done = pio(moved, home=home)
    assert done.returncode == 0, done.stdout
    assert elf.sizes(moved / ".pio" / "build" / "qemu-m4" / "firmware.elf").flash > 0
    # Built and then moved: what PlatformIO remembers of the old place must not matter.
    again = tmp_path / "moved again"
    moved.rename(again)
    done = pio(again, home=home)
    assert done.returncode == 0, done.stdout
    assert list(home.iterdir()) == []


def test_the_checkout_builds_by_hand(tmp_path: Path) -> None:
    done = pio(
        ROOT, "-e", "qemu-m4", home=tmp_path,
        PLATFORMIO_WORKSPACE_DIR=str(tmp_path / "workspace"), PYTHONPATH=str(ROOT),
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    assert (tmp_path / "workspace" / "build" / "qemu-m4" / "firmware.elf").is_file()
    assert [path.name for path in tmp_path.iterdir()] == ["workspace"]


def test_the_checkout_says_which_model_it_does_not_know(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "boards", tmp_path / "boards")
    shutil.copytree(ROOT / "tinyml" / "platforms", tmp_path / "tinyml" / "platforms")
    for file in ("platformio.ini", "scripts/pio_project.py"):
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).write_text(
            (ROOT / file).read_text().replace("= keyword_spotting", "= keyword_spoting")
        )
    done = pio(tmp_path, "-e", "qemu-m4", home=tmp_path / "home", PYTHONPATH=str(ROOT))
    assert done.returncode == 1
    assert "there is no model 'keyword_spoting'" in done.stdout
    assert "Traceback" not in done.stdout


@pytest.mark.parametrize(
    ("source", "kind", "has"),
    [
        ("extern const char big[]; const char big[1000000] = {1};", "flash", "983,040"),
        ("extern char big[]; char big[300000];", "RAM", "262,144"),
    ],
)
def test_too_big_is_refused_with_numbers(copy: Project, source: str, kind: str, has: str) -> None:
    app = copy.path / "src" / "app" / "tml_app.c"
    used = 'void tml_use_big(void) { __asm volatile("" ::"r"(big)); }\n'
    app.write_text(
        f"{source}\n{used}" + app.read_text().replace(
            "void tml_app_turn(void) {", "void tml_app_turn(void) {\n  tml_use_big();"
        ).replace('#include "tml_app.h"', '#include "tml_app.h"\nvoid tml_use_big(void);', 1)
    )  # fmt: skip
    app.write_text("void tml_use_big(void);\n" + app.read_text())
    with pytest.raises(DoesNotFitError, match=rf"bytes of {kind} needed, qemu-m4 has {has}") as no:
        build.build(copy)
    assert no.value.hint.startswith("largest: big ")


def test_a_firmware_that_does_not_fit_says_what_would(tmp_path: Path) -> None:
    board = replace(boards.load(boards.DEFAULT), ram_bytes=32_000)
    words = bundle.load("keyword_spotting")
    project = render.generate(plan.resolve(words, board, "compiled"), tmp_path / "project")
    with pytest.raises(DoesNotFitError, match=r"bytes of RAM needed, qemu-m4 has 32,000") as no:
        build.build(project)
    assert f"arena {project.source.arena_bytes:,} (.bss)" in no.value.hint
    assert "tinyml train keyword_spotting --width 0." in no.value.hint
    assert "--board nano33ble has 245,760 bytes of RAM and would fit" in no.value.hint


def test_a_compile_error_is_shown_with_its_place(copy: Project) -> None:
    file = copy.path / "src" / "app" / "broken.c"
    file.write_text("int tml_broken(void);\nint tml_broken(void) { int unused; return 0; }\n")
    with pytest.raises(ToolError, match=r"src/app/broken\.c:2:\d+: error: unused variable"):
        build.build(copy)


def test_c_plus_plus_links_and_its_constructors_are_kept(copy: Project) -> None:
    file = copy.path / "src" / "app" / "object.cpp"
    file.write_text(
        "struct Object { int value; Object(int start); ~Object(); };\n"
        "static volatile int seed = 7;\n"
        "Object::Object(int start) : value(start) {}\n"
        "Object::~Object() { seed = value; }\n"
        "Object tml_object(seed);\n"
    )
    made = build.build(copy)
    listed = subprocess.run(
        ["arm-none-eabi-nm", made.elf], capture_output=True, text=True, check=True
    ).stdout
    at = {name: int(value, 16) for value, name in re.findall(r"^(\w+) \w (\S+)$", listed, re.M)}
    assert at["__init_array_end"] - at["__init_array_start"] >= 4
    assert "tml_object" in at


def test_no_compiler(copy: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolError, match="arm-none-eabi-gcc is not installed") as caught:
        build.build(copy)
    assert "apt-get install gcc-arm-none-eabi" in caught.value.message


def test_another_scons(copy: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    metadata = tmp_path / "scons-3.0.0.dist-info" / "METADATA"
    metadata.parent.mkdir()
    metadata.write_text("Metadata-Version: 2.1\nName: scons\nVersion: 3.0.0\n")
    paths = [str(tmp_path), os.environ.get("PYTHONPATH", "")]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, paths)))
    with pytest.raises(ToolError, match=r"needs the Python package scons 4\.11\.1, found 3\.0\.0"):
        build.build(copy)


def test_settings_of_the_user_do_not_lead_elsewhere(
    copy: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path / "elsewhere"
    for name in ("CORE", "WORKSPACE", "BUILD", "PACKAGES", "PLATFORMS"):
        monkeypatch.setenv(f"PLATFORMIO_{name}_DIR", str(elsewhere / name))
    made = build.build(copy)
    assert copy.path in made.elf.parents
    assert not elsewhere.exists()


def test_of_a_downloaded_library_only_what_is_needed_is_compiled(copy: Project) -> None:
    """As of one in a folder, with its flags, though its own description wants all of it."""
    library, micro = copy.path / "upstream", "src/tensorflow/lite/micro"
    broken = '#error "this is not to be compiled"\n'
    contents = {
        "library.properties": "name=Arduino_TensorFlowLite\nversion=2.4.0\narchitectures=mbed\n",
        f"{micro}/micro_interpreter.h": "int interpret(void);\n",
        f"{micro}/interpret.c": '#include "micro_interpreter.h"\n#ifdef NDEBUG\n'
        "int interpret(void) { return 42; }\n#endif\n",
        "src/peripherals/led.c": broken,
        "src/tensorflow/lite/micro/mock_micro_graph.cpp": broken,
        "src/tensorflow/lite/experimental/microfrontend/lib/fft.c": broken,
    }
    for name, text in contents.items():
        (library / name).parent.mkdir(parents=True, exist_ok=True)
        (library / name).write_text(text)
    options = {**copy.board.options, "custom_tflm": f"file://{library}"}
    board = replace(copy.board, options=options)
    files = render.render(plan.resolve(bundle.load(str(MODEL)), board, "tflm"))
    for name in ("download/library.json", "download/describe.py"):
        (copy.path / name).parent.mkdir(exist_ok=True)
        (copy.path / name).write_bytes(files[name])
    settings = copy.path / "platformio.ini"
    scripts = "extra_scripts = pre:build_rules.py"
    assert f"{scripts}\n" in settings.read_text()
    settings.write_text(
        settings.read_text().replace(scripts, f"{scripts}\n  pre:download/describe.py")
        + f"lib_deps = file://{library}\n"
    )
    (copy.path / "src" / "app" / "use.c").write_text(
        '#include "tensorflow/lite/micro/micro_interpreter.h"\n'
        "__attribute__((constructor)) static void use(void) {\n"
        '  __asm volatile("" ::"r"(interpret()));\n}\n'
    )
    done = pio(copy.path, home=copy.path / "home")
    assert done.returncode == 0, done.stdout
    assert any(
        name == "interpret"
        for name in elf.functions(copy.path / ".pio" / "build" / "qemu-m4" / "firmware.elf")
    )


@pytest.mark.parametrize(
    "name", ["x;touch PWNED;y", "`touch PWNED`", "it's R&D, 50% (1)", '-имя "проекта" \\ [*] #~']
)
def test_nothing_in_the_name_of_a_folder_is_interpreted(name: str, tmp_path: Path) -> None:
    project = generated(tmp_path / name)
    assert build.build(project).flash_bytes > 0
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert not list(tmp_path.rglob("PWNED"))
    by_hand = pio(project.path, home=tmp_path)
    assert by_hand.returncode == 0, by_hand.stdout


@pytest.mark.parametrize(
    ("board", "name"),
    [
        ("qemu-m4", "${sysenv.HOME}"),
        ("qemu-m4", "a\nb"),
        ("nano33ble", "R&D"),
        ("nano33ble", "a;b"),
    ],
)
def test_a_name_that_platformio_would_read_is_refused(
    board: str, name: str, tmp_path: Path
) -> None:
    chosen = plan.resolve(bundle.load(str(MODEL)), boards.load(board), "compiled")
    with pytest.raises(ConfigError, match="PlatformIO cannot build") as caught:
        build.build(render.generate(chosen, tmp_path / name))
    assert "--out" in caught.value.hint
