"""Public data sets by name: downloaded once, checked, and kept in the cache.

One file per data set, whose name is the data set's (with `_` for `-`). It defines `TASK`, the task
it is for, and `fetch(folder, count, on_progress)`, which fills the new folder `folder` with what
that task reads. `count` is how many recordings per label a person asked for, as in `coco:500`; None
where they did not. Downloads continue where they broke off.
"""

from __future__ import annotations

import re
import shutil
import tarfile
import zlib
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Any

from tinyml import paths
from tinyml.errors import ConfigError, DataError, ToolError, nearest
from tinyml.platforms import download
from tinyml.platforms.download import DownloadError, File
from tinyml.registry import Registry

OnProgress = Callable[[int, int], None]
_DATA_SETS = Registry(__name__, "public data set")
_NAMED = re.compile(r"([a-z][a-z0-9_]*)(?::(.*))?")


def names() -> tuple[str, ...]:
    """Return the names of all public data sets, sorted."""
    return _DATA_SETS.names()


def resolve(data: Path, task: str, on_progress: OnProgress | None = None) -> Path:
    """Return the folder of recordings that `data` names: itself, or that of a public data set.

    A folder that is there wins over a data set of its name. `on_progress(bytes, all)` is called
    while a file comes. Raises ConfigError for a data set of another task or what is no count,
    ToolError where it cannot be downloaded, with the path where the files can be put by hand.
    """
    name = _NAMED.fullmatch(str(data))
    if data.exists() or name is None:
        return data
    if name[1] not in names():
        if name[2] is not None and not name[2].isdecimal():
            return data
        raise DataError(
            f"there is no folder {data}, and no public data set of that name",
            nearest(name[1], names()),
        )
    source = _DATA_SETS.load(name[1])
    if task != source.TASK:
        raise ConfigError(f"{name[1]} is a data set for {source.TASK}, not for {task}")
    count = None if name[2] is None else _count(name[1], name[2])
    folder = paths.cache() / "datasets" / str(data).replace(":", "-")
    return _filled(source, folder, count, on_progress or (lambda done, total: None))


def _count(name: str, text: str) -> int:
    count = int(text) if text.isdecimal() else 0
    if not count:
        raise ConfigError(
            f"{text!r} in {name}:{text} is no number of recordings per label",
            f"a whole number from 1 on, as in --data {name}:500",
        )
    return count


def archive(file: File, on_progress: OnProgress) -> Path:
    """Return a checked copy of `file` in the cache; raises DownloadError."""
    folder = paths.cache() / "downloads"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / file.name
    if not path.is_file():
        by_hand = f"or fetch it by hand into {folder}, or give a folder of recordings with --data"
        download.fetch(file, path, lambda name, done, total: on_progress(done, total), by_hand)
    lock = folder / "sha256.json"
    sha256 = download.check(file, path, lock)
    download.note(lock, path.name, sha256)
    return path


def unpack(path: Path, to: Path, is_wanted: Callable[[str], bool] = lambda name: True) -> None:
    """Write the files of a tar archive whose name is `wanted` into `to`, and nothing outside of it.

    Links and devices are refused: no data set has any. Raises DownloadError.
    """
    try:
        with tarfile.open(path) as tar:
            for member in tar:
                name = member.name.removeprefix("./")
                if not name or name == "." or not (member.isdir() or is_wanted(name)):
                    continue
                if not (member.isdir() or member.isfile()):
                    raise DownloadError(
                        f"{path} holds {member.name!r}, which is no file",
                        "delete it and try again",
                    )
                download.extract(tar, member, PurePosixPath(name), to, path)
    except (tarfile.TarError, EOFError, zlib.error) as error:
        raise DownloadError(f"{path} is damaged: {error}", "delete it and try again") from error


def _filled(source: Any, folder: Path, count: int | None, on_progress: OnProgress) -> Path:
    """Fetch into `folder` unless it is complete: it has its name from the moment it is."""
    if folder.is_dir():
        return folder
    work = folder.with_name(f".{folder.name}.part")
    try:
        work.mkdir(parents=True, exist_ok=True)
        source.fetch(work, count, on_progress)
        work.rename(folder)
    except DownloadError as error:
        raise ToolError(str(error), error.hint) from error
    except OSError as error:
        raise ToolError(
            f"{folder} cannot be filled: {error.strerror or error}",
            "free some space, or name another cache folder in $TINYML_CACHE",
        ) from error
    return folder


def refuse_count(name: str, count: int | None) -> None:
    """Raise DownloadError where a person asked for a part of an archive that comes as a whole."""
    if count is not None:
        raise DownloadError(f"{name} comes as a whole, not {count:,} of it", f"--data {name}")


def start_over(folder: Path) -> None:
    """Empty `folder`: what an interrupted unpacking left is not continued."""
    for entry in folder.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()
