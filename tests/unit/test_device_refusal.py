"""What a device says about its model reaches whoever flashed it, whole."""

from __future__ import annotations

from tinyml.device.confirm import quoting
from tinyml.device.refusal import ModelRefusal
from tinyml.errors import DeviceError
from tinyml.protocol.messages import ModelReason


def test_a_refusal_keeps_its_reason_whatever_was_printed_meanwhile() -> None:
    refusal = ModelRefusal("qemu-m4", ModelReason.ARENA)
    quoted = quoting(refusal, "qemu", "a warning\n")
    assert isinstance(quoted, ModelRefusal)
    assert quoted.reason == ModelReason.ARENA
    assert quoted.message == "qemu-m4 cannot run its model: its arena is too small"
    assert "a warning" in quoting(DeviceError("it is gone"), "qemu", "a warning\n").message
