from pathlib import Path

import pytest

from tinyml import runtimes
from tinyml.build import pio
from tinyml.errors import DoesNotFitError, ToolError
from tinyml.firmware import boards
from tinyml.model import bundle
from tinyml.records import Board, Project

MODEL = next(iter(sorted((Path(__file__).parents[1] / "golden" / "add").glob("*.tflite"))))
LARGEST = (("weights", ".rodata", 900_000), ("arena", ".bss", 70_000))


@pytest.fixture(scope="module")
def board() -> Board:
    return boards.load(boards.DEFAULT)


@pytest.fixture
def project(board: Board, tmp_path: Path) -> Project:
    model = bundle.load(str(MODEL))
    return Project(tmp_path, board, model, runtimes.load("compiled").generate(model, board))


def test_an_overflow_is_told_in_numbers_with_the_largest_contributors(project: Project) -> None:
    output = (
        "ld: firmware.elf section `.rodata' will not fit in region `FLASH'\n"
        "ld: section .bss overlaps nothing\n"
        "ld: region `FLASH' overflowed by 16960 bytes\n"
        "ld: region `RAM' overflowed by 8 bytes\n"
        "collect2: error: ld returned 1 exit status\n"
    )
    error = pio.explain(output, project, LARGEST)
    assert isinstance(error, DoesNotFitError)
    assert "1,000,000 bytes of flash needed, qemu-m4 has 983,040 (16,960 too many)" in error.message
    assert "262,152 bytes of RAM needed, qemu-m4 has 262,144 (8 too many)" in error.message
    assert "weights 900,000 (.rodata), arena 70,000 (.bss)" in error.hint


def test_the_first_compiler_error_is_shown(project: Project) -> None:
    output = (
        "Compiling .pio/build/qemu-m4/src/app/a.o\n"
        "src/app/a.c: In function 'f':\n"
        "src/app/a.c:3:5: error: unknown type name 'x'\n"
        "src/app/a.c:4:5: error: something later\n"
        "*** [.pio/build/qemu-m4/src/app/a.o] Error 1\n"
    )
    error = pio.explain(output, project, ())
    assert isinstance(error, ToolError)
    assert error.message.endswith("src/app/a.c:3:5: error: unknown type name 'x'")


def test_a_linker_error_is_shown(project: Project) -> None:
    output = (
        "ld: a.o: in function `f':\na.c:3: undefined reference to `g'\n"
        "collect2: error: ld returned 1 exit status\n"
    )
    assert pio.explain(output, project, ()).message.endswith("a.c:3: undefined reference to `g'")
    output = (
        "/bin/ld: cannot open linker script file x: No such file\ncollect2: error: ld returned 1\n"
    )
    assert pio.explain(output, project, ()).message.endswith("script file x: No such file")


def test_a_full_disk_is_said_in_words(project: Project) -> None:
    output = "a.c:1:1: fatal error: error writing to a.s: No space left on device\n"
    error = pio.explain(output, project, ())
    assert isinstance(error, ToolError)
    assert "No space left on device" in error.message
    assert "--out" in error.hint


def test_platformio_s_own_error_is_passed_on(project: Project) -> None:
    output = "Processing qemu-m4\n----\nUserSideException: no compiler on PATH. Install it: apt\n"
    assert pio.explain(output, project, ()).message == "no compiler on PATH. Install it: apt"
    output = (
        "OSError: Traceback (most recent call last):\n  File x\nOSError: [Errno 5] Input/output\n"
    )
    assert pio.explain(output, project, ()).message == "[Errno 5] Input/output"


def test_anything_else_ends_with_what_was_printed(project: Project) -> None:
    error = pio.explain("\n".join(map(str, range(100))), project, ())
    assert error.message.splitlines()[-1] == "99"
    assert len(error.message.splitlines()) == 16


def test_a_folder_that_cannot_be_written_is_named(project: Project) -> None:
    (project.path / ".pio").write_text("a file where the folder should be")
    with pytest.raises(ToolError, match="cannot build in") as caught:
        pio.build(project)
    assert str(project.path) in caught.value.message
    assert "--out" in caught.value.hint


def test_platformio_missing_is_named(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ToolError, match="PlatformIO is not installed") as caught:
        pio.build(project)
    assert caught.value.hint.startswith("pip install")
