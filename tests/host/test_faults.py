"""Purpose-built faults: each is named as the layer, or the setting, in which it lies.

The real firmware runs as a process; its model is the compiled one, with constants that a variable
of the environment can change before the first inference.
"""

from __future__ import annotations

import dataclasses
import os
import re
from pathlib import Path

import host_firmware
import pytest
from host_firmware import BOARD, ProcessLink, build, stub

from tinyml import runtimes, tflite
from tinyml.device import Device
from tinyml.errors import DeviceError
from tinyml.measure import validate
from tinyml.model import bundle, vectors
from tinyml.model.vectors import Vector
from tinyml.records import Bundle, CSource

pytestmark = pytest.mark.needs_cc

MODEL = "models/mlperf_tiny/kws_ref_model.tflite"
DENSE = 11
WEIGHTED = (*range(9), DENSE)  # its convolutions, and its dense layer
PLAIN = ("cc",)  # no sanitizer: a tampered model may well compute beyond its tables
TAMPER = """
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
__attribute__((constructor)) static void tamper(void) {
  static const struct { const char *name; void *array; } all[] = {%s};
  char name[64];
  unsigned at, mask;
  const char *fault = getenv("FAULT");
  if (fault == NULL || sscanf(fault, "%%63s %%u %%u", name, &at, &mask) != 3) {
    return;
  }
  for (unsigned i = 0; i < sizeof all / sizeof all[0]; i++) {
    if (strcmp(all[i].name, name) == 0) {
      ((uint8_t *)all[i].array)[at] ^= (uint8_t)mask;
      return;
    }
  }
  abort();
}
"""
ARRAY = re.compile(r"^static const (\w+ (op\d+_\w+)\[\d+\])", re.MULTILINE)


def tamperable(source: CSource) -> CSource:
    """The same C, its arrays of constants writable, and written to as FAULT says."""
    model = source.files["model.c"]
    names = [match[2] for match in ARRAY.finditer(model)]
    table = ", ".join(f'{{"{name}", {name}}}' for name in names)
    files = {**source.files, "model.c": ARRAY.sub(r"static \1", model) + TAMPER % table}
    return dataclasses.replace(source, files=files)


@pytest.fixture(scope="module")
def model(data: Path) -> Bundle:
    return bundle.load(str(data / MODEL))


@pytest.fixture(scope="module")
def chosen(model: Bundle) -> list[Vector]:
    graph = tflite.read(model.model)
    return vectors.random([graph.tensors[index].info for index in graph.inputs], 4, seed=5)[2:]


@pytest.fixture(scope="module")
def source(model: Bundle) -> CSource:
    return runtimes.load("compiled").generate(model, BOARD)


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory, model: Bundle, source: CSource) -> Path:
    return build(tmp_path_factory.mktemp("faults"), model, tamperable(source), cc=PLAIN)


def check(
    program: Path, model: Bundle, chosen: list[Vector], fault: str = ""
) -> validate.ValidationReport:
    with Device(ProcessLink(program, {**os.environ, "FAULT": fault}), "host") as device:
        return validate.validate(device, model, chosen, layers=True)


@pytest.mark.needs_data
def test_without_a_fault_all_is_equal(program: Path, model: Bundle, chosen: list[Vector]) -> None:
    report = check(program, model, chosen)
    assert report.passed
    assert len(report.layers) == 12


@pytest.mark.needs_data
@pytest.mark.parametrize("kind", ["weight", "shift", "multiplier"])
def test_a_wrong_constant_is_named_by_its_layer(
    kind: str, program: Path, model: Bundle, source: CSource, chosen: list[Vector]
) -> None:
    named = {}
    for op in WEIGHTED:
        fault = fault_in(op, kind, source)
        layer = check(program, model, chosen, fault).first_diverging_layer
        assert layer is not None, f"{fault} is not seen"
        assert layer.first is not None
        shared = op == DENSE and kind != "weight"  # its channels have one factor in common
        assert (layer.first.channels == 1) == (not shared), fault
        named[op] = layer.op_index
    assert named == {op: op for op in WEIGHTED}


