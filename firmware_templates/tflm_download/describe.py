"""Has PlatformIO build the TFLM library that it downloaded as library.json beside this file says.

By its own description all of its sources would be compiled, drivers of one board included.
"""

from pathlib import Path

Import("env")  # noqa: F821 - given by PlatformIO

project = Path(env.subst("$PROJECT_DIR"))  # noqa: F821
downloads = Path(env.subst("$PROJECT_LIBDEPS_DIR")) / env.subst("$PIOENV")  # noqa: F821
description = (project / "download" / "library.json").read_bytes()
for found in sorted(downloads.glob("*/src/tensorflow/lite/micro/micro_interpreter.h")):
    manifest = found.parents[4] / "library.json"
    if not manifest.is_file() or manifest.read_bytes() != description:
        manifest.write_bytes(description)
