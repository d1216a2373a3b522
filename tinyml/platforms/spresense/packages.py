"""What the platform builds with: Sony's Arduino core, SDK and compiler, fetched once and checked.

Sony publishes release archives that PlatformIO cannot install by itself, with sizes but (other than
the compiler's) no checksums: a size is checked, the SHA-256 of a first install is written down, and
a later install of anything else is refused. Needs nothing but Python and `../download.py`, so that
a generated project can carry both. The archives' bootloader files, which have a licence of their
own that a person must accept, are left out.
"""

from __future__ import annotations

import importlib.util
import json
import os
import platform
import shutil
import sys
import tarfile
import tempfile
import zlib
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from tinyml.platforms import download
else:  # a generated project has this file, and its neighbour, but not tinyml
    _FILE = Path(__file__).resolve().parent.parent / "download.py"
    _SPEC = importlib.util.spec_from_file_location("platforms_download", _FILE)
    download = importlib.util.module_from_spec(_SPEC)
    _SPEC.loader.exec_module(download)

PackageError = download.DownloadError
Progress = download.Progress

_SONY = "https://github.com/sonydevworld/spresense-arduino-compatible/releases/download"
_LOCK = "spresense-packages.json"
_DOWNLOADS = "spresense-downloads"


class Package(NamedTuple):
    """An archive. `marker` is a file in it; what lies beside or below that is installed.

    `keep`: only paths that begin so, seen from the marker's folder. `sha256`: empty where Sony
    publishes none.
    """

    name: str
    version: str
    url: str
    bytes: int
    marker: str
    keep: str = ""
    sha256: str = ""

    @property
    def file(self) -> download.File:
        """What is to be fetched."""
        digest = f"sha256:{self.sha256}" if self.sha256 else ""
        return download.File(self.url, self.bytes, digest)

    @property
    def archive(self) -> str:
        """The file's name."""
        return self.file.name

    @property
    def directory(self) -> str:
        """The folder's name among PlatformIO's packages."""
        return f"{self.name}@{self.version}"


CORE = Package(
    "framework-arduino-spresense",
    "3.4.4",
    f"{_SONY}/v3.4.4/spresense-v3.4.4.tar.gz",
    537_724,
    "platform.txt",
)
SDK = Package(
    "framework-spresense-sdk",
    "3.4.4",
    f"{_SONY}/v3.4.4/spresense-sdk-v3.4.4.tar.gz",
    6_257_789,
    "release/nuttx/include/nuttx/config.h",
    keep="release/",
)
# By sys.platform. They run on x86-64, and on Macs of the other kind, which translate.
TOOLCHAINS = {
    system: Package(
        "toolchain-spresense",
        "9.2.1",
        f"{_SONY}/generic/gcc-arm-none-eabi-9.2.1-{name}.tar.gz",
        size,
        f"bin/arm-none-eabi-gcc{suffix}",
        sha256=sha256,
    )
    for system, name, size, suffix, sha256 in (
        ("linux", "linux", 148_024_502, "",
         "8a380091315485cfad759e1f8a9c7adc019a90213ee814fc9de90af49853f2f5"),
        ("darwin", "macosx", 148_926_695, "",
         "7d78dc50ba2163389476bdfd65cc241932f8d6376766094c48be4f3f3dd32c1b"),
        ("win32", "windows", 146_711_545, ".exe",
         "22d33a4e337d44efd2c62eaaec0ca19eabeb0f314910a5a78a3289f7d4bde3ab"),
    )
}  # fmt: skip


def home() -> Path:
    """Return the folder of all packages: $SPRESENSE_PACKAGES, else PlatformIO's own for the user.

    Not a project's core folder: what is fetched once serves every project.
    """
    own = os.environ.get("SPRESENSE_PACKAGES")
    return Path(own) if own else Path.home() / ".platformio" / "packages"


def wanted() -> list[Package]:
    """Return what a build needs here: a compiler only where PATH has none."""
    packages = [CORE, SDK]
    runs = sys.platform == "darwin" or platform.machine().lower() in ("x86_64", "amd64")
    if shutil.which("arm-none-eabi-gcc") is None and sys.platform in TOOLCHAINS and runs:
        packages.append(TOOLCHAINS[sys.platform])
    return packages


