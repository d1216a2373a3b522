"""The model card of a bundle, `card.json`: its one reader and writer, validated by its records.

Card format 1 is a JSON object with the fields of `tinyml.records.Card`, and

format        1
name, task    str; the task names a file of `tinyml/tasks`
labels        [str], in the order of the model's scores
features      {name, params: {str: number}}: the front end; null where the input is raw
stream        the fields of `StreamConfig`; null where the model is not used on streams
quantization  {input: {scale, zero_point}, output: {scale, zero_point}}
training      the options that made it (width, seed, epochs, ...); `start`: {name, weights}, what
              training started from
learned_from  [{name, sha256}]: teachers, models whose answers it was trained to give (distillation)
data          [{source, licence, clips, use}]: where every recording came from
split         {rule, train, validation, test}: how data was divided, and counts by label
skipped       [str]: recordings that were left out, or are odd, and why
accuracy      the fields of `Accuracy`, as fractions; a board's is none of the card's: the model is
              the same there bit for bit, and `tinyml evaluate --on BOARD` measures it
estimate      the fields of `Estimate`, by cross-validation, where recordings were too few
noise         [the fields of `LayerNoise`]: what each layer loses as int8
confusion     {label said: {label recognised: count}}, int8 on the test recordings
mlperf        the MLPerf Tiny model it is; false for none; absent: see `tinyml/firmware/mlperf.py`
stand_in      true where the data was synthetic, so that the model only stands in for a real one
verdict       str: one line for users, what they can expect of it
untested      [str]: conditions and people that it was never measured on
files         {path: sha256} of every other file of the bundle

Keys up to `stream`, and `files`, must be there; what was not measured is absent. Keys that are not
known here are kept as they are.
"""

from __future__ import annotations

import dataclasses
import json
import math
import types
from collections.abc import Mapping
from functools import cache
from typing import Any, Union, cast, get_args, get_origin, get_type_hints

from tinyml.errors import ModelError
from tinyml.records import Card

FORMAT = 1
_REQUIRED = ("name", "task", "labels", "features", "stream")
_NULLABLE = ("features", "stream", "sqnr_db", "doubled", "learned_before", "float", "int8")
_LARGEST = 2**53  # beyond it not every whole number is a JSON number everywhere
_DEEPEST = 100  # nested lists and objects
_HINT = "train the model again"
_WORDS = {str: "text", int: "a whole number", float: "a number", bool: "true or false"}


