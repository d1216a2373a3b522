"""Verdicts and advice as sentences: what was found, said once for every rendering."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tinyml.datasets import TEST

if TYPE_CHECKING:
    from tinyml.device.mismatch import SettingMismatch
    from tinyml.measure.evaluate import EvaluationReport
    from tinyml.measure.playback import StreamReport
    from tinyml.measure.spotting import SpottingReport
    from tinyml.measure.validate import ValidationReport
    from tinyml.model.metrics import OperatingPoint
    from tinyml.model.tensor_diff import Difference

_NAME = 48


def tensor_name(name: str) -> str:
    """Return a tensor's name as far as it fits: converters join the names of all they fused."""
    first = name.partition(";")[0]
    return first if len(first) <= _NAME else f"...{first[3 - _NAME :]}"


def difference(differs: Difference) -> str:
    """Say in one line where a tensor differs."""
    place = ", ".join(map(str, differs.index))
    return (
        f"{tensor_name(differs.tensor)}[{place}] is {differs.actual:g}, "
        f"expected {differs.expected:g}; "
        f"{differs.count:,} values differ, by at most {differs.worst:g}"
    )


def setting(differs: SettingMismatch) -> str:
    """Say which setting differs."""
    return (
        f"the firmware was built with {differs.name} {differs.actual}, "
        f"the model needs {differs.expected}"
    )


def used(size: int, limit: int) -> str:
    """Say how many bytes of how many are used."""
    return f"{size:,} of {limit:,} bytes ({size / limit:.1%})"


def shape(sizes: Sequence[int]) -> str:
    """Return a tensor's shape, as in 1x49x40x1."""
    return "x".join(map(str, sizes)) or "scalar"


def model(name: str, sha256: str) -> str:
    """Name a model so that it is the same everywhere."""
    return f"{name} (sha256 {sha256[:16]})"


def validation(report: ValidationReport) -> str:
    """Return the verdict."""
    if report.passed:
        layers = f" and {len(report.layers)} layers each" if report.layers else ""
        return (
            f"PASSED: {report.vectors} of {report.vectors} inferences{layers} equal the reference "
            f"bit for bit ({report.values:,} output values)"
        )
    if report.mismatched_vectors:
        outputs = (
            f"{report.mismatched_vectors} of {report.vectors} inferences differ "
            f"({report.mismatched_values:,} of {report.values:,} output values, by at most "
            f"{report.worst:g})"
        )
    else:
        outputs = f"the outputs of all {report.vectors} inferences equal the reference"
    return "; ".join([f"FAILED: {outputs}", *_causes(report)])


def _causes(report: ValidationReport) -> list[str]:
    """Say what failed a validation, as far as it is known."""
    causes = []
    if (layer := report.first_diverging_layer) is not None:
        place = f"operator {layer.op_index} {layer.op_name} ({tensor_name(layer.tensor)})"
        causes.append(
            f"first in {place}"
            if report.mismatched_vectors
            else f"inside, layers differ, first in {place}"
        )
    if report.settings:
        names = ", ".join(setting.name for setting in report.settings)
        causes.append(f"the firmware was built with other settings than the model's: {names}")
    return causes


def streamed(report: StreamReport) -> str:
    """Return the verdict."""
    if report.passed:
        return (
            f"PASSED: {report.inferences} of {report.inferences} streamed inferences on "
            f"{report.board} equal the host bit for bit"
        )
    arrived = report.inferences - report.lost
    if report.mismatched:
        verdict = (
            f"FAILED: {report.mismatched} of {arrived} streamed inferences on {report.board} "
            "differ from the host"
        )
    else:
        word = "INCOMPLETE" if report.lost and not (report.dropped or report.settings) else "FAILED"
        verdict = (
            f"{word}: {arrived} of {report.inferences} streamed inferences on {report.board} "
            "arrived, and equal the host bit for bit"
        )
    causes = []
    if report.lost:
        causes.append(f"{report.lost:,} results were lost on the line")
    if report.dropped:
        causes.append(f"{report.dropped:,} samples were lost on the board")
    if report.settings:
        names = ", ".join(setting.name for setting in report.settings)
        causes.append(f"the firmware was built with other settings than the model's: {names}")
    return "; ".join([verdict, *causes])


def spread(report: ValidationReport | StreamReport) -> str:
    """Return the counters of all inferences in short."""
    low, middle, high = report.counter_min, report.counter_median, report.counter_max
    if low == high:
        return f"{middle:,}"
    return f"{low:,} min, {middle:,} median, {high:,} max"


def agreement(report: EvaluationReport | SpottingReport) -> str:
    """Say whether all places gave the same scores, or "" where there is only one."""
    names = [place.on for place in report.places]
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
    if not any(point.hours for point in report.points):
        return "False accepts were not measured: there was something to recognise all the time"
    limit = f"At most {report.most_per_hour:g} false accepts per hour"
    point = report.advised
    if point is None:
        return f"{limit}: no threshold keeps to that on part {report.chosen_on}"
    itself = " itself, which flatters it" if report.chosen_on == report.part else ""
    return (
        f"{limit}: threshold {point.threshold:.2f}, chosen on part {report.chosen_on}{itself}. "
        f"On part {report.part} it misses {percent(point.reject_rate)}; in {point.hours:.2f} hours "
        f"without anything to recognise it had {point.accepted}, with 95 % confidence fewer than "
        f"{number(point.accepts_per_hour_most)} per hour{_doubt(point, report.most_per_hour)}"
    )


def _doubt(point: OperatingPoint, most_per_hour: float) -> str:
    """Say where what was counted does not show that a threshold keeps to the limit."""
    if (point.accepts_per_hour or 0.0) > most_per_hour:
        return ", and it did not keep to the limit here: record more background to choose by"
    if (point.accepts_per_hour_most or 0.0) > most_per_hour:
        return ": so little background cannot show that it keeps to the limit"
    return ""


def percent(share: float | None) -> str:
    """Return a share in percent, "-" for none."""
    return "-" if share is None else f"{share:.1%}"


def number(value: float | None) -> str:
    """Return a number with one decimal, "-" for none."""
    return "-" if value is None else f"{value:,.1f}"
