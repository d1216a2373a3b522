"""Large files from elsewhere: fetched once, continued after a break, checked, unpacked safely.

Shared by what fetches packages and data sets. Needs nothing but Python and lies beside the
platforms, so that a generated project can carry it.
"""

import hashlib
import http.client
import json
import os
import shutil
import tarfile
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import NamedTuple

Progress = Callable[[str, int, int], None]  # file, bytes that are there, bytes in all

_CHUNK_BYTES = 1 << 16
_TIMEOUT_S = 30.0
_RANGE_NOT_SATISFIABLE = 416


class File(NamedTuple):
    """A file to fetch. `bytes` is 0, and `digest` ("sha256:...", "sha1:...") empty, if unknown."""

    url: str
    bytes: int = 0
    digest: str = ""

    @property
    def name(self) -> str:
        """The file's name."""
        return self.url.rpartition("/")[2]


class DownloadError(Exception):
    """A file cannot be had; `hint` says what a person can do about it."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class _LostError(Exception):
    """The connection broke while the file came: not a fault of this machine's disk."""


def fetch(file: File, to: Path, progress: Progress, by_hand: str) -> None:
    """Fetch `file` into `to`; what arrives stays in a .part file until it is complete.

    A .part file that is there is continued where the server can do that. `by_hand` says what else a
    person can do. Raises DownloadError where the file cannot be had whole, OSError where it cannot
    be written.
    """
    part = to.with_name(to.name + ".part")
    have = part.stat().st_size if part.is_file() else 0
    if file.bytes and have >= file.bytes:
        part.unlink()
        have = 0
    request = urllib.request.Request(file.url, headers={"User-Agent": "tinyml"})
    if have:
        request.add_header("Range", f"bytes={have}-")
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as answer:
            continued = answer.status == http.client.PARTIAL_CONTENT
            have = have if continued else 0
            total = file.bytes or _total(answer, have)
            with part.open("ab" if continued else "wb") as out:
                while chunk := _receive(answer):
                    out.write(chunk)
                    have += len(chunk)
                    progress(file.name, have, total)
                    if total and have > total:
                        break
    except (urllib.error.URLError, http.client.HTTPException, _LostError) as error:
        if getattr(error, "code", 0) == _RANGE_NOT_SATISFIABLE:
            part.unlink()  # longer than the file, or all of one whose size nobody knew
        reason = getattr(error, "reason", None) or error
        kept = f" ({have:,} of {file.bytes or 'all':,} bytes are kept)" if part.is_file() else ""
        raise DownloadError(
            f"{file.url} cannot be downloaded: {reason}{kept if have else ''}",
            f"check the network and try again, {by_hand}",
        ) from error
    if total and have > total:
        part.unlink()
        raise wrong_size(file, file.url, f"more than {total:,}")
    if total and have < total:
        raise DownloadError(
            f"the download of {file.url} ended after {have:,} of {total:,} bytes",
            f"try again: it continues from there; {by_hand}",
        )
    part.replace(to)


def _total(answer: http.client.HTTPResponse, have: int) -> int:
    """Return how long the whole file is, as the server says, or 0."""
    length = answer.headers.get("Content-Length", "")
    return have + int(length) if length.isdecimal() else 0


def _receive(answer: http.client.HTTPResponse) -> bytes:
    try:
        return answer.read(_CHUNK_BYTES)
    except OSError as error:
        raise _LostError(error.strerror or str(error)) from error


def check(file: File, path: Path, lock: Path) -> str:
    """Return the SHA-256 of `path` when size and digest are right.

    Where nobody publishes a digest, it must be the one that `note` wrote into `lock` before, if
    there is one. Raises DownloadError where they are not, or `lock` is damaged.
    """
    if not path.is_file():
        raise DownloadError(
            f"{path.parent} has no {path.name}", f"download it there from {file.url}"
        )
    size = path.stat().st_size
    if file.bytes and size != file.bytes:
        raise wrong_size(file, str(path), f"{size:,}")
    kind, _, expected = file.digest.partition(":")
    found = _digest(path, kind or "sha256")
    sha256 = found if kind in ("", "sha256") else _digest(path, "sha256")
    if not expected:
        expected = _locked(lock).get(path.name, found)
    if found != expected:
        raise DownloadError(
            f"{path} has {(kind or 'sha256').upper().replace('SHA', 'SHA-')} {found}, "
            f"must have {expected}{'' if file.digest else ', as at the first install'}",
            f"delete {path} and try again; if {file.url} was replaced on purpose, "
            f"remove its line from {lock}",
        )
    return sha256


def note(lock: Path, name: str, sha256: str) -> None:
    """Write down the SHA-256 of the file `name`, for `check`."""
    hashes = {**_locked(lock), name: sha256}
    part = lock.with_name(f"{lock.name}.part")
    part.write_text(json.dumps(dict(sorted(hashes.items())), indent=1) + "\n", encoding="utf-8")
    part.replace(lock)


def wrong_size(file: File, what: str, size: str) -> DownloadError:
    """Return the error for a file of another size than it must have."""
    return DownloadError(
        f"{what} has {size} bytes, must have {file.bytes:,}",
        f"delete the file and fetch {file.url} again",
    )


def extract(
    tar: tarfile.TarFile, member: tarfile.TarInfo, inner: PurePosixPath, to: Path, archive: Path
) -> None:
    """Write `member` to `inner` below the folder `to`; DownloadError where it would leave it.

    A link stays inside by itself, whatever other links do: it climbs first, from a real folder, and
    descends then. Nothing is written through a link that stands where a file is to be.
    """
    root = to.resolve()
    target = to.joinpath(*inner.parts)
    parent = target.parent.resolve()  # where it really is, should there be links on the way
    leaves = inner.is_absolute() or ".." in inner.parts
    if leaves or not (target == to or parent.is_relative_to(root)):
        raise _unsafe(archive, member)
    if member.isdir():
        target.mkdir(parents=True, exist_ok=True)
        return
    parent.mkdir(parents=True, exist_ok=True)
    if member.issym():
        link = member.linkname.rstrip("/")
        end = os.path.normpath(parent / link)  # an absolute one stays absolute
        if os.path.normpath(link) != link or not Path(end).is_relative_to(root):
            raise _unsafe(archive, member)
        target.symlink_to(member.linkname)
        return
    content = tar.extractfile(member) if member.isfile() or member.islnk() else None
    if content is None or target.is_symlink():
        raise _unsafe(archive, member)
    with content, target.open("wb") as file:
        shutil.copyfileobj(content, file)
    target.chmod(0o755 if member.mode & 0o100 else 0o644)


def _unsafe(archive: Path, member: tarfile.TarInfo) -> DownloadError:
    return DownloadError(
        f"{archive} holds {member.name!r}, which would not stay inside the folder it belongs in",
        "delete it and fetch it again from where it is published",
    )


def _digest(path: Path, kind: str) -> str:
    digest = hashlib.new(kind)
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def _locked(lock: Path) -> dict[str, str]:
    """Return file name -> SHA-256 of what was fetched before."""
    if not lock.is_file():
        return {}
    try:
        hashes = json.loads(lock.read_text(encoding="utf-8"))
        return {str(name): str(sha256) for name, sha256 in hashes.items()}
    except (ValueError, AttributeError) as error:
        raise DownloadError(
            f"{lock} cannot be read: {error}", "restore the file, or delete it"
        ) from error
