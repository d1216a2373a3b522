"""Error codes of the protocol as exceptions, with words and a hint."""

from __future__ import annotations

from tinyml.device.identity import printable
from tinyml.errors import DeviceError
from tinyml.protocol.messages import Error, ErrorCode, ModelReason

_MODEL_REASONS: dict[int, tuple[str, str]] = {
    ModelReason.SCHEMA: (
        "its tensors are not those of the file that the firmware was made from",
        "build and flash it again: tinyml flash",
    ),
    ModelReason.OPERATOR: (
        "an operator is missing or failed",
        "use another library (--tflm-dir), or --runtime compiled",
    ),
    ModelReason.ARENA: (
        "its arena is too small",
        "leave --arena away; tinyml build --fit measures what is needed",
    ),
    ModelReason.STATE: ("it was not started", "restart the board"),
}
_HINTS = {  # by the words of the firmware
    "this firmware has no model slot": "flash one that has: tinyml flash MODEL --model-slot",
}
_REASONS: dict[int, str] = {
    ErrorCode.UNSUPPORTED: "cannot do that: {text}",
    ErrorCode.BAD_ARG: "refused: bad {text} ({value})",
    ErrorCode.BAD_FRAME: "received damaged frames ({value} so far)",
    ErrorCode.VERSION: "refused the protocol version",
    ErrorCode.STATE: "refused: {text}",
    ErrorCode.SENSOR: "could not start its sensor: {text} ({value})",
}


class RequestRefused(DeviceError):  # noqa: N818 - no failure of ours: the device says no
    """A request that the device refused; `code` is one of ErrorCode."""

    def __init__(self, message: str, hint: str, code: int) -> None:
        super().__init__(message, hint)
        self.code = code


class ModelRefusal(RequestRefused):
    """A device whose model did not start, or stopped; `reason` as in model.h."""

    def __init__(self, name: str, reason: int) -> None:
        what, hint = _MODEL_REASONS.get(reason, (f"it failed with {reason}", ""))
        super().__init__(f"{name} cannot run its model: {what}", hint, ErrorCode.MODEL)
        self.reason = reason


def refusal(name: str, error: Error) -> RequestRefused:
    """Return what an ERROR of the device called `name` means; a ModelRefusal for its model's."""
    if error.code == ErrorCode.MODEL:
        return ModelRefusal(name, error.value)
    text = printable(error.text)
    reason = _REASONS.get(error.code, "refused with code {code}").format(
        code=error.code, value=error.value, text=text
    )
    return RequestRefused(f"{name} {reason}", _HINTS.get(text, ""), error.code)
