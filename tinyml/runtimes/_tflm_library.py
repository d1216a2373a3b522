"""The library of the `tflm` runtime: TensorFlow Lite Micro, in a folder or as a board names it.

Two layouts are known: the Arduino library of 2023, and the current tree that upstream's script
writes.
"""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path

from tinyml.errors import ConfigError
from tinyml.model import generations
from tinyml.model.arena_cache import Subject
from tinyml.records import Board, Bundle, RuntimeOptions

OPTION = "--tflm-dir"
BOARD_KEY = "custom_tflm"
LIBRARY_VARIABLE = "TINYML_TFLM_DIR"
EXTRA_FOLDERS_VARIABLE = "PLATFORMIO_LIB_EXTRA_DIRS"
# A file that tells the library's layout: the Arduino library of 2023, or the current tree.
_ARDUINO_LAYOUT = Path("src/tensorflow/lite/micro/micro_interpreter.h")
_TREE_LAYOUT = Path("tensorflow/lite/micro/micro_interpreter.h")
_CMSIS_NN_GLUE = Path("third_party/cmsis_nn/Include/arm_nnfunctions.h")
_MAKE = (  # in a checkout of tensorflow/tflite-micro; without the options it has no fast kernels
    "python3 tensorflow/lite/micro/tools/project_generation/create_tflm_tree.py --rename_cc_to_cpp "
    '--makefile_options "TARGET=cortex_m_generic OPTIMIZED_KERNEL_DIR=cmsis_nn '
    'TARGET_ARCH=cortex-m4+fp" DIR'
)
_SOURCE_ROOTS = ("src", "tensorflow", "third_party")
_SOURCE_SUFFIXES = frozenset({".h", ".c", ".cc", ".cpp"})


def folder(options: RuntimeOptions) -> Path | None:
    """Return the library's folder where the user names one, None for the board's own library.

    It is named by the options, by $TINYML_TFLM_DIR, or by being in a folder of PlatformIO's own
    $PLATFORMIO_LIB_EXTRA_DIRS. Raises ConfigError for a folder that is no TFLM library.
    """
    named = options.library or os.environ.get(LIBRARY_VARIABLE) or _in_extra_folders()
    if not named:
        return None
    found = Path(named).resolve()
    if not is_in(found):
        raise ConfigError(
            f"{found} is no TensorFlow Lite Micro library: it has neither {_ARDUINO_LAYOUT} nor "
            f"{_TREE_LAYOUT}",
            f"name a checkout of tflite-micro-arduino-examples with {OPTION}, or a tree: {_MAKE}",
        )
    if not (found / _ARDUINO_LAYOUT).is_file() and not (found / _CMSIS_NN_GLUE).is_file():
        raise ConfigError(
            f"{found} is a TFLM tree without the kernels of CMSIS-NN: it has no {_CMSIS_NN_GLUE}",
            f"make one with them: {_MAKE}",
        )
    return found


def _in_extra_folders() -> Path | None:
    for entry in re.split(r"[,\n]", os.environ.get(EXTRA_FOLDERS_VARIABLE, "")):
        folder = Path(entry.strip())
        for library in sorted(folder.iterdir()) if entry.strip() and folder.is_dir() else ():
            if is_in(library):
                return library
    return None


def is_in(folder: Path) -> bool:
    """Whether `folder` holds TFLM, in the layout of the Arduino library or of the current tree."""
    return any((folder / layout).is_file() for layout in (_ARDUINO_LAYOUT, _TREE_LAYOUT))


def platformio_options(board: Board, library: Path | None) -> dict[str, str]:
    """Return the options of PlatformIO that a build with the library needs; none without one."""
    # These change the layout of TFLM's structures: every file must see the same.
    flags = ["-DTF_LITE_STATIC_MEMORY", "-DTF_LITE_DISABLE_X86_NEON", "-DCMSIS_NN"]
    if library is None and not board.options.get(BOARD_KEY):
        return {}
    is_arduino_library = library is None or (library / _ARDUINO_LAYOUT).is_file()
    if is_arduino_library and "framework" not in board.options:
        flags.append("-DARDUINO=10819")  # its headers choose CMSIS-NN's registrations by this
    options = {"build_flags": "\n".join(flags)}
    if library is not None:
        return {**options, "lib_compat_mode": "off"}
    dependency = board.options[BOARD_KEY]
    return {**options, "lib_deps": dependency, "extra_scripts": "pre:download/describe.py"}


def generation(library: Path | None, named: str | None = None) -> str:
    """Return the generation of TFLM that `library` is: as named, else as its sources tell.

    `library` None means the board's own. Raises ConfigError where there is none of that name.
    """
    if named is not None:
        return generations.load(named).name
    if library is None or (library / _ARDUINO_LAYOUT).is_file():
        return "2023"
    kernel = library / _TREE_LAYOUT.parent / "kernels" / "sub_common.cpp"
    in_float32 = kernel.is_file() and "static_cast<double>(input1->params.scale /" in " ".join(
        kernel.read_text(encoding="utf-8", errors="replace").split()
    )
    return "2026-08" if in_float32 else generations.REFERENCE.name


def about(library: Path | None) -> str:
    """Say which library it is."""
    if library is None or (library / _ARDUINO_LAYOUT).is_file():
        return "the TFLM library of 2023"
    return f"the TFLM tree {library.name}"


def arena_subject(bundle: Bundle, board: Board, library: Path | None) -> Subject:
    """Return what a measured arena of `bundle` is about; `library` None means the board's own."""
    edition = board.options.get(BOARD_KEY, "") if library is None else _digest(library)
    return Subject(bundle.sha256, "tflm", board.id, edition)


def _digest(library: Path) -> str:
    """Return the hash of the library's sources: two folders that are equal are one edition."""
    digest = hashlib.sha256()
    for root in _SOURCE_ROOTS:
        for file in sorted((library / root).rglob("*")):
            if file.suffix in _SOURCE_SUFFIXES and file.is_file():
                digest.update(str(file.relative_to(library)).encode() + b"\0")
                digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()