def parse(text: str, where: str) -> Card:
    """Return the card that the JSON `text` of the file `where` is.

    Raises ModelError that names the field for a value of another type, a number that is not finite
    or beyond 2^53, text that is no Unicode, or settings of the stream that make no sense; and for
    another format, or text that is no JSON.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ModelError(f"cannot read {where}: {error}", _HINT) from error
    version = document.get("format") if isinstance(document, dict) else type(document).__name__
    if not isinstance(document, dict) or version != FORMAT or isinstance(version, bool):
        raise ModelError(
            f"{where} has card format {str(version)[:40]!r}; this tinyml reads {FORMAT}",
            "use the tinyml that wrote it, or train the model again",
        )
    return of(document, where)


def of(document: Mapping[str, Any], where: str = "the card") -> Card:
    """Return the card that a JSON object is; `format` may be absent. Raises what `parse` does."""
    try:
        return _card(document)
    except _InvalidError as error:
        raise ModelError(f"{where} makes no sense: {error}", _HINT) from None


def document(card: Card) -> dict[str, Any]:
    """Return `card` as the JSON object that it is on disk, `format` first."""
    known = _plain(dataclasses.replace(card, extra={}))
    del known["extra"]
    return {"format": FORMAT, **known, **card.extra}


def text(card: Card) -> str:
    """Return `card` as the text of `card.json`; equal cards give equal text."""
    return json.dumps(document(card), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def plain(record: Any) -> dict[str, Any]:
    """Return a part of a card, as `Accuracy` or `LayerNoise`, as the JSON object that it is."""
    return dict(_plain(record))


class _InvalidError(Exception):
    """A value that no card has; the text names its field."""


def _card(document: Mapping[str, Any]) -> Card:
    for name in _REQUIRED:
        if name not in document:
            raise _InvalidError(f"it has no {name}")
    known = {field.name for field in dataclasses.fields(Card)} - {"extra"}
    extra = {name: value for name, value in document.items() if name not in (*known, "format")}
    card: Card = _decoded(
        Card, {name: document[name] for name in document if name in known} | {"extra": extra}, ""
    )
    if card.stream is not None:
        _check_stream(card)
    return card


def _check_stream(card: Card) -> None:
    stream = card.stream
    assert stream is not None
    for name, value, least, most in (
        ("stride_frames", stream.stride_frames, 1, 2**15),
        ("average", stream.average, 1, 2**15),
        ("threshold", stream.threshold, 0, 1),
        ("refractory_ms", stream.refractory_ms, 0, 2**31 - 1),
        *(("background", index, 0, len(card.labels) - 1) for index in stream.background),
    ):
        if not least <= value <= most:
            raise _InvalidError(f"stream.{name} is {value}, not {least} to {most}")


@cache
def _fields(record: type) -> dict[str, tuple[str, Any, bool]]:
    """Return by JSON key: the attribute, its type, and whether the key must be there.

    The key `float` is no good name of an attribute: `float_` has an underscore, which is dropped.
    """
    hints = get_type_hints(record)
    return {
        field.name.rstrip("_"): (
            field.name,
            hints[field.name],
            field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING,
        )
        for field in dataclasses.fields(record)
    }


def _decoded(hint: Any, value: Any, where: str) -> Any:
    """Return `value` of JSON as the type `hint`; raises _InvalidError that names the field."""
    if hint is Any:
        _check_any(value, where, 0)
        return value
    kind, inner = get_origin(hint), get_args(hint)
    if kind in (types.UnionType, Union):
        return _one_of(inner, value, where)
    if dataclasses.is_dataclass(hint):
        return _record(cast(type, hint), value, where)
    if kind is tuple:
        if not isinstance(value, list | tuple):
            raise _wrong(where, value, "a list")
        if inner[1:] not in ((), (...,)) and len(value) != len(inner):
            raise _wrong(where, value, f"a list of {len(inner)}")
        of_each = inner[0]
        return tuple(_decoded(of_each, one, f"{where}[{i}]") for i, one in enumerate(value))
    if kind is not None:  # Mapping[str, X]
        if not isinstance(value, Mapping):
            raise _wrong(where, value, "an object")
        return {
            _scalar(str, name, where): _decoded(inner[1], one, _inside(where, name))
            for name, one in value.items()
        }
    return _scalar(hint, value, where)


def _one_of(hints: tuple[Any, ...], value: Any, where: str) -> Any:
    if value is None and type(None) in hints:
        return None
    wanted = [hint for hint in hints if hint is not type(None)]
    if len(wanted) > 1:  # only of scalars
        wanted = [hint for hint in wanted if isinstance(value, hint)] or wanted[:1]
    return _decoded(wanted[0], value, where)


def _record(record: type, value: Any, where: str) -> Any:
    if not isinstance(value, Mapping):
        raise _wrong(where, value, "an object")
    values = {}
    for key, (attribute, hint, needed) in _fields(record).items():
        if key in value:
            values[attribute] = _decoded(hint, value[key], _inside(where, key))
        elif needed and not _optional(hint):
            raise _InvalidError(f"{where or 'it'} has no {key}")
        elif needed:
            values[attribute] = None
    return record(**values)


def _optional(hint: Any) -> bool:
    return type(None) in get_args(hint)


def _scalar(hint: Any, value: Any, where: str) -> Any:
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return _finite(value, where)
    if not isinstance(value, hint) or (isinstance(value, bool) and hint is not bool):
        raise _wrong(where, value, _WORDS[hint])
    return _finite(value, where)


def _finite(value: Any, where: str) -> Any:
    """Return a scalar that every reader of JSON and every file takes."""
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            raise _InvalidError(f"{where} is {value[:40]!a}, which is no Unicode") from None
        if "\0" in value:
            raise _InvalidError(f"{where} has a NUL: {value[:40]!r}")
    elif isinstance(value, int | float) and not (abs(value) <= _LARGEST and math.isfinite(value)):
        shown = repr(value) if isinstance(value, float) else f"of {value.bit_length()} bits"
        raise _InvalidError(f"{where} is {shown}, not a number up to 2^53")
    return value


def _check_any(value: Any, where: str, depth: int) -> None:
    if depth > _DEEPEST:
        raise _InvalidError(f"{where[:40]} is nested more than {_DEEPEST} deep")
    if isinstance(value, Mapping):
        for name, one in value.items():
            _finite(name, where)
            _check_any(one, _inside(where, str(name)), depth + 1)
    elif isinstance(value, list | tuple):
        for number, one in enumerate(value):
            _check_any(one, f"{where}[{number}]", depth + 1)
    elif value is not None and not isinstance(value, str | int | float):
        raise _wrong(where, value, "a value of JSON")
    else:
        _finite(value, where)


def _inside(where: str, name: str) -> str:
    return f"{where}.{name}" if where else name


def _wrong(where: str, value: Any, wanted: str) -> _InvalidError:
    shown = repr(value)
    return _InvalidError(f"{where} is {shown[:60]}{'...' * (len(shown) > 60)}, not {wanted}")


def _plain(value: Any) -> Any:
    """Return records as JSON objects, without what was not stated."""
    if dataclasses.is_dataclass(value):
        items = {
            field.name.rstrip("_"): _plain(getattr(value, field.name))
            for field in dataclasses.fields(value)
        }
        return {name: one for name, one in items.items() if one is not None or name in _NULLABLE}
    if isinstance(value, Mapping):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(one) for one in value]
    return value
