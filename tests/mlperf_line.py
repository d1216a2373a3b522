"""The host's end of MLPerf Tiny's text commands, strict about every byte, and what it must see."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

import numpy as np

READY = b"m-ready\r\n"
BANNER = rb"m-timestamp-mode-performance\r\nm-lap-us-\d+\r\nm-init-done\r\nm-ready\r\n"
BYTES_PER_COMMAND = 31


class Runner:
    """Sends commands and takes replies: `receive` returns bytes that have come, or b""."""

    def __init__(
        self, send: Callable[[bytes], object], receive: Callable[[], bytes], timeout_s: float = 30.0
    ) -> None:
        self._send = send
        self._receive = receive
        self._timeout_s = timeout_s

    def ask(self, command: str) -> list[str]:
        """Return the lines of a reply but the last one, which says that the device is ready."""
        self._send(f"{command}%".encode("latin-1"))
        came = b""
        deadline = time.monotonic() + self._timeout_s
        while not came.endswith(READY):
            assert time.monotonic() < deadline, f"{command!r}: only {came!r}"
            came += self._receive()
        *lines, ready, rest = came.decode("ascii").split("\r\n")
        assert (ready, rest) == ("m-ready", "")
        assert not any(set(line) & set("\r\n") for line in lines)
        assert "m-ready" not in lines
        return lines

    def load(self, data: bytes) -> None:
        """Load an input, 31 bytes a command."""
        assert self.ask(f"db load {len(data)}") == [f"m-[Expecting {len(data)} bytes]"]
        for start in range(0, len(data), BYTES_PER_COMMAND):
            end = start + BYTES_PER_COMMAND
            reply = self.ask(f"db {data[start:end].hex()}")
            assert reply == (["m-load-done"] if end >= len(data) else [])

    def infer(self, arguments: str = "", count: int = 1, warmup: int = 10) -> list[str]:
        """Run inferences; return the results as they were written."""
        lines = self.ask(f"infer{arguments}")
        laps = [re.fullmatch(r"m-lap-us-(\d+)", line) for line in lines[3:5]]
        assert [*lines[:3], lines[5]] == [
            f"m-warmup-start-{warmup}",
            "m-warmup-done",
            f"m-infer-start-{count}",
            "m-infer-done",
        ]
        first, second = (int(lap[1]) for lap in laps if lap is not None)
        assert 0 <= first <= second < 1 << 32
        assert len(lines) == 7
        return self.results_in(lines[6])

    @staticmethod
    def results_in(line: str) -> list[str]:
        """Return the values of a line of results."""
        found = re.fullmatch(r"m-results-\[([^\]]+)\]", line)
        assert found is not None, line
        return found[1].split(",")


def scores(values: np.ndarray, scale: float, zero_point: int) -> list[str]:
    """Int8 outputs as the device must write them: float32 products with three decimals."""
    real = (values.ravel().astype(np.int32) - zero_point).astype(np.float32) * np.float32(scale)
    return [f"{float(value):.3f}" for value in real]


def quantized(values: np.ndarray, scale: float, zero_point: int) -> np.ndarray:
    """Float32 inputs as the reference quantizes them: halves away from zero."""
    steps = (values / np.float32(scale)).astype(np.float32).astype(np.float64)
    whole = np.where(steps < 0, np.ceil(steps - 0.5), np.floor(steps + 0.5)) + zero_point
    return np.clip(whole, -128, 127).astype(np.int8)


def reconstruction_error(
    outputs: np.ndarray, scale: float, zero_point: int, inputs: np.ndarray
) -> str:
    """The mean square of output less input as the reference sums it: in float32, in order."""
    total = np.float32(0)
    real = (outputs.ravel().astype(np.int32) - zero_point).astype(np.float32) * np.float32(scale)
    for difference in real - inputs.astype(np.float32):
        total += difference * difference
    return f"{float(total / np.float32(len(inputs))):.3f}"
