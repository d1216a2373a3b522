"""A console driver of labgrid as a link: what drivers give, refuse and raise, in our terms."""

from __future__ import annotations

import sys
import types
from collections.abc import Callable

import pytest

from tinyml.device.deadline import Deadline
from tinyml.device.labgrid import ConsoleLink
from tinyml.device.links import write_all
from tinyml.errors import DeviceError, DeviceTimeout


class Silence(Exception):  # noqa: N818 - what it stands in for is no error either
    """pexpect's TIMEOUT."""


class Console:
    """A driver: `gives` are the results of its reads, `takes` the bytes that each write takes."""

    def __init__(self, gives: list[bytes | Exception], takes: list[int | Exception]) -> None:
        self._gives = gives
        self._takes = takes
        self.asked: list[tuple[int, bool, int]] = []
        self.written = b""

    def read(self, size: int, timeout: float, max_size: int) -> bytes:
        self.asked.append((size, timeout > 0, max_size))
        result = self._gives.pop(0) if self._gives else Silence()
        if isinstance(result, Exception):
            raise result
        return result

    def write(self, data: bytes) -> int:
        result = self._takes.pop(0) if self._takes else 0
        if isinstance(result, Exception):
            raise result
        self.written += data[:result]
        return result


Make = Callable[..., tuple[ConsoleLink, Console]]


@pytest.fixture
def make(monkeypatch: pytest.MonkeyPatch) -> Make:
    pexpect = types.ModuleType("pexpect")
    monkeypatch.setattr(pexpect, "TIMEOUT", Silence, raising=False)
    monkeypatch.setitem(sys.modules, "pexpect", pexpect)

    def make(*gives: bytes | Exception, takes: tuple[int | Exception, ...] = ()) -> object:
        console = Console(list(gives), list(takes))
        return ConsoleLink(console, "farm"), console

    return make  # type: ignore[return-value]


def test_all_that_is_there_comes_at_once_from_a_driver_that_gives_single_bytes(make: Make) -> None:
    link, console = make(b"a", b"bcd")
    assert link.read(10, Deadline(5)) == b"abcd"
    assert console.asked == [(1, True, 10), (9, False, 9)]


def test_one_read_is_enough_where_it_gives_all(make: Make) -> None:
    link, console = make(b"abcd")
    assert link.read(4, Deadline(5)) == b"abcd"
    assert len(console.asked) == 1


def test_silence_is_no_data(make: Make) -> None:
    link, _ = make()
    assert link.read(10, Deadline(5)) == b""


def test_what_has_arrived_is_read_after_the_deadline(make: Make) -> None:
    link, console = make(b"ab")
    assert link.read(10, Deadline(0)) == b"ab"
    assert console.asked[0] == (10, False, 10)


@pytest.mark.parametrize("end", [b"", OSError("unplugged")])
def test_the_end_of_the_line_is_told(make: Make, end: bytes | Exception) -> None:
    link, _ = make(end)
    with pytest.raises(DeviceError, match="farm has gone") as caught:
        link.read(10, Deadline(5))
    assert not isinstance(caught.value, DeviceTimeout)


def test_what_is_taken_in_pieces_is_whole(make: Make) -> None:
    link, console = make(takes=(2, BlockingIOError(), 0, 4))
    write_all(link, b"abcdef", Deadline(5), "farm")
    assert console.written == b"abcdef"


def test_a_line_that_takes_nothing_is_a_timeout(make: Make) -> None:
    link, _ = make(takes=(2,))
    with pytest.raises(DeviceTimeout, match="farm does not take"):
        write_all(link, b"abcdef", Deadline(0), "farm")


def test_a_line_that_ends_while_it_is_written_to_is_told(make: Make) -> None:
    link, _ = make(takes=(OSError("unplugged"),))
    with pytest.raises(DeviceError, match="farm has gone: unplugged"):
        link.write(b"abcdef", Deadline(5))
