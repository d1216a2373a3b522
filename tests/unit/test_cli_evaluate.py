"""`tinyml evaluate` as a person types it: several places, streams, reports, and what is refused."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
import recordings

from tinyml import cli
from tinyml.model import bundle

pytestmark = pytest.mark.needs_cc


@pytest.fixture(scope="module")
def tones(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return recordings.make(tmp_path_factory.mktemp("tones"))


@pytest.fixture(autouse=True)
def _without_float_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The float weights need TensorFlow."""
    load = bundle.load

    def lean(name: str) -> Any:
        return dataclasses.replace(load(name), path=tmp_path)

    monkeypatch.setattr(bundle, "load", lean)


def test_places_side_by_side_and_a_page(
    tones: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "page.html"
    given = ["evaluate", "--data", str(tones), "--part", "all", "--on", "oracle", "host"]
    assert cli.main([*given, "--json", "--report", str(page)]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["schema"] == "tinyml.evaluate/1"
    assert [(one["on"], one["different"]) for one in document["places"]] == [
        ("oracle", 0),
        ("host", 0),
    ]
    assert document["accuracy"] == document["places"][1]["accuracy"]
    assert "oracle and host give the same scores" in page.read_text(encoding="utf-8")
    assert cli.main(given) == 0
    shown = capsys.readouterr().out
    assert f"int8        {document['accuracy']:.2%}, 95 % interval" in shown
    assert shown.endswith("PASSED: oracle and host give the same scores\n")


def test_a_stream(tones: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = ["evaluate", "--data", str(tones), "--part", "all", "--stream", "--minutes", "1"]
    assert cli.main([*given, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["schema"] == "tinyml.spotting/1"
    assert document["on"] == "host"
    assert document["stream_s"] == pytest.approx(60, abs=3)
    assert document["card"]["spoken"] == sum(one["spoken"] for one in document["words"])
    assert cli.main(given) == 0
    assert f"of which {document['card']['rejected']} missed" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["--on", "oracel"], "oracle"),
        (["--on", "oracle", "qemu-m4", "nano33ble", "--port", "auto"], "one board"),
        (["--report", "page.pdf"], "ends in none of"),
        (["--report", "absent/page.html"], "mkdir -p"),
        (["--false-accepts", "-1"], "not a number of at least 0"),
        (["--stream", "--seed", "-1"], "not a whole number of at least 0"),
        (["--minutes", "3"], "add --stream"),
        (["--seed", "0"], "add --stream"),
    ],
)
def test_what_cannot_be_is_refused_before_any_work(
    given: list[str], said: str, tones: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["evaluate", "--data", str(tones), *given]) == 2
    assert said in capsys.readouterr().err
