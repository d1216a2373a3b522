"""What holds for every board: all folders of src are include folders, and the code that does the
work (model and features) is compiled for speed, the rest for size."""

import sys
from pathlib import Path

Import("env")  # noqa: F821 - given by PlatformIO

source = Path(env.subst("$PROJECT_SRC_DIR"))  # noqa: F821
folders = sorted(str(folder) for folder in source.rglob("*") if folder.is_dir())
env.Append(CPPPATH=folders)  # noqa: F821

# PlatformIO keeps the record of what was built from what with a build_cache_dir, where the record
# of another project would make this one's old files look up to date.
env.SConsignFile(env.subst("$BUILD_DIR/.sconsign"))  # noqa: F821


def for_speed(env, node):
    return env.Object(node, CCFLAGS=[*env["CCFLAGS"], "-O2"])


for name in ("model", "features"):
    env.AddBuildMiddleware(for_speed, f"*src/{name}/*")  # noqa: F821


def by_name(library):
    return f"$BUILD_DIR/lib/{Path(library.path).name}"


# PlatformIO names the folder that a library is compiled in after the place where the project lies,
# so that a build_cache_dir would never serve two projects. Names suffice.
for module in list(sys.modules.values()):
    builder = getattr(module, "LibBuilderBase", None)
    if builder is not None:
        builder.build_dir = property(by_name)
