"""Layer by layer on the emulated board: what each costs, and which one a corrupted weight is in."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tinyml import device, tflite
from tinyml.build import pio
from tinyml.firmware import plan, render
from tinyml.measure import bench, validate
from tinyml.model import vectors
from tinyml.records import Board, Bundle, Firmware
from tinyml.report import html, provenance, validation

pytestmark = [pytest.mark.needs_arm_gcc, pytest.mark.needs_qemu, pytest.mark.needs_pio]
OP = 4


def corrupted(model: Bundle, board: Board, folder: Path) -> Firmware:
    """Firmware in which one weight of operator OP is another."""
    project = render.generate(plan.resolve(model, board, board.runtime), folder)
    source = project.path / "src" / "model" / "model.c"
    text = source.read_text(encoding="utf-8")

    def other(match: re.Match[str]) -> str:
        return f"{match[1]}{int(match[2]) ^ 0x40}"

    changed, count = re.subn(rf"(op{OP}_weights\[\d+\] [^{{]*{{\s*)(-?\d+)", other, text)
    assert count == 1
    source.write_text(changed, encoding="utf-8")
    return pio.build(project)


def test_a_corrupted_weight_is_found_in_its_layer(
    runtime: Path, board: Board, model: Bundle, tmp_path: Path
) -> None:
    made = corrupted(model, board, tmp_path / "project")
    device.flash(made)
    with device.connect(board) as connection:
        chosen = vectors.default(model, connection.info.inputs, 8, seed=0)
        report = validate.validate(connection, model, chosen, layers=True, firmware=made)
        costs = bench.layer_costs(tflite.read(model.model), connection, chosen[0].arrays, count=1)
        whole = connection.infer(chosen[0].arrays).counter
    assert not report.passed
    assert report.settings == ()
    layer = report.first_diverging_layer
    assert layer is not None
    assert layer.op_index == OP
    assert layer.first is not None
    assert layer.first.channels == 1
    assert sum(one.count for one in layer.first.histogram) == layer.first.count
    run = provenance.collect(["validate", "--layers"], 0.0)
    page = html.render(validation.page(report, model, made), run)
    assert f"{OP} {layer.op_name}" in page
    assert "Arena over time" in page
    # The steps are all of an inference but what calls them, and what looks between them.
    assert [one.step for one in costs] == list(range(len(connection.info.steps)))
    assert sum(one.counter for one in costs) == pytest.approx(whole, rel=0.01)
