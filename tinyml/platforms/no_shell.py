"""Starts compiler and linker without a shell, so that nothing in a name is ever interpreted.

Lies beside the platforms, in a project too. SCons joins the words of a command and hands them to a
shell, to which `;`, backquotes or `$` in the name of a folder are commands. Here the words are
parted and unquoted as a shell would, and the program is started itself.
"""

import os
import shlex
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any


def use(env: Any) -> None:
    """Have the SCons environment `env`, and what is cloned from it, start programs so."""
    if os.name == "posix":
        env.Replace(ESCAPE=shlex.quote, SPAWN=_spawn)


def relative(path: Path) -> str:
    """Return `path` as it is seen from the project, whose own folder may be called anything."""
    return os.path.relpath(path)


def _spawn(
    shell: str, escape: Any, command: str, words: Sequence[str], environment: Mapping[str, str]
) -> int:
    """Run a command as SCons's SPAWN does; return its exit code."""
    try:
        return subprocess.call(shlex.split(" ".join(words)), env=dict(environment))
    except (OSError, ValueError) as error:
        sys.stderr.write(f"Error: {command} cannot be started: {error}\n")
        return 127
