"""What tests may ask for: a marker per need, and fixtures for the shared data and the model.

A missing need skips the test with the reason; with TINYML_REQUIRE=1 it fails it instead, so that a
machine meant to run everything cannot pass by running nothing.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytest_plugins = ("tinyml.pytest_plugin", "pytester")


def _program(*names: str) -> Callable[[], str | None]:
    def missing() -> str | None:
        absent = [name for name in names if shutil.which(name) is None]
        return f"not on PATH: {', '.join(absent)}" if absent else None

    return missing


def _any_program(*names: str) -> Callable[[], str | None]:
    def missing() -> str | None:
        found = any(shutil.which(name) for name in names)
        return None if found else f"none of these is on PATH: {', '.join(names)}"

    return missing


def _package(*names: str) -> Callable[[], str | None]:
    def missing() -> str | None:
        absent = [name for name in names if importlib.util.find_spec(name) is None]
        return f"not installed: {', '.join(absent)}" if absent else None

    return missing


def _data() -> str | None:
    folder = os.environ.get("TINYML_TEST_DATA")
    if not folder:
        return "TINYML_TEST_DATA is not set to the folder of shared test data"
    return None if Path(folder).is_dir() else f"TINYML_TEST_DATA={folder} is not a folder"


NEEDS: dict[str, Callable[[], str | None]] = {
    "needs_cc": _program("cc"),
    "needs_arm_gcc": _program("arm-none-eabi-gcc"),
    "needs_qemu": _program("qemu-system-arm"),
    "needs_pio": _package("platformio", "SCons"),
    "needs_tensorflow": _package("tensorflow", "tf_keras"),
    "needs_espeak": _program("espeak-ng"),
    "needs_chromium": _any_program("chromium", "chromium-browser", "google-chrome"),
    "needs_xmodem": _package("xmodem"),
    "needs_data": _data,
}


def _sources(variable: str) -> Callable[[], str | None]:
    def missing() -> str | None:
        folder = os.environ.get(variable, "")
        return None if folder and Path(folder).is_dir() else f"{variable} names no folder"

    return missing


# Software that can be neither downloaded by tests nor committed: the only needs whose absence is
# allowed everywhere. What was skipped for them is counted and named at the end.
VENDORS: dict[str, Callable[[], str | None]] = {"needs_tflm": _sources("TINYML_TFLM_DIR")}


def pytest_configure(config: pytest.Config) -> None:
    for name in NEEDS:
        config.addinivalue_line("markers", f"{name}: skipped, or failed in CI, where it is missing")
    for name in VENDORS:
        config.addinivalue_line("markers", f"{name}: skipped, and named at the end, without it")


def pytest_runtest_setup(item: pytest.Item) -> None:
    for marker in item.iter_markers():
        if marker.name in VENDORS and (absent := VENDORS[marker.name]()):
            pytest.skip(f"{marker.name}: {absent}")
    for marker in item.iter_markers():
        reason = NEEDS[marker.name]() if marker.name in NEEDS else None
        if reason is None:
            continue
        if os.environ.get("TINYML_REQUIRE") == "1":
            pytest.fail(f"{marker.name}: {reason} (TINYML_REQUIRE=1)", pytrace=False)
        pytest.skip(f"{marker.name}: {reason}")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Count and name the tests that need a vendor's sources and did not have them."""
    for name, missing in VENDORS.items():
        skipped = [
            report.nodeid
            for report in terminalreporter.stats.get("skipped", [])
            if isinstance(report.longrepr, tuple) and f"{name}: " in report.longrepr[2]
        ]
        if skipped:
            terminalreporter.write_line(f"{len(skipped)} tests not run, {missing()}:")
            for nodeid in skipped:
                terminalreporter.write_line(f"  {nodeid}")


# What takes seconds first, then what takes longest; small files come last, so that processes which
# share the files end together.
ORDER = ("unit", "training", "emulator", "hardware", "golden", "host")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run folders in ORDER, in each the order that there is: a random one."""
    here = Path(__file__).parent

    def rank(item: pytest.Item) -> int:
        folder = item.path.relative_to(here).parts[0]
        return ORDER.index(folder) if folder in ORDER else len(ORDER)

    items.sort(key=rank)


@pytest.fixture(scope="session", autouse=True)
def _own_surroundings() -> Iterator[None]:
    """Keep out the emulated boards of the user and of other processes, and the size of a terminal.

    A process of pytest-xdist has it in its environment, where it outweighs that of a test's own.
    """
    # Sockets have short names only: pytest's own folders may be too deep.
    with tempfile.TemporaryDirectory(prefix="tml") as folder, pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_RUNTIME_DIR", folder)
        for size in ("COLUMNS", "LINES"):
            patch.delenv(size, raising=False)
        yield


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder of shared test data; mark the test `needs_data` as well."""
    return Path(os.environ["TINYML_TEST_DATA"]).resolve()
