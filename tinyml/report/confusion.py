"""The confusion matrix: what was said, by rows, against what was recognised, by columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tinyml.report.page import Cell, Column, Table


def matrix(labels: Sequence[str], counts: Mapping[str, Mapping[str, int]]) -> Table:
    """Return the table of `counts[said][recognised]`, as far as it is one.

    The ground of a cell is the share of its row; what is off the diagonal is marked.
    """
    return Table(
        (Column("said"), *(Column(label, right=True) for label in labels)),
        tuple(_row(said, labels, counts.get(said)) for said in labels),
        detail=True,
        square=True,
    )


def mistakes(label: str, recognised: Mapping[str, int]) -> str:
    """Say what `label` was taken for, the most frequent first."""
    wrong = sorted(
        ((count, name) for name, count in recognised.items() if name != label), reverse=True
    )
    return ", ".join(f"{name} {count}" for count, name in wrong)


def _row(said: str, labels: Sequence[str], counts: object) -> tuple[Cell, ...]:
    known = counts if isinstance(counts, Mapping) else {}
    numbers = [_count(known.get(label)) for label in labels]
    total = sum(numbers) or 1
    return (
        Cell(said),
        *(
            Cell(
                str(number) if number else "",
                heat=number / total,
                title=f"{said} taken for {label}: {number}",
                bad=number > 0 and label != said,
            )
            for label, number in zip(labels, numbers, strict=True)
        ),
    )


def _count(value: object) -> int:
    return value if isinstance(value, int) and value > 0 else 0
