"""The model slot of the firmware, compiled for this machine under ASan and UBSan."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fine_tuned import fine_tuned
from host_firmware import BOARD, HostDevice, build
from line_peer import Refused

from tinyml import runtimes
from tinyml.model import bundle
from tinyml.model.oracle import Oracle
from tinyml.protocol import messages
from tinyml.protocol.messages import ErrorCode, InfoSection
from tinyml.records import Bundle, CSource, ModelSlot, RuntimeOptions

pytestmark = pytest.mark.needs_cc

CHUNK = 508
ZEROS = (0,) * 32


@dataclass(frozen=True)
class Model:
    """A model, what it computes, and what is sent for it."""

    bundle: Bundle
    oracle: Oracle
    slot: ModelSlot

    @classmethod
    def of(cls, chosen: Bundle) -> Model:
        slot = compiled(chosen).slot
        assert slot is not None
        return cls(chosen, Oracle(chosen.model, chosen.name), slot)


def compiled(chosen: Bundle) -> CSource:
    return runtimes.load("compiled").generate(chosen, BOARD, RuntimeOptions(slot=True))


@pytest.fixture(scope="module")
def built_in() -> Model:
    return Model.of(replace(bundle.load("keyword_spotting"), features=None, stream=None))


@pytest.fixture(scope="module")
def tuned(built_in: Model) -> list[Model]:
    models = []
    for seed in (1, 2):
        content = fine_tuned(built_in.bundle.model, seed)
        digest = hashlib.sha256(content).hexdigest()
        models.append(
            Model.of(replace(built_in.bundle, name=f"tuned{seed}", model=content, sha256=digest))
        )
    return models


@pytest.fixture(scope="module")
def program(built_in: Model, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("slot")
    return build(folder, built_in.bundle, compiled(built_in.bundle))


@pytest.fixture
def device(program: Path) -> Iterator[HostDevice]:
    with HostDevice(program) as device:
        yield device


def send(device: HostDevice, content: bytes) -> None:
    for offset in range(0, len(content), CHUNK):
        part = content[offset : offset + CHUNK]
        reply = device.ask(messages.LOAD, messages.Load(offset, part))
        assert messages.LoadReply.unpack(reply).next == offset + len(part)


def use(device: HostDevice, model: Model, **changed: Any) -> None:
    fields: dict[str, Any] = {
        "bytes": len(model.slot.block),
        "structure": tuple(bytes.fromhex(model.slot.structure)),
        "content": tuple(hashlib.sha256(model.slot.block).digest()),
        "sha256": tuple(bytes.fromhex(model.bundle.sha256)),
        "name": model.bundle.name,
    }
    device.ask(messages.USE, messages.Use(**(fields | changed)))


def runs(device: HostDevice, model: Model) -> None:
    """Assert that `model` is what runs: by its word, and by what it computes, layer for layer."""
    said = device.ask(messages.INFO, messages.Info(InfoSection.IDENTITY))
    identity = messages.Identity.unpack(said)
    assert (identity.model, bytes(identity.sha256).hex()) == (
        model.bundle.name,
        model.bundle.sha256,
    )
    (info,) = (model.oracle.graph.tensors[index] for index in model.oracle.graph.inputs)
    array = np.random.default_rng(5).integers(-128, 128, info.shape).astype(np.int8)
    data = array.tobytes()
    for offset in range(0, len(data), 500):
        device.ask(messages.INPUT, messages.Input(0, offset, data[offset : offset + 500]))
    reply = messages.InferReply.unpack(device.ask(messages.INFER, messages.Infer(1)))
    assert reply.outputs == model.oracle.run([array])[0].tobytes()


def refused(device: HostDevice, model: Model, **changed: Any) -> str:
    with pytest.raises(Refused) as caught:
        use(device, model, **changed)
    assert caught.value.error.code == ErrorCode.BAD_ARG
    return caught.value.error.text


def test_models_differ_in_their_blocks_only(built_in: Model, tuned: list[Model]) -> None:
    assert len({model.slot.structure for model in (built_in, *tuned)}) == 1
    assert len({model.slot.block for model in (built_in, *tuned)}) == 3
    other = Model.of(replace(bundle.load("gesture"), features=None, stream=None))
    assert other.slot.structure != built_in.slot.structure


def test_the_device_says_what_its_slot_takes(device: HostDevice, built_in: Model) -> None:
    reply = messages.SlotReply.unpack(device.ask(messages.SLOT, messages.Nothing()))
    assert bytes(reply.structure).hex() == built_in.slot.structure
    assert (reply.bytes, reply.loaded) == (len(built_in.slot.block), 0)


def test_another_model_and_another_and_the_built_in_one(
    device: HostDevice, built_in: Model, tuned: list[Model]
) -> None:
    runs(device, built_in)
    for model in (*tuned, built_in, *tuned):
        send(device, model.slot.block)
        use(device, model)
        use(device, model)  # a repeat, whose reply was lost
        runs(device, model)
    reply = messages.SlotReply.unpack(device.ask(messages.SLOT, messages.Nothing()))
    assert reply.loaded == 1
    use(device, built_in, bytes=0)
    runs(device, built_in)


def test_a_restart_runs_the_built_in_model(
    program: Path, built_in: Model, tuned: list[Model]
) -> None:
    with HostDevice(program) as device:
        send(device, tuned[0].slot.block)
        use(device, tuned[0])
    with HostDevice(program) as device:
        runs(device, built_in)


def test_an_interrupted_transfer_changes_nothing(
    device: HostDevice, built_in: Model, tuned: list[Model]
) -> None:
    first, second = tuned
    send(device, first.slot.block[: 20 * CHUNK])
    runs(device, built_in)
    assert refused(device, first) == "bytes"
    send(device, first.slot.block)
    use(device, first)
    send(device, second.slot.block[: 20 * CHUNK])
    runs(device, first)
    assert refused(device, second) == "bytes"
    runs(device, first)
    send(device, second.slot.block)  # from the start again
    use(device, second)
    runs(device, second)


def test_a_damaged_transfer_is_refused(
    device: HostDevice, built_in: Model, tuned: list[Model]
) -> None:
    block = bytearray(tuned[0].slot.block)
    block[1234] ^= 4
    send(device, bytes(block))
    assert refused(device, tuned[0]) == "content"
    runs(device, built_in)
    send(device, tuned[0].slot.block)
    assert refused(device, tuned[0], content=ZEROS) == "content"
    assert refused(device, tuned[0], bytes=len(block) - 1) == "bytes"
    assert refused(device, tuned[0], structure=ZEROS) == "structure"
    runs(device, built_in)
    use(device, tuned[0])  # what arrived was right all the time
    runs(device, tuned[0])


def test_a_block_of_another_size_is_refused(device: HostDevice, tuned: list[Model]) -> None:
    content = tuned[0].slot.block[:-4]
    send(device, content)
    with pytest.raises(Refused) as caught:
        use(
            device,
            tuned[0],
            bytes=len(content),
            content=tuple(hashlib.sha256(content).digest()),
        )
    assert (caught.value.error.code, caught.value.error.text) == (ErrorCode.MODEL, "use")


def test_the_hash_is_right_for_every_length(device: HostDevice, tuned: list[Model]) -> None:
    for size in (*range(1, 130), 508):
        content = tuned[0].slot.block[:size]
        send(device, content)
        right = tuple(hashlib.sha256(content).digest())
        with pytest.raises(Refused) as caught:
            use(device, tuned[0], bytes=size, content=right)
        assert caught.value.error.text == "use"  # a wrong hash would be "content"


def test_parts_out_of_order_or_beyond_the_slot_are_refused(
    device: HostDevice, built_in: Model, tuned: list[Model]
) -> None:
    size = len(built_in.slot.block)
    for load, text, value in (
        (messages.Load(4, b"abc"), "offset", 0),
        (messages.Load(0xFFFFFFFF, b"abc"), "offset", 0),
    ):
        with pytest.raises(Refused) as caught:
            device.ask(messages.LOAD, load)
        assert (caught.value.error.text, caught.value.error.value) == (text, value)
    send(device, tuned[0].slot.block)
    for load in (messages.Load(size, b"a"), messages.Load(size - 2, b"abc")):
        with pytest.raises(Refused) as caught:
            device.ask(messages.LOAD, load)
        assert (caught.value.error.text, caught.value.error.value) == ("length", size)
    device.ask(messages.LOAD, messages.Load(508, tuned[0].slot.block[508:1016]))  # a repeat
    use(device, tuned[0])
    runs(device, tuned[0])


def test_a_name_that_is_cut_is_refused(device: HostDevice) -> None:
    fixed = messages.Use(0, ZEROS, ZEROS, ZEROS, "").pack()[:-1]
    for tail in (b"", b"\5abc", b"\1abc"):
        with pytest.raises(Refused) as caught:
            device.ask(messages.USE, Raw(fixed + tail))
        assert caught.value.error.text == "length"


def test_firmware_without_a_slot_says_so(tmp_path: Path, built_in: Model) -> None:
    source = runtimes.load("compiled").generate(built_in.bundle, BOARD)
    with HostDevice(build(tmp_path, built_in.bundle, source)) as device:
        for message, record in (
            (messages.SLOT, messages.Nothing()),
            (messages.LOAD, messages.Load(0, b"x")),
        ):
            with pytest.raises(Refused) as caught:
                device.ask(message, record)
            assert caught.value.error.code == ErrorCode.UNSUPPORTED
        runs(device, built_in)


@dataclass(frozen=True)
class Raw:
    """A payload as it is."""

    data: bytes

    def pack(self) -> bytes:
        return self.data
