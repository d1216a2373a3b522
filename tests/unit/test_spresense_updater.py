"""The updater dialogue against a simulated board that loses, damages, delays and refuses things."""

import itertools

import pytest

from tinyml.platforms.spresense.updater import UpdaterError, block, crc16, install

IMAGE = bytes(range(256)) * 13 + b"end"


class Board:
    """A Spresense as seen from its port; `faults` name what goes wrong, each read takes time."""

    def __init__(self, **faults):
        self.faults = faults
        self.dtr = False
        self.baudrate = 115200
        self.now = 0.0
        self.out = bytearray()
        self.line = bytearray()
        self.state = "application"
        self.received = bytearray()
        self.installed = None
        self.synced = self.rebooted = False
        self.blocks = itertools.count(1)
        self.expected = 1
        self.bauds = set()

    # The port.

    def read(self, size):
        self.now += 0.03
        if self.state == "transfer" and not self.out and self.expected == 1:
            self.say(b"C")
        data = bytes(self.out[:size])
        del self.out[:size]
        return data

    def write(self, data):
        self.bauds.add(self.baudrate)
        if self.state == "transfer":
            self.take_block(data)
            return
        for byte in data:
            self.take_byte(bytes((byte,)))

    def flush(self):
        pass

    def reset_input_buffer(self):
        self.out.clear()

    @property
    def dtr(self):
        return self._dtr

    @dtr.setter
    def dtr(self, level):
        self._dtr = level
        if level and not self.faults.get("deaf"):
            self.state = "loader"
            self.say(b"garbage\xff\r\nWelcome to nash\r\n")

    # The board.

    def say(self, data):
        if not self.faults.get("mute"):
            self.out += data

    def take_byte(self, byte):
        if self.state == "loader" and byte == b"r":
            self.state = "updater"
            self.say(b"rrr\r\n" if self.faults.get("no_updater") else b"\r\nupdater# ")
        elif self.state == "updater":
            self.line += byte
            if byte == b"\n":
                line = bytes(self.line).strip()
                self.line.clear()
                self.take_line(line)

    def take_line(self, line):
        self.say(line + b"\r\n")
        if line.startswith(b"install"):
            if self.faults.get("no_transfer"):
                self.say(b"Out of memory\r\nupdater# ")
                return
            self.state = "transfer"
            self.say(b"Waiting for XMODEM (CRC or 1K) transfer. Ctrl-X to cancel.\r\n")
        elif line == b"sync":
            self.synced = True
            self.say(b"updater# ")
        elif line == b"reboot":
            self.rebooted = True
        else:
            self.say(b"updater# ")

    def take_block(self, data):
        count = next(self.blocks)
        if data == b"\x04":
            self.finish()
            return
        number = data[1]
        if count in self.faults.get("lost", ()):
            return
        if count in self.faults.get("damaged", ()) or crc16(data[3:]) != 0:
            self.say(b"\x15")
        elif self.faults.get("cancel") == count:
            self.say(b"\x18\x18")
        elif number == self.expected & 255:
            self.received += data[3:-2]
            self.expected += 1
            if count in self.faults.get("ack_lost", ()):
                return
            self.say(b"\x06")
        elif number == self.expected - 1 & 255:
            self.say(b"\x06")
        else:
            self.say(b"\x18\x18")

    def finish(self):
        self.say(b"\x06")
        self.state = "updater"
        if self.faults.get("rejected"):
            self.say(b"Install failed: -22\r\nupdater# ")
        elif not self.faults.get("no_prompt"):
            self.installed = bytes(self.received)
            self.say(b"\r\nPackage validation is OK.\r\nupdater# ")


def run(board, image=IMAGE, **options):
    def sleep(seconds):
        board.now += seconds

    install(board, image, clock=lambda: board.now, sleep=sleep, **options)


