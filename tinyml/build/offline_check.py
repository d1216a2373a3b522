"""What PlatformIO has yet to download for a project, so that a build without a network says so.

Part of the build room. PlatformIO itself is asked what is installed; it is not asked whether there
is a network, because it would try for minutes to find out.
"""

from __future__ import annotations

import importlib
import socket
import urllib.request
from typing import Any

from tinyml.errors import ToolError
from tinyml.records import Board, Project

_HTTPS = 443
_CONNECT_S = 3.0
_LOCAL = ("file://", "symlink://")  # what lies on this computer is not downloaded
_FIX = "archives fetched elsewhere: tinyml doctor --fix {} --from DIR"


def require(project: Project, *, upload: bool = False) -> None:
    """Raise ToolError where something that a build, or `upload`, needs cannot be downloaded.

    It names all that is missing for both, so that what is fetched elsewhere is fetched once.
    """
    if missing(project, upload=upload) and not _online():
        absent = missing(project, upload=True)
        raise ToolError(
            f"{project.board.id} needs packages that are not installed here, and there is no "
            f"network to download them from: {', '.join(absent)}",
            "connect and run this once, then it works without a network; or copy PlatformIO's "
            "folder ~/.platformio (and the project's .pio/libdeps) from a computer that has them"
            + (f"; {_FIX.format(project.board.template)}" if _own(project.board) else "")
            + ("; --tflm-dir DIR names a copy of TFLM's library" if _has_library(absent) else ""),
        )


def missing(project: Project, *, upload: bool = False) -> list[str]:
    """Return the packages that PlatformIO would download before it builds, or uploads.

    A platform of ours fetches its packages by itself, and says which in its `packages.py`. Another
    is asked itself, once it is installed: its manifest lists its tools, uploaders included.
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
        platform = config.get(section, "platform")
        packages = config.get(section, "platform_packages", [])
        if installed := platforms.get_package(platform):
            packages = _tools(installed, config.items(env=project.board.id, as_dict=True), upload)
        wanted += [(platforms, [platform]), (tools, [scons, *packages])]
    absent = [
        name
        for manager, names in wanted
        for name in names
        if not name.startswith(_LOCAL) and not manager.get_package(name)
    ]
    return own + absent


def _tools(installed: Any, options: dict[str, Any], upload: bool) -> list[str]:
    """Return the packages that an installed platform wants for a project with these options.

    Which are optional, a platform decides for a project's board, frameworks and targets, in the
    steps that PlatformIO takes in `configure_project_packages`.
    """
    from platformio.platform.factory import PlatformFactory

    platform = PlatformFactory.new(installed)
    platform._custom_packages = options.get("platform_packages")
    targets = ["upload"] if upload else []
    options = {**options, "pioframework": options.get("framework", [])}
    platform.configure_default_packages(options, targets)
    wanted = {
        name: package for name, package in platform.packages.items() if not package.get("optional")
    }
    return [
        f"{package.get('owner', 'platformio')}/{name}@{package['version']}"
        for name, package in wanted.items()
    ]


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
