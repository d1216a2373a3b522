"""Builds a generated project with PlatformIO: Project in, Firmware out.

PlatformIO runs in the Python that runs tinyml. With a platform of ours it keeps all it needs in the
project's `.pio`; what others download is large, and goes where the user's PlatformIO has it.
"""

from __future__ import annotations

import importlib.util
import os
import re
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from tinyml import proc
from tinyml.build import elf, fit_hints, link_checks, object_cache, offline_check
from tinyml.errors import ConfigError, DoesNotFitError, TinymlError, ToolError
from tinyml.records import Firmware, Project

TIMEOUT_S = 7200.0  # a first build of TFLM and a core takes long on a slow machine

_SOURCES = frozenset({".c", ".cc", ".cpp", ".S"})
_COMPILING = re.compile(r"^(?:Compiling|Retrieved `?)\s?\S*/(\S+)\.\w+(?:' from cache)?$")
_LINKING = re.compile(r"^(?:Linking |Retrieved `?\s?\S*\.elf' from cache$)")
_ERROR_LINES = (  # the most telling first
    re.compile(r"^.*\berror: (?!ld returned).*$", re.M),
    re.compile(r"^.*: undefined reference to .*$", re.M),
    re.compile(r"^.*\bld: (?!warning).*$", re.M),
)
_OVERFLOW = re.compile(r"region `(\w+)' overflowed by (\d+) bytes")
_PLATFORMIO_ERROR = re.compile(r"^(?:Error: |\w+(?:Exception|Error): (?!Traceback))(.+)$", re.M)
_DISK = re.compile(r"No space left on device|Read-only file system|Disk quota exceeded")
_OUT_OF_MEMORY = re.compile(r"ld: (?:Error: )?Out of memory|program size .* greater than maximum")
_LARGEST = 5
_SHELL = frozenset("$`\"'\\;&|<>()[]{}*?!#~%")  # what a shell reads as more than a name

# PlatformIO's variables that name a folder, and where a project has it.
_FOLDERS = {
    "PLATFORMIO_WORKSPACE_DIR": ".pio",
    "PLATFORMIO_BUILD_DIR": ".pio/build",
    "PLATFORMIO_LIBDEPS_DIR": ".pio/libdeps",
    "PLATFORMIO_SRC_DIR": "src",
}
_CORE_FOLDERS = {
    "PLATFORMIO_CORE_DIR": ".pio/core",
    "PLATFORMIO_PACKAGES_DIR": ".pio/core/packages",
    "PLATFORMIO_PLATFORMS_DIR": ".pio/core/platforms",
}


def build(project: Project, on_line: Callable[[str], None] | None = None) -> Firmware:
    """Compile and link `project`; `on_line` hears what is being done, in a few words at a time.

    Only what changed since the last build is compiled. Raises DoesNotFitError, with the largest
    contributors, when flash or RAM do not suffice, and ToolError when a tool is missing or fails.
    """
    if importlib.util.find_spec("platformio") is None:
        raise ToolError("PlatformIO is not installed", "pip install 'platformio>=6.2,<6.3'")
    _check_path(project)
    _check_writable(project)
    offline_check.require(project)
    environment = project.board.id
    done = proc.run(
        [sys.executable, "-m", "platformio", "run", "--environment", environment],
        cwd=project.path,
        env=_environment(project),
        timeout_s=TIMEOUT_S,
        on_line=None if on_line is None else progress(project.path / "src", on_line),
        check=False,
    )
    built = project.path / ".pio" / "build" / environment
    if done.code != 0:
        objects = sorted(built.rglob("*.o"))
        raise explain(done.output, project, elf.contributors(objects) if objects else ())
    firmware = measure(project, built / "firmware.elf")
    link_checks.check(firmware.elf, _own_objects(built), project.source)
    return firmware


def upload(
    project: Project, port: str, timeout_s: float, on_line: Callable[[str], None] | None = None
) -> None:
    """Have PlatformIO's uploader put the built `project` on the board at `port`.

    Raises ToolError when the uploader is missing and cannot be downloaded, and, with what was
    printed last, when it fails or takes longer.
    """
    offline_check.require(project, upload=True)
    target = ["--target", "upload", "--upload-port", port]
    done = proc.run(
        [sys.executable, "-m", "platformio", "run", "--environment", project.board.id, *target],
        cwd=project.path,
        env=_environment(project),
        timeout_s=timeout_s,
        on_line=on_line,
        check=False,
    )
    if done.code != 0:
        raise ToolError(f"the uploader failed:\n{_tail(done.output)}")


def _own_objects(built: Path) -> list[Path]:
    """Return the object files of the project and its libraries, without those of a framework."""
    return [file for folder in (built / "src", *built.glob("lib*")) for file in folder.rglob("*.o")]


def measure(project: Project, file: Path) -> Firmware:
    """Return the Firmware that `file` is; DoesNotFitError when it exceeds the board."""
    if not file.is_file():
        raise ToolError(f"PlatformIO ended without an error but left no {file}")
    board = project.board
    size, largest = elf.sizes(file, board.stack_symbol), elf.contributors([file])
    ram = size.ram + board.stack_bytes + (size.flash if board.shared_memory else 0)
    need = fit_hints.Need(size.flash, ram)
    if not need.fits(board):
        raise _does_not_fit(project, need, largest)
    stack = size.stack + board.stack_bytes
    return Firmware(project, file, size.flash, ram, stack, largest)


