"""MLPerf Tiny's keyword spotting on the emulated board, through a terminal device as its runner."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import serial
from mlperf_line import Runner, scores

from tinyml import device
from tinyml.build import pio
from tinyml.errors import DeviceError
from tinyml.firmware import boards, plan, render
from tinyml.model import bundle
from tinyml.model.oracle import Oracle
from tinyml.records import Firmware

pytestmark = [
    pytest.mark.needs_arm_gcc,
    pytest.mark.needs_qemu,
    pytest.mark.needs_pio,
    pytest.mark.needs_data,
]

VECTORS = 20


@pytest.fixture(scope="module")
def built(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Firmware:
    board = boards.load("qemu-m4")
    model = bundle.load(str(data / "models" / "mlperf_tiny" / "kws_ref_model.tflite"))
    out = tmp_path_factory.mktemp("kws01") / "project"
    return pio.build(render.generate(plan.resolve(model, board, "compiled"), out))


@pytest.fixture
def path(runtime: Path, built: Firmware) -> Iterator[str]:
    """The terminal device of the board that runs it."""
    device.flash(built)
    terminal = device.open_terminal("qemu-m4")
    stopped = threading.Event()

    def serve() -> None:
        while not stopped.is_set():
            terminal.turn()

    thread = threading.Thread(target=serve)
    thread.start()
    yield terminal.path
    stopped.set()
    thread.join()
    terminal.close()


def test_results_equal_the_oracle_at_three_decimals(path: str, built: Firmware, data: Path) -> None:
    bundled, source = built.project.bundle, built.project.source
    oracle, output = Oracle(bundled.model), source.outputs[0]
    files = sorted((data / "kws" / "mlperf_kws01_mfcc_int8").glob("*.bin"))[:VECTORS]
    assert len(files) == VECTORS
    for number, file in enumerate(files):
        values = np.frombuffer(file.read_bytes(), np.int8)
        (expected,) = oracle.run([values.reshape(source.inputs[0].shape)])
        with serial.Serial(path, 115200, timeout=0.1) as port:  # opened anew: no banner comes
            runner = Runner(port.write, lambda port=port: port.read(port.in_waiting or 1))
            if number == 0:
                assert runner.ask("name") == ["m-name-dut-[tinyml-qemu-m4]"]
                assert runner.ask("profile")[1] == "m-model-[kws01]"
            runner.load(values.tobytes())
            results = runner.infer(" 2 1", 2, 1)
            assert results == scores(expected, output.scale, output.zero_point)
            assert runner.results_in(*runner.ask("results")) == results
            assert port.read(1) == b""


def test_the_line_is_taken_while_others_have_it(path: str) -> None:
    with pytest.raises(DeviceError, match="in use"):
        device.connect(boards.load("qemu-m4"))
