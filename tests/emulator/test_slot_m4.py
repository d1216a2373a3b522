"""Another model for the emulated board while it runs: as exact as one that was built in."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from fine_tuned import fine_tuned

from tinyml import device, tflite
from tinyml.build import pio
from tinyml.device import Device, model_slot
from tinyml.errors import DeviceError, ModelError
from tinyml.firmware import plan, render
from tinyml.measure import validate
from tinyml.model import bundle, vectors
from tinyml.records import Board, Bundle, RuntimeOptions

pytestmark = [pytest.mark.needs_arm_gcc, pytest.mark.needs_qemu, pytest.mark.needs_pio]


def passes(connection: Device, model: Bundle) -> bool:
    graph = tflite.read(model.model, model.name)
    inputs = [graph.tensors[index].info for index in graph.inputs]
    chosen = vectors.default(model, inputs, 2, 0)
    return validate.validate(connection, model, chosen, layers=True).passed


def test_a_fine_tuned_model_is_loaded_and_a_restart_forgets_it(
    runtime: Path, board: Board, tmp_path: Path
) -> None:
    plain = replace(bundle.load("gesture"), features=None, stream=None)
    content = fine_tuned(plain.model, 1)
    digest = sha256(content).hexdigest()
    # No golden vectors: the bundle's own are not this model's.
    tuned = replace(plain, name="tuned", model=content, sha256=digest, path=tmp_path)
    project = render.generate(
        plan.resolve(plain, board, "compiled", RuntimeOptions(slot=True)), tmp_path / "p"
    )
    device.flash(pio.build(project))
    with device.connect(board) as connection:
        slot = model_slot.prepare(connection, board, tuned)
        sent: list[int] = []
        connection.load(slot, tuned.name, tuned.sha256, on_sent=sent.append)
        assert sent == sorted(sent)
        assert sent[-1] == len(slot.block)
        assert (connection.info.model, connection.info.sha256) == ("tuned", digest)
        assert passes(connection, tuned)
        with pytest.raises(ModelError, match="does not fit"):
            model_slot.prepare(connection, board, bundle.load("keyword_spotting"))
        assert passes(connection, tuned)
        device.reset(board.id)  # the button
        with pytest.raises(DeviceError, match="restarted"):
            connection.infer([np.zeros(info.shape, info.dtype) for info in connection.info.inputs])
        connection.reset()
        assert connection.info.sha256 == plain.sha256
        assert passes(connection, plain)
