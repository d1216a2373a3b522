"""The benchmark's arithmetic, and the baseline that it is set beside."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from tinyml import cli, tflite
from tinyml.cli import results
from tinyml.cli.verbs import bench as verb
from tinyml.compiler import ops
from tinyml.errors import DeviceError, UnsupportedOpError
from tinyml.measure import bench
from tinyml.model import bundle
from tinyml.records import Bundle, Step, TensorInfo
from tinyml.report import benchmark

KWS = "aeea436800704fce17b17292e4412630ad856e9d777c044c64ef748a880bd0ae"


def device(sha256: str, unit: str = "instructions") -> Any:
    info = SimpleNamespace(
        sha256=sha256,
        model="m",
        board="qemu-m4",
        runtime="compiled",
        counter_unit=unit,
        inputs=(TensorInfo("x", "int8", (1, 4)), TensorInfo("y", "float32", (2,))),
    )
    given: list[Any] = []
    return SimpleNamespace(
        info=info, given=given, infer=given.append, bench=lambda count: [30, 10, 20, 40][:count]
    )


def firmware(sha256: str) -> Any:
    project = SimpleNamespace(
        bundle=Bundle("m", b"", sha256, Path("m.tflite")),
        source=SimpleNamespace(arena_bytes=100, constant_bytes=2000),
    )
    return SimpleNamespace(project=project, flash_bytes=9000, ram_bytes=500)


def test_a_row_has_the_figures_of_the_runs() -> None:
    board = device(KWS)
    row = bench.bench(board, firmware(KWS), 4)
    assert (row.counter_min, row.counter_median, row.counter_max) == (10, 20, 40)
    assert (row.flash_bytes, row.constant_bytes, row.code_bytes) == (9000, 2000, 7000)
    assert row.tflm_cmsis_nn is not None
    assert row.ratio == row.tflm_cmsis_nn.instructions / 20
    assert [(array.shape, array.dtype) for array in board.given[0]] == [
        ((1, 4), np.int8),
        ((2,), np.float32),
    ]


def test_cycles_are_not_compared_with_instructions() -> None:
    row = bench.bench(device(KWS, "cycles"), firmware(KWS), 4)
    assert row.tflm_cmsis_nn is not None
    assert row.ratio is None


def test_a_model_without_a_baseline_has_no_ratio() -> None:
    row = bench.bench(device("aa" * 32), firmware("aa" * 32), 1)
    assert (row.tflm_reference, row.tflm_cmsis_nn, row.ratio) == (None, None, None)


def test_another_model_is_refused() -> None:
    with pytest.raises(DeviceError):
        bench.bench(device("bb" * 32), firmware(KWS), 1)


def test_every_baseline_is_complete() -> None:
    document = json.loads(Path(bench.__file__).with_name("baseline.json").read_text())
    assert len(document["models"]) >= 9
    for sha256 in document["models"]:
        for kernels in ("tflm_reference", "tflm_cmsis_nn"):
            found = bench.baseline(sha256, kernels)
            assert found is not None
            assert min(vars(found).values()) > 0
    assert "QEMU" in bench.provenance()


def test_layers_have_their_share_and_their_macs() -> None:
    model = bundle.load("keyword_spotting")
    graph = tflite.read(model.model)
    steps = tuple(
        Step(op.index, op.name, op.outputs[0], "", 1) for op in (graph.ops[0], graph.ops[-1])
    )
    costs = iter([(700, 99), (900, 101), (800, 100)])
    board = SimpleNamespace(
        info=SimpleNamespace(steps=steps),
        layers=lambda inputs: [SimpleNamespace(counter=one) for one in next(costs)],
    )
    conv, softmax = bench.layer_costs(graph, board, [], 3)  # type: ignore[arg-type]
    assert (conv.counter, softmax.counter) == (800, 100)
    assert conv.share == pytest.approx(8 / 9)
    assert conv.macs == ops.macs(graph.ops[0], graph) > 0
    assert conv.macs_per_count == conv.macs / 800
    assert (softmax.macs, softmax.macs_per_count) == (0, None)


def test_a_model_that_fails_leaves_the_results_of_the_others(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shown: list[str] = []

    def measure(args: Any, model: str, console: Any) -> tuple[Any, Any]:
        if model == "bad":
            raise UnsupportedOpError("bad has an operator that nothing here computes", "leave it")
        return bench.bench(device(KWS), firmware(KWS), 4), model

    def page(rows: Any, firmwares: list[str], provenance: str) -> None:
        assert len(rows) == len(firmwares)
        shown.extend(firmwares)

    monkeypatch.setattr(verb, "_measure", measure)
    monkeypatch.setattr(benchmark, "page", page)
    monkeypatch.setattr(results, "show", lambda *arguments: None)
    assert cli.main(["bench", "good", "bad", "better"]) == 2
    assert shown == ["good", "better"]
    said = capsys.readouterr().err
    assert "bad is left out: bad has an operator" in said
    assert "hint: leave it" in said
    assert cli.main(["bench", "bad"]) == 2  # alone it is the command's own error
    assert cli.main(["bench", "good", "better"]) == 0
