"""Front ends: from sensor samples to what a model reads, and from its scores to events.

Written once, in C: a front end is `<name>.c` and `<name>.h` (with `<name>_*.c` where one file is
too long), copied into every firmware that uses it and compiled into the extension `_native`, which
the Python modules here only wrap. So training and device cannot differ. `recognizer.c` is shared by
all front ends. To add one: write the two C files and their wrapper; `_build.py` finds the C.
"""

from tinyml.features.audio import AudioFrontEnd, audio_features
from tinyml.features.recognizer import Event, Recognizer, RecognizerSettings

__all__ = ["AudioFrontEnd", "Event", "Recognizer", "RecognizerSettings", "audio_features"]
