"""What counts say about a classifier: answers and scores in, shares with their uncertainty out.

Pure arithmetic on numpy arrays; nothing here knows models, boards or recordings.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Table = npt.NDArray[np.int64]
CONFIDENCE = 0.95
_Z = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)


@dataclass(frozen=True)
class ClassResult:
    """One label: `clips` of it, and how the answers relate to it.

    `precision`: of the clips recognised as the label, those that were; None where there are none.
    `recall`: of the clips of the label, those recognised as it. `f1`: their harmonic mean. `auc`:
    the area under the label's ROC, None where all clips are of it, or none is.
    """

    label: str
    clips: int
    precision: float | None
    recall: float | None
    f1: float | None = None
    auc: float | None = None


@dataclass(frozen=True)
class Roc:
    """The trade of one label against all others, from the highest threshold to the lowest.

    At `thresholds[i]` the label is said where its score is at least that: of the clips of the label
    a share `true_positive_rate[i]`, of the others `false_positive_rate[i]`.
    """

    thresholds: tuple[float, ...]
    true_positive_rate: tuple[float, ...]
    false_positive_rate: tuple[float, ...]

    @property
    def auc(self) -> float:
        """The area under the curve: 1 is perfect, 0.5 is chance."""
        area = 0.0
        points = list(zip(self.false_positive_rate, self.true_positive_rate, strict=True))
        for (x0, y0), (x1, y1) in itertools.pairwise(points):
            area += (x1 - x0) * (y0 + y1) / 2
        return area


@dataclass(frozen=True)
class OperatingPoint:
    """What a threshold does: `rejected` of `spoken` words, `accepted` in `hours` without them.

    `confused`: words taken for another one, which are among the rejected. `reject_rate` is None
    where no word was spoken; `accepts_per_hour_most`, the rate that is not exceeded with 95 %
    confidence (Poisson), and `accepts_per_hour` are None where all that was heard was words.
    """

    threshold: float
    spoken: int
    rejected: int
    confused: int
    accepted: int
    hours: float
    reject_rate: float | None
    accepts_per_hour: float | None
    accepts_per_hour_most: float | None

    @classmethod
    def of(
        cls,
        threshold: float,
        *,
        spoken: int,
        rejected: int,
        confused: int,
        accepted: int,
        hours: float,
    ) -> OperatingPoint:
        """Return the point with its rates."""
        return cls(
            threshold=threshold,
            spoken=spoken,
            rejected=rejected,
            confused=confused,
            accepted=accepted,
            hours=hours,
            reject_rate=rejected / spoken if spoken else None,
            accepts_per_hour=accepted / hours if hours else None,
            accepts_per_hour_most=poisson_upper(accepted) / hours if hours else None,
        )


def wilson(right: int, total: int) -> tuple[float, float]:
    """Return the 95 % confidence interval of a share (Wilson 1927); 0..1 where nothing was counted.

    Unlike the normal approximation it holds for few clips and for shares near 0 and 1.
    """
    if total == 0:
        return 0.0, 1.0
    share, z2 = right / total, _Z * _Z
    middle = (share + z2 / (2 * total)) / (1 + z2 / total)
    half = _Z / (1 + z2 / total) * math.sqrt(share * (1 - share) / total + z2 / (4 * total**2))
    low = 0.0 if right == 0 else max(0.0, middle - half)
    return low, 1.0 if right == total else min(1.0, middle + half)


def mcnemar(lost: int, gained: int) -> float:
    """Return how probable it is that two equally good classifiers disagree as lopsidedly as this.

    Of the examples on which just one of them is right, `lost` are right by the first alone and
    `gained` by the second alone. Two-sided and exact: McNemar 1947, by the binomial distribution.
    1.0 where they never disagree.
    """
    total = lost + gained
    tail, ways = 0, 1
    for number in range(min(lost, gained) + 1):
        tail += ways
        ways = ways * (total - number) // (number + 1)  # of choosing one more
    return min(1.0, float(2 * tail / 2**total))


def poisson_upper(events: int) -> float:
    """Return the number of events that, were it the mean, would give so few in 5 % of the cases.

    For no event it is 3.0, the rule of three.
    """
    low, high = float(events), events + 10.0 + 6.0 * math.sqrt(events + 1.0)
    for _ in range(60):
        mean = (low + high) / 2
        low, high = (mean, high) if _poisson(events, mean) > 1 - CONFIDENCE else (low, mean)
    return high


def _poisson(most: int, mean: float) -> float:
    """The probability of at most `most` events where `mean` are expected."""
    logs = (k * math.log(mean) - mean - math.lgamma(k + 1) for k in range(most + 1))
    return math.fsum(math.exp(log) for log in logs) if mean > 0 else 1.0


def confusion(targets: Array, answers: Array, labels: int) -> Table:
    """Return counts [said, recognised]."""
    table = np.zeros((labels, labels), np.int64)
    np.add.at(table, (targets, answers), 1)
    return table


def classes(
    labels: Sequence[str], table: Table, rocs: Sequence[Roc | None]
) -> tuple[ClassResult, ...]:
    """Return the figures of each label from counts [said, recognised]."""
    right, said, recognised = np.diag(table), table.sum(axis=1), table.sum(axis=0)
    return tuple(
        ClassResult(
            label,
            int(said[i]),
            float(right[i] / recognised[i]) if recognised[i] else None,
            float(right[i] / said[i]) if said[i] else None,
            # 2 right / (said + recognised) is the harmonic mean, also where one of them is 0.
            float(2 * right[i] / (said[i] + recognised[i])) if said[i] else None,
            roc.auc if roc is not None else None,
        )
        for i, (label, roc) in enumerate(zip(labels, rocs, strict=True))
    )


def macro_f1(results: Sequence[ClassResult]) -> float | None:
    """Return the mean F1 of the labels that have clips: every label counts the same."""
    known = [result.f1 for result in results if result.f1 is not None]
    return math.fsum(known) / len(known) if known else None


def roc(scores: Array, positive: Array) -> Roc | None:
    """Return the ROC of `scores` [n] against `positive` [n] bool; None without both kinds.

    Equal scores are one point, so that their order does not matter.
    """
    total, others = int(positive.sum()), int((~positive).sum())
    if not total or not others:
        return None
    order = np.argsort(-scores, kind="stable")
    ranked, hits = scores[order], positive[order]
    ends = np.append(np.flatnonzero(np.diff(ranked)), len(ranked) - 1)
    true = np.cumsum(hits)[ends] / total
    false = np.cumsum(~hits)[ends] / others
    return Roc(
        (math.inf, *map(float, ranked[ends])),
        (0.0, *map(float, true)),
        (0.0, *map(float, false)),
    )


def sweep(
    scores: Array,
    targets: Array,
    background: Collection[int],
    clip_s: float,
    thresholds: Sequence[float],
) -> tuple[OperatingPoint, ...]:
    """Return what each threshold does to clips, each taken for itself.

    `scores` [n, labels]; a clip is accepted as its best label where that is none of `background`
    and scores at least the threshold. Clips of `background` labels are what lasts without words.
    """
    best, top = scores.argmax(axis=1), scores.max(axis=1)
    nothing = np.isin(targets, list(background))
    is_word = ~np.isin(best, list(background))
    points = []
    for threshold in thresholds:
        accepted = is_word & (top >= threshold)
        right = accepted & (best == targets) & ~nothing
        points.append(
            OperatingPoint.of(
                threshold,
                spoken=int((~nothing).sum()),
                rejected=int((~nothing).sum() - right.sum()),
                confused=int((accepted & ~nothing).sum() - right.sum()),
                accepted=int((accepted & nothing).sum()),
                hours=float(nothing.sum()) * clip_s / 3600,
            )
        )
    return tuple(points)


def advised(points: Sequence[OperatingPoint], most_per_hour: float) -> OperatingPoint | None:
    """Return the threshold that misses fewest words with at most `most_per_hour` false accepts.

    Of equals it is the highest. None where no threshold has so few, or all that was heard was
    words.
    """
    allowed = [
        one
        for one in points
        if one.accepts_per_hour is not None and one.accepts_per_hour <= most_per_hour
    ]
    return min(allowed, key=lambda one: (one.rejected, -one.threshold), default=None)
