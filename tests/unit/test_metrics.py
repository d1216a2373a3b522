"""Figures against values computed by hand, and what must hold for any scores."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinyml.model import metrics


@pytest.mark.parametrize(
    ("right", "total", "low", "high"),
    [(0, 0, 0.0, 1.0), (0, 10, 0.0, 0.2775), (10, 10, 0.7225, 1.0), (8, 10, 0.4902, 0.9433),
     (900, 1000, 0.8798, 0.9171)],
)  # fmt: skip
def test_wilson(right: int, total: int, low: float, high: float) -> None:
    assert metrics.wilson(right, total) == (
        pytest.approx(low, abs=5e-5), pytest.approx(high, abs=5e-5),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("events", "upper"),  # half of the 95 % quantile of chi square with 2 (events + 1) degrees
    [(0, 2.9957), (1, 4.7439), (2, 6.2958), (10, 16.9622), (100, 118.0790)],
)
def test_poisson_upper(events: int, upper: float) -> None:
    assert metrics.poisson_upper(events) == pytest.approx(upper, abs=2e-3)


def test_classes_of_a_small_table() -> None:
    targets, answers = np.array([0, 0, 0, 1, 1, 2]), np.array([0, 0, 1, 1, 0, 0])
    table = metrics.confusion(targets, answers, 4)
    assert table.tolist() == [[2, 1, 0, 0], [1, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0]]
    a, b, c, d = metrics.classes("abcd", table, [None] * 4)
    assert (a.precision, a.recall, a.f1) == (0.5, pytest.approx(2 / 3), pytest.approx(4 / 7))
    assert (b.precision, b.recall, b.f1) == (0.5, 0.5, 0.5)
    assert (c.clips, c.precision, c.recall, c.f1) == (1, None, 0.0, 0.0)
    assert (d.clips, d.precision, d.recall, d.f1) == (0, None, None, None)
    assert metrics.macro_f1([a, b, c, d]) == pytest.approx((4 / 7 + 0.5 + 0.0) / 3)


def test_a_roc_by_hand() -> None:
    scores = np.array([0.9, 0.8, 0.8, 0.4, 0.1])
    found = metrics.roc(scores, np.array([True, True, False, True, False]))
    assert found is not None
    assert found.thresholds == (math.inf, 0.9, 0.8, 0.4, 0.1)
    assert found.true_positive_rate == pytest.approx((0, 1 / 3, 2 / 3, 1, 1))
    assert found.false_positive_rate == pytest.approx((0, 0, 0.5, 0.5, 1))
    assert found.auc == pytest.approx(0.75)  # 4.5 of 6 pairs are in order, the tie half
    assert metrics.roc(scores, np.ones(5, bool)) is None


@given(st.lists(st.tuples(st.integers(-128, 127), st.booleans()), min_size=2, max_size=60))
def test_a_roc_rises_from_corner_to_corner(pairs: list[tuple[int, bool]]) -> None:
    scores = np.array([score for score, _ in pairs], np.float64)
    positive = np.array([flag for _, flag in pairs])
    found = metrics.roc(scores, positive)
    if found is None:
        assert positive.all() or not positive.any()
        return
    for rates in (found.true_positive_rate, found.false_positive_rate):
        assert (rates[0], rates[-1]) == (0.0, 1.0)
        assert list(rates) == sorted(rates)
    assert list(found.thresholds) == sorted(set(found.thresholds), reverse=True)
    # The area is the share of pairs that are in order (Mann and Whitney 1947).
    better = [float(np.sign(a - b) + 1) / 2 for a in scores[positive] for b in scores[~positive]]
    assert found.auc == pytest.approx(sum(better) / len(better))


def test_a_sweep_counts_clips() -> None:
    # Labels: silence, yes, no. Two words, one taken for another, two clips of silence.
    scores = np.array(
        [[0.1, 0.8, 0.1], [0.1, 0.6, 0.3], [0.9, 0.1, 0.0], [0.3, 0.0, 0.7], [0.5, 0.4, 0.1]]
    )
    targets = np.array([1, 2, 0, 0, 1])
    low, high = metrics.sweep(scores, targets, {0}, clip_s=1.8, thresholds=(0.5, 0.75))
    assert (low.spoken, low.rejected, low.confused, low.accepted) == (3, 2, 1, 1)
    assert (high.rejected, high.confused, high.accepted) == (2, 0, 0)
    assert low.hours == pytest.approx(0.001)
    assert low.accepts_per_hour == pytest.approx(1000)
    assert high.accepts_per_hour_most == pytest.approx(2995.7, abs=1)
    assert low.reject_rate == pytest.approx(2 / 3)


def test_the_advised_threshold_misses_fewest_of_those_allowed() -> None:
    def point(threshold: float, rejected: int, accepted: int) -> metrics.OperatingPoint:
        return metrics.OperatingPoint.of(
            threshold, spoken=10, rejected=rejected, confused=0, accepted=accepted, hours=2.0
        )

    points = [point(0.3, 1, 9), point(0.5, 2, 2), point(0.6, 2, 2), point(0.9, 8, 0)]
    assert metrics.advised(points, 1.0) is points[2]
    assert metrics.advised(points, 0.5) is points[3]
    assert metrics.advised(points[:3], 0.5) is None
    silent = metrics.OperatingPoint.of(0.5, spoken=1, rejected=0, confused=0, accepted=0, hours=0.0)
    assert silent.accepts_per_hour is None
    assert metrics.advised([silent], 1.0) is None
