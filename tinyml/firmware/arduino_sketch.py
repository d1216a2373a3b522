"""A project as an Arduino sketch: the files of a PlatformIO project in, those of a sketch out.

The IDE compiles every file below `src`, but finds headers only beside the file that includes them:
so all of them lie in one folder. What PlatformIO's options say is said in the sketch itself: what
is compiled for speed in the files, which board package and libraries are needed in the README.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import PurePosixPath

from tinyml.errors import ConfigError
from tinyml.records import Board, CSource

_FAST = ("src/model/", "src/features/")  # as in build_rules.py
_SPEED = b'#pragma GCC optimize("O2")\n'
_START = re.compile(r"^src/board/main\.\w+$")  # setup() and loop(), which the .ino has
# What the IDE takes for a sketch: no dot at the end, which Windows drops from a folder's name.
_NAME = re.compile(r"^[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,61}[A-Za-z0-9_-])?$")
_REFERENCE = re.compile(r"\$\{this\.(\w+)\}")


def require(board: Board, source: CSource, name: str) -> None:
    """Raise ConfigError unless `source` can be a sketch called `name` for `board`."""
    if "custom_arduino_core" not in board.options:
        raise ConfigError(
            f"{board.id} has no Arduino core", "leave --format arduino away, or name another board"
        )
    if source.runtime not in board.options.get("custom_arduino_runtimes", "").split():
        raise ConfigError(
            f"the {source.runtime} runtime cannot be compiled as the Arduino core of {board.id} "
            "compiles sketches",
            "add --runtime compiled, or leave --format arduino away",
        )
    if not _NAME.match(name):
        raise ConfigError(
            f"{name!r} is no name that the Arduino IDE takes for a sketch",
            "name a folder of letters, digits, '_', '.' and '-' with --out; its last is no dot",
        )


def arrange(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return the sources of a project as a sketch has them: path -> contents."""
    sketch: dict[str, bytes] = {}
    for path, contents in files.items():
        if not path.startswith("src/") or _START.match(path):
            continue
        target = f"src/{PurePosixPath(path).name}"
        if sketch.get(target, contents) != contents:
            raise ConfigError(f"two files of the project are called {target.removeprefix('src/')}")
        fast = path.startswith(_FAST) and not path.endswith(".h")
        sketch[target] = _SPEED + contents if fast else contents
    return sketch


def libraries(options: Mapping[str, str]) -> list[str]:
    """Return what PlatformIO's `lib_deps` names, in the words of its options."""
    text = _REFERENCE.sub(lambda found: options[found[1]], options.get("lib_deps", ""))
    return text.split()