def fault_in(op: int, kind: str, source: CSource) -> str:
    """One byte of one array to change: its name, its place, and the bits.

    Layers keep their factors, as int32 in little endian, in one of four forms. In a linear one the
    shift is part of the factor, which is less than 2^30.
    """
    model = source.files["model.c"]
    table = f"op{op}_channels"
    places = {"weight": (f"op{op}_weights", 5, 0x40)}
    if f"tml_conv_2d_linear_t {table}[" in model:
        first = 6 * 4  # the multiplier of the first of a quad's channels
        places |= {"shift": (table, first + 3, 0x08), "multiplier": (table, first + 3, 0x20)}
    elif found := re.search(rf"tml_channel_t {table}\[.*?{{(-?\d+),", model, re.DOTALL):
        exact = int(found[1]) >= 1 << 30  # {multiplier, bias << 5 | shift} of each channel
        places |= {"shift": (table, 4, 0x02) if exact else (table, 3, 0x08)}
        places |= {"multiplier": (table, 3, 0x20)}
    else:
        places |= {"shift": (f"op{op}_shifts", 0, 0x02)}
        places |= {"multiplier": (f"op{op}_multipliers", 3, 0x20)}
    name, at, mask = places[kind]
    return f"{name} {at} {mask}"


@pytest.mark.needs_data
def test_the_difference_is_told_by_shape_channel_and_histogram(
    program: Path, model: Bundle, source: CSource, chosen: list[Vector]
) -> None:
    found = check(program, model, chosen, fault_in(0, "shift", source)).first_diverging_layer
    assert found is not None
    assert found.first is not None
    assert found.first.shape == (1, 25, 5, 64)
    assert found.first.channel == found.first.index[-1] == 0
    assert "channel 0, one of 64" in found.first.spread
    assert sum(one.count for one in found.first.histogram) == found.first.count


@pytest.mark.needs_data
def test_a_small_arena_is_named_though_nothing_differs_yet(
    tmp_path: Path, model: Bundle, source: CSource, chosen: list[Vector]
) -> None:
    """What lies behind the arena is nobody's here, so that the outputs stay right."""
    files = dict(source.files)
    small = source.arena_bytes - 500
    files["model.c"] = files["model.c"].replace(
        f"#define ARENA_BYTES {source.arena_bytes}", f"#define ARENA_BYTES {small}"
    )
    files["tml_compiled.h"] = files["tml_compiled.h"].replace(
        "arena[ARENA_BYTES]", "arena[ARENA_BYTES + 500]"
    )
    program = build(tmp_path, model, dataclasses.replace(source, files=files), cc=PLAIN)
    report = check(program, model, chosen)
    assert report.mismatched_vectors == 0
    assert not report.passed
    assert [(one.name, one.expected, one.actual) for one in report.settings] == [
        ("arena_bytes", str(source.arena_bytes), str(small))
    ]


def test_an_arena_that_an_interpreter_refuses_is_named(tmp_path: Path) -> None:
    """As firmware with TFLM does whose `--arena` is too small: init fails, and INFER says why."""
    model, source = stub([8], [4], stream=False)
    files = {
        "model.c": source.files["model.c"].replace("return TML_OK;", "return TML_ERROR_ARENA;", 1)
    }
    program = build(tmp_path, model, dataclasses.replace(source, files=files), cc=PLAIN)
    with Device(ProcessLink(program), "host") as device:
        some = vectors.random(device.info.inputs, 1, seed=0)[0]
        with pytest.raises(DeviceError, match="its arena is too small") as caught:
            device.infer(some.arrays)
    assert "--arena" in caught.value.hint


def test_a_front_end_with_another_setting_is_named(tmp_path: Path) -> None:
    """The firmware is built from a card with another setting than the bundle that is validated."""
    model = bundle.load("keyword_spotting")
    assert model.features is not None
    params = {**model.features.params, "stride_ms": 10}
    other = dataclasses.replace(model, features=dataclasses.replace(model.features, params=params))
    source = runtimes.load("compiled").generate(model, host_firmware.BOARD)
    program = build(tmp_path, other, source, cc=PLAIN)
    report = check(program, model, vectors.random(list(source.inputs), 1, seed=0))
    assert report.mismatched_vectors == 0
    assert not report.passed
    assert [(one.name, one.expected, one.actual) for one in report.settings] == [
        ("features.stride_ms", "20", "10")
    ]
