"""Sentences that the screen and the page share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tinyml.datasets import TEST

if TYPE_CHECKING:
    from tinyml.device.mismatch import Setting
    from tinyml.measure.evaluate import EvaluationReport
    from tinyml.measure.playback import StreamReport
    from tinyml.measure.spotting import SpottingReport
    from tinyml.measure.validate import ValidationReport
    from tinyml.model.metrics import OperatingPoint
    from tinyml.model.tensor_diff import Bin, Difference

_NAME = 48


def short(tensor: str) -> str:
    """Return a tensor's name as far as it fits: converters join the names of all they fused."""
    first = tensor.partition(";")[0]
    return first if len(first) <= _NAME else f"...{first[3 - _NAME :]}"


def describe(found: Difference) -> str:
    """Say in one line where a tensor differs."""
    place = ", ".join(map(str, found.index))
    return (
        f"{short(found.tensor)}[{place}] is {found.actual:g}, expected {found.expected:g}; "
        f"{found.count:,} values differ, by at most {found.worst:g}"
    )


def by(one: Bin) -> str:
    """Say by how much the values of a bin of differences differ."""
    return f"{one.low:+g}" if one.low == one.high else f"{one.low:+g} .. {one.high:+g}"


def setting(one: Setting) -> str:
    """Say which setting differs."""
    return f"the firmware was built with {one.name} {one.actual}, the model needs {one.expected}"


def validation(report: ValidationReport) -> str:
    """Return the verdict."""
    if report.passed:
        layers = f" and {len(report.layers)} layers each" if report.layers else ""
        return (
            f"PASSED: {report.vectors} of {report.vectors} inferences{layers} equal the reference "
            f"bit for bit ({report.values:,} output values)"
        )
    where = ""
    if (layer := report.first_diverging_layer) is not None:
        where = f"; first in operator {layer.op_index} {layer.op_name} ({short(layer.tensor)})"
    if report.settings:
        names = ", ".join(one.name for one in report.settings)
        where += f"; the firmware was built with another {names}"
    return (
        f"FAILED: {report.mismatched_vectors} of {report.vectors} inferences differ "
        f"({report.mismatched_values:,} of {report.values:,} output values, by at most "
        f"{report.worst:g}){where}"
    )


def streamed(report: StreamReport) -> str:
    """Return the verdict."""
    if report.passed:
        return (
            f"PASSED: {report.inferences} of {report.inferences} streamed inferences on "
            f"{report.board} equal the host bit for bit"
        )
    dropped = f"; {report.dropped:,} samples were lost" if report.dropped else ""
    return (
        f"FAILED: {report.mismatched} of {report.inferences} streamed inferences on "
        f"{report.board} differ from the host{dropped}"
    )


def spread(report: ValidationReport | StreamReport) -> str:
    """Return the counters of all inferences in short."""
    low, middle, high = report.counter_min, report.counter_median, report.counter_max
    if low == high:
        return f"{middle:,}"
    return f"{low:,} min, {middle:,} median, {high:,} max"


def agreement(report: EvaluationReport | SpottingReport) -> str:
    """Say whether all places gave the same scores, or "" where there is only one."""
    names = [one.on for one in report.places]
    if len(names) == 1:
        return ""
    others = f"{', '.join(names[:-1])} and {names[-1]}"
    return (
        f"PASSED: {others} give the same scores"
        if report.passed
        else f"FAILED: {others} do not give the same scores; see tinyml validate --layers"
    )


def learned(report: EvaluationReport | SpottingReport) -> tuple[tuple[str, str], ...]:
    """Return the fact how many recordings of the part the model learned from; none as usual."""
    if report.learned is None or (report.part == TEST and not report.learned):
        return ()
    if report.part == TEST:
        return (("learned from", f"{report.learned:,} recordings of this part, now left out"),)
    return (("learned from", f"{report.learned:,} of these recordings"),)


def advice(report: EvaluationReport | SpottingReport) -> str:
    """Say which threshold keeps to so many false accepts per hour, and how sure that is."""
    if not any(one.hours for one in report.points):
        return "False accepts were not measured: there was something to recognise all the time"
    limit = f"At most {report.most_per_hour:g} false accepts per hour"
    one = report.advised
    if one is None:
        return f"{limit}: no threshold keeps to that on part {report.chosen_on}"
    itself = " itself, which flatters it" if report.chosen_on == report.part else ""
    return (
        f"{limit}: threshold {one.threshold:.2f}, chosen on part {report.chosen_on}{itself}. "
        f"On part {report.part} it misses {percent(one.reject_rate)}; in {one.hours:.2f} hours "
        f"without anything to recognise it had {one.accepted}, with 95 % confidence fewer than "
        f"{number(one.accepts_per_hour_most)} per hour{_doubt(one, report.most_per_hour)}"
    )


def _doubt(one: OperatingPoint, most_per_hour: float) -> str:
    """Say where what was counted does not show that a threshold keeps to the limit."""
    if (one.accepts_per_hour or 0.0) > most_per_hour:
        return ", and it did not keep to the limit here: record more background to choose by"
    if (one.accepts_per_hour_most or 0.0) > most_per_hour:
        return ": so little background cannot show that it keeps to the limit"
    return ""


def percent(share: float | None) -> str:
    """Return a share in percent, "-" for none."""
    return "-" if share is None else f"{share:.1%}"


def number(value: float | None) -> str:
    """Return a number with one decimal, "-" for none."""
    return "-" if value is None else f"{value:,.1f}"
