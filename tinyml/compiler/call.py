"""What an operator returns and `emit.py` writes: a kernel's name and its typed arguments."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from numpy.typing import NDArray


@dataclass(frozen=True)
class Ref:
    """A pointer to the first element of tensor `tensor`: in the arena, or a constant of the file.

    The kernel's parameter type says what it points to (the arena is passed as `void *`).
    """

    tensor: int


@dataclass(frozen=True)
class Learned:
    """A number that comes from weights or quantization, where all others come from the graph.

    Firmware with a model slot reads it from the slot, so that another model may have another value.
    """

    value: int | float


@dataclass(frozen=True)
class Const:
    """A pointer to a constant array in flash; its C type is that of `data`'s dtype.

    With `struct`, a typedef of the kernel's header, each row of `data` [n, members] is one struct.
    Arrays are aligned to 4 bytes; equal ones of one model are stored once. `name` ends up in the
    C identifier. `learned` as in `Learned`: False for what shapes alone decide. `room`: elements
    that a model slot keeps free for it, where their number is learned, too.
    """

    data: NDArray[Any]
    name: str
    struct: str = ""
    learned: bool = True
    room: int = 0


@dataclass(frozen=True)
class Scratch:
    """A pointer to the `scratch_bytes(op, graph)` bytes that are the kernel's own while it runs.

    Aligned to 8 bytes; the content is undefined at the start.
    """


@dataclass(frozen=True)
class Struct:
    """A pointer to a constant struct of the C type `type`, a typedef of the kernel's header.

    `fields` names its members; a member left out is 0.
    """

    type: str
    fields: Mapping[str, int | float | Const | Learned | Ref | None]


Arg = Ref | Const | Learned | Scratch | Struct | int | float | None


@dataclass(frozen=True)
class Call:
    """One call of the C function `kernel`; None is NULL, a float is written as a C float.

    `in_place` lists input tensors whose memory the output may take: the kernel must read each
    element before it writes the output element at the same place, and nothing after that.
    `overlap` gives for an input tensor how many bytes before it the output must start, at least,
    to be allowed to overlap it (see `ops._window.overlap_distance`).
    `note` says what was decided besides the kernel (a tile, an order of channels), for the comment
    above the call.
    """

    kernel: str
    args: tuple[Arg, ...]
    in_place: tuple[int, ...] = ()
    overlap: Mapping[int, int] = field(default_factory=dict)
    note: str = ""
