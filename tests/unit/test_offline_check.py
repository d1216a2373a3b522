"""What is missing for a build is named at once, before anything waits for a network."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tinyml.build import offline_check, pio
from tinyml.errors import ToolError
from tinyml.firmware import boards, plan, render
from tinyml.model import bundle
from tinyml.records import Project

pytestmark = pytest.mark.needs_pio

MODEL = next(iter(sorted((Path(__file__).parents[1] / "golden" / "add").glob("*.tflite"))))
LIBRARY = "https://github.com/tensorflow/tflite-micro-arduino-examples.git"


@pytest.fixture
def core(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder in the place of the user's ~/.platformio, and no network."""
    monkeypatch.setenv("PLATFORMIO_CORE_DIR", str(tmp_path / "core"))
    monkeypatch.setattr(offline_check, "_online", lambda: False)
    return tmp_path / "core"


def project(tmp_path: Path, board: str, runtime: str) -> Project:
    return render.generate(
        plan.resolve(bundle.load(str(MODEL)), boards.load(board), runtime), tmp_path / "project"
    )


def install(
    folder: Path, kind: str, owner: str | None, name: str, version: str, uri: str | None = None
) -> None:
    """Make a package as PlatformIO leaves it, as far as it looks."""
    (folder / name).mkdir(parents=True)
    spec = {"owner": owner, "id": None, "name": name, "requirements": None, "uri": uri}
    manifest = {"name": name, "version": version}
    file = {"tool": "package", "platform": "platform", "library": "library"}[kind]
    (folder / name / f"{file}.json").write_text(json.dumps(manifest))
    (folder / name / ".piopm").write_text(json.dumps({"type": kind, "spec": spec, **manifest}))


def test_all_that_is_missing_is_named_in_one_error(tmp_path: Path, core: Path) -> None:
    made = project(tmp_path, "nano33ble", "tflm")
    with pytest.raises(ToolError, match="no network") as caught:
        offline_check.require(made)
    tools = ("framework-arduino-mbed@4.5.0", "toolchain-gccarmnoneeabi@1.70201.0", "tool-scons@")
    for name in ("nordicnrf52@10.11.0", *tools, "tool-sreccat@1.164.0", LIBRARY):
        assert name in caught.value.message
    assert ".platformio" in caught.value.hint
    assert not core.exists()


def test_the_compiled_runtime_needs_no_library(tmp_path: Path, core: Path) -> None:
    assert not [name for name in offline_check.missing(project(tmp_path, "nano33ble", "compiled"))
                if "tensorflow" in name]  # fmt: skip


def test_what_is_installed_is_not_missing(tmp_path: Path, core: Path) -> None:
    from platformio.dependencies import get_core_dependencies

    made = project(tmp_path, "nano33ble", "tflm")
    before = offline_check.missing(made)
    install(core / "platforms", "platform", "platformio", "nordicnrf52", "10.11.0")
    tools = {"framework-arduino-mbed": "4.5.0", "toolchain-gccarmnoneeabi": "1.70201.0",
             "tool-sreccat": "1.164.0",
             "tool-scons": get_core_dependencies()["tool-scons"].lstrip("~")}  # fmt: skip
    for name, version in tools.items():
        install(core / "packages", "tool", "platformio", name, version)
    assert offline_check.missing(made) == [name for name in before if name.startswith("https://")]
    libraries = made.path / ".pio" / "libdeps" / "nano33ble"
    for uri in made.board.options["custom_tflm"].split():
        name = uri.partition(".git#")[0].rpartition("/")[2]
        install(libraries, "library", None, name, "1.0.0", f"git+{uri}")
    offline_check.require(made)
    assert offline_check.missing(made) == []


def test_another_version_counts_as_missing(tmp_path: Path, core: Path) -> None:
    install(core / "packages", "tool", "platformio", "framework-arduino-mbed", "4.4.1")
    assert "platformio/framework-arduino-mbed@4.5.0" in offline_check.missing(
        project(tmp_path, "nano33ble", "compiled")
    )


def test_with_a_network_platformio_may_download(
    tmp_path: Path, core: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(offline_check, "_online", lambda: True)
    offline_check.require(project(tmp_path, "nano33ble", "compiled"))


def test_what_a_platform_of_ours_fetches_is_named_in_the_same_error(
    tmp_path: Path, core: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPRESENSE_PACKAGES", str(tmp_path / "packages"))
    made = project(tmp_path, "spresense", "tflm")
    with pytest.raises(ToolError, match="no network") as caught:
        offline_check.require(made)
    for name in ("spresense-v3.4.4.tar.gz (537,724 bytes", "spresense-sdk-v3.4.4.tar.gz", LIBRARY):
        assert name in caught.value.message
    assert "tinyml doctor --fix spresense --from DIR" in caught.value.hint
    assert "--tflm-dir" in caught.value.hint
    archive = tmp_path / "packages" / "spresense-downloads" / "spresense-v3.4.4.tar.gz"
    archive.parent.mkdir(parents=True)
    archive.touch()  # it is here: the platform installs it without a network
    assert not [name for name in offline_check.missing(made) if name.startswith("spresense-v3")]


def test_a_board_with_a_platform_of_ours_downloads_nothing(tmp_path: Path, core: Path) -> None:
    assert offline_check.missing(project(tmp_path, "qemu-m4", "compiled")) == []


def test_an_installed_platform_says_itself_which_tools_it_wants(tmp_path: Path, core: Path) -> None:
    """Uploaders too: they are needed for an upload, and named with all that a build lacks."""
    made = project(tmp_path, "nano33ble", "compiled")
    install(core / "platforms", "platform", "platformio", "nordicnrf52", "10.11.0")
    manifest = core / "platforms" / "nordicnrf52" / "platform.json"
    tools: dict[str, dict[str, object]] = {
        "toolchain-gccarmnoneeabi": {"version": ">=1.60301.0"},
        "framework-arduino-mbed": {"type": "framework", "optional": True, "version": "~4.5.0"},
        "tool-sreccat": {"version": "~1.164.0"},
        "tool-bossac-nordicnrf52": {"type": "uploader", "optional": True, "version": "~1.10901.0"},
        "tool-cmake": {"optional": True, "version": "~3.21.0"},
    }
    manifest.write_text(
        json.dumps(
            {
                "name": "nordicnrf52",
                "version": "10.11.0",
                "frameworks": {"arduino": {"package": "framework-arduino-mbed"}},
                "packages": {n: {"owner": "platformio", **tool} for n, tool in tools.items()},
            }
        )
    )
    built, flashed = (offline_check.missing(made, upload=upload) for upload in (False, True))
    assert [name for name in flashed if "bossac" in name]
    assert not [name for name in built if "bossac" in name]
    assert not [name for name in flashed if "cmake" in name]
    for name in ("framework-arduino-mbed@4.5.0", "toolchain-gccarmnoneeabi@1.70201.0"):
        assert [found for found in built if found.endswith(name)], built
    with pytest.raises(ToolError, match="tool-bossac-nordicnrf52"):
        offline_check.require(made)


def test_an_upload_without_its_tool_says_so_at_once(
    tmp_path: Path, core: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = project(tmp_path, "nano33ble", "compiled")
    monkeypatch.setattr(pio.proc, "run", lambda *_, **__: pytest.fail("nothing may be tried"))
    with pytest.raises(ToolError, match="no network") as caught:
        pio.upload(made, "/dev/null", 60.0)
    assert caught.value.hint
