"""How an optional part is installed: by the names of its packages, with this interpreter's pip."""

from __future__ import annotations

import importlib.metadata
import shlex
import sys

import pytest

from tinyml import extras


def test_the_packages_are_named_and_not_the_project() -> None:
    command = shlex.split(extras.install("train"))
    assert command[:4] == [sys.executable, "-m", "pip", "install"]
    assert any(one.startswith("tensorflow==") for one in command[4:])
    assert not any("extra" in one or one.startswith("tinyml") for one in command)
    assert not any(one.startswith("pytest") for one in command[4:])  # that is for development


def test_what_is_not_installed_is_installed_from_its_folder(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def missing(name: str) -> list[str]:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "requires", missing)
    assert extras.install("train") == "pip install '.[train]'"
