"""The pages of `tinyml train` and `tinyml quantize`: accuracy in float and int8, and doubts."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

from tinyml.model import card as cards
from tinyml.records import Accuracy, Bundle, Card, Estimate, LayerNoise
from tinyml.report import parts
from tinyml.report.confusion import matrix
from tinyml.report.page import Block, Facts, Note, Page, Section, table

_LOST = 0.01  # of accuracy: int8 loses more than that only where something is wrong
_WORST = 3  # layers that are named where it does
_NOISY = 1e-12  # of the signal: a layer that adds no more than this is exact
_FEW_TESTED = 20  # recordings: fewer leave an interval of at least 16 points
_PARTS = {"cross-validation": "recordings, by cross-validation"}


def page(bundle: Bundle, out: Path) -> Page:
    """Return the page of a model that was trained and written to `out`."""
    card = bundle.card
    accuracy, start = card.accuracy, (card.training or {}).get("start")
    assert accuracy is not None
    assert card.split is not None
    facts = Facts(
        (
            ("labels", " ".join(bundle.labels)),
            *((("started from", start["name"]),) if start else ()),
            *_accuracies(accuracy),
            ("split", card.split.rule),
        )
    )
    sections = [Section("Accuracy", (facts,))]
    if card.estimate is not None and start:
        sections.append(_estimate(card.estimate, start["name"]))
    elif _lost(accuracy) > _LOST:
        sections.append(_noise(accuracy, card.noise or ()))
    notes = [Note(doubt) for doubt in doubts(card)]
    notes.append(Note(f"try it: tinyml validate {shlex.quote(str(out))}"))
    sections.append(Section("What to know", tuple(notes)))
    if card.confusion is not None:
        confusion = matrix(bundle.labels, card.confusion)
        sections.append(Section("Confusion", (confusion,)))
    return Page(
        name="train",
        title=f"{bundle.name}, trained",
        identity=Facts((("bundle", str(out)),)),
        sections=tuple(sections),
        record={"path": out, "sha256": bundle.sha256, "card": cards.document(card)},
        details=parts.details(bundle.sha256),
    )


def quantized_page(
    bundle: Bundle,
    out: Path,
    network: str,
    agreement: str,
    worst: Sequence[LayerNoise],
    runs: bool = True,
) -> Page:
    """Return the page of a user's network that was quantized and written to `out`.

    `network` and `agreement` say of what kind it is, and how near int8 is to it; `worst`: the
    layers that add most noise; `runs`: whether a runtime takes the model.
    """
    accuracy = bundle.card.accuracy
    assert accuracy is not None
    facts = Facts(
        (
            ("network", network),
            ("size", f"{len(bundle.model):,} bytes of int8"),
            *(
                (name, f"{share:.2%} of {accuracy.test_clips:,} examples")
                for name, share in (("float", accuracy.float_), ("int8", accuracy.int8))
                if share is not None
            ),
            ("agreement", agreement),
        )
    )
    noise: tuple[Block, ...] = (
        Note("the layers that add most noise:"),
        parts.layer_noise(worst),
        Note(
            f"try it: tinyml validate {shlex.quote(str(out))}"
            if runs
            else f"no runtime here takes it; what it is: tinyml inspect {out}"
        ),
    )
    return Page(
        name="quantize",
        title=f"{bundle.name}, quantized",
        identity=Facts((("bundle", str(out)),)),
        sections=(Section("Accuracy", (facts,)), Section("Quantization noise", noise, wide=True)),
        record={"path": out, "sha256": bundle.sha256, "card": cards.document(bundle.card)},
        details=parts.details(bundle.sha256),
    )


def doubts(card: Card) -> list[str]:
    """Say why the figures of a card do not show that its model is of any use."""
    sentences = []
    if card.stand_in:
        sentences.append(
            "This model is a stand-in: it was trained and tested on synthetic recordings only."
        )
    accuracy = card.accuracy
    assert accuracy is not None
    low, high = accuracy.interval or (0.0, 1.0)
    guessing = _guessing(card)
    if low <= guessing:
        sentences.append(
            f"warning: nothing shows that this model learned anything: the interval "
            f"{_percent(low)} to {_percent(high)} is not above always saying the same, "
            f"{_percent(guessing)}"
        )
    if (clips := accuracy.test_clips) < _FEW_TESTED:
        sentences.append(
            f"warning: it was asked about {clips} recordings only; with more the interval is "
            "narrower"
        )
    return sentences


def _guessing(card: Card) -> float:
    """Return what is right of all who always say the same, the best of them."""
    counts = [sum(row.values()) for row in (card.confusion or {}).values()]
    if not any(counts) and card.split is not None and card.stream is not None:
        # Cross-validation has no matrix: it was asked about all words that it was trained on.
        background = {card.labels[index] for index in card.stream.background}
        trained_on = (card.split.train or {}).items()
        counts = [count for label, count in trained_on if label not in background]
    return max(counts) / sum(counts) if any(counts) else 1 / len(card.labels)


def _lost(accuracy: Accuracy) -> float:
    return (accuracy.float_ or 0) - (accuracy.int8 or 0)


def _accuracies(accuracy: Accuracy) -> list[tuple[str, str]]:
    """Return accuracies side by side: the same clips in float, int8, and int8 as compiled C."""
    of = f"of {accuracy.test_clips:,} {_PARTS.get(accuracy.part, 'test clips')}"
    if accuracy.left_out:
        of += f"; {accuracy.left_out:,} are left out, which the start had learned from"
    rows = [("float", f"{_percent(accuracy.float_)} {of}")]
    if accuracy.int8_without_qat is not None:
        rows.append(("int8, no QAT", _percent(accuracy.int8_without_qat)))
    low, high = accuracy.interval or (None, None)
    between = f"95 % interval {_percent(low)} to {_percent(high)}"
    rows.append(("int8", f"{_percent(accuracy.int8)}, {between}"))
    if accuracy.compiled is not None:
        rows.append(("compiled C", _percent(accuracy.compiled)))
    return rows


def _noise(accuracy: Accuracy, layers: Sequence[LayerNoise]) -> Section:
    noisy = [layer for layer in layers if layer.added > _NOISY]
    worst = sorted(noisy, key=lambda layer: -layer.added)[:_WORST]
    points = 100 * _lost(accuracy)
    return Section(
        "What int8 loses",
        (
            Note(f"int8 loses {points:.1f} points; the layers that add most noise:"),
            parts.layer_noise(worst),
            Note("try --qat, which trains with the rounding of int8"),
        ),
        wide=True,
    )


def _estimate(estimate: Estimate, start: str) -> Section:
    """Say what cross-validation says, and what more recordings would change."""
    right, accepts = _percent(estimate.right), _percent(estimate.false_accepts)
    blocks: list[Block] = [
        Note(
            "Too few recordings for a test part. Heads that did not hear a recording were asked "
            f"what\nit is: {right} right in float. Of {estimate.others} others they took "
            f"{accepts} for one of yours.\nOther people and places were not tried."
        )
    ]
    if known := estimate.learned_before:
        text = f"{known} of the {estimate.clips} recordings are among what {start} learned from"
        blocks.append(Note(f"{text}: expect less of others."))
    if estimate.curve:
        rows = [(point.recordings, _percent(point.right)) for point in estimate.curve]
        columns = ("recordings of each", "right")
        blocks.append(table(columns, rows, right=columns))
    if estimate.doubled is not None:
        doubled = f"Twice as many recordings would give about {_percent(estimate.doubled)}"
        blocks.append(Note(f"{doubled} (by the same people, extrapolated)."))
    return Section("Cross-validation", tuple(blocks))


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.2%}"
