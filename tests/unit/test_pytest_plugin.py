"""The pytest plugin: options, where it looks for a board, what it reports; no board runs."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator

import fake_device
import pytest
from fake_device import FakeDevice

PARALLEL = ("-p", "tinyml.pytest_plugin", "-p", "no:cacheprovider", "-p", "no:randomly")
HOW = (*PARALLEL, "-n", "0")
CONFTEST = """
from dataclasses import replace
import pytest
from tinyml.firmware import boards
from tinyml.device.identity import printable
from tinyml.records import Bundle

@pytest.fixture(scope="session")
def tinyml_board():
    return replace(boards.load("qemu-m4"), id=printable("fake\\x1b[31m"))

@pytest.fixture(scope="session")
def tinyml_model():
    return Bundle("tiny", b"", bytes(range(32)).hex(), None)

@pytest.fixture(scope="session")
def tinyml_firmware():
    pytest.fail("firmware was built")
"""
ASKS = """
def test_it(tinyml_device):
    assert tinyml_device.info.model == "tiny"

def test_again(tinyml_device):
    assert tinyml_device.info.model == "tiny"
"""
LABGRID = """
import pexpect
import pytest
from fake_device import FakeDevice
from labgrid.exceptions import NoDriverFoundError

class Console:
    name = "main"

    def __init__(self):
        self.device, self.sent, self.is_on = FakeDevice(), b"", False

    def get_driver(self, protocol):
        if protocol == "PowerProtocol" and not POWER:
            raise NoDriverFoundError()
        return self

    def on(self):
        self.is_on = True

    def read(self, size, timeout, max_size):
        assert self.is_on or not POWER
        data, self.sent = self.sent[:max_size], self.sent[max_size:]
        if not data:
            raise pexpect.TIMEOUT()
        return data

    def write(self, data):
        self.sent += self.device.feed(data)
        return len(data)

def pytest_addoption(parser):
    parser.addoption("--lg-env", dest="lg_env")

@pytest.fixture(scope="session")
def target():
    print("labgrid was asked")
    return Console()