def missing(folder: Path) -> list[Package]:
    """Return what is wanted and not installed in `folder`."""
    return [package for package in wanted() if not is_installed(package, folder)]


def to_download(folder: Path) -> list[Package]:
    """Return what is missing in `folder` and of which no archive lies there yet."""
    downloads = folder / _DOWNLOADS
    return [package for package in missing(folder) if not (downloads / package.archive).is_file()]


def is_installed(package: Package, folder: Path) -> bool:
    """Whether `package` lies in `folder`, complete: its manifest is there from the first moment."""
    return (folder / package.directory / "package.json").is_file()


def install(
    package: Package,
    folder: Path,
    source: Path | None = None,
    progress: Progress = lambda archive, done, total: None,
) -> Path:
    """Install `package` in `folder` and return where; what is there already is left as it is.

    The archive comes from the folder `source`, else from the one that downloads go to, else from
    Sony; an interrupted download is continued. Raises PackageError, with nothing installed, when
    the archive cannot be had, has another size or hash than it must, or cannot be unpacked.
    """
    target = folder / package.directory
    if is_installed(package, folder):
        return target
    downloads = folder / _DOWNLOADS
    try:
        downloads.mkdir(parents=True, exist_ok=True)
        archive = (source or downloads) / package.archive
        if source is None and not archive.is_file():
            download.fetch(package.file, archive, progress, _by_hand(archive))
        sha256 = download.check(package.file, archive, folder / _LOCK)
        with tempfile.TemporaryDirectory(dir=downloads) as temporary:
            new = Path(temporary) / "new"
            _unpack(package, archive, new)
            _register(package, new, sha256)
            shutil.rmtree(target, ignore_errors=True)  # a folder that is no package
            new.rename(target)
        download.note(folder / _LOCK, package.archive, sha256)
        if source is None:
            archive.unlink()
    except OSError as error:
        raise PackageError(
            f"{package.directory} cannot be installed in {folder}: {error.strerror or error}",
            "free some space or correct the folder's rights, "
            "or name another folder in $SPRESENSE_PACKAGES",
        ) from error
    return target


def _by_hand(archive: Path) -> str:
    return (
        f"or fetch it by hand into {archive.parent}, "
        "or name the folder that has it: tinyml doctor --fix spresense --from DIR"
    )


def _unpack(package: Package, archive: Path, to: Path) -> None:
    """Write what is wanted of the archive into the new folder `to`, and nothing outside of it."""
    try:
        with tarfile.open(archive) as tar:
            members = tar.getmembers()
            root = _root(package, archive, [member.name for member in members])
            for member in members:
                name = member.name.removeprefix("./")
                inner = name.removeprefix(root)
                if name.startswith(root) and inner.startswith(package.keep) and inner:
                    download.extract(tar, member, PurePosixPath(inner), to, archive)
    except (tarfile.TarError, EOFError, zlib.error) as error:
        raise PackageError(f"{archive} is damaged: {error}", "delete it and try again") from error


def _root(package: Package, archive: Path, names: list[str]) -> str:
    """Return the folder in the archive that the marker is seen from, "" or ending in a slash."""
    for name in sorted(names, key=len):
        name = name.removeprefix("./")
        if name == package.marker or name.endswith(f"/{package.marker}"):
            return name.removesuffix(package.marker)
    raise PackageError(
        f"{archive} has no {package.marker}: it is not {package.directory}",
        f"fetch {package.url} again",
    )


def _register(package: Package, folder: Path, sha256: str) -> None:
    """Write what PlatformIO knows a package by."""
    spec = {"owner": "sony", "id": None, "name": package.name, "requirements": None, "uri": None}
    state = {"type": "tool", "name": package.name, "version": package.version, "spec": spec}
    manifest = {
        "name": package.name,
        "version": package.version,
        "repository": {"type": "archive", "url": package.url},
        "sha256": sha256,
    }
    (folder / ".piopm").write_text(json.dumps(state), encoding="utf-8")
    (folder / "package.json").write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
