"""What platforms of ours share: a build needs no network, a missing compiler is named.

Lies beside the platforms, in a project too. PlatformIO's own build tool, its package `tool-scons`,
becomes a link to the Python package `scons` that is installed beside PlatformIO. That happens only
in a project's own core folder (`core_dir` in platformio.ini): where a project uses another one,
nothing is touched and PlatformIO finds or installs its build tool as it does for every platform.
"""

import importlib.metadata
import json
import re
import shutil
import tempfile
from pathlib import Path

from platformio import app, telemetry
from platformio.dependencies import get_core_dependencies
from platformio.exception import UserSideException
from platformio.package.manager.core import get_core_package_dir
from platformio.proc import exec_command
from platformio.project.helpers import get_project_dir
from platformio.public import PlatformBase

_TOOL = "tool-scons"
_APT = "apt-get install gcc-arm-none-eabi libnewlib-arm-none-eabi libstdc++-arm-none-eabi-newlib"


def require_compiler(library: str, folder: str = "") -> None:
    """Refuse where arm-none-eabi-gcc, in `folder` or on PATH, or its `library` file is missing."""
    found = {}
    for program in ("arm-none-eabi-gcc", "arm-none-eabi-g++"):
        found[program] = shutil.which(program, path=folder or None)
        if found[program] is None:
            where = folder or "PATH"
            raise UserSideException(
                f"{program} is not installed (not found on {where}). Install it: {_APT}"
            )
    gcc = found["arm-none-eabi-gcc"]
    path = exec_command([gcc, f"-print-file-name={library}"])["out"].strip()
    if not Path(path).is_absolute():  # gcc repeats a name that it cannot find
        raise UserSideException(f"arm-none-eabi-gcc has no C library newlib. Install it: {_APT}")


def seed_build_tool(platform: PlatformBase) -> None:
    """Give the project's own core folder the installed SCons; call before packages are sought."""
    packages = Path(platform.pm.package_dir).resolve()
    core = Path(platform.config.get("platformio", "core_dir")).resolve()
    project = Path(get_project_dir()).resolve()
    if project in core.parents and project in packages.parents:
        version = _scons_package_version()
        if get_core_package_dir(_TOOL, auto_install=False) is None:
            _link_scons(packages / _TOOL, version)
            _stay_offline()


def _scons_package_version() -> str:
    """Return PlatformIO's number of the installed SCons, which must be the one that it wants."""
    wanted = get_core_dependencies()[_TOOL]
    try:
        found = importlib.metadata.version("scons")
    except importlib.metadata.PackageNotFoundError:
        found = "none"
    # PlatformIO numbers SCons 4.11.1 as 4.41101.0.
    parts = re.match(r"~4\.(\d)(\d\d)(\d\d)\.0$", wanted)
    series = ".".join(str(int(part)) for part in parts.groups()) if parts else wanted
    if found != series:
        raise UserSideException(
            f"this PlatformIO needs the Python package scons {series}, found {found}. "
            f"Install it beside PlatformIO: pip install scons=={series}"
        )
    return str(wanted).removeprefix("~")


def _link_scons(folder: Path, version: str) -> None:
    spec = {"owner": "platformio", "id": None, "name": _TOOL, "requirements": None, "uri": None}
    files = {
        "scons.py": "import SCons.Script\n\nSCons.Script.main()\n",
        "package.json": json.dumps({"name": _TOOL, "version": version}),
        ".piopm": json.dumps({"type": "tool", "name": _TOOL, "version": version, "spec": spec}),
    }
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent.parent) as temporary:
        new = Path(temporary) / _TOOL
        new.mkdir()
        for name, text in files.items():
            (new / name).write_text(text, encoding="utf-8")
        shutil.rmtree(folder, ignore_errors=True)  # of another PlatformIO version
        new.rename(folder)


def _stay_offline() -> None:
    """Keep this core folder's PlatformIO from reporting its use and asking for upgrades."""
    app.set_setting("enable_telemetry", False)
    app.set_setting("check_platformio_interval", 36500)  # days
    telemetry.TelemetryLogger().terminate_sender()
