"""The reference in its own process: what ends it is an error, and the next one is started."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import numpy as np
import pytest

from tinyml.errors import ModelError, ToolError
from tinyml.model import bundle, oracle, worker
from tinyml.model.oracle import Oracle

MODEL = bundle.load("gesture").model


def _input(seed: int = 0) -> np.ndarray:  # type: ignore[type-arg]
    shape = Oracle(MODEL).inputs[0].shape
    return np.random.default_rng(seed).integers(-128, 128, shape, np.int8, endpoint=False)


def test_answers_are_the_golden_ones_and_stay_so_after_a_death() -> None:
    golden = np.load(bundle.load("gesture").path / "golden.npz")
    model = Oracle(MODEL)
    for given, expected in zip(golden["in0"], golden["out0"], strict=True):
        np.testing.assert_array_equal(model.run([given])[0], expected)
    process = oracle._WORKER._process
    assert process is not None
    os.kill(process.pid, signal.SIGSEGV)
    with pytest.raises(ModelError, match=r"model: the TFLM interpreter dies of it \(SIGSEGV\)"):
        model.run([golden["in0"][0]])
    np.testing.assert_array_equal(model.run([golden["in0"][0]])[0], golden["out0"][0])
    outputs, tensors = model.run_all([golden["in0"][0]])
    np.testing.assert_array_equal(outputs[0], golden["out0"][0])
    assert tensors.keys() >= set(model.graph.outputs)


def test_models_share_one_process_and_leave_nothing_behind() -> None:
    models = [Oracle(MODEL, str(number)) for number in range(3)]
    pids = set()
    for model in models:
        model.run([_input()])
        process = oracle._WORKER._process
        assert process is not None
        pids.add(process.pid)
    assert len(pids) == 1
    del models, model
    kept = Oracle(MODEL)
    kept.run([_input()])
    assert oracle._DROPPED == []


def test_a_fork_has_a_worker_of_its_own() -> None:
    model = Oracle(MODEL)
    expected = model.run([_input()])[0]
    child = os.fork()
    if child == 0:  # its answers must not be taken from the pipe of its parent
        same = np.array_equal(model.run([_input(1)])[0], model.run([_input(1)])[0])
        os._exit(0 if same else 1)
    np.testing.assert_array_equal(model.run([_input()])[0], expected)
    assert os.waitpid(child, 0)[1] == 0


def test_what_runs_on_and_on_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    slow = worker.Worker("tests_slow_worker")
    code = (
        "from tinyml.model import worker\n"
        "def spin(header, blobs):\n    while True: pass\n"
        "worker.serve(spin, 0.2)"
    )
    python = [sys.executable, "-c", code]
    monkeypatch.setattr(worker.proc, "python", lambda _: python)
    with pytest.raises(worker.Died, match="SIGPROF"):
        slow.request({})


def test_a_missing_package_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    code = (
        "import sys; sys.modules['tflite_micro.python.tflite_micro'] = None\n"
        "from tinyml.model import interpreter; interpreter.main()"
    )
    monkeypatch.setattr(oracle, "_WORKER", worker.Worker("any"))
    monkeypatch.setattr(worker.proc, "python", lambda _: [sys.executable, "-c", code])
    with pytest.raises(ToolError, match="tflite_micro package cannot be imported"):
        Oracle(MODEL)


def test_tensors_that_no_interpreter_can_hold_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(oracle, "_MOST_ARENA", 1 << 20)
    with pytest.raises(ModelError, match="more than the interpreter can hold"):
        Oracle(MODEL)


@pytest.mark.needs_data
def test_a_softmax_of_many_entries_has_figures_though_the_interpreter_dies_of_equal_scores() -> (
    None
):
    folder = Path(os.environ["TINYML_TEST_DATA"])
    model = Oracle((folder / "faults/models/softmax_dense1000.tflite").read_bytes(), "wide")
    assert model.arena_bytes > 0
    with pytest.raises(ModelError, match="wide: the TFLM interpreter dies of it"):
        model.run([np.zeros(model.inputs[0].shape, np.int8)])
    assert model.run([np.arange(16, dtype=np.int8).reshape(model.inputs[0].shape) * 7])
