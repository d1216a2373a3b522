"""The terminal UI: the picture as lines of coloured text, exactly as many as fit.

Pure: a picture and a size in, text out. Whatever a device says is text here, never markup.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from tinyml.device.identity import printable
from tinyml.monitor.lines import count, describe, totals
from tinyml.monitor.picture import Heard, Picture

_SIDE_BY_SIDE = 84  # columns from which recognised labels stand beside the scores
_EIGHTHS = " ▏▎▍▌▋▊▉"
_LABEL = 16
_MOST_BAR = 40

KEYS = "Ctrl-] or Ctrl-C quits   p pauses   r resets the device   l logs   ? helps"
_SHORT_KEYS = "Ctrl-] Ctrl-C quit  p pause  r reset  l log  ? help"
HELP = (
    ("Ctrl-]  Ctrl-C  q", "quit: the device runs on"),
    ("p", "pause this picture; the device, the log and the page go on"),
    ("r", "restart the device's firmware; a clip that plays starts again"),
    ("l", "write lines to the log file from now on, or no longer"),
    ("?", "show these keys, or no longer"),
)


@dataclass(frozen=True)
class ScreenNotes:
    """What is shown beside the picture: of the monitor itself, not of the device."""

    paused: bool = False
    log: str = ""  # the file that is written, "" for none
    url: str = ""
    help: bool = False
    has_keys: bool = True
    plain: bool = False  # no characters but ASCII


def draw(picture: Picture, now: float, width: int, height: int, notes: ScreenNotes) -> Text:
    """Return `height` lines at most; `now` is the clock that `Picture.take` was given."""
    head = [_keys(width, notes), _identity(picture), _state(picture, notes), Text()]
    foot = _figures(picture, now)
    space = max(0, height - len(head) - len(foot) - 1)
    if notes.help:
        middle = [Text.assemble((f"{key:<20}", "bold"), what) for key, what in HELP]
    elif width >= _SIDE_BY_SIDE:
        middle = _beside(picture, width, space, notes)
    else:
        middle = _below(picture, width, space, notes)
    left = space - len(middle)
    said = [Text(line, "dim") for line in list(picture.lines)[-left + 1 :]] if left > 1 else []
    if said:
        middle += [Text(), *said]
    lines = [*head, *middle[:space], Text(), *foot][:height]
    text = Text("\n", no_wrap=True, overflow="crop").join(lines)
    text.no_wrap, text.overflow = True, "crop"
    # One character for another, so that colours stay where they are.
    text.plain = "".join(char if char.isprintable() or char == "\n" else "?" for char in text.plain)
    return text


def _keys(width: int, notes: ScreenNotes) -> Text:
    if not notes.has_keys:
        return Text("Ctrl-C quits", "bold")
    return Text(KEYS if len(KEYS) <= width else _SHORT_KEYS, "bold")


def _identity(picture: Picture) -> Text:
    if picture.info is None:
        return Text("connecting ...", "yellow")
    sensor = f", {picture.info.sensor} sensor" if picture.info.sensor else ""
    return Text(describe(picture) + sensor)


def _state(picture: Picture, notes: ScreenNotes) -> Text:
    text = Text()
    if picture.info is not None and not picture.is_attached:
        text.append("disconnected, waiting for it to come back: ", "bold red")
        text.append(f"{picture.reason}  ", "red")
    if notes.paused:
        text.append("paused  ", "bold yellow")
    if notes.log:
        text.append(f"logging to {notes.log}  ", "green")
    if notes.url:
        text.append(f"page at {notes.url}  ", "cyan")
    playing = picture.playing
    if playing is not None and picture.is_attached:
        said = f", said {playing.said}" if playing.said is not None else ""
        share = playing.done / max(1, playing.total)
        text.append(f"playing {playing.name}{said} ({playing.clip + 1} of {playing.clips}")
        text.append(f", {share:.0%})")
    return text


def _beside(picture: Picture, width: int, space: int, notes: ScreenNotes) -> list[Text]:
    right = _heard(picture, space, notes)
    left_width = width * 3 // 5
    left = _scores(picture, left_width, space, notes)
    lines = []
    for row in range(max(len(left), len(right))):
        line = left[row] if row < len(left) else Text()
        line.pad_right(max(0, left_width - line.cell_len))
        lines.append(Text.assemble(line, right[row] if row < len(right) else ""))
    return lines


def _below(picture: Picture, width: int, space: int, notes: ScreenNotes) -> list[Text]:
    scores = _scores(picture, width, max(3, space * 2 // 3), notes)
    left = space - len(scores) - 1
    return [*scores, Text(), *_heard(picture, left, notes)] if left > 1 else scores


def _scores(picture: Picture, width: int, space: int, notes: ScreenNotes) -> list[Text]:
    """A bar for every label; where they do not fit, the highest."""
    if picture.info is None:
        return []
    labels: Sequence[str] = picture.info.labels
    scores = [0.0] * len(labels) if picture.scores is None else picture.scores.tolist()
    order = list(range(len(labels)))
    if len(order) > space - 1:
        order = sorted(order, key=lambda index: -scores[index])[: max(0, space - 2)]
    name_width = min(_LABEL, max((cell_len(printable(label)) for label in labels), default=0))
    bar_width = max(4, min(_MOST_BAR, width - name_width - 10))
    lines = [Text("scores", "bold")]
    for index in order:
        is_top = labels[index] == picture.top and picture.scores is not None
        lines.append(
            Text.assemble(
                (set_cell_size(printable(labels[index]), name_width), "bold" if is_top else ""),
                " ",
                (_bar(scores[index], bar_width, notes.plain), "green" if is_top else "blue"),
                f" {scores[index]:5.2f}",
            )
        )
    if len(order) < len(labels):
        lines.append(Text(f"and {len(labels) - len(order)} lower ones", "dim"))
    return lines


def _bar(share: float, width: int, plain: bool) -> str:
    eighths = round(min(1.0, max(0.0, share)) * width * 8)
    if plain:
        return ("#" * (eighths // 8)).ljust(width)
    full, rest = divmod(eighths, 8)
    return ("█" * full + (_EIGHTHS[rest] if rest else "")).ljust(width)


def _heard(picture: Picture, space: int, notes: ScreenNotes) -> list[Text]:
    lines = [Text("recognised", "bold")]
    for recognition in list(picture.heard)[::-1][: max(0, space - 1)]:
        lines.append(_event(recognition, notes.plain))
    if not picture.heard:
        lines.append(Text("nothing yet", "dim"))
    return lines


def _event(recognition: Heard, plain: bool) -> Text:
    """A line of what was recognised, with a sign for as said: "right" may be a word."""
    text = Text(
        f"{recognition.second:8.2f} s  {printable(recognition.label)}  {recognition.score:.2f}"
    )
    if recognition.said is not None:
        as_said = recognition.said == recognition.label
        sign = ("+" if as_said else "-") if plain else ("\u2713" if as_said else "\u2717")
        text.append(
            f"  {sign}" + ("" if as_said else f" said {recognition.said}"),
            "green" if as_said else "red",
        )
    return text


def _figures(picture: Picture, now: float) -> list[Text]:
    """The last lines: rate and latency, losses, memory."""
    info = picture.info
    if info is None:
        return []
    rate = f"{picture.rate(now):.1f} inferences/s"
    lines = [Text(f"{rate}, at {picture.second:.1f} s of the stream")]
    if (counter := picture.counter) is not None:
        low, middle, high = counter
        time_ms = f" ({middle / info.counter_hz * 1e3:.1f} ms)" if info.counter_hz else ""
        lines.append(
            Text(f"{middle:,} {info.counter_unit} per inference{time_ms}, {low:,} to {high:,}")
        )
    bad = picture.dropped or picture.lost or picture.bad_frames
    lines.append(
        Text(
            totals(picture)
            + (f", {count(picture.connections, 'connection')}" if picture.connections > 1 else ""),
            "yellow" if bad else "",
        )
    )
    if (status := picture.device_status) is not None:
        lines.append(
            Text(
                f"arena {status.arena_used:,} of {status.arena:,} bytes, stack at most "
                f"{status.stack_used:,} of {status.stack:,}, constants {status.constants:,}; "
                f"up {status.uptime_us / 1e6:,.0f} s"
            )
        )
    return lines
