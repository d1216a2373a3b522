"""What this machine has of what tinyml needs, and the exact command that installs the rest.

What a platform of ours builds with, and no package manager has, is installed here: by the file
`packages.py` of its folder in `tinyml/platforms`.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tinyml import extras, paths, proc
from tinyml.device import serial_access
from tinyml.errors import ConfigError, ToolError, nearest
from tinyml.report import provenance

REQUIRED = "required"
OPTIONAL = "optional"
_TOOLS = ("arm-none-eabi-gcc", "qemu-system-arm", "cc", "espeak-ng")


@dataclass(frozen=True)
class Check:
    """One thing that is needed. `found` is its version, or what is wrong; `fix` a command.

    JSON document `tinyml.doctor/1` has `checks` of exactly these fields, and `ready`.
    """

    name: str
    ok: bool
    found: str
    needed_for: str
    level: str
    fix: str


def examine() -> list[Check]:
    """Look at everything and return one check each, in the order of the pipeline."""
    return [
        _python(),
        _package("numpy", "everything"),
        _package("tflite_micro", "validate, evaluate: the reference", "tflite-micro"),
        _extension(),
        _package("tensorflow", "train, quantize, inspect --sqnr", level=OPTIONAL, extra="train"),
        _package("tf_keras", "train, quantize, inspect --sqnr", level=OPTIONAL, extra="train"),
        _package("soundfile", "import of sound", level=OPTIONAL, extra="import"),
        _package("soxr", "import of sound", level=OPTIONAL, extra="import"),
        _package("cbor2", "import of CBOR", level=OPTIONAL, extra="import"),
        _program("espeak-ng", "train without recordings", "espeak-ng", level=OPTIONAL),
        _program("cc", "the model on this computer, tests", "gcc libc6-dev", level=OPTIONAL),
        _package("platformio", "build"),
        _package("SCons", "build", "scons"),
        _program("arm-none-eabi-gcc", "build", "gcc-arm-none-eabi"),
        _arm_library("libc.a", "newlib", "libnewlib-arm-none-eabi"),
        _arm_library("libstdc++.a", "libstdc++ for Arm", "libstdc++-arm-none-eabi-newlib"),
        _program("qemu-system-arm", "flash and monitor on qemu-m4", "qemu-system-arm"),
        _package("serial", "flash and monitor on real boards", "pyserial"),
        _program("git", "libraries of real boards", "git", level=OPTIONAL),
        _cache(),
        *_serial_access(),
        *(_platform(name) for name in fixable()),
    ]


def versions() -> list[tuple[str, str]]:
    """Return the versions of tinyml and of the tools that decide what it builds and measures."""
    found = [*provenance.versions(), ("Python", platform.python_version())]
    for name in _TOOLS:
        if (path := shutil.which(name)) is not None:
            found.append((name, _first_line(path)))
    return found


def ready(checks: list[Check]) -> bool:
    """Return whether nothing that is required is missing."""
    return all(check.ok or check.level == OPTIONAL for check in checks)


def fixable() -> list[str]:
    """Return the platforms whose packages can be installed here."""
    return sorted(file.parent.name for file in paths.shared("platforms").glob("*/packages.py"))


def fix(
    platform: str, source: Path | None = None, on_step: Callable[[str], None] = lambda text: None
) -> list[Path]:
    """Install what `platform` builds with and return its folders; what is there is left alone.

    Archives come from the folder `source`, else from the network. Raises ConfigError for an unknown
    platform and ToolError, with one line for each archive that cannot be had or is not the one that
    it must be; what could be installed stays.
    """
    packages = _packages(platform)
    folder = packages.home()
    installed, failures, hints = [], [], []

    def progress(archive: str, done: int, total: int) -> None:
        on_step(f"{archive}: {done * 100 // total} % of {total / 1e6:.1f} MB")

    for package in packages.wanted():
        on_step(package.archive)
        try:
            installed.append(packages.install(package, folder, source, progress))
        except packages.PackageError as error:
            failures.append(str(error))
            hints.append(error.hint)
    if failures:
        raise ToolError("\n".join(failures), "\n".join(dict.fromkeys(hints)))
    return installed


def install_command(packages: str) -> str:
    """Return the command that installs Debian `packages` on a machine like this one."""
    if shutil.which("apt-get") is None:
        return f"install with your package manager (Debian's names): {packages}"
    return f"sudo apt-get install -y {packages}"


def _cache() -> Check:
    """Whether what builds keep, ours and PlatformIO's, can be written: a container has no home."""
    needed_for = "build, train"
    places = {"TINYML_CACHE": paths.cache, "PLATFORMIO_CORE_DIR": _platformio_folder}
    closed, fixes = [], []
    for variable, place in places.items():
        try:
            folder = place()
            if _can_write(folder):
                continue
            closed.append(str(folder))
        except RuntimeError:  # there is no home at all
            closed.append("a home folder")
        fixes.append(f"export {variable}=/tmp/{variable.lower()}")
    if not closed:
        return Check("cache", True, str(paths.cache()), needed_for, REQUIRED, "")
    found = f"cannot write {' and '.join(closed)}"
    return Check("cache", False, found, needed_for, REQUIRED, " && ".join(fixes))


