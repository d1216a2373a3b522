"""The firmware's application as a process on this machine, under ASan and UBSan, to talk to.

`build` compiles exactly the files a project gets, with a stub board and, by default, a stub model.
"""

from __future__ import annotations

import hashlib
import os
import select
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from line_peer import LinePeer

from tinyml.device.deadline import Deadline
from tinyml.firmware import plan, render
from tinyml.records import Board, Bundle, CSource, FeatureConfig, StreamConfig, TensorInfo

HERE = Path(__file__).parent
WARNINGS = ["-Wall", "-Wextra", "-Werror", "-Wconversion", "-Wshadow", "-pedantic"]
SANITIZE = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
BOARD = Board(
    "host", "This machine", "qemu_m4", "any", 1 << 20, 1 << 18, "serial", "cycles",
    "compiled", {}, Path("host.ini"),
)  # fmt: skip
LABELS = ("silence", "unknown", "yes", "nö?")
AUDIO = FeatureConfig("audio", {"sample_rate_hz": 16000, "window_ms": 30, "stride_ms": 20,
                                "channels": 40, "frames": 49})  # fmt: skip
STREAM = StreamConfig(2, 3, 0.6, 300, (0, 1))


def stub(inputs: Sequence[int], outputs: Sequence[int], stream: bool) -> tuple[Bundle, CSource]:
    """A bundle and the stub model of those input and output sizes."""
    bundle = Bundle(
        "stub", b"", hashlib.sha256(b"stub").hexdigest(), Path("stub"), labels=LABELS,
        features=AUDIO if stream else None, stream=STREAM if stream else None,
    )  # fmt: skip
    sizes = "".join(
        f"#define {name} {', '.join(map(str, values))}\n"
        for name, values in (("MODEL_INPUTS", inputs), ("MODEL_OUTPUTS", outputs))
    )
    model = sizes + (HERE / "firmware" / "model.c").read_text()
    return bundle, CSource(
        runtime="stub",
        files={"model.c": model},
        inputs=tuple(TensorInfo("in", "int8", (1, n), 0.5, -3) for n in inputs),
        outputs=tuple(TensorInfo("out", "int8", (1, n), 1 / 256, -128) for n in outputs),
        steps=(),
        folded=(),
        arena_bytes=1000,
        constant_bytes=50,
    )


def build(
    folder: Path,
    bundle: Bundle,
    source: CSource,
    *,
    port: str = "port.c",
    cc: Sequence[str] = ("cc", *SANITIZE),
) -> Path:
    """Render the firmware into `folder` and compile all of it but its board; return the program."""
    for name, contents in render.render(plan.of_source(bundle, BOARD, source)).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(contents)
    parts = sorted((folder / "src").iterdir())
    files = [file for part in parts if part.name != "board" for file in sorted(part.glob("*.c"))]
    program = folder / "device"
    subprocess.run(
        [*cc, "-std=c99", "-D_POSIX_C_SOURCE=200809L", "-O1", "-g", *WARNINGS,
         *(f"-I{part}" for part in parts), *files, HERE / "firmware" / port, "-o", program],
        check=True,
    )  # fmt: skip
    return program


class HostDevice(LinePeer):
    """A running program of `build`; a context manager that also checks how it ends."""

    def __init__(self, program: Path, *args: str) -> None:
        super().__init__()
        self._process = subprocess.Popen(
            [program, *args], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
        )

    def __enter__(self) -> HostDevice:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        code = self.close()
        assert kind is not None or code == 0, f"the device ended with {code}"

    def close(self) -> int:
        """End the line; return the program's exit code, non-zero where a sanitizer struck."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        while self._read(5.0):
            pass
        return self._process.wait(10)

    def wait(self) -> int:
        """Return the exit code of a program that ends by itself."""
        return self._process.wait(10)

    def send(self, data: bytes) -> None:
        """Put bytes on the line, taking in what comes back meanwhile."""
        assert self._process.stdin is not None
        handle = self._process.stdin.fileno()
        os.set_blocking(handle, False)
        view = memoryview(data)
        while view:
            _, writable, _ = select.select([], [handle], [], 0.05)
            if writable:
                view = view[os.write(handle, view[:65536]) :]
            while self._read(0):
                pass

    def _read(self, timeout_s: float) -> int:
        assert self._process.stdout is not None
        readable, _, _ = select.select([self._process.stdout], [], [], timeout_s)
        data = os.read(self._process.stdout.fileno(), 65536) if readable else b""
        self._frames += self.receiver.feed(data)
        return len(data)


class ProcessLink:
    """A running program of `build` as a link for `tinyml.device.Device`."""

    def __init__(self, program: Path, environment: Mapping[str, str] = os.environ) -> None:
        self._process = subprocess.Popen(
            [program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0, env=environment
        )

    def read(self, n: int, deadline: Deadline) -> bytes:
        assert self._process.stdout is not None
        readable, _, _ = select.select([self._process.stdout], [], [], deadline.left())
        return os.read(self._process.stdout.fileno(), n) if readable else b""

    def write(self, data: bytes, deadline: Deadline) -> int:
        assert self._process.stdin is not None
        return self._process.stdin.write(data)

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait(10)