"""


@pytest.fixture
def labgrid(pytester: pytest.Pytester) -> Callable[[bool], None]:
    """Make what we use of labgrid, with a board that has a power switch or not."""

    def make(power: bool) -> None:
        package = pytester.mkpydir("labgrid")
        (package / "__init__.py").write_text(f"POWER = {power}\n{LABGRID}")
        (package / "exceptions.py").write_text(
            "class NoDriverFoundError(Exception): pass\nclass NoResourceFoundError(Exception): pass"
        )
        (package / "driver").mkdir()
        (package / "driver" / "exception.py").write_text("class ExecutionError(Exception): pass")
        (pytester.path / "pexpect.py").write_text("class TIMEOUT(Exception): pass")
        shutil.copy(fake_device.__file__, pytester.path)
        pytester.makeconftest(CONFTEST)
        pytester.makepyfile(ASKS)

    return make


@pytest.fixture
def port() -> Iterator[str]:
    """A device on a TCP port, which takes one connection after the other."""
    server = socket.create_server(("127.0.0.1", 0))
    ended = threading.Event()

    def serve() -> None:
        with contextlib.suppress(OSError):
            while not ended.is_set():
                line, _ = server.accept()
                device = FakeDevice()
                with line, contextlib.suppress(OSError):
                    while data := line.recv(4096):
                        line.sendall(device.feed(data))

    thread = threading.Thread(target=serve)
    thread.start()
    yield f"socket://127.0.0.1:{server.getsockname()[1]}"
    ended.set()
    server.shutdown(socket.SHUT_RDWR)
    server.close()
    thread.join(10)
    assert not thread.is_alive()


def test_importing_it_is_light() -> None:
    # It is imported whenever pytest runs where tinyml is installed.
    script = (
        "import sys, tinyml.pytest_plugin\n"
        "print({'numpy', 'jinja2', 'serial', 'rich', 'labgrid'} & set(sys.modules))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout == "set()\n"


def test_the_rest_of_the_package_needs_no_pytest() -> None:
    script = (
        "import sys; sys.modules['pytest'] = None\n"
        "import tinyml.cli, tinyml.device, tinyml.firmware.render, tinyml.build.pio\n"
        "import tinyml.measure.validate\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--tinyml-board", "qemu_m4"], "*there is no board 'qemu_m4'; did you mean qemu-m4*"),
        (["--tinyml-port", "a", "--tinyml-port", "b"], "*2 --tinyml-port for 1 --tinyml-board*"),
        (
            ["--tinyml-board", "qemu-m4", "--tinyml-board", "spresense", "--tinyml-port", "a"],
            "*1 --tinyml-port for 2 --tinyml-board*",
        ),
    ],
)
def test_what_makes_no_sense_is_refused_at_once(
    pytester: pytest.Pytester, arguments: list[str], said: str
) -> None:
    pytester.makepyfile(ASKS)
    result = pytester.runpytest_subprocess(*HOW, *arguments)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([said])


def test_an_unknown_model_is_an_error_without_a_traceback(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_it(tinyml_model): pass")
    result = pytester.runpytest_subprocess(*HOW, "--tinyml-model", "keyword_spoting")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["there is no model 'keyword_spoting'", "hint: did you mean *"])
    result.stdout.no_fnmatch_line("*Traceback*")
    result.stdout.no_fnmatch_line("*another exception*")
    result.stdout.no_fnmatch_line("*pytest_plugin.py*")


def test_tests_without_a_board_run_once(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_it(): pass")
    boards = ("--tinyml-board", "qemu-m4", "--tinyml-board", "spresense")
    pytester.runpytest_subprocess(*HOW, *boards).assert_outcomes(passed=1)


def test_tests_run_once_for_each_board(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_it(tinyml_board): assert tinyml_board.id != 'spresense'")
    boards = ("--tinyml-board", "qemu-m4", "--tinyml-board", "spresense")
    result = pytester.runpytest_subprocess(*HOW, *boards, "--junitxml", "out.xml", "-v")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(
        [
            "*::test_it[[]qemu-m4] PASSED*",
            "*::test_it[[]spresense] FAILED*",
            "*passed*failed*error*skipped*",
            "qemu-m4 * 1 * 0 * 0 * 0",
            "spresense * 0 * 1 * 0 * 0",
        ]
    )
    properties = [
        {one.get("name"): one.get("value") for one in case.iter("property")}
        for case in ET.parse(pytester.path / "out.xml").iter("testcase")
    ]
    assert properties == [
        {"tinyml_board": board, "tinyml_model": "keyword_spotting"}
        for board in ("qemu-m4", "spresense")
    ]


def test_one_board_asked_for_twice_is_two(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_it(tinyml_board): assert tinyml_board.id == 'qemu-m4'")
    boards = ("--tinyml-board", "qemu-m4", "--tinyml-board", "qemu-m4")
    result = pytester.runpytest_subprocess(*HOW, *boards, "-v")
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(
        ["*::test_it[[]qemu-m4-1] PASSED*", "*::test_it[[]qemu-m4-2] PASSED*"]
    )
    result.stdout.fnmatch_lines(["qemu-m4-1 * 1 * 0 * 0 * 0", "qemu-m4-2 * 1 * 0 * 0 * 0"])


def test_several_boards_are_tested_at_the_same_time(pytester: pytest.Pytester) -> None:
    """Each waits until the other has begun too, which one after the other would never end."""
    pytester.makepyfile(
        """
        import time
        from pathlib import Path

        HERE = Path(__file__).parent

        def test_it(tinyml_board):
            (HERE / f"begun-{tinyml_board.id}").touch()
            deadline = time.monotonic() + 60
            while len(list(HERE.glob("begun-*"))) < 2:
                assert time.monotonic() < deadline
                time.sleep(0.05)

        def test_next(tinyml_board):
            pass
        """
    )
    boards = ("--tinyml-board", "qemu-m4", "--tinyml-board", "spresense")
    result = pytester.runpytest_subprocess(*PARALLEL, *boards)
    result.assert_outcomes(passed=4)
    result.stdout.fnmatch_lines(["qemu-m4 * 2 * 0 * 0 * 0", "spresense * 2 * 0 * 0 * 0"])
    forbidden = pytester.runpytest_subprocess(*PARALLEL, *boards, "-n", "0", "-k", "next", "-v")
    forbidden.assert_outcomes(passed=2)
    forbidden.stdout.no_fnmatch_line("[[]gw0[]]*")


def test_an_explicit_port_comes_first(
    pytester: pytest.Pytester, labgrid: Callable[[bool], None], port: str
) -> None:
    labgrid(True)
    result = pytester.runpytest_subprocess(
        *HOW, "-p", "labgrid", "--lg-env", "env.yaml", "--tinyml-port", port, "-s"
    )
    result.assert_outcomes(passed=2)
    result.stdout.no_fnmatch_line("*labgrid was asked*")


@pytest.mark.parametrize("power", [True, False])
def test_then_the_target_of_labgrid(
    pytester: pytest.Pytester, labgrid: Callable[[bool], None], power: bool
) -> None:
    labgrid(power)
    result = pytester.runpytest_subprocess(*HOW, "-p", "labgrid", "--lg-env", "env.yaml", "-s")
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(["*labgrid was asked*"])


def test_then_what_is_built_and_flashed(
    pytester: pytest.Pytester, labgrid: Callable[[bool], None]
) -> None:
    labgrid(True)
    result = pytester.runpytest_subprocess(*HOW, "-p", "labgrid")  # without an environment file
    result.assert_outcomes(errors=2)
    result.stdout.fnmatch_lines(["*firmware was built"])


def test_a_board_that_is_left_as_it_is_must_be_there(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    with tempfile.TemporaryDirectory(prefix="tml") as folder:
        monkeypatch.setenv("XDG_RUNTIME_DIR", folder)
        pytester.makepyfile(ASKS)
        result = pytester.runpytest_subprocess(*HOW, "--tinyml-no-flash")
    result.assert_outcomes(errors=2)
    result.stdout.fnmatch_lines(["no qemu-m4 runs", "hint: *"])


def test_another_board_is_refused(pytester: pytest.Pytester, port: str) -> None:
    pytester.makepyfile(ASKS)
    result = pytester.runpytest_subprocess(*HOW, "--tinyml-port", port)
    result.assert_outcomes(errors=2)
    result.stdout.fnmatch_lines(["a fake?* answers, not a qemu-m4", "hint: pytest --tinyml-board*"])


def test_nobody_there_is_an_error_and_not_a_skip(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(ASKS)
    result = pytester.runpytest_subprocess(*HOW, "--tinyml-port", "socket://127.0.0.1:9")
    result.assert_outcomes(errors=2)
    result.stdout.fnmatch_lines(["cannot connect to 127.0.0.1:9: *"])
