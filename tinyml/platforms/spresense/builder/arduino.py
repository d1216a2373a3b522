"""Compiles Sony's Arduino core and links the libraries of its SDK, as the core's platform.txt does.

Flags, include folders, defines and libraries are those of platform.txt and boards.txt, but for what
TensorFlow Lite Micro needs: C++14, and static objects without guards and exit handlers.
"""

import re
from pathlib import Path

from platformio.compat import load_python_module
from SCons.Script import DefaultEnvironment

env = DefaultEnvironment()
board = env.BoardConfig()
platform = env.PioPlatform()
core = Path(platform.package_folder("core"))
sdk = Path(platform.package_folder("sdk")) / "release"

TOTAL_BYTES = 1536 * 1024  # application memory of all cores together
CPU = [f"-mcpu={board.get('build.cpu')}", "-mthumb", "-mfpu=fpv4-sp-d16", "-mfloat-abi=hard"]

source = core / "cores" / board.get("build.core")
variant = core / "variants" / board.get("build.variant")
no_shell = load_python_module(
    "platforms_no_shell", str(Path(platform.get_dir()).resolve().parent / "no_shell.py")
)
map_file = no_shell.relative(Path(env.subst("$BUILD_DIR")) / "firmware.map")


def libraries() -> list[str]:
    """Return the SDK's libraries that boards.txt names for the main core, in its order."""
    text = (core / "boards.txt").read_text(encoding="utf-8")
    (line,) = re.findall(r"^spresense\.menu\.Core\.Main\.build\.libs=(.*)$", text, re.M)
    return [str(sdk / "nuttx" / "libs" / name) for name in re.findall(r"/(lib\w+\.a)", line)]


env.Append(
    CCFLAGS=[
        *CPU,
        "-mabi=aapcs",
        "-Os",
        "-g",
        "-fno-builtin",
        "-fno-strict-aliasing",
        "-fno-strength-reduce",
        "-fomit-frame-pointer",
        "-ffunction-sections",
        "-fdata-sections",
        # The SDK carries an old CMSIS: its headers are looked up after everybody else's.
        *("-idirafter", env.Literal(str(sdk / "sdk" / "externals" / "include"))),
        *("-idirafter", env.Literal(str(sdk / "sdk" / "externals" / "include" / "cmsis"))),
    ],
    ASFLAGS=[*CPU, "-D__ASSEMBLY__", "-x", "assembler-with-cpp"],
    CFLAGS=["-std=gnu11"],
    CXXFLAGS=[
        "-std=gnu++14",
        "-fno-exceptions",
        "-fno-rtti",
        "-fno-threadsafe-statics",
        "-fno-use-cxa-atexit",
        "-fpermissive",
    ],
    CPPDEFINES=[
        "CONFIG_WCHAR_BUILTIN",
        "CONFIG_HAVE_DOUBLE",
        "__NuttX__",
        ("F_CPU", board.get("build.f_cpu")),
        ("ARDUINO", 10819),
        "ARDUINO_ARCH_SPRESENSE",
        f"ARDUINO_{board.get('build.board')}",
        ("ARDUINO_BOARD", env.StringifyMacro(board.get("build.board"))),
    ],
    CPPPATH=[
        *(
            str(sdk / folder)
            for folder in (
                "nuttx/include/libcxx",
                "nuttx/include/newlib",
                "nuttx/include",
                "nuttx/arch",
                "nuttx/arch/chip",
                "sdk/include",
                "sdk/modules/include",
                "sdk/apps/include",
                "sdk/system/include",
            )
        ),
        str(source),
        str(variant),
    ],
    LINKFLAGS=[
        *CPU,
        "-nodefaultlibs",
        "-nostartfiles",
        "-Wl,--entry=__start",
        "-Wl,-u,spresense_main",
        "-Wl,--gc-sections",
        # The loader gives the main core the memory below the symbol __stack.
        f"-Wl,--defsym,__reserved_ramsize={TOTAL_BYTES - int(board.get('upload.maximum_size'))}",
        *("-T", env.Literal(str(variant / "ramconfig.ld"))),
        f"-Wl,-Map,{map_file}",
    ],
    # After the project's libraries, so that their CMSIS-NN comes before the SDK's.
    LIBS=[*(env.File(file) for file in libraries()), "gcc", "m", "supc++_nano"],
    LIBSOURCE_DIRS=[str(core / "libraries")],
)

env.Prepend(LIBS=[env.BuildLibrary(str(Path("$BUILD_DIR") / "FrameworkArduino"), str(source))])
