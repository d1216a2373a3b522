"""The page of `tinyml validate --stream`: a played stream, proved inference by inference."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tinyml.records import Firmware
from tinyml.report import parts, words
from tinyml.report.page import Block, Cell, Facts, Note, Page, Section, Table, TestCase, table
from tinyml.report.validation import setting_cases, settings

if TYPE_CHECKING:
    from tinyml.measure.playback import ClipResult, StreamReport


def page(result: StreamReport, firmware: Firmware | None, *, serial_number: str = "") -> Page:
    """Return the page; `firmware`, where it was built here, adds its memory."""
    device = f"{result.board}, runtime {result.runtime}"
    sections = [_figures(result)]
    if differing := settings(result.settings):
        sections.append(Section("Settings that differ", tuple(differing)))
    played = clips(result.clips, result.sample_rate_hz)
    sections.append(Section("Clips", (played,), wide=True))
    if firmware is not None:
        sections += [*parts.memory(firmware.project.source), *parts.firmware(firmware)]
    lost = result.lost or result.dropped
    whole = result.inferences > 0 and result.mismatched == 0 and not lost
    failure = "" if whole else f"{words.streamed(result)}\n{result.first_mismatch}".rstrip()
    case = TestCase("stream", f"{result.inferences} inferences", failure, result.stream_s)
    return Page(
        name="stream",
        title=f"{result.model} streamed to {result.board}",
        verdict=words.streamed(result),
        identity=parts.identity(result.model, result.sha256, (("device", device),)),
        sections=tuple(sections),
        record=result,
        passed=result.passed,
        details=parts.details(result.sha256, firmware, serial_number),
        cases=(case, *setting_cases(result.settings)),
        properties={"board": result.board, "runtime": result.runtime},
    )


def clips(played: Sequence[ClipResult], rate_hz: int) -> Table:
    """Return what was said and what was recognised, clip by clip.

    `rate_hz`: of the samples by which events are numbered.
    """
    return table(
        ("clip", "said", "recognised", "score", "second", ""),
        [_clip(clip, rate_hz) for clip in played],
        right=("score", "second"),
    )


def _clip(clip: ClipResult, rate_hz: int) -> tuple[str | Cell, ...]:
    events = clip.heard
    return (
        clip.name,
        clip.said or "?",
        ", ".join(event.label for event in events) or "-",
        ", ".join(f"{event.score:.2f}" for event in events) or "-",
        ", ".join(f"{event.sample_index / rate_hz:.2f}" for event in events) or "-",
        Cell(_judged(clip.right), bad=clip.right is False),
    )


def _judged(right: bool | None) -> str:
    return "" if right is None else "right" if right else "wrong"


def _figures(result: StreamReport) -> Section:
    unit = f"stride of {result.stride_ms} ms" if result.stride_ms else "stroke"
    facts = Facts(
        (
            (
                "stream",
                f"{result.stream_s:.1f} s at {result.real_time_factor:.2f} times real time, "
                f"{result.dropped} samples dropped",
            ),
            (result.counter_unit, words.spread(result) + " per inference"),
            ("front end", f"{result.front_counter_per_stride:,} per {unit}"),
            ("recognised", f"{result.right} of {result.judged} clips as said"),
            (
                "line",
                f"{result.lost} results lost, {result.resent} that came on the second asking",
            ),
        )
    )
    blocks: list[Block] = [facts]
    if result.first_mismatch:
        blocks.append(Note(f"first difference: {result.first_mismatch}"))
    return Section("Stream", tuple(blocks))
