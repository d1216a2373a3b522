"""Compiles and links a project for QEMU's mps2-an386: ELF out, ready for `qemu-system-arm`."""

from pathlib import Path

from platformio.compat import load_python_module
from SCons.Script import Default, DefaultEnvironment

CPU = ["-mcpu=cortex-m4", "-mthumb", "-mfloat-abi=hard", "-mfpu=fpv4-sp-d16"]
QEMU = (
    "qemu-system-arm -M mps2-an386 -display none -monitor none -icount shift=6,sleep=off "
    # Behind a multiplexer QEMU takes input three times as fast; 0x100 switches its escape key off.
    "-echr 0x100 -chardev pty,id=line,mux=on -serial chardev:line -kernel"
)

env = DefaultEnvironment()
beside = Path(env.PioPlatform().get_dir()).resolve().parent
no_shell = load_python_module("platforms_no_shell", str(beside / "no_shell.py"))
no_shell.use(env)
# As options of the linker that end at a comma, these must not hold the name of the project.
linker_script = Path(env.subst("$PROJECT_SRC_DIR")) / "board" / "link.ld"
map_file = no_shell.relative(Path(env.subst("$BUILD_DIR")) / "firmware.map")

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
)
env.Append(
    CCFLAGS=[*CPU, "-Os", "-g", "-ffunction-sections", "-fdata-sections"],
    ASFLAGS=CPU,
    CFLAGS=["-std=gnu11"],
    CXXFLAGS=[
        "-std=gnu++17",
        "-fno-exceptions",
        "-fno-rtti",
        "-fno-threadsafe-statics",
        "-fno-use-cxa-atexit",
    ],
    LINKFLAGS=[
        *CPU,
        "--specs=nano.specs",
        "--specs=nosys.specs",
        "-nostartfiles",
        "-Wl,--gc-sections",
        *("-T", no_shell.relative(linker_script)),
        f"-Wl,-Map,{map_file}",
    ],
    LIBS=["m"],
)

program = env.BuildProgram()
env.Depends(program, str(linker_script))
Default(program)

env.AddPlatformTarget(
    "upload",
    program,
    env.VerboseAction(
        f"{QEMU} $SOURCE", "Running $SOURCE in QEMU until Ctrl-C, its line on the terminal below"
    ),
    "Run",
    "Run the firmware in QEMU in the foreground",
)
