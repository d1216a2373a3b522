from __future__ import annotations

import os
from pathlib import Path

import pytest

from tinyml.build import object_cache


def entry(place: Path, name: str, size: int, used: float) -> Path:
    file = place / name[:2] / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(bytes(size))
    os.utime(file, (used, used))
    return file


def test_what_was_used_longest_ago_goes_first(tmp_path: Path) -> None:
    old, recent, new = (
        entry(tmp_path, name, 40, used) for name, used in (("aa1", 1), ("bb2", 2), ("aa3", 3))
    )
    object_cache.prune(tmp_path, 120)
    assert old.exists()
    object_cache.prune(tmp_path, 119)
    assert [file.exists() for file in (old, recent, new)] == [False, True, True]


def test_a_cache_that_does_not_exist_yet_is_no_error(tmp_path: Path) -> None:
    object_cache.prune(tmp_path / "none", 0)


def test_a_folder_of_the_user_s_own_is_used_and_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(object_cache.VARIABLE, str(tmp_path))
    assert object_cache.folder() == tmp_path
    monkeypatch.delenv(object_cache.VARIABLE)
    monkeypatch.setenv("TINYML_CACHE", str(tmp_path / "cache"))
    assert object_cache.folder() == tmp_path / "cache" / "objects"
