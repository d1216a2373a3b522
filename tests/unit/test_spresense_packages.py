"""The installer of Sony's archives, against a server on this machine that does everything wrong."""

from __future__ import annotations

import errno
import hashlib
import io
import json
import tarfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import pytest
from file_server import Server

from tinyml import cli
from tinyml.platforms import download
from tinyml.platforms.spresense import packages
from tinyml.platforms.spresense.packages import Package, PackageError, install

PATH = "/v1/core-v1.tar.gz"
FILES = {
    "vendor/1.0/platform.txt": b"name=Spresense\n",
    "vendor/1.0/cores/a.c": b"int a;\n" * 30_000,
    "vendor/1.0/firmware/loader.espk": b"under a licence of its own",
    "elsewhere/readme": b"not of the package",
}


def archive(files: dict[str, bytes], *others: tarfile.TarInfo) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz", compresslevel=1) as tar:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            info.mode = 0o755 if name.endswith(".sh") else 0o600
            tar.addfile(info, io.BytesIO(content))
        for info in others:
            tar.addfile(info)
    return out.getvalue()


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    server.files[PATH] = archive(FILES)
    yield server
    server.close()


@pytest.fixture
def package(server: Server) -> Package:
    return Package(
        "core", "1.0.0", server.url + PATH, len(server.files[PATH]), "platform.txt", keep=""
    )


def tree(folder: Path) -> dict[str, bytes]:
    return {
        file.relative_to(folder).as_posix(): file.read_bytes()
        for file in folder.rglob("*")
        if file.is_file() and not file.is_symlink()
    }


def nothing_is_installed(home: Path) -> bool:
    return not [folder for folder in home.glob("*") if "@" in folder.name]


def test_a_package_is_what_platformio_calls_installed(
    tmp_path: Path, server: Server, package: Package
) -> None:
    heard: list[tuple[str, int, int]] = []
    folder = install(package, tmp_path, progress=lambda *step: heard.append(step))
    assert folder == tmp_path / "core@1.0.0"
    files = tree(folder)
    assert files["cores/a.c"] == FILES["vendor/1.0/cores/a.c"]
    assert "elsewhere/readme" not in files
    assert not any("readme" in name for name in files)
    manifest = json.loads(files["package.json"])
    assert (manifest["name"], manifest["version"]) == ("core", "1.0.0")
    assert manifest["sha256"] == hashlib.sha256(server.files[PATH]).hexdigest()
    state = json.loads(files[".piopm"])
    assert (state["type"], state["version"], state["spec"]["name"]) == ("tool", "1.0.0", "core")
    assert heard[-1] == ("core-v1.tar.gz", package.bytes, package.bytes)
    assert not list((tmp_path / "spresense-downloads").iterdir())


def test_only_what_is_kept_is_written(tmp_path: Path, package: Package) -> None:
    folder = install(package._replace(keep="cores/"), tmp_path)
    assert set(tree(folder)) == {"cores/a.c", "package.json", ".piopm"}


def test_nothing_is_fetched_twice(tmp_path: Path, server: Server, package: Package) -> None:
    install(package, tmp_path)
    install(package, tmp_path)
    assert len(server.asked) == 1


def test_a_download_that_ends_early_is_continued(
    tmp_path: Path, server: Server, package: Package
) -> None:
    server.cut = [1000]
    with pytest.raises(PackageError, match="1,000 of") as caught:
        install(package, tmp_path)
    assert "try again" in caught.value.hint
    assert nothing_is_installed(tmp_path)
    install(package, tmp_path)
    assert server.asked == [(PATH, None), (PATH, "bytes=1000-")]
    assert tree(tmp_path / "core@1.0.0")["cores/a.c"] == FILES["vendor/1.0/cores/a.c"]


def test_a_server_without_ranges_starts_over(
    tmp_path: Path, server: Server, package: Package
) -> None:
    server.cut, server.ranges = [1000], False
    with pytest.raises(PackageError):
        install(package, tmp_path)
    install(package, tmp_path)
    assert (tmp_path / "core@1.0.0" / "platform.txt").is_file()


@pytest.mark.parametrize("more", [-1, 1])
def test_another_size_is_refused(
    tmp_path: Path, server: Server, package: Package, more: int
) -> None:
    server.files[PATH] = server.files[PATH] + b"x" if more > 0 else server.files[PATH][:-1]
    with pytest.raises(PackageError, match=f"{package.bytes:,}"):
        install(package, tmp_path)
    assert nothing_is_installed(tmp_path)


def test_an_archive_that_changed_since_the_first_install_is_refused(
    tmp_path: Path, server: Server, package: Package
) -> None:
    folder = install(package, tmp_path)
    (folder / "package.json").unlink()
    changed = bytearray(server.files[PATH])
    changed[-1] ^= 1
    server.files[PATH] = bytes(changed)
    with pytest.raises(PackageError, match="as at the first install") as caught:
        install(package, tmp_path)
    assert "spresense-packages.json" in caught.value.hint
    assert not packages.is_installed(package, tmp_path)


