"""Every error a user can meet. Only `tinyml.cli` turns them into text and exit codes.

TinymlError                 exit 2 unless said otherwise
├── ConfigError             a name, option or board file that makes no sense
├── DataError               a recording, image or data set that cannot be used
├── ModelError              a model file that cannot be used
│   └── UnsupportedOpError  an operator that a runtime lacks
├── DoesNotFitError         a model that exceeds a board's memory
├── ToolError               exit 3: a program or package is missing or failed
├── DeviceError             exit 3: a device refused, faulted or vanished
│   └── DeviceTimeout       exit 3: a device did not answer within its deadline
├── MiscompiledError        exit 70: generated C computes something else than TFLM
└── InternalError           exit 70: what no other error says, after its traceback
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

EXIT_PASSED = 0
EXIT_COMPARISON_FAILED = 1
EXIT_INPUT = 2
EXIT_TOOL = 3
EXIT_BUG = 70


class TinymlError(Exception):
    """Something a user can act on: `message` says what happened, with values; `hint` what to do."""

    exit_code = EXIT_INPUT

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def record(self) -> dict[str, str | int]:
        """Return the content of the JSON document `tinyml.error/1`."""
        return {
            "kind": type(self).__name__,
            "message": self.message,
            "hint": self.hint,
            "exit_code": self.exit_code,
        }


class ConfigError(TinymlError):
    """A name, an option or a board file that makes no sense."""


class DataError(TinymlError):
    """A recording, image or data set that cannot be used; the message names its path."""


class ModelError(TinymlError):
    """A model file that is missing, damaged, or of a kind that cannot be used."""


class UnsupportedOpError(ModelError):
    """A model needs an operator, or a form of it, that the chosen runtime lacks."""


class DoesNotFitError(TinymlError):
    """A model or firmware needs more flash or RAM than the board has."""


class ToolError(TinymlError):
    """A program or package that is needed is missing, or ran and failed."""

    exit_code = EXIT_TOOL


class DeviceError(TinymlError):
    """A device refused a request, faulted, or went away."""

    exit_code = EXIT_TOOL


class DeviceTimeout(DeviceError):  # noqa: N818 - a timeout is what it is called
    """A device did not answer within its deadline."""


class MiscompiledError(TinymlError):
    """The C generated from a model computes something else than TensorFlow Lite Micro."""

    exit_code = EXIT_BUG


class InternalError(TinymlError):
    """A mistake of tinyml's own; the traceback stands before it."""

    exit_code = EXIT_BUG

    def __init__(self) -> None:
        super().__init__("this is a bug in tinyml", "report the traceback above")


def nearest(name: str, known: Iterable[str]) -> str:
    """Return what helps with an unknown `name`: its nearest known spellings, or all of them."""
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
    if close:
        return f"did you mean {' or '.join(close)}?"
    return f"known: {', '.join(names)}" if names else "none are known"
