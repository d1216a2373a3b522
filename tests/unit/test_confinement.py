"""What a process that parses files of strangers can still do: read them, and nothing else."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tinyml import proc

TRIES = """
import os, sys
from pathlib import Path
import numpy
from tinyml.model import confinement
held = confinement.confine(Path(sys.argv[1]))
print("held" if held else "not held")
secret = Path(sys.argv[2])
for name, attempt in {
    "inside": lambda: Path(sys.argv[1], "file").write_text("mine"),
    "read": lambda: secret.read_text(),
    "write": lambda: secret.write_text("other"),
    "system": lambda: os.system("echo ran"),
    "native": lambda: __import__("ctypes").CDLL(None).system(b"echo ran") and 1 / 0,
    "connect": lambda: __import__("socket").socket().connect(("127.0.0.1", 9)),
    "fork": lambda: os.fork(),
    "environment": lambda: os.environ["SECRET"],
}.items():
    try:
        attempt()
        print(name, "done")
    except (OSError, KeyError, ZeroDivisionError):
        print(name, "refused")
"""


@pytest.fixture(scope="module")
def tried(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("inside")
    secret = tmp_path_factory.mktemp("outside") / "secret"
    secret.write_text("secret")
    command = [*proc.python("x")[:2], TRIES, folder, secret]
    done = proc.run(command, env={"SECRET": "1"}, timeout_s=60)
    assert "ran" not in done.output.split()
    assert secret.read_text() == "secret"
    assert (folder / "file").read_text() == "mine"
    held, *lines = done.output.splitlines()
    return {"kernel": held, **dict(line.split() for line in lines)}


def test_python_code_starts_nothing_and_talks_to_nobody(tried: dict[str, str]) -> None:
    assert tried["inside"] == "done"
    for name in ("system", "connect", "fork", "environment"):
        assert tried[name] == "refused"


def test_the_kernel_holds_native_code_too(tried: dict[str, str]) -> None:
    if tried["kernel"] != "held":
        pytest.skip("this kernel has no Landlock")
    for name in ("read", "write", "native"):
        assert tried[name] == "refused"


def test_our_processes_import_nothing_from_the_folder_they_start_in(tmp_path: Path) -> None:
    (tmp_path / "numpy.py").write_text("print('hijacked')")
    done = subprocess.run(
        proc.python("tinyml.model.interpreter"),
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=True,
        timeout=60,
    )
    assert done.stdout == b""
