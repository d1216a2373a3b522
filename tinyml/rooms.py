"""The rooms of the package from left to right: a module imports only from rooms to its left.

The one place that states the order; `tests/unit/test_rooms.py` holds every import to it, and each
room's docstring begins with its sentence here. Modules at the root know no room.
"""

from __future__ import annotations

from collections.abc import Mapping

ROOMS: Mapping[str, str] = {
    "platforms": "PlatformIO platforms and downloads that travel with generated projects.",
    "media": "The file formats of recordings: sound, pictures and motion, from and to disk.",
    "features": "From samples to what a model sees: front ends, written once in C.",
    "datasets": "Where recordings come from, and how they are divided.",
    "importing": "Recordings as people have them, into what `train` reads.",
    "tasks": "What a model is for: one file a task.",
    "tflite": "What a `.tflite` file says: its graph, checked.",
    "model": "What a model file is and what it answers: bundles, the reference, the host build.",
    "compiler": "An int8 `.tflite` to plain C: passes, memory plan, kernels.",
    "runtimes": "What runs a model on a board: a bundle to the C that implements `model.h`.",
    "protocol": "What travels on the serial line: frames and messages, also as C and Markdown.",
    "firmware": "From generated C to a project: boards, sensors, settings, rendered templates.",
    "build": "From a project to firmware: PlatformIO, its downloads, checks of what it linked.",
    "device": "Talks to a board: links, flashing, the emulator, streams.",
    "measure": "Is a model right, is it good, is it fast: validation, evaluation, benchmarks.",
    "training": "Recordings to a network and its int8 `.tflite`; the only room of TensorFlow.",
    "report": "Shows results: one description of a page for terminal, HTML, JUnit and JSON.",
    "monitor": "A person before a live board.",
    "cli": "Arguments and exit codes.",
}

# Modules at the root that may know rooms: how the package is entered, and documented re-exports.
ENTRANCES = ("__main__", "oracle", "pytest_plugin")
