"""What every board does, emulated or real: says what it is, computes, counts, streams, restarts."""

from __future__ import annotations

from typing import Any
from zlib import crc32

import numpy as np

from tinyml import tflite
from tinyml.device import Device
from tinyml.measure.playback import Listener
from tinyml.model.oracle import Oracle
from tinyml.pytest_plugin import FlashedBoard
from tinyml.records import Board, Bundle

BULK_BYTES = 100_000


def inputs(device: Device, seed: int) -> list[np.ndarray[Any, Any]]:
    generator = np.random.default_rng(seed)
    return [
        generator.integers(-128, 128, info.shape).astype(info.dtype) for info in device.info.inputs
    ]


def test_it_says_what_it_is(
    tinyml_device: Device, tinyml_board: Board, tinyml_model: Bundle
) -> None:
    info, graph = tinyml_device.info, tflite.read(tinyml_model.model)
    assert (info.board, info.model) == (tinyml_board.id, tinyml_model.name)
    assert info.sha256 == tinyml_model.sha256
    assert info.labels == tinyml_model.labels
    assert info.counter_unit == tinyml_board.timing
    expected = [graph.tensors[index] for index in graph.inputs]
    assert [(one.shape, one.dtype) for one in info.inputs] == [
        (one.shape, one.dtype) for one in expected
    ]
    assert tinyml_model.features is not None
    for name, value in tinyml_model.features.params.items():
        assert info.parameters[f"features.{name}"] == (value,)


def test_inferences_and_layers_are_the_references(
    tinyml_device: Device, tinyml_model: Bundle
) -> None:
    oracle = Oracle(tinyml_model.model, tinyml_model.name)
    for seed in range(3):
        arrays = inputs(tinyml_device, seed)
        outputs, tensors = oracle.run_all(arrays)
        for got, expected in zip(tinyml_device.infer(arrays).outputs, outputs, strict=True):
            np.testing.assert_array_equal(got, expected)
        for layer in tinyml_device.layers(arrays):
            step = tinyml_device.info.steps[layer.step]
            tensor = tensors[step.tensor_index]
            computed = tensor if step.channels is None else tensor[..., list(step.channels)]
            assert crc32(computed.tobytes()) == layer.crc
        assert tinyml_device.layer(layer.step) == computed.tobytes()


def test_the_counter_runs(tinyml_device: Device) -> None:
    tinyml_device.infer(inputs(tinyml_device, 0))
    counted = tinyml_device.bench(10)
    assert min(counted) > 0
    if tinyml_device.info.counter_unit == "instructions":
        assert len(set(counted)) == 1


def test_bulk_both_ways_arrives_whole(tinyml_device: Device) -> None:
    arrays = inputs(tinyml_device, 0)
    sent = received = 0
    tinyml_device.infer(arrays)
    before, bad = tinyml_device.status().bad_frames, tinyml_device.bad_frames
    while sent < BULK_BYTES:
        outputs = tinyml_device.infer(arrays).outputs
        tensor = tinyml_device.layer(0)
        sent += sum(array.nbytes for array in arrays)
        received += len(tensor) + sum(output.nbytes for output in outputs)
    assert received > BULK_BYTES
    assert (tinyml_device.status().bad_frames, tinyml_device.bad_frames) == (before, bad)


def test_a_stream_is_what_the_host_computes(tinyml_device: Device, tinyml_model: Bundle) -> None:
    rate = tinyml_device.info.sample_rate_hz
    noise = np.random.default_rng(1).normal(size=rate * 3) * 3000
    samples = noise.astype(np.int16)
    playing = tinyml_device.stream(samples)
    readings = [(one.number, one.sample, one.scores.tobytes()) for one in playing]
    expected = [
        (one.number, one.sample, one.scores) for one in Listener(tinyml_model).push(samples)
    ]
    assert readings == expected
    assert playing.totals is not None
    assert (playing.totals.samples, playing.totals.results) == (len(samples), len(readings))
    assert (playing.totals.dropped, playing.totals.lost_results) == (0, 0)


def test_a_stream_left_early_leaves_the_model_free(tinyml_device: Device) -> None:
    for _ in tinyml_device.stream(np.zeros(tinyml_device.info.sample_rate_hz * 3, np.int16)):
        break
    tinyml_device.infer(inputs(tinyml_device, 0))


def test_a_stream_of_a_client_that_vanished_is_ended_by_the_next(
    tinyml_flashed: FlashedBoard,
) -> None:
    vanishing = tinyml_flashed.connect()
    playing = iter(vanishing.stream(np.zeros(vanishing.info.sample_rate_hz * 3, np.int16)))
    next(playing)
    connection = tinyml_flashed.connect()
    connection.infer(inputs(connection, 0))


def test_the_firmware_restarts_when_asked(tinyml_device: Device) -> None:
    arrays = inputs(tinyml_device, 0)
    before = tinyml_device.infer(arrays).outputs[0]
    boot = tinyml_device.info.boot_id
    tinyml_device.reset()
    assert tinyml_device.info.boot_id != boot
    assert tinyml_device.status().inferences == 0
    np.testing.assert_array_equal(tinyml_device.infer(arrays).outputs[0], before)
