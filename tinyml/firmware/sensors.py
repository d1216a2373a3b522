"""Sensors: which driver of `tml_sensor.h` a firmware gets.

A driver is a folder `firmware_templates/sensors/<front end>/<name>`, named after the sensor or the
library it uses; `custom_front_ends` in its `sensor.ini` names others that take the same samples, or
more channels of them. `custom_sensors` in a board file lists the drivers of what the board can
have, the preferred first. Every board has the sensor `virtual` too, whose samples come from the
host.

A driver that needs more than its sources says so in its `sensor.ini`: PlatformIO options to add in
the one section `[sensor]`. With `custom_consent`, a sentence on what using it entails, it is only
used by those who name it. A camera says with `custom_picture`, such as `160x120 gray`, which
pictures it gives: the front end of its firmware takes those instead of what the model's card says.
"""

from __future__ import annotations

import configparser
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from tinyml import paths
from tinyml.errors import ConfigError, nearest
from tinyml.protocol import messages
from tinyml.records import Board, Bundle

VIRTUAL = messages.VIRTUAL_SENSOR
OWN = "board"  # whichever the board has; also what tml_sensor.h calls a driver that is not virtual

_FACTS = "sensor.ini"


@dataclass(frozen=True)
class Sensor:
    """A driver. `options`: what it adds to PlatformIO's; `consent`: what its use entails, if so.

    `picture`: what a camera gives, as `custom_picture`.
    """

    name: str
    folder: Path
    options: Mapping[str, str] = field(default_factory=dict)
    consent: str = ""
    picture: str = ""

    @property
    def is_virtual(self) -> bool:
        """Whether its samples come from the host."""
        return self.name == VIRTUAL

    @property
    def sources(self) -> tuple[Path, ...]:
        """The files that belong into a project."""
        return tuple(file for file in self.folder.rglob("*") if file.name != _FACTS)


def choose(bundle: Bundle, board: Board, wanted: str | None = None) -> Sensor | None:
    """Return the sensor for `bundle` on `board`; None where the model listens to nothing.

    `wanted`: "virtual", "board" for one that the board itself has, the name of a driver, or None
    for the board's own if it has one that needs no consent, else the virtual one. Raises
    ConfigError for what the board does not have.
    """
    if bundle.features is None or bundle.stream is None:
        if wanted is None:
            return None
        raise ConfigError(
            f"model {bundle.name} has no stream and takes no sensor", "leave --sensor out"
        )
    own = drivers(board, bundle.features.name)
    free = [sensor for sensor in own if not sensor.consent]
    if wanted == VIRTUAL or (wanted is None and not free):
        return Sensor(VIRTUAL, paths.shared("firmware_templates") / "virtual_sensor")
    if wanted in (None, OWN) and free:
        return free[0]
    for sensor in own:
        if sensor.name == wanted:
            return sensor
    known = [VIRTUAL, *(sensor.name for sensor in own)]
    raise ConfigError(
        f"{board.id} has no sensor {wanted!r} for {bundle.features.name}",
        nearest(wanted or OWN, known),
    )


def fitted(bundle: Bundle, sensor: Sensor | None) -> Bundle:
    """Return `bundle` with the front end that takes what `sensor` gives.

    Raises ConfigError where it cannot.
    """
    if sensor is None or not sensor.picture or bundle.features is None:
        return bundle
    from tinyml.features import image

    return replace(bundle, features=image.of_camera(bundle.features, sensor.picture))


def drivers(board: Board, front_end: str) -> list[Sensor]:
    """Return the drivers of what `board` can have for a front end, the preferred first."""
    names = board.options.get("custom_sensors", "").split()
    found = (driver(front_end, name) for name in names)
    return [sensor for sensor in found if sensor is not None]


def driver(front_end: str, name: str) -> Sensor | None:
    """Return the driver `name` if it gives what `front_end` takes; a device may have said it."""
    if not name.isidentifier():
        return None
    for folder in (paths.shared("firmware_templates") / "sensors").glob(f"*/{name}"):
        sensor = _read(folder)
        if front_end in (folder.parent.name, *sensor.options.get("custom_front_ends", "").split()):
            return sensor
    return None


def _read(folder: Path) -> Sensor:
    parser = configparser.ConfigParser(interpolation=None, inline_comment_prefixes=(";",))
    try:
        parser.read(folder / _FACTS, encoding="utf-8")
        options = dict(parser["sensor"]) if parser.sections() else {}
    except (UnicodeDecodeError, configparser.Error, KeyError) as error:
        detail = " ".join(str(error).split())
        raise ConfigError(f"{folder / _FACTS} cannot be read: {detail}") from error
    consent, picture = (options.get(f"custom_{name}", "") for name in ("consent", "picture"))
    return Sensor(folder.name, folder, options, consent, picture)
