"""A PlatformIO platform that needs no download: the toolchain is the one on PATH."""

from pathlib import Path
from typing import Any

from platformio.compat import load_python_module
from platformio.public import PlatformBase

_BESIDE = Path(__file__).resolve().parent.parent
offline = load_python_module("platforms_offline", str(_BESIDE / "offline.py"))


class Qemu_m4Platform(PlatformBase):  # noqa: N801 - PlatformIO looks for this name
    """What PlatformIO asks about a platform."""

    def is_embedded(self) -> bool:
        """Whether it is a microcontroller, which PlatformIO then looks for ports of."""
        return True

    def configure_default_packages(self, options: dict[str, Any], targets: list[str]) -> None:
        """Called before PlatformIO looks for the packages of a build."""
        offline.require_compiler("nano.specs")
        offline.seed_build_tool(self)
        super().configure_default_packages(options, targets)
