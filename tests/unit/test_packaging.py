"""The wheel: complete, and usable from an empty folder without the checkout."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
IN_WHEEL = ("boards", "firmware_templates", "models", "tinyml")
IN_SOURCE = (*IN_WHEEL, "docs")
FILES = (
    "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "MANIFEST.in", "README.md", "pyproject.toml",
    "setup.py",
)  # fmt: skip
NOT_SOURCE = shutil.ignore_patterns("__pycache__", "*.so", "*.pyc", "_native.c")


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the sources."""
    copy = tmp_path_factory.mktemp("source")
    for folder in IN_SOURCE:
        shutil.copytree(ROOT / folder, copy / folder, ignore=NOT_SOURCE)
    for file in FILES:
        shutil.copy(ROOT / file, copy)
    return copy


@pytest.fixture(scope="module")
def wheel(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel as pip builds it."""
    out = tmp_path_factory.mktemp("wheel")
    options = ("--no-deps", "--no-build-isolation", "--disable-pip-version-check", "-q")
    done = subprocess.run(
        [sys.executable, "-m", "pip", "wheel", *options, "-w", str(out), str(source)],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (built,) = out.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel's contents, as an installation has them."""
    target = tmp_path_factory.mktemp("installed")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(target)
    return target


def tinyml(installed: Path, cwd: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the installed package, not the checkout, in the folder `cwd`."""
    return subprocess.run(
        [sys.executable, "-m", "tinyml", *arguments],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        timeout=600,
    )


def test_the_source_distribution_carries_the_documentation(source: Path, tmp_path: Path) -> None:
    build = "import sys; from setuptools import build_meta; build_meta.build_sdist(sys.argv[1])"
    subprocess.run(
        [sys.executable, "-c", build, str(tmp_path)],
        cwd=source, capture_output=True, check=True, timeout=300,
    )  # fmt: skip
    with tarfile.open(next(tmp_path.glob("*.tar.gz"))) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"CHANGELOG.md", "CONTRIBUTING.md", "README.md"} < names
    pages = {str(page.relative_to(ROOT)) for page in (ROOT / "docs").rglob("*.md")}
    assert pages < names


@pytest.mark.needs_cc
def test_the_wheel_carries_everything(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    for folder, target in (
        *((ROOT / folder, f"tinyml/share/{folder}") for folder in IN_WHEEL[:-1]),
        (ROOT / "tinyml", "tinyml"),
    ):
        for file in sorted(folder.rglob("*")):
            relative = file.relative_to(folder)
            ignored = {"__pycache__", "_native.c"} & set(relative.parts) or file.suffix == ".so"
            if file.is_file() and not ignored:
                assert f"{target}/{relative.as_posix()}" in names
    assert any(name.startswith("tinyml/features/_native.") for name in names)
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names)


@pytest.mark.needs_cc
def test_the_wheel_carries_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    assert {name.partition("/")[0].partition("-")[0] for name in names} == {"tinyml"}
    assert not [name for name in names if "__pycache__" in name or name.endswith("_native.c")]


@pytest.mark.needs_cc
def test_an_installation_finds_what_it_carries(installed: Path, tmp_path: Path) -> None:
    where = "import tinyml; print(tinyml.__file__)"
    done = subprocess.run(
        [sys.executable, "-c", where],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert Path(done.stdout.strip()).is_relative_to(installed), "the checkout was imported"
    boards = tinyml(installed, tmp_path, "boards", "--json")
    assert boards.returncode == 0, boards.stderr
    listed = json.loads(boards.stdout)["boards"]
    assert {board["id"] for board in listed} == {
        file.stem for file in (ROOT / "boards").glob("*.ini")
    }
    assert all(Path(board["path"]).is_relative_to(installed) for board in listed)
    models = tinyml(installed, tmp_path, "models", "--json")
    assert "keyword_spotting" in models.stdout
    assert not list(tmp_path.iterdir())


@pytest.mark.needs_cc
@pytest.mark.needs_arm_gcc
@pytest.mark.needs_pio
def test_an_installation_builds_in_an_empty_folder(installed: Path, tmp_path: Path) -> None:
    done = tinyml(installed, tmp_path, "build", "--out", "firmware", "--json")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / json.loads(done.stdout)["elf"]).is_file()
