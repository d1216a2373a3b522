"""Requests of the model slot: what it takes, a model for it, and which model runs."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from tinyml.device.channel import Channel
from tinyml.errors import DeviceError
from tinyml.protocol.messages import LOAD, SLOT, USE, Load, LoadReply, Nothing, SlotReply, Use
from tinyml.records import ModelSlot

USE_S = 60.0  # checking a hash and starting an interpreter on a busy computer's emulator
_NO_DIGEST = (0,) * 32


def ask(channel: Channel) -> SlotReply:
    """Return what the slot takes. Raises DeviceError where the firmware has none."""
    return SlotReply.unpack(channel.request(SLOT, Nothing()))


def send(
    channel: Channel, max_payload: int, block: bytes, on_sent: Callable[[int], None] | None
) -> None:
    """Send the content of the slot; the model that runs notices nothing."""
    chunk = max_payload - Load.fixed_bytes()
    for offset in range(0, len(block), chunk):
        part = block[offset : offset + chunk]
        arrived = LoadReply.unpack(channel.request(LOAD, Load(offset, part))).next
        if arrived != offset + len(part):
            raise DeviceError(
                f"{channel.name} has {arrived} bytes of the model, was sent {offset + len(part)}"
            )
        if on_sent is not None:
            on_sent(arrived)


def use(channel: Channel, content: ModelSlot, name: str, sha256: str) -> None:
    """Run what was sent. Raises DeviceError when the device refuses, and runs on as it did."""
    _request(
        channel,
        Use(
            bytes=len(content.block),
            structure=tuple(bytes.fromhex(content.structure)),
            content=tuple(hashlib.sha256(content.block).digest()),
            sha256=tuple(bytes.fromhex(sha256)),
            name=name,
        ),
    )


def use_built_in(channel: Channel) -> None:
    """Run the model that the firmware was built with."""
    _request(channel, Use(0, _NO_DIGEST, _NO_DIGEST, _NO_DIGEST, ""))


def _request(channel: Channel, use: Use) -> None:
    channel.request(USE, use, timeout_s=USE_S)
