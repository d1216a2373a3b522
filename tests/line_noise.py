"""What bad lines do to frames, repeatable for a seed."""

from __future__ import annotations

import random

from tinyml import wire


def damaged(rng: random.Random, data: bytes) -> bytes:
    """Return `data` with a bit flipped, its end cut off, bytes put in or lost, or other bytes."""
    kind = rng.randrange(5)
    at = rng.randrange(len(data))
    if kind == 0:
        return data[:at] + bytes([data[at] ^ 1 << rng.randrange(8)]) + data[at + 1 :]
    if kind == 1:
        return data[:at]
    if kind == 2:
        return data[:at] + rng.randbytes(rng.randrange(1, 40)) + data[at:]
    if kind == 3:
        return data[:at] + data[at + rng.randrange(1, 9) :]
    return rng.randbytes(rng.randrange(1, 700))


def burst(rng: random.Random, frames: list[bytes]) -> tuple[bytes, int, int]:
    """Return some damaged frames between zeros, and how many good and bad ones a receiver sees."""
    data = b"".join(damaged(rng, rng.choice(frames)) for _ in range(rng.randrange(1, 40)))
    data = b"\0" + data + b"\0"
    receiver = wire.Receiver()
    good = len([*receiver.feed(data)])
    return data, good, receiver.bad
