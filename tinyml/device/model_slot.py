"""Model update over serial: which models fit the slot of a running device, and what is sent.

A model and what a device says of itself in, a `ModelSlot` out; `device.Device.load` sends it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tinyml import runtimes
from tinyml.device import mismatch
from tinyml.errors import DeviceError, ModelError
from tinyml.records import Board, Bundle, ModelSlot, RuntimeOptions

if TYPE_CHECKING:
    from tinyml.device import Device, DeviceInfo


def prepare(device: Device, board: Board, bundle: Bundle) -> ModelSlot:
    """Return the content of the slot for `bundle`.

    Raises DeviceError for firmware without a slot, ModelError for a model that does not fit it,
    saying in what it differs; nothing is sent then.
    """
    info = device.info
    slot = device.slot()
    options = RuntimeOptions(slot=True)
    source = runtimes.load(_runtime(info)).generate(bundle, board, options)
    hint = f"build firmware for it: tinyml flash MODEL --board {board.id} --model-slot"
    content = source.slot
    assert content is not None
    if bytes(slot.structure).hex() != content.structure:
        raise ModelError(
            f"{bundle.name} does not fit the firmware of {info.board}, which runs "
            f"{info.model}: {_difference(info)}",
            hint,
        )
    if len(content.block) > slot.bytes:
        raise ModelError(
            f"{bundle.name} needs {len(content.block):,} bytes of the model slot, which has "
            f"{slot.bytes:,}",
            f"{hint} --slot-bytes {len(content.block)}",
        )
    _require_same_use(info, bundle, hint)
    return content


def _runtime(info: DeviceInfo) -> str:
    if info.runtime not in runtimes.names():
        raise DeviceError(f"{info.board} has the runtime {info.runtime!r}, which is not known here")
    return info.runtime


def _difference(info: DeviceInfo) -> str:
    return f"{runtimes.load(_runtime(info)).slot_rule} (the firmware is of {info.version})"


def _require_same_use(info: DeviceInfo, bundle: Bundle, hint: str) -> None:
    """Refuse a model whose labels or front end are not what the firmware was built with.

    A bare .tflite has neither, and takes the firmware's.
    """
    differing = mismatch.of_settings(info, bundle) if bundle.stream is not None else ()
    if bundle.labels and bundle.labels != info.labels and not differing:
        differing = (mismatch.of_labels(info, bundle),)
    if differing:
        words = "; ".join(
            f"{setting.name} {setting.expected}, not {setting.actual}" for setting in differing
        )
        raise ModelError(f"{bundle.name} is not for the firmware of {info.board}: {words}", hint)
