"""A sandbox for a process that parses files of strangers: what it gives up before it opens one.

On Linux (5.13 and later) the kernel's Landlock holds it: it reads Python and its libraries and the
one folder it is given, writes only there, executes nothing and opens no TCP connection. Everywhere
an audit hook refuses what Python code would need to start programs or to talk to others, the
environment is emptied, and resource limits end what grows without bound.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import re
import struct
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

_KEPT = re.compile(r"PATH|LANG|LC_\w+|LD_LIBRARY_PATH|SYSTEMROOT|OMP_NUM_THREADS|TF_\w+")
_REFUSED = re.compile(
    r"os\.(system|exec|posix_spawn|spawn|fork|forkpty|startfile)|subprocess\.Popen"
    r"|pty\.spawn|socket\.(connect|bind|sendto|sendmsg|getaddrinfo)|webbrowser\.open"
)
_SYSTEM = ("/usr", "/lib", "/lib64", "/etc", "/proc", "/sys", "/dev")
_PACKAGE = Path(__file__).parents[1]
_CREATE, _ADD, _RESTRICT = 444, 445, 446  # system calls of Landlock, on every architecture
_NO_NEW_PRIVILEGES = 38  # of prctl
_WRITE_FILE, _READ = 1 << 1, 1 << 2 | 1 << 3
_FILE_RIGHTS = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 5: (1 << 16) - 1}  # by ABI
_EXECUTE = 1
_TCP_SINCE, _TCP_RIGHTS = 4, 3


def confine(
    folder: Path | None = None, *, memory_bytes: int = 0, written_bytes: int = 1 << 32
) -> bool:
    """Give up, for this process and for good, all that parsing files in `folder` does not need.

    Without a folder nothing is written, and only what is open already is read. `memory_bytes`: most
    address space, 0 for no limit; `written_bytes`: most of any file. Returns whether the kernel
    holds it too (Landlock); False on other systems, where the rest still counts. Call it before
    threads are started, and before the first foreign byte is read.
    """
    for name in list(os.environ):
        if not _KEPT.fullmatch(name):
            del os.environ[name]
    if folder is not None:
        os.environ.update(HOME=str(folder), TMPDIR=str(folder))
        tempfile.tempdir = str(folder)
    _limit(memory_bytes, written_bytes)
    held = _landlock([*_SYSTEM, str(_PACKAGE), sys.prefix, sys.base_prefix, *sys.path], folder)
    sys.addaudithook(_refuse)
    return held


def _refuse(event: str, _: tuple[Any, ...]) -> None:
    if _REFUSED.fullmatch(event):
        raise PermissionError(f"{event} is refused: this process only reads a file")


def _limit(memory_bytes: int, written_bytes: int) -> None:
    try:
        import resource
    except ImportError:  # there are none on Windows
        return
    limits = [(resource.RLIMIT_CORE, 0), (resource.RLIMIT_FSIZE, written_bytes)]
    if memory_bytes:
        limits.append((resource.RLIMIT_AS, memory_bytes))
    for kind, most in limits:
        _, hard = resource.getrlimit(kind)
        allowed = most if hard == resource.RLIM_INFINITY else min(most, hard)
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(kind, (allowed, allowed))


def _landlock(readable: Iterable[str], writable: Path | None) -> bool:
    """Restrict this process to files below `readable` and `writable`; False where it cannot be."""
    if not sys.platform.startswith("linux"):
        return False
    call = ctypes.CDLL(None, use_errno=True).syscall
    abi = call(_CREATE, None, 0, 1)
    if abi < 1:
        return False
    rights = _FILE_RIGHTS[max(known for known in _FILE_RIGHTS if known <= abi)]
    attributes = struct.pack("=QQ", rights, _TCP_RIGHTS if abi >= _TCP_SINCE else 0)
    ruleset = call(_CREATE, attributes, 16 if abi >= _TCP_SINCE else 8, 0)
    if ruleset < 0:
        return False
    try:
        for place in readable:
            _allow(call, ruleset, place, _READ)
        _allow(call, ruleset, "/dev/null", _WRITE_FILE)
        if writable is not None:
            _allow(call, ruleset, str(writable), rights & ~_EXECUTE)
        if ctypes.CDLL(None).prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0) != 0:
            return False
        return bool(call(_RESTRICT, ruleset, 0) == 0)
    finally:
        os.close(ruleset)


def _allow(call: Any, ruleset: int, place: str, rights: int) -> None:
    """Add what may be done below `place`; nothing where it does not exist."""
    try:
        handle = os.open(place or ".", os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        if not Path(place or ".").is_dir():
            rights &= _EXECUTE | _WRITE_FILE | 1 << 2 | 1 << 14  # the rights that files have
        call(_ADD, ruleset, 1, struct.pack("=Qi", rights, handle), 0)
    finally:
        os.close(handle)
