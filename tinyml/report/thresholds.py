"""What thresholds do: words missed against false accepts per hour, and which threshold to take."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tinyml.report import words
from tinyml.report.page import Curves, Note, Section, Series, Table, table

if TYPE_CHECKING:
    from tinyml.model.metrics import OperatingPoint

_ROWS = 10  # thresholds shown in the table


def sections(
    points: Sequence[OperatingPoint],
    card: OperatingPoint | float | None,
    advice: str,
    how: str,
) -> tuple[Section, ...]:
    """Return the table of operating points with `advice`, and their curves.

    `card`: the threshold of the model's card, or what it does where that is known. `how` says how
    was counted.
    """
    threshold = card if isinstance(card, float) or card is None else card.threshold
    chosen = _table(points, card, threshold)
    return (
        Section("Which threshold?", (chosen, Note(advice), Note(how, detail=True)), wide=True),
        *curves(points, threshold),
    )


def curves(points: Sequence[OperatingPoint], card: float | None) -> tuple[Section, ...]:
    """Return charts of the share missed and, where there was background, of false accepts."""
    ends = (points[0].threshold, points[-1].threshold)
    mark = None if card is None else (card, f"card {card:.2f}")
    missed = Curves(
        (Series("missed", tuple((each.threshold, each.reject_rate or 0.0) for each in points)),),
        "share missed by threshold",
        "threshold",
        "share missed",
        f"{points[0].spoken:,} clips were to be recognised.",
        x_range=ends,
        y_most=1.0,
        mark=mark,
    )
    if not points[0].hours:
        return (Section("Missed", (missed,)),)
    measured = tuple((each.threshold, each.accepts_per_hour or 0.0) for each in points)
    bound = tuple((each.threshold, each.accepts_per_hour_most or 0.0) for each in points)
    accepted = Curves(
        (Series("measured", measured), Series("95 % below", bound)),
        "false accepts by threshold",
        "threshold",
        "false accepts per hour",
        f"{points[0].hours:.2f} hours without any of them were heard.",
        x_range=ends,
        mark=mark,
    )
    return (Section("Missed", (missed,)), Section("False accepts", (accepted,)))


def _table(
    points: Sequence[OperatingPoint],
    card: OperatingPoint | float | None,
    threshold: float | None,
) -> Table:
    step = max(1, len(points) // _ROWS)
    shown = {each.threshold: each for each in points[::step]}
    shown |= {each.threshold: each for each in points if each.threshold == threshold}
    if card is not None and not isinstance(card, float):
        shown[card.threshold] = card
    columns = ("missed", "of", "false accepts", "hours", "per hour", "95 % below")
    rows = [
        (
            f"{at:.2f}",
            each.rejected,
            each.spoken,
            each.accepted,
            f"{each.hours:.2f}",
            words.number(each.accepts_per_hour),
            words.number(each.accepts_per_hour_most),
            "the card's" if at == threshold else "",
        )
        for at, each in sorted(shown.items())
    ]
    return table(("threshold", *columns, ""), rows, right=("threshold", *columns))
