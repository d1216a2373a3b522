"""A PlatformIO platform for Sony's Arduino core and SDK, which no registry has.

Their release archives are downloaded once and serve every project; see packages.py.
"""

from pathlib import Path
from typing import Any

import click
from platformio.compat import load_python_module
from platformio.exception import UserSideException
from platformio.public import PlatformBase

_HERE = Path(__file__).resolve().parent
packages = load_python_module("spresense_packages", str(_HERE / "packages.py"))
offline = load_python_module("platforms_offline", str(_HERE.parent / "offline.py"))


class SpresensePlatform(PlatformBase):
    """What PlatformIO asks about a platform."""

    def is_embedded(self) -> bool:
        """Whether it is a microcontroller, which PlatformIO then looks for ports of."""
        return True

    def configure_default_packages(self, options: dict[str, Any], targets: list[str]) -> None:
        """Called before PlatformIO looks for the packages of a build."""
        folder = packages.home()
        failures = []
        for package in packages.missing(folder):
            click.echo(f"Installing {package.directory}: {package.bytes / 1e6:.1f} MB")
            try:
                packages.install(package, folder)
            except packages.PackageError as error:
                failures.append(f"{error} ({error.hint})")
        if failures:
            raise UserSideException("; ".join(failures))
        offline.require_compiler("libsupc++_nano.a", self.toolchain_path())
        offline.seed_build_tool(self)
        super().configure_default_packages(options, targets)

    def package_folder(self, name: str) -> str:
        """Return where the "core" or the "sdk" lies."""
        package = {"core": packages.CORE, "sdk": packages.SDK}[name]
        return str(packages.home() / package.directory)

    def toolchain_path(self) -> str:
        """Return the folder of Sony's compiler, "" where the one on PATH is used."""
        for package in packages.wanted():
            if package.name.startswith("toolchain"):
                return str(packages.home() / package.directory / "bin")
        return ""
