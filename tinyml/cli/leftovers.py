"""What builds leave behind: generated project folders and the user's cache, found and removed."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from tinyml import paths
from tinyml.cli import outputs
from tinyml.errors import ConfigError
from tinyml.firmware import render


def projects(folders: Sequence[Path]) -> list[Path]:
    """Return the generated projects that `folders` are or hold; links are not followed.

    Raises ConfigError for a folder that is not there, unless it is the only one.
    """
    found: list[Path] = []
    for folder in folders:
        if not folder.is_dir() and len(folders) > 1:
            raise ConfigError(f"{folder} is no folder", "name folders that are there")
        inside = sorted(folder.iterdir()) if folder.is_dir() else []
        candidates = [folder, *inside]
        found += [each for each in candidates if not each.is_symlink() and _is_project(each)]
    return found


def cached() -> list[Path]:
    """Return the folders of the user's cache, but that of the locks that commands hold."""
    cache = paths.cache()
    if not cache.is_dir():
        return []
    return sorted(each for each in cache.iterdir() if each.is_dir() and each.name != outputs.LOCKS)


def size(folder: Path) -> int:
    """Return the bytes of all files in `folder`."""
    return sum(
        file.lstat().st_size for file in folder.rglob("*") if file.is_file() or file.is_symlink()
    )


def remove(folder: Path, note: Callable[[str], None]) -> bool:
    """Remove `folder`; return False, with a note, where it has to stay."""
    try:
        with outputs.lock(folder):
            if _is_project(folder) and (kept := render.files_of_users(folder)):
                note(f"{folder} stays, with what was changed or added: {', '.join(kept)}")
                return False
            shutil.rmtree(folder)
    except ConfigError as error:
        note(f"{folder} stays: {error.message}")
        return False
    return True


def _is_project(folder: Path) -> bool:
    return (folder / render.MANIFEST).is_file()