def padded(image):
    return image.ljust(-(-len(image) // 1024) * 1024, b"\x1a")


def test_crc_check_value_of_the_crc_catalogue():
    assert crc16(b"123456789") == 0x31C3


def test_block_layout():
    data = block(257, b"abc")
    assert data[:3] == bytes((0x02, 1, 254))
    assert len(data) == 1029
    assert crc16(data[3:]) == 0


@pytest.mark.parametrize(
    "faults",
    [
        {},
        {"lost": {1}},
        {"lost": {2, 3, 5}},
        {"damaged": {1, 4}},
        {"ack_lost": {2}},
        {"lost": {1, 2}, "damaged": {4}, "ack_lost": {6}},
    ],
    ids=lambda faults: "-".join(faults) or "nothing",
)
def test_install_succeeds_in_spite_of(faults):
    board = Board(**faults)
    steps = []
    run(board, progress=lambda sent, total: steps.append((sent, total)))
    assert board.installed == padded(IMAGE)
    assert board.synced
    assert board.rebooted
    assert steps[-1] == (len(IMAGE), len(IMAGE))


@pytest.mark.parametrize(
    ("faults", "says"),
    [
        ({"mute": True}, "loader did not answer"),
        ({"deaf": True}, "loader did not answer"),
        ({"no_updater": True}, "updater did not start"),
        ({"no_transfer": True}, "did not offer a transfer"),
        ({"lost": set(range(1, 99))}, "block 1 of the transfer was not accepted in 10 tries"),
        ({"damaged": set(range(3, 99))}, "block 3 of the transfer was not accepted"),
        ({"cancel": 2}, "cancelled"),
        ({"rejected": True}, "Install failed: -22"),
        ({"no_prompt": True}, "did not come back after 'install'"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else "",
)
def test_failure_is_named_and_never_reported_as_success(faults, says):
    board = Board(**faults)
    with pytest.raises(UpdaterError, match=says) as caught:
        run(board)
    assert caught.value.hint
    assert not board.rebooted
    # Sony's tool waits six minutes for a block's acknowledgement, and without end for the prompt.
    slow = "lost" in faults or "no_prompt" in faults
    assert board.now < (400 if slow else 120)


def test_block_numbers_go_round():
    board = Board()
    image = bytes(257 * 1024 + 1)
    run(board, image)
    assert board.installed == padded(image)


def test_a_faster_rate_is_used_for_the_transfer_and_restored():
    board = Board()
    run(board, transfer_baud=921600)
    assert board.bauds == {115200, 921600}
    assert board.baudrate == 115200
    assert board.installed == padded(IMAGE)


def test_an_impossible_rate_is_refused_before_anything_is_sent():
    board = Board()
    with pytest.raises(UpdaterError, match="123 baud"):
        run(board, transfer_baud=123)
    assert not board.bauds


def test_the_c_in_the_offer_is_not_taken_for_a_request():
    """However the line arrives: cut anywhere, the rest of it later."""
    offer = b"Waiting for XMODEM (CRC or 1K) transfer. Ctrl-X to cancel.\r\n"

    class Halting(Board):
        def say(self, data):
            if data == offer:
                self.rest = data[self.faults["cut"] :]
                data = data[: self.faults["cut"]]
            super().say(data)

        def read(self, size):
            data = super().read(size)
            if self.state == "transfer" and getattr(self, "rest", b"") and not self.out:
                self.out += self.rest
                self.rest = b""
            return data

        def take_block(self, data):
            assert not getattr(self, "rest", b""), "a block was sent before the whole offer came"
            super().take_block(data)

    for cut in range(1, len(offer)):
        board = Halting(cut=cut)
        board.expected = 1
        run(board)
        assert board.installed == padded(IMAGE), cut


def test_a_pause_follows_each_prompt_and_the_offer():
    board, pauses = Board(), []

    def sleep(seconds):
        pauses.append(seconds)
        board.now += seconds

    install(board, IMAGE, clock=lambda: board.now, sleep=sleep)
    assert pauses == [1.0, 0.1, 0.1, 0.1]  # the updater's start, offer, saved, synced


def test_the_reset_is_repeated_after_a_third_of_a_second():
    class Sleepy(Board):
        pulses = ()

        def __setattr__(self, name, value):
            if name == "dtr" and value:
                object.__setattr__(self, "pulses", (*self.pulses, self.now))
                if len(self.pulses) < 4:
                    return
            super().__setattr__(name, value)

    board = Sleepy()
    run(board)
    gaps = [b - a for a, b in itertools.pairwise(board.pulses)]
    assert board.installed == padded(IMAGE)
    assert all(abs(gap - 0.33) < 0.02 for gap in gaps), gaps


def test_what_interrupts_a_transfer_cancels_it_on_the_board():
    class Interrupted(Board):
        cancelled = False

        def take_block(self, data):
            if data == b"\x18\x18":
                self.cancelled = True
                return
            if self.expected == 3:
                raise KeyboardInterrupt
            super().take_block(data)

    board = Interrupted()
    with pytest.raises(KeyboardInterrupt):
        run(board, image=bytes(8 * 1024))
    assert board.cancelled
    assert board.baudrate == 115200


@pytest.mark.parametrize("baud", [500000, 576000])
def test_rates_that_sony_s_tool_has_are_taken(baud):
    board = Board()
    run(board, transfer_baud=baud)
    assert board.bauds == {115200, baud}
