"""What PlatformIO has yet to download for a project, so that a build without a network says so.

Part of the build room. PlatformIO itself is asked what is installed; it is not asked whether there
is a network, because it would try for minutes to find out.
"""

from __future__ import annotations

import importlib
import socket
import urllib.request

from tinyml.errors import ToolError
from tinyml.records import Board, Project

_HTTPS = 443
_CONNECT_S = 3.0
_LOCAL = ("file://", "symlink://")  # what lies on this computer is not downloaded
_FIX = "archives fetched elsewhere: tinyml doctor --fix {} --from DIR"


def require(project: Project) -> None:
    """Raise ToolError naming all that is missing, where something is and cannot be downloaded."""
    absent = missing(project)
    if absent and not _online():
        raise ToolError(
            f"{project.board.id} needs packages that are not installed here, and there is no "
            f"network to download them from: {', '.join(absent)}",
            "connect and run this once, then it works without a network; or copy PlatformIO's "
            "folder ~/.platformio (and the project's .pio/libdeps) from a computer that has them"
            + (f"; {_FIX.format(project.board.template)}" if _own(project.board) else "")
            + ("; --tflm-dir DIR names a copy of TFLM's library" if _has_library(absent) else ""),
        )


def missing(project: Project) -> list[str]:
    """Return the packages that PlatformIO would download before it builds, as it names them.

    A platform of ours fetches its packages by itself, and says which in its `packages.py`.
    """
    own = _own(project.board)
    file = project.path / "platformio.ini"
    if project.board.own_platform and "\nlib_deps" not in file.read_text(encoding="utf-8"):
        return own

    from platformio.dependencies import get_core_dependencies
    from platformio.package.manager.library import LibraryPackageManager
    from platformio.package.manager.platform import PlatformPackageManager
    from platformio.package.manager.tool import ToolPackageManager
    from platformio.project.config import ProjectConfig

    config = ProjectConfig(str(file))
    section = f"env:{project.board.id}"
    libraries = project.path.resolve() / ".pio" / "libdeps" / project.board.id
    wanted = [
        (LibraryPackageManager(str(libraries)), config.get(section, "lib_deps", [])),
    ]
    if not project.board.own_platform:
        tools = ToolPackageManager(config.get("platformio", "packages_dir"))
        platforms = PlatformPackageManager(config.get("platformio", "platforms_dir"))
        scons = f"platformio/tool-scons@{get_core_dependencies()['tool-scons']}"
        wanted += [
            (platforms, [config.get(section, "platform")]),
            (tools, [scons, *config.get(section, "platform_packages", [])]),
        ]
    absent = [
        name
        for manager, names in wanted
        for name in names
        if not name.startswith(_LOCAL) and not manager.get_package(name)
    ]
    return own + absent


def _own(board: Board) -> list[str]:
    """Return the archives that a platform of ours would download for `board`."""
    if not board.own_platform:
        return []
    try:
        platform = importlib.import_module(f"tinyml.platforms.{board.template}.packages")
    except ModuleNotFoundError:
        return []
    return [
        f"{package.archive} ({package.bytes:,} bytes, {package.url})"
        for package in platform.to_download(platform.home())
    ]


def _has_library(names: list[str]) -> bool:
    return any("tflite-micro" in name for name in names)


def _online() -> bool:
    from platformio import __registry_mirror_hosts__ as hosts

    if urllib.request.getproxies():  # what a proxy reaches only a download can tell
        return True
    for host in hosts:
        try:
            socket.create_connection((host, _HTTPS), timeout=_CONNECT_S).close()
        except OSError:
            continue
        return True
    return False
