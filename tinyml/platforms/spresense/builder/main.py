"""Links a project for the Spresense's main core and makes the .spk that its loader starts."""

import sys
from pathlib import Path
from typing import Any

from platformio.compat import load_python_module
from SCons.Script import COMMAND_LINE_TARGETS, AlwaysBuild, Default, DefaultEnvironment

env = DefaultEnvironment()
platform = env.PioPlatform()
toolchain = platform.toolchain_path()
if toolchain:
    env.PrependENVPath("PATH", toolchain)

# Code, constants and data lie in one memory, so all of them count for both limits.
_EVERYTHING = r"^(?:\.text|\.init_section|\.ARM\.extab|\.ARM\.exidx|\.data|\.bss)\s+(\d+)"

env.Replace(
    AR="arm-none-eabi-gcc-ar",
    AS="arm-none-eabi-gcc",
    CC="arm-none-eabi-gcc",
    CXX="arm-none-eabi-g++",
    RANLIB="arm-none-eabi-gcc-ranlib",
    SIZETOOL="arm-none-eabi-size",
    ARFLAGS=["rc"],
    PROGNAME="firmware",
    PROGSUFFIX=".elf",
    SIZECHECKCMD="$SIZETOOL -A -d $SOURCES",
    SIZEPROGREGEXP=_EVERYTHING,
    SIZEDATAREGEXP=_EVERYTHING,
    SIZEPRINTCMD="$SIZETOOL -B -d $SOURCES",
)


def part(name: str) -> Any:
    """Load a module of this platform, which is no Python package."""
    return load_python_module(f"spresense_{name}", str(Path(platform.get_dir()) / f"{name}.py"))


def make_spk(target: list[Any], source: list[Any], env: Any) -> int:
    """Write target[0], the image that the board loads, of ELF source[0]; 0, or 1 on failure."""
    spk = part("spk")
    try:
        spk.write_spk(Path(str(source[0])), Path(str(target[0])))
    except (spk.SpkError, OSError) as error:
        sys.stderr.write(f"Error: {target[0]} cannot be made: {error}\n")
        return 1
    return 0


def upload(target: list[Any], source: list[Any], env: Any) -> int:
    """Install the image source[0] through the updater of the board at $UPLOAD_PORT; 0, or 1."""
    import serial

    updater = part("updater")
    path = env.subst("$UPLOAD_PORT")
    speed = int(env.subst("$UPLOAD_SPEED") or updater.BAUD)
    try:
        with updater.open_port(path) as port:
            updater.install(
                port, Path(str(source[0])).read_bytes(), transfer_baud=speed, progress=show
            )
    except updater.UpdaterError as error:
        sys.stderr.write(f"\nError: {error}\n{error.hint}\n")
        return 1
    except (serial.SerialException, OSError, ValueError) as error:
        sys.stderr.write(f"\nError: the port {path} cannot be used: {error}\n")
        return 1
    return 0


def show(sent: int, total: int) -> None:
    """Show on one line how many of `total` bytes the board has taken."""
    sys.stdout.write(f"\r{sent * 100 // total:3d} % of {total} bytes")
    sys.stdout.write("\n" if sent == total else "")
    sys.stdout.flush()


elf = env.BuildProgram()
spk = env.Command(
    str(Path(env.subst("$BUILD_DIR")) / "firmware.spk"),
    elf,
    env.VerboseAction(make_spk, "Building $TARGET"),
)
AlwaysBuild(env.Alias("size", elf, env.VerboseAction("$SIZEPRINTCMD", "Calculating size $SOURCE")))
size_checked = "nobuild" not in COMMAND_LINE_TARGETS
Default([env.Alias("buildprog", spk), *(["checkprogsize"] if size_checked else [])])

env.AddPlatformTarget(
    "upload",
    spk,
    [
        env.VerboseAction(env.AutodetectUploadPort, "Looking for the board's port"),
        env.VerboseAction(upload, "Installing $SOURCE"),
    ],
    "Upload",
    "Install the firmware through the board's own updater",
)
