"""The settings of front end and stream that firmware is built with, as INFO reports them."""

from __future__ import annotations

from tinyml.records import Bundle


def of(bundle: Bundle) -> list[tuple[str, float]]:
    """Return the settings of front end and stream as firmware reports them; a list's name repeats.

    They are empty for a bundle that is not made for streams.
    """
    front_end, stream = bundle.features, bundle.stream
    if front_end is None or stream is None:
        return []
    return [
        *((f"features.{name}", float(value)) for name, value in sorted(front_end.params.items())),
        ("stream.stride_frames", float(stream.stride_frames)),
        ("stream.average", float(stream.average)),
        ("stream.threshold", float(stream.threshold)),
        ("stream.refractory_ms", float(stream.refractory_ms)),
        *(("stream.background", float(label)) for label in stream.background),
        *([("stream.repeats", 1.0)] if stream.repeats else []),
    ]
