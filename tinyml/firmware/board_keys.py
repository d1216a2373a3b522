"""The keys of a board file that are ours: what each means, and which values it takes.

PlatformIO ignores what begins with `custom_`; in a board file, an unknown one of those is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tinyml.errors import ConfigError, nearest

PREFIX = "custom_"


@dataclass(frozen=True)
class Key:
    """One key. `default`: None where a board must state it. `choices`: of words, if only some are
    meant. `least`: of a whole number, None for a text."""

    meaning: str
    default: str | None = ""
    choices: tuple[str, ...] = ()
    least: int | None = None

    def check(self, text: str) -> str:
        """Return what is wrong with `text`, or ""."""
        if not text and self.default is None:
            return "is missing"
        if self.choices and text not in self.choices:
            return f"is {text!r}, must be one of {', '.join(self.choices)}"
        number = text.isascii() and text.isdecimal()
        if self.least is not None and not (number and int(text) >= self.least):
            return f"is {text!r}, must be a whole number from {self.least}"
        return ""


# By what follows `custom_`.
KEYS: Mapping[str, Key] = {
    "name": Key("what a person calls the board", None),
    "template": Key(
        "its folder of `firmware_templates`: start-up and the port; and of `tinyml/platforms`, "
        "where PlatformIO has no platform for it",
        None,
    ),
    "cpu": Key("the processor core, as GCC's -mcpu names it", None),
    "flash_bytes": Key("bytes of flash that an application may fill", None, least=1),
    "ram_bytes": Key(
        "bytes of RAM that an application may fill, its stack included", None, least=1
    ),
    "memory": Key(
        "`shared`: one memory of `custom_ram_bytes` holds code and constants as well as data",
        "separate",
        choices=("separate", "shared"),
    ),
    "stack_bytes": Key(
        "of the stack, where the board's system allocates it as it runs", "0", least=0
    ),
    "stack_symbol": Key("the variable that is the stack, where the system has it among its own"),
    "timing": Key("what its counter counts", None, choices=("instructions", "cycles")),
    "link": Key("how it is reached: a file of `tinyml/device/kinds`", None),
    "usb": Key("USB vendor:product of a board that runs, in hex; several are separated by spaces"),
    "usb_bootloader": Key("the same while its bootloader runs"),
    "runtime": Key("the runtime of builds that name none", None),
    "tflm": Key("the library of the runtime `tflm`, as PlatformIO's `lib_deps`"),
    "sensors": Key("drivers of what the board can have, the preferred first: see `sensors`"),
    "imu_header": Key("the header of the driver `imu`'s library, which declares IMU"),
    "imu_library": Key("that library, as PlatformIO's `lib_deps`"),
    "arduino_core": Key("the package of the Arduino IDE's board manager, and its version"),
    "arduino_board": Key("the board's name in that package"),
    "arduino_runtimes": Key("runtimes that the core can compile as a sketch"),
}


def require_known(options: Mapping[str, str]) -> None:
    """Raise ConfigError, with the nearest one, for a key that begins as ours and is none."""
    known = [PREFIX + name for name in KEYS]
    for key in options:
        if key.startswith(PREFIX) and key not in known:
            raise ConfigError(f"there is no key {key}", nearest(key, known))