def _platformio_folder() -> Path:
    own = os.environ.get("PLATFORMIO_CORE_DIR")
    return Path(own) if own else Path.home() / ".platformio"


def _can_write(folder: Path) -> bool:
    """Whether `folder` can be written, or made where it is missing."""
    existing = next(each for each in (folder, *folder.absolute().parents) if each.exists())
    try:
        with tempfile.TemporaryFile(dir=existing):  # rights alone do not tell of read-only disks
            return True
    except OSError:
        return False


def _serial_access() -> list[Check]:
    if importlib.util.find_spec("serial") is None:
        return []
    return [
        Check(finding.name, not finding.fix, finding.found, "real boards", OPTIONAL, finding.fix)
        for finding in serial_access.examine()
    ]


def _python() -> Check:
    version = platform.python_version()
    ok = sys.version_info >= (3, 10)
    return Check("python", ok, version, "everything", REQUIRED, "" if ok else "install Python 3.10")


def _package(
    module: str, needed_for: str, project: str = "", *, level: str = REQUIRED, extra: str = ""
) -> Check:
    project = project or module
    ok = importlib.util.find_spec(module) is not None
    found = _version(project) if ok else "not installed"
    fix = extras.install(extra) if extra else f"pip install {project}"
    return Check(project, ok, found, needed_for, level, "" if ok else fix)


def _version(project: str) -> str:
    try:
        return importlib.metadata.version(project)
    except importlib.metadata.PackageNotFoundError:
        return "installed"


def _extension() -> Check:
    ok, found, fix = True, "built", ""
    try:
        importlib.import_module("tinyml.features")
    except ToolError as error:
        ok, found, fix = False, error.message, error.hint
    return Check("audio front end", ok, found, "train, evaluate, monitor", REQUIRED, fix)


def _packages(platform: str) -> Any:
    if platform not in fixable():
        raise ConfigError(f"nothing to fix for {platform!r}", nearest(platform, fixable()))
    return importlib.import_module(f"tinyml.platforms.{platform}.packages")


def _platform(name: str) -> Check:
    packages = _packages(name)
    missing = [package.directory for package in packages.missing(packages.home())]
    return Check(
        f"{name} packages",
        not missing,
        f"not installed: {', '.join(missing)}" if missing else str(packages.home()),
        f"build for {name}",
        OPTIONAL,
        f"tinyml doctor --fix {name}" if missing else "",
    )


def _program(name: str, needed_for: str, packages: str, *, level: str = REQUIRED) -> Check:
    path = shutil.which(name)
    found = "not found on PATH" if path is None else _first_line(path)
    fix = install_command(packages) if path is None else ""
    return Check(name, path is not None, found, needed_for, level, fix)


def _arm_library(file: str, name: str, packages: str) -> Check:
    fix = install_command(packages)
    gcc = shutil.which("arm-none-eabi-gcc")
    if gcc is None:
        return Check(name, False, "no arm-none-eabi-gcc to ask", "build", REQUIRED, fix)
    answer = _ask(lambda: proc.run([gcc, f"-print-file-name={file}"], timeout_s=20).output)
    ok = Path(answer).is_absolute()  # gcc repeats a name that it cannot find
    return Check(name, ok, answer if ok else "not installed", "build", REQUIRED, "" if ok else fix)


def _first_line(path: str) -> str:
    return _ask(lambda: proc.run([path, "--version"], timeout_s=20).output.partition("\n")[0])


def _ask(question: Callable[[], str]) -> str:
    try:
        return question().strip()
    except ToolError as error:
        return error.message.partition("\n")[0]
