"""What bad lines and bad hosts do to frames, repeatable for a seed, and what a device must make of
it: exactly what `Receiver` makes of it.
"""

from __future__ import annotations

import random
from collections import Counter

from line_peer import LinePeer

from tinyml.protocol import messages
from tinyml.protocol.frames import MAX_ENCODED, MAX_PAYLOAD, Flag, Frame, Receiver
from tinyml.protocol.messages import InfoSection, Status

_UNSAFE = ("RESET", "BENCH", "INFER", "LAYERS")  # they end the device, or take it long


def damaged(rng: random.Random, data: bytes, kinds: Counter[str] | None = None) -> bytes:
    """Return `data` with a bit flipped, its end cut off, bytes put in or lost, or other bytes.

    `kinds` counts what was done.
    """
    kind = rng.choice(("bit flip", "cut", "bytes put in", "bytes lost", "random", "oversize"))
    if kinds is not None:
        kinds[kind] += 1
    at = rng.randrange(len(data))
    if kind == "bit flip":
        return data[:at] + bytes([data[at] ^ 1 << rng.randrange(8)]) + data[at + 1 :]
    if kind == "cut":
        return data[:at]
    if kind == "bytes put in":
        return data[:at] + rng.randbytes(rng.randrange(1, 40)) + data[at:]
    if kind == "bytes lost":
        return data[:at] + data[at + rng.randrange(1, 9) :]
    if kind == "random":
        return rng.randbytes(rng.randrange(1, 700))
    return bytes(rng.choices(range(1, 256), k=rng.randrange(MAX_ENCODED, 1400)))


def burst(
    rng: random.Random, frames: list[bytes], kinds: Counter[str] | None = None
) -> tuple[bytes, int, int]:
    """Return some damaged frames between zeros, and how many good and bad ones a receiver sees."""
    data = b"".join(damaged(rng, rng.choice(frames), kinds) for _ in range(rng.randrange(1, 40)))
    return _counted(b"\0" + data + b"\0")


def disorder(rng: random.Random, kinds: Counter[str] | None = None) -> tuple[bytes, int, int]:
    """Return whole frames that make no sense together, counted as by `burst`.

    Types, flags, versions and sequence numbers of any value; repeated, missing and swapped.
    """
    numbers = [m.number for m in messages.MESSAGES if m.name not in _UNSAFE]
    frames = []
    for seq in range(rng.randrange(1, 40)):
        payload = rng.choice((rng.randbytes, bytes))(
            rng.choice((rng.randrange(12), rng.randrange(MAX_PAYLOAD + 1)))
        )
        frames.append(
            Frame(
                rng.choice((*numbers, rng.randrange(10, 256))),
                seq,
                payload,
                Flag(rng.choice((0, 0, 0, rng.randrange(16)))),
                rng.choice((1, 1, 1, rng.randrange(256))),
            ).encode()
        )
    kind = rng.choice(("in order", "swapped", "repeated", "missing", "flood"))
    if kind == "swapped":
        rng.shuffle(frames)
    elif kind == "repeated":
        frames = [frame for frame in frames for _ in range(rng.randrange(1, 4))]
    elif kind == "missing":
        frames = [frame for frame in frames if rng.random() < 0.5]
    elif kind == "flood":
        frames = frames[:1] * 200
    if kinds is not None:
        kinds[f"frames {kind}"] += 1
    return _counted(b"".join(frames))


def unfinished(rng: random.Random, frames: list[bytes]) -> bytes:
    """Return the beginning of a frame; after a silence, what follows must be understood."""
    frame = rng.choice(frames)
    return frame[: rng.randrange(1, len(frame) - 1)]


def _counted(data: bytes) -> tuple[bytes, int, int]:
    receiver = Receiver()
    good = len([*receiver.feed(data)])
    return data, good, receiver.bad


def forged() -> list[bytes]:
    """A frame that would change an input if any of its damaged forms were believed."""
    return [Frame(messages.INPUT.number, 1, messages.Input(0, 0, bytes(300)).pack()).encode()]


def torture(
    peer: LinePeer, count: int, seed: int, kinds: Counter[str], *, frames: list[bytes]
) -> tuple[int, int]:
    """Send `count` bytes of damage and disorder; return how many good and bad frames were in it.

    HELLO must be answered after every burst, also when a frame was left unfinished. Raises
    AssertionError when the device's own counters say something else than this side's receiver, or
    when anything made it run its model.
    """
    rng = random.Random(seed)
    before = _status(peer)
    receiver = Receiver()
    sent = good = hellos = 0
    while sent < count:
        data, _, _ = burst(rng, frames, kinds) if rng.random() < 0.7 else disorder(rng, kinds)
        if rng.random() < 0.1:
            kinds["silence in a frame"] += 1
            data += unfinished(rng, frames)
        peer.send(data)
        peer.alive()
        hellos += 1
        sent += len(data)
        good += len([*receiver.feed(data + b"\0")])  # the zero that HELLO began with
    status = _status(peer)
    assert status.bad_frames - before.bad_frames == receiver.bad, (status, before, receiver.bad)
    assert status.frames - before.frames == good + hellos + 1, (status, before, good, hellos)
    assert status.inferences == before.inferences
    return good, receiver.bad


def _status(peer: LinePeer) -> Status:
    return Status.unpack(peer.ask(messages.INFO, messages.Info(InfoSection.STATUS)))
