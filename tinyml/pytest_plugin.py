"""Hardware in the loop as a pytest plugin: tests get a board that runs a model.

It comes with the package, and `pytest --fixtures` explains each fixture. Ten lines test a model:

    import numpy as np

    from tinyml.oracle import Oracle


    def test_the_board_computes_what_the_reference_computes(tinyml_device, tinyml_model):
        random = np.random.default_rng(1)
        inputs = [random.integers(-128, 128, i.shape, i.dtype) for i in tinyml_device.info.inputs]
        expected = Oracle(tinyml_model.model).run(inputs)
        np.testing.assert_array_equal(tinyml_device.infer(inputs).outputs, expected)

    pytest --tinyml-model my_model                             # on the emulated board
    pytest --tinyml-board nano33ble --tinyml-port auto         # on the one that is plugged in
    pytest --tinyml-port socket://10.0.0.7:4000                # on one that runs the model already
    pytest --lg-env remote.yaml                                # on one of a labgrid farm

    pytest --tinyml-board nano33ble --tinyml-board spresense   # on both at the same time

Several boards are tested at the same time where pytest-xdist is installed (`-n 0` forbids it), and
one after the other where it is not; a board may be named several times. One table sums them up.
A board is looked for in that order: an explicit port; the target of labgrid's own plugin, where
that is active; else whatever `tinyml flash` would find, which for the default board is QEMU.
Firmware is built and flashed once a session for each board, except through network addresses, on a
labgrid target and with --tinyml-no-flash: there the board must run the model already. Models listen
to the virtual sensor, so that tests can play recordings.
Every test reports board and model as properties, which `--junitxml` writes.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from tinyml.errors import DeviceError, TinymlError

if TYPE_CHECKING:
    from tinyml.device import Device
    from tinyml.records import Board, Bundle, Firmware

    Build = Callable[[Bundle, Board, str], Firmware]

AUTO = "auto"
DEFAULT_MODEL = "keyword_spotting"
_BOARD = "tinyml_board"  # the property of a test, and what results are summed up by
_PLACE = "_tinyml_place"  # the fixture that tests are parametrised by
_OUTCOMES = ("passed", "failed", "error", "skipped")


@dataclass(frozen=True)
class BoardUnderTest:
    """A board that was asked for; `port` is None where nobody named one.

    `name`: the board, numbered where it was asked for several times.
    """

    board: str
    port: str | None
    name: str


class FlashedBoard:
    """A board that runs the model under test, and the one connection to it."""

    def __init__(self, reach: Callable[[], Device], board: Board, model: Bundle) -> None:
        self._reach = reach
        self._board = board
        self._model = model
        self._device: Device | None = None

    def connect(self) -> Device:
        """Return a new connection; the one before ends, for a board has only one line.

        Raises DeviceError where another board or another model answers.
        """
        from tinyml.measure.validate import require_model

        self.close()
        self._device = device = self._reach()
        if device.info.board != self._board.id:
            raise DeviceError(
                f"a {device.info.board} answers, not a {self._board.id}",
                f"pytest --tinyml-board {device.info.board}",
            )
        require_model(device, self._model)
        return device

    def device(self) -> Device:
        """Return the connection there is if the board answers on it, else a new one."""
        if self._device is not None:
            with contextlib.suppress(DeviceError):
                self._device.status()
                return self._device
        return self.connect()

    def close(self) -> None:
        """End the connection, if there is one."""
        if self._device is not None:
            self._device.close()
            self._device = None


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the options; all begin with --tinyml."""
    """Declare what names board, port, model and runtime."""
    group = parser.getgroup("tinyml", "tinyml: boards that run models")
    group.addoption(
        "--tinyml-board",
        action="append",
        default=[],
        metavar="BOARD",
        help="board to test, a name that `tinyml boards` lists; several: give it again",
    )
    group.addoption(
        "--tinyml-port",
        action="append",
        default=[],
        metavar="PORT",
        help="serial port, socket://HOST:PORT or auto; with several boards once for each, in order",
    )
    group.addoption(
        "--tinyml-model",
        default=DEFAULT_MODEL,
        metavar="MODEL",
        help="shipped name, bundle folder or .tflite file (default: %(default)s)",
    )
    group.addoption(
        "--tinyml-runtime",
        metavar="RUNTIME",
        help="what runs the model on the board (default: the board's own)",
    )
    group.addoption(
        "--tinyml-no-flash",
        action="store_true",
        help="test what the board runs already; it must be the model",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Refuse what makes no sense before any test runs."""
    names, ports = config.getoption("--tinyml-board"), config.getoption("--tinyml-port")
    if ports not in ([], [AUTO]) and len(ports) != max(1, len(names)):
        raise pytest.UsageError(
            f"{len(ports)} --tinyml-port for {max(1, len(names))} --tinyml-board; "
            f"name one for each, in the same order ({AUTO} is one)"
        )
    if not names:
        return
    from tinyml.firmware import boards

    try:
        for name in names:
            boards.load(name)
    except TinymlError as error:
        raise pytest.UsageError(_text(error)) from error


@pytest.hookimpl(wrapper=True)
def pytest_cmdline_main(config: pytest.Config) -> Iterator[None]:
    """Have pytest-xdist, where it is installed, test several boards at the same time."""
    boards = config.getoption("--tinyml-board")
    options = config.option
    is_worker = hasattr(config, "workerinput")
    if len(boards) > 1 and config.pluginmanager.hasplugin("xdist") and not is_worker:
        chosen = options.numprocesses is not None or options.dist != "no" or options.tx
        if not chosen and not options.usepdb:
            options.numprocesses, options.dist = len(boards), "loadgroup"
    return (yield)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Keep the tests of one board together: it has one line, and is flashed once."""
    names = [place.name for place in _places(config)]
    if len(names) < 2 or config.option.dist != "loadgroup":
        return None
    from xdist.scheduler import LoadScopeScheduling

    class ByBoard(LoadScopeScheduling):  # type: ignore[misc]
        def _split_scope(self, nodeid: str) -> str:
            parameters = f"-{nodeid.rpartition('[')[2].removesuffix(']')}-"
            return next((name for name in names if f"-{name}-" in parameters), nodeid)

    return ByBoard(config, log)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run every test that asks for a board on each of them."""
    if _PLACE not in metafunc.fixturenames:
        return
    places = _places(metafunc.config)
    metafunc.parametrize(
        _PLACE,
        places,
        ids=[place.name for place in places],
        indirect=True,
    )


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Note board and model, also for tests that fail before they have a connection."""
    place = _place_of(item)
    if place is not None:
        item.user_properties.append((_BOARD, place.name))
        item.user_properties.append(("tinyml_model", item.config.getoption("--tinyml-model")))


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Sum up by board where there were several."""
    names = [place.name for place in _places(config)]
    if len(names) < 2:
        return
    counts = Counter(
        (dict(report.user_properties).get(_BOARD), outcome)
        for outcome in _OUTCOMES
        for report in terminalreporter.stats.get(outcome, ())
    )
    terminalreporter.section("boards")
    terminalreporter.write_line("".join(f"{word:>10}" for word in ("", *_OUTCOMES)))
    for name in dict.fromkeys(names):
        shown = "".join(f"{counts[name, outcome]:>10}" for outcome in _OUTCOMES)
        terminalreporter.write_line(f"{name:<10}{shown}")


@pytest.fixture(scope="session", name=_PLACE)
def _place_under_test(request: pytest.FixtureRequest) -> BoardUnderTest:
    place: BoardUnderTest = request.param
    return place


@pytest.fixture(scope="session")
def tinyml_board(_tinyml_place: BoardUnderTest) -> Board:
    """The board under test, as its file describes it; a test runs once for each --tinyml-board."""
    from tinyml.firmware import boards

    with _failing_plainly():
        return boards.load(_tinyml_place.board)


@pytest.fixture(scope="session")
def tinyml_model(pytestconfig: pytest.Config) -> Bundle:
    """The model under test: --tinyml-model."""
    from tinyml.model import bundle

    with _failing_plainly():
        return bundle.load(pytestconfig.getoption("--tinyml-model"))


@pytest.fixture(scope="session")
def tinyml_build(tmp_path_factory: pytest.TempPathFactory) -> Build:
    """A function: model, board and runtime in, built firmware out; each is built once a session."""
    from tinyml.build import pio
    from tinyml.firmware import plan, render
    from tinyml.protocol.messages import VIRTUAL_SENSOR

    built: dict[tuple[str, str, str], Firmware] = {}

    def make(bundle: Bundle, board: Board, runtime: str) -> Firmware:
        key = (bundle.sha256, board.id, runtime)
        if key not in built:
            out = tmp_path_factory.mktemp(f"{board.id}-{runtime}") / "project"
            sensor = VIRTUAL_SENSOR if bundle.stream else None
            project = render.generate(plan.resolve(bundle, board, runtime, sensor=sensor), out)
            built[key] = pio.build(project)
        return built[key]

    return make


@pytest.fixture(scope="session")
def tinyml_firmware(
    pytestconfig: pytest.Config, tinyml_build: Build, tinyml_board: Board, tinyml_model: Bundle
) -> Firmware:
    """The firmware under test; define a fixture of this name to flash what you have built."""
    runtime = pytestconfig.getoption("--tinyml-runtime") or tinyml_board.runtime
    with _failing_plainly():
        return tinyml_build(tinyml_model, tinyml_board, runtime)


@pytest.fixture(scope="session")
def tinyml_flashed(
    request: pytest.FixtureRequest,
    _tinyml_place: BoardUnderTest,
    tinyml_board: Board,
    tinyml_model: Bundle,
) -> Iterator[FlashedBoard]:
    """The board under test with the model on it: `connect()` gives a new connection to it."""
    with contextlib.ExitStack() as stack:
        with _failing_plainly():
            reach = _reach(request, _tinyml_place.port, stack)
            flashed = FlashedBoard(reach, tinyml_board, tinyml_model)
            stack.callback(flashed.close)
            flashed.connect()
        yield flashed


@pytest.fixture
def tinyml_device(request: pytest.FixtureRequest, tinyml_flashed: FlashedBoard) -> Device:
    """The connection to the board under test (a `tinyml.device.Device`), which tests share."""
    with _failing_plainly():
        device = tinyml_flashed.device()
    info = device.info
    request.node.user_properties.extend(
        {"tinyml_sha256": info.sha256, "tinyml_runtime": info.runtime}.items()
    )
    return device


def _places(config: pytest.Config) -> list[BoardUnderTest]:
    from tinyml.firmware.boards import DEFAULT

    names = config.getoption("--tinyml-board") or [DEFAULT]
    ports = config.getoption("--tinyml-port") or [None]
    met: Counter[str] = Counter()
    places = []
    for board, port in zip(names, ports * (len(names) // len(ports)), strict=True):
        met[board] += 1
        name = board if names.count(board) == 1 else f"{board}-{met[board]}"
        places.append(BoardUnderTest(board, port, name))
    return places


def _place_of(item: pytest.Item) -> BoardUnderTest | None:
    callspec = getattr(item, "callspec", None)
    return None if callspec is None else callspec.params.get(_PLACE)


def _reach(
    request: pytest.FixtureRequest, port: str | None, stack: contextlib.ExitStack
) -> Callable[[], Device]:
    """Return how to connect to the board under test, flashed where that is ours to do.

    What `stack` gets ends an emulated board.
    """
    from tinyml import device
    from tinyml.device import labgrid, ports

    board: Board = request.getfixturevalue("tinyml_board")
    if port is None and _has_target(request.config):
        target = request.getfixturevalue("target")
        return lambda: device.Device(labgrid.open_console(target), board.id)
    if not request.config.getoption("--tinyml-no-flash") and not ports.is_address(port):
        firmware = request.getfixturevalue("tinyml_firmware")
        stack.enter_context(_own_emulators())
        device.flash(firmware, port)
    return lambda: device.connect(board, port)


def _has_target(config: pytest.Config) -> bool:
    """Whether labgrid's plugin is there and has an environment file."""
    if not config.pluginmanager.hasplugin("labgrid"):
        return False
    return bool(config.getoption("lg_env", None) or os.environ.get("LG_ENV"))


@contextlib.contextmanager
def _own_emulators() -> Iterator[None]:
    """Start emulated boards beside those that the user runs, and end them afterwards."""
    from tinyml import device

    # Sockets have short names only: pytest's own folders may be too deep.
    with tempfile.TemporaryDirectory(prefix="tml") as folder, pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_RUNTIME_DIR", folder)
        try:
            yield
        finally:
            for emulated in device.devices():
                device.stop(emulated.board)


@contextlib.contextmanager
def _failing_plainly() -> Iterator[None]:
    """Turn what a user can act on into a failure without a traceback."""
    try:
        yield
    except TinymlError as error:
        raise pytest.fail.Exception(_text(error), pytrace=False) from None


def _text(error: TinymlError) -> str:
    return f"{error.message}\nhint: {error.hint}" if error.hint else error.message