def explain(output: str, project: Project, largest: elf.Contributors) -> TinymlError:
    """Return the error that says why PlatformIO, having printed `output`, failed."""
    overflows = {
        "RAM" if "ram" in region.lower() else "flash": int(excess)
        for region, excess in _OVERFLOW.findall(output)
    }
    board, guess = project.board, fit_hints.estimate(project)
    if board.shared_memory and (overflows or _OUT_OF_MEMORY.search(output)):
        return DoesNotFitError(
            "the firmware does not fit: code, constants and data need more than the "
            f"{board.ram_bytes:,} bytes of {board.id}",
            _hint(project, replace(guess, ram=max(guess.ram, board.ram_bytes + 1)), largest),
        )
    if overflows:
        need = fit_hints.Need(
            board.flash_bytes + overflows["flash"]
            if "flash" in overflows
            else min(guess.flash, board.flash_bytes),
            board.ram_bytes + overflows["RAM"]
            if "RAM" in overflows
            else min(guess.ram, board.ram_bytes),
        )
        return _does_not_fit(project, need, largest)
    if full := _DISK.search(output):
        return ToolError(
            f"the build could not write its files: {full[0]}",
            "free some space, or name another folder with --out",
        )
    for pattern in _ERROR_LINES:
        if error := pattern.search(output):
            return ToolError(f"the firmware does not compile: {error[0].strip()}", "tinyml doctor")
    if error := _PLATFORMIO_ERROR.search(output):
        return ToolError(error[1], "tinyml doctor")
    return ToolError(f"PlatformIO failed:\n{_tail(output)}", "tinyml doctor")


def _tail(output: str) -> str:
    return "\n".join(output.splitlines()[-15:])


def _does_not_fit(
    project: Project, need: fit_hints.Need, largest: elf.Contributors
) -> DoesNotFitError:
    board = project.board
    needs = "; ".join(
        f"{wanted:,} bytes of {kind} needed, {board.id} has {has:,} ({wanted - has:,} too many)"
        for kind, wanted, has in (
            ("flash", need.flash, board.flash_bytes),
            ("RAM", need.ram, board.ram_bytes),
        )
        if wanted > has
    )
    return DoesNotFitError(f"the firmware does not fit: {needs}", _hint(project, need, largest))


def _hint(project: Project, need: fit_hints.Need, largest: elf.Contributors) -> str:
    shown = ", ".join(f"{name} {size:,} ({section})" for name, section, size in largest[:_LARGEST])
    changes = "; or ".join(fit_hints.changes(project, need))
    return f"largest: {shown}; {changes}" if shown else changes


def _environment(project: Project) -> dict[str, str]:
    """Keep a build inside its project, also where the user's own settings lead elsewhere."""
    path = project.path.resolve()
    own_folders = {**_FOLDERS, **(_CORE_FOLDERS if project.board.own_platform else {})}
    folders = {name: str(path / own) for name, own in own_folders.items() if name in os.environ}
    return {
        "PLATFORMIO_SETTING_ENABLE_TELEMETRY": "no",
        "PLATFORMIO_DISABLE_UPGRADE_CHECK": "true",
        "PLATFORMIO_NO_ANSI": "true",
        object_cache.VARIABLE: str(object_cache.folder()),
        **folders,
    }


def _check_path(project: Project) -> None:
    """Refuse a folder whose name would be read as something else on its way to the compiler.

    PlatformIO and SCons replace what follows a $; platforms of others pass paths to a shell.
    """
    path = str(project.path.resolve())
    odd = set(path) & (set("$") if project.board.own_platform else _SHELL - {os.sep})
    odd |= {character for character in path if not character.isprintable()}
    if odd:
        listed = ", ".join(sorted(map(ascii, odd)))
        raise ConfigError(
            f"PlatformIO cannot build for {project.board.id} in a folder whose path has {listed}: "
            f"{path!a}",
            "name another folder with --out",
        )


def _check_writable(project: Project) -> None:
    try:
        state = project.path / ".pio"
        state.mkdir(exist_ok=True)
        with tempfile.TemporaryFile(dir=state):
            pass
    except OSError as error:
        raise ToolError(
            f"cannot build in {project.path}: {error.strerror or error}",
            "name another folder with --out",
        ) from error


def progress(sources: Path, on_line: Callable[[str], None]) -> Callable[[str], None]:
    """Turn PlatformIO's lines into "compiling 3 of 12: name" and "linking".

    How many files the libraries have is not known: beyond those in `sources`, there is no "of".
    """
    total = sum(file.suffix in _SOURCES for file in sources.rglob("*"))
    compiled = 0

    def hear(line: str) -> None:
        nonlocal compiled
        if _LINKING.match(line):
            on_line("linking")
        elif match := _COMPILING.match(line):
            compiled += 1
            of = f" of {total}" if compiled <= total else ""
            on_line(f"compiling {compiled}{of}: {match[1]}")

    return hear
