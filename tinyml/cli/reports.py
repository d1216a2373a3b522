"""How comparisons look on the screen; the same figures as their JSON documents."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from tinyml.report import words

if TYPE_CHECKING:
    from tinyml.cli.console import Console
    from tinyml.device.mismatch import Setting
    from tinyml.measure.playback import ClipResult, StreamReport
    from tinyml.measure.validate import LayerCheck, ValidationReport
    from tinyml.model.tensor_diff import Difference

_SHOWN = 10
_BAR = 32


def show_validation(report: ValidationReport, console: Console) -> None:
    """Print the figures, what differs, and the verdict as the last line."""
    console.facts(
        [
            ("model", f"{report.model} (sha256 {report.sha256[:16]})"),
            ("device", f"{report.board}, runtime {report.runtime}"),
            (report.counter_unit, words.spread(report) + " per inference"),
            ("arena", f"{report.arena_bytes:,} bytes"),
            ("stack", f"{report.stack_used_bytes:,} of {report.stack_bytes:,} bytes used"),
            *((("flash", f"{report.flash_bytes:,} bytes"),) if report.flash_bytes else ()),
            *((("RAM", f"{report.ram_bytes:,} bytes"),) if report.ram_bytes else ()),
            *(
                (("top-1 agreement", f"{report.top1_agreement:.1%}"),)
                if report.top1_agreement is not None
                else ()
            ),
        ]
    )
    if report.layers:
        console.print()
        _show_layers(report.layers, console)
        for folded in report.folded:
            console.print(f"not run: operator {folded.op_index} {folded.op_name}, {folded.reason}")
    for mismatch in report.mismatches[:_SHOWN]:
        for one in mismatch.differences:
            console.print(f"{mismatch.vector}: {words.describe(one)}")
    if (hidden := len(report.mismatches) - _SHOWN) > 0:
        console.print(f"... and {hidden} more vectors")
    diverging = report.first_diverging_layer
    if diverging is not None and diverging.first is not None:
        console.print()
        _show_difference(diverging, diverging.first, console)
    _show_settings(report.settings, console)
    console.print()
    console.print(words.validation(report))


def _show_difference(layer: LayerCheck, found: Difference, console: Console) -> None:
    """Print all that is known of the first layer that differs, with a histogram."""
    console.facts(
        (
            ("first in", f"operator {layer.op_index} {layer.op_name}: {words.short(layer.tensor)}"),
            ("shape", "x".join(map(str, found.shape)) or "scalar"),
            ("first at", f"[{', '.join(map(str, found.index))}], channel {found.channel}"),
            ("values", f"expected {found.expected:g}, device {found.actual:g}"),
            ("differ", f"{found.count:,} of {math.prod(found.shape):,} values; {found.spread}"),
        )
    )
    most = max((one.count for one in found.histogram), default=1)
    for one in found.histogram:
        bar = "#" * -(-one.count * _BAR // most)
        console.print(f"  {words.by(one):>14}  {one.count:>8,}  {bar}".rstrip())


def _show_settings(settings: tuple[Setting, ...], console: Console) -> None:
    for one in settings:
        console.print(words.setting(one))


def _show_layers(layers: tuple[LayerCheck, ...], console: Console) -> None:
    console.table(
        ("op", "operator", "tensor", "equal", "first difference"),
        [
            (
                layer.op_index,
                layer.op_name,
                words.short(layer.tensor),
                f"{layer.compared - layer.mismatched} of {layer.compared}",
                words.describe(layer.first) if layer.first else "",
            )
            for layer in layers
        ],
        right=("op", "equal"),
    )


def show_stream(report: StreamReport, console: Console) -> None:
    """Print a row per clip, the figures, and the verdict as the last line."""
    show_clips(report.clips, report.sample_rate_hz, console)
    console.print()
    console.facts(
        (
            ("model", f"{report.model} (sha256 {report.sha256[:16]})"),
            ("device", f"{report.board}, runtime {report.runtime}"),
            (
                "stream",
                f"{report.stream_s:.1f} s at {report.real_time_factor:.2f} times real "
                f"time, {report.dropped} samples dropped",
            ),
            (report.counter_unit, words.spread(report) + " per inference"),
            (
                "",
                f"{report.front_counter_per_stride:,} in the front end per "
                + (f"stride of {report.stride_ms} ms" if report.stride_ms else "stroke"),
            ),
            ("recognised", f"{report.right} of {report.judged} clips as said"),
        )
    )
    if report.first_mismatch:
        console.print(f"first difference: {report.first_mismatch}")
    _show_settings(report.settings, console)
    console.print()
    console.print(words.streamed(report))


def show_clips(clips: tuple[ClipResult, ...], rate_hz: int, console: Console) -> None:
    """Print what was said and what was recognised, clip by clip."""
    console.table(
        ("clip", "said", "recognised", "score", "second", ""),
        [_clip_row(clip, rate_hz) for clip in clips],
        right=("score", "second"),
    )


def _clip_row(clip: ClipResult, rate_hz: int) -> tuple[str, ...]:
    heard = clip.heard
    return (
        clip.name,
        clip.said or "?",
        ", ".join(one.label for one in heard) or "-",
        ", ".join(f"{one.score:.2f}" for one in heard) or "-",
        ", ".join(f"{one.sample_index / rate_hz:.2f}" for one in heard) or "-",
        "" if clip.right is None else "right" if clip.right else "wrong",
    )
