"""What doctor says of machines that lack something."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tinyml import cli
from tinyml.cli import doctor


def checks() -> dict[str, doctor.Check]:
    return {check.name: check for check in doctor.examine()}


def test_every_problem_has_a_fix(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    found = checks()
    assert not found["arm-none-eabi-gcc"].ok
    assert all(check.fix for check in found.values() if not check.ok)
    assert not any(check.fix for check in found.values() if check.ok)


def test_what_is_optional_does_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    lacking = [
        doctor.Check("a", True, "1", "all", doctor.REQUIRED, ""),
        doctor.Check("b", False, "", "all", doctor.OPTIONAL, "fix"),
    ]
    assert doctor.ready(lacking)
    assert not doctor.ready([*lacking, doctor.Check("c", False, "", "", doctor.REQUIRED, "fix")])


@pytest.mark.parametrize("home", ["/proc/nobody", "/dev/null"])
def test_a_home_that_cannot_be_written_is_named_with_what_helps(
    home: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("TINYML_CACHE", "XDG_CACHE_HOME", "PLATFORMIO_CORE_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", home)
    cache = checks()["cache"]
    assert not cache.ok
    assert ".cache/tinyml" in cache.found
    assert "export TINYML_CACHE=" in cache.fix
    assert "export PLATFORMIO_CORE_DIR=" in cache.fix
    assert not doctor.ready([cache])


def test_a_cache_elsewhere_is_fine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/proc/nobody")
    monkeypatch.setenv("TINYML_CACHE", str(tmp_path / "c"))
    monkeypatch.setenv("PLATFORMIO_CORE_DIR", str(tmp_path / "p"))
    assert checks()["cache"].ok


def test_a_tool_that_does_not_run_is_not_a_crash(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "arm-none-eabi-gcc"
    broken.write_text("#!/nonexistent/interpreter\n")
    broken.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    found = checks()
    assert not found["newlib"].ok
    assert "libnewlib-arm-none-eabi" in found["newlib"].fix


def test_without_apt_the_packages_are_still_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert "qemu-system-arm" in doctor.install_command("qemu-system-arm")
    assert "apt-get" not in doctor.install_command("qemu-system-arm")


def test_json_has_the_same_checks(capsys: pytest.CaptureFixture[str]) -> None:
    cli.main(["doctor", "--json"])
    document = json.loads(capsys.readouterr().out)
    assert document["schema"] == "tinyml.doctor/1"
    assert [check["name"] for check in document["checks"]] == list(checks())
