"""What pyproject.toml cannot say: the C extension, and what a wheel carries as tinyml/share."""

from __future__ import annotations

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).parent
SHARED = ("boards", "firmware_templates", "models")
NOT_SHIPPED = shutil.ignore_patterns("__pycache__", "*.pyc", ".*")


class BuildWithShared(build_py):
    """Also copy the folders that lie beside the package in a checkout."""

    def run(self) -> None:
        super().run()
        if self.editable_mode:
            return
        for folder in SHARED:
            target = Path(self.build_lib, "tinyml", "share", folder)
            shutil.rmtree(target, ignore_errors=True)
            shutil.copytree(ROOT / folder, target, ignore=NOT_SHIPPED)


setup(
    cmdclass={"build_py": BuildWithShared},
    cffi_modules=["tinyml/features/_build.py:ffi"],
)