def test_a_published_hash_counts_from_the_start(tmp_path: Path, package: Package) -> None:
    with pytest.raises(PackageError, match="must have 00"):
        install(package._replace(sha256="00" * 32), tmp_path)
    assert nothing_is_installed(tmp_path)


def test_no_network_names_the_address_and_the_way_by_hand(tmp_path: Path, server: Server) -> None:
    server.close()
    package = Package("core", "1.0.0", server.url + PATH, 10, "platform.txt")
    with pytest.raises(PackageError, match=r"core-v1\.tar\.gz cannot be downloaded") as caught:
        install(package, tmp_path)
    assert "--from DIR" in caught.value.hint
    downloads = tmp_path / "spresense-downloads"
    assert str(downloads) in caught.value.hint
    (downloads / package.archive).write_bytes(server.files[PATH][:10])
    with pytest.raises(PackageError, match=r"damaged|it is not"):  # it was taken from there
        install(package, tmp_path)


def test_a_refusal_of_the_server_is_shown(tmp_path: Path, server: Server, package: Package) -> None:
    server.status = 404
    with pytest.raises(PackageError, match="Not Found"):
        install(package, tmp_path)


def test_archives_fetched_by_hand_need_no_network(
    tmp_path: Path, server: Server, package: Package
) -> None:
    by_hand = tmp_path / "by hand"
    by_hand.mkdir()
    with pytest.raises(PackageError, match=r"by hand has no core-v1\.tar\.gz") as caught:
        install(package, tmp_path / "home", by_hand)
    assert server.url + PATH in caught.value.hint
    (by_hand / package.archive).write_bytes(server.files[PATH])
    install(package, tmp_path / "home", by_hand)
    assert server.asked == []
    assert (by_hand / package.archive).is_file()


@pytest.mark.parametrize(
    ("name", "kind", "link"),
    [
        ("vendor/1.0/../../../escaped", tarfile.REGTYPE, ""),
        ("vendor/1.0/link", tarfile.SYMTYPE, "/etc/passwd"),
        ("vendor/1.0/link", tarfile.SYMTYPE, "../../../escaped"),
        ("vendor/1.0/device", tarfile.CHRTYPE, ""),
    ],
)
def test_nothing_is_written_outside_the_package(
    tmp_path: Path, name: str, kind: bytes, link: str
) -> None:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    content = archive(FILES, info)
    home, by_hand = tmp_path / "a" / "b" / "home", tmp_path / "by hand"
    by_hand.mkdir()
    (by_hand / "x.tar.gz").write_bytes(content)
    package = Package("core", "1.0.0", "http://127.0.0.1/x.tar.gz", len(content), "platform.txt")
    with pytest.raises(PackageError, match="would not stay inside"):
        install(package, home, by_hand)
    assert nothing_is_installed(home)
    assert not list(tmp_path.rglob("escaped"))


def test_a_link_below_a_link_does_not_lead_outside(tmp_path: Path) -> None:
    """By its name it stays inside; where it really lies it would lead out."""
    here, out = tarfile.TarInfo("vendor/1.0/a/here"), tarfile.TarInfo("vendor/1.0/a/here/out")
    here.type, here.linkname = tarfile.SYMTYPE, ".."
    out.type, out.linkname = tarfile.SYMTYPE, "../.."
    path = tmp_path / "x.tar.gz"
    with tarfile.open(path, "w:gz") as tar:
        for info in (here, out):
            tar.addfile(info)
    folder = tmp_path / "package"
    with tarfile.open(path) as tar:
        for member, inner in zip(tar, ("a/here", "a/here/out"), strict=True):
            if inner == "a/here":
                download.extract(tar, member, PurePosixPath(inner), folder, path)
                continue
            with pytest.raises(download.DownloadError, match="would not stay inside"):
                download.extract(tar, member, PurePosixPath(inner), folder, path)
    assert (folder / "a" / "here").readlink() == Path("..")
    assert not (folder / "out").is_symlink()


def test_links_inside_and_programs_are_kept(tmp_path: Path) -> None:
    info = tarfile.TarInfo("bin/gcc")
    info.type, info.linkname = tarfile.SYMTYPE, "tool.sh"
    content = archive({"bin/tool.sh": b"#!/bin/sh\n", "platform.txt": b""}, info)
    (tmp_path / "x.tar.gz").write_bytes(content)
    package = Package("core", "1.0.0", "http://127.0.0.1/x.tar.gz", len(content), "platform.txt")
    folder = install(package, tmp_path / "home", tmp_path)
    assert (folder / "bin/gcc").readlink() == Path("tool.sh")
    assert (folder / "bin/tool.sh").stat().st_mode & 0o777 == 0o755


@pytest.mark.parametrize("content", [b"no archive", archive({"other": b""}), archive(FILES)[:-99]])
def test_an_archive_of_something_else_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.tar.gz").write_bytes(content)
    package = Package("core", "1.0.0", "http://127.0.0.1/x.tar.gz", len(content), "platform.txt")
    with pytest.raises(PackageError, match=r"is damaged|it is not core@1\.0\.0"):
        install(package, tmp_path / "home", tmp_path)
    assert nothing_is_installed(tmp_path / "home")


