"""What holds for every board: all folders of src are include folders, and the code that does the
work (model and features) is compiled for speed, the rest for size."""

from pathlib import Path

Import("env")  # noqa: F821 - given by PlatformIO

source = Path(env.subst("$PROJECT_SRC_DIR"))  # noqa: F821
folders = sorted(str(folder) for folder in source.rglob("*") if folder.is_dir())
env.Append(CPPPATH=folders)  # noqa: F821


def for_speed(env, node):
    return env.Object(node, CCFLAGS=[*env["CCFLAGS"], "-O2"])


for name in ("model", "features"):
    env.AddBuildMiddleware(for_speed, f"*src/{name}/*")  # noqa: F821