def test_a_full_disk_is_said_in_words(
    tmp_path: Path, package: Package, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*arguments: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(packages.shutil, "copyfileobj", full)
    with pytest.raises(PackageError, match="No space left on device") as caught:
        install(package, tmp_path)
    assert "SPRESENSE_PACKAGES" in caught.value.hint
    assert nothing_is_installed(tmp_path)


def test_a_damaged_lock_file_is_named(tmp_path: Path, package: Package) -> None:
    (tmp_path / "spresense-packages.json").write_text("{")
    with pytest.raises(PackageError, match=r"spresense-packages\.json cannot be read"):
        install(package, tmp_path)


def test_sony_s_archives_are_pinned() -> None:
    for package in (packages.CORE, packages.SDK, *packages.TOOLCHAINS.values()):
        assert package.url.startswith("https://github.com/sonydevworld/")
        assert package.bytes > 500_000
    assert all(len(package.sha256) == 64 for package in packages.TOOLCHAINS.values())


def test_a_compiler_is_fetched_only_where_there_is_none_and_it_would_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def wanted(system: str, machine: str, gcc: str | None) -> list[str]:
        monkeypatch.setattr(packages.sys, "platform", system)
        monkeypatch.setattr(packages.platform, "machine", lambda: machine)
        monkeypatch.setattr(packages.shutil, "which", lambda name: gcc)
        return [package.archive for package in packages.wanted()[2:]]

    assert wanted("linux", "x86_64", None) == ["gcc-arm-none-eabi-9.2.1-linux.tar.gz"]
    assert wanted("win32", "AMD64", None) == ["gcc-arm-none-eabi-9.2.1-windows.tar.gz"]
    assert wanted("darwin", "arm64", None) == ["gcc-arm-none-eabi-9.2.1-macosx.tar.gz"]
    assert wanted("linux", "x86_64", "/usr/bin/arm-none-eabi-gcc") == []
    assert wanted("linux", "aarch64", None) == []


def test_doctor_installs_and_names_all_that_it_cannot_have(
    tmp_path: Path,
    server: Server,
    package: Package,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("SPRESENSE_PACKAGES", str(tmp_path))
    missing = [
        package._replace(name=name, url=f"{server.url}{PATH}.{name}") for name in ("sdk", "gcc")
    ]
    monkeypatch.setattr(packages, "wanted", lambda: [package])
    assert cli.main(["doctor", "--fix", "spresense"]) == 0
    assert str(tmp_path / "core@1.0.0") in capsys.readouterr().out
    server.status = 404
    monkeypatch.setattr(packages, "wanted", lambda: [package, *missing])
    assert cli.main(["doctor", "--fix", "spresense"]) == 3
    said = capsys.readouterr().err
    assert all(other.url in said for other in missing)
    assert cli.main(["doctor", "--fix", "spresens"]) == 2
    assert "did you mean spresense" in capsys.readouterr().err
    assert cli.main(["doctor", "--from", str(tmp_path)]) == 2


@pytest.mark.parametrize(
    "members",
    [
        [("here", "."), ("out", "here/.."), ("out/owned", None)],
        [("out", "later/../.."), ("later", "."), ("out/owned", None)],
        [("deep/up", "../.."), ("deep/up/owned", None)],
        [("file", "../owned"), ("file", None)],
        [("a", "b"), ("b", "../owned"), ("a", None)],
        [("a", "inside"), ("a", None)],  # a file in the place of a link
    ],
)
def test_links_that_lead_out_together_are_refused(
    tmp_path: Path, members: list[tuple[str, str | None]]
) -> None:
    archive, folder = tmp_path / "chain.tar", tmp_path / "folder" / "root"
    with tarfile.open(archive, "w") as tar:
        for name, link in members:
            info = tarfile.TarInfo(name)
            info.type = tarfile.REGTYPE if link is None else tarfile.SYMTYPE
            info.linkname = link or ""
            info.size = 0 if link else 3
            tar.addfile(info, None if link else io.BytesIO(b"bad"))
    folder.mkdir(parents=True)

    def unpack() -> None:
        with tarfile.open(archive) as tar:
            for member in tar:
                download.extract(tar, member, PurePosixPath(member.name), folder, archive)

    with pytest.raises(download.DownloadError, match="not stay"):
        unpack()
    assert not list(tmp_path.rglob("owned"))


def test_links_inside_stay(tmp_path: Path) -> None:
    archive, folder = tmp_path / "good.tar", tmp_path / "root"
    with tarfile.open(archive, "w") as tar:
        info = tarfile.TarInfo("lib/libx.so.1")
        info.size = 3
        tar.addfile(info, io.BytesIO(b"lib"))
        for name, link in (("lib/libx.so", "libx.so.1"), ("bin/libx", "../lib/libx.so")):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = tarfile.SYMTYPE, link
            tar.addfile(info)
    with tarfile.open(archive) as tar:
        for member in tar:
            download.extract(tar, member, PurePosixPath(member.name), folder, archive)
    assert (folder / "bin" / "libx").read_bytes() == b"lib"
