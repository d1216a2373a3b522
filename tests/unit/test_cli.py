"""The command line itself: dispatch, help, exit codes, errors, and what it imports."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from types import SimpleNamespace

import pytest

from tinyml import cli, errors

HEAVY = {
    "cffi",
    "jinja2",
    "numpy",
    "platformio",
    "rich",
    "serial",
    "tensorflow",
    "tf_keras",
    "tflite_micro",
}
VERBS = {
    "bench",
    "boards",
    "build",
    "capture",
    "devices",
    "doctor",
    "evaluate",
    "flash",
    "generate",
    "inspect",
    "load",
    "models",
    "monitor",
    "quantize",
    "train",
    "validate",
}


def run_with(monkeypatch: pytest.MonkeyPatch, action: Callable[[], int]) -> int:
    """Run a made-up verb whose body is `action` through the real main()."""

    def run(args: Namespace, console: object) -> int:
        return action()

    def add_arguments(parser: ArgumentParser) -> None:
        parser.add_argument("--number", type=int)

    verb = SimpleNamespace(
        HELP="made up", EXAMPLES="tinyml made_up", add_arguments=add_arguments, run=run
    )
    monkeypatch.setattr(cli, "load", lambda name: verb)
    return cli.main(["made_up"])


def raising(error: BaseException) -> Callable[[], int]:
    def action() -> int:
        raise error

    return action


def test_every_command_of_the_design_is_there() -> None:
    assert set(cli.names()) >= VERBS


@pytest.mark.parametrize("arguments", [["--help"], *([verb, "--help"] for verb in sorted(VERBS))])
def test_help_imports_nothing_heavy(arguments: list[str]) -> None:
    code = (
        "import sys\n"
        "from tinyml.cli import main\n"
        f"code = main({arguments!r})\n"
        "print(' '.join(sorted(sys.modules)), file=sys.stderr)\n"
        "sys.exit(code)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "usage: tinyml" in done.stdout
    loaded = {name.partition(".")[0] for name in done.stderr.split()}
    assert "tinyml" in loaded
    assert not loaded & HEAVY


@pytest.mark.parametrize("verb", sorted(VERBS))
def test_every_example_parses(verb: str) -> None:
    parser = cli.parsers()[verb]
    module = cli.load(verb)
    own = [
        line.split()[2:]
        for line in module.EXAMPLES.splitlines()
        if line.startswith(f"tinyml {verb}")
    ]
    assert own, f"{verb} shows no example of itself"
    for arguments in own:
        parser.parse_args(arguments)


def test_overview_lists_the_commands(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([]) == 0
    shown = capsys.readouterr().out
    for verb in VERBS:
        assert f"  {verb} " in shown


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("tinyml ")


@pytest.mark.parametrize("arguments", [["--nonsense"], ["boards", "--nonsense"], ["--", "x"]])
def test_unknown_options_are_input_errors(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(arguments) == 2
    shown = capsys.readouterr().err
    assert shown.startswith("error: ")
    assert "hint: " in shown


def test_unknown_command_offers_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["valdate"]) == 2
    shown = capsys.readouterr().err
    assert "unknown command 'valdate'" in shown
    assert "validate" in shown


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.ConfigError("m", "h"), 2),
        (errors.DataError("m", "h"), 2),
        (errors.ModelError("m", "h"), 2),
        (errors.DoesNotFitError("m", "h"), 2),
        (errors.ToolError("m", "h"), 3),
        (errors.DeviceError("m", "h"), 3),
        (errors.DeviceTimeout("m", "h"), 3),
    ],
)
def test_errors_become_text_and_exit_codes(
    error: errors.TinymlError,
    code: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run_with(monkeypatch, raising(error)) == code
    assert capsys.readouterr().err == "error: m\nhint: h\n"


@pytest.mark.parametrize("verb", ["flash", "generate", "load", "inspect", "validate", "monitor"])
def test_with_json_an_error_is_a_document_too(
    verb: str, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [verb, "--json", "--nonsense"]
    assert cli.main(arguments) == 2
    shown = capsys.readouterr()
    assert shown.err.startswith("error: ")
    document = json.loads(shown.out)
    assert document["schema"] == "tinyml.error/1"
    assert (document["kind"], document["exit_code"]) == ("ConfigError", 2)
    assert "--nonsense" in document["message"]
    assert document["hint"] == f"see: tinyml {verb} --help"


def test_a_failed_comparison_is_1(monkeypatch: pytest.MonkeyPatch) -> None:
    assert run_with(monkeypatch, lambda: errors.EXIT_COMPARISON_FAILED) == 1


def test_a_bug_is_70_with_its_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_with(monkeypatch, raising(ZeroDivisionError("oops"))) == 70
    shown = capsys.readouterr().err
    assert "Traceback" in shown
    assert "oops" in shown


def test_interrupt_is_130_without_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_with(monkeypatch, raising(KeyboardInterrupt())) == 130
    assert capsys.readouterr().err == "interrupted\n"


@pytest.mark.parametrize("kind", [OSError, PermissionError])
def test_refusals_of_the_system_are_input_errors(
    kind: type[OSError], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_with(monkeypatch, raising(kind(28, "No space left on device", "/out/x"))) == 2
    shown = capsys.readouterr().err
    assert shown.startswith("error: /out/x: No space left on device\n")
    assert "Traceback" not in shown


def test_a_cache_that_cannot_be_written_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TINYML_CACHE", "/nowhere/cache")
    error = PermissionError(13, "Permission denied", "/nowhere/cache/objects/x")
    assert run_with(monkeypatch, raising(error)) == 2
    assert "export TINYML_CACHE=" in capsys.readouterr().err


def test_a_reader_that_has_gone_ends_it_silently() -> None:
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w") as nobody:
        done = subprocess.run(
            [sys.executable, "-m", "tinyml", "boards"],
            stdout=nobody,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
        )
    assert done.returncode == 141
    assert done.stderr == ""


def test_boards_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["boards", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["schema"] == "tinyml.boards/1"
    assert "qemu-m4" in {board["id"] for board in document["boards"]}


@pytest.mark.parametrize("verb", ["inspect", "generate", "build", "flash", "validate", "bench"])
def test_unknown_boards_offer_the_nearest(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([verb, "--board", "qemu-m5"]) == 2
    assert "qemu-m4" in capsys.readouterr().err


@pytest.mark.parametrize("verb", ["inspect", "generate", "build", "flash", "validate", "bench"])
def test_unknown_models_offer_the_nearest(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([verb, "keyword_spoting"]) == 2
    assert "keyword_spotting" in capsys.readouterr().err


@pytest.mark.parametrize("count", ["0", "-1", "many", "1.5"])
def test_counts_are_positive(count: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["bench", "--count", count]) == 2
    assert "whole number" in capsys.readouterr().err


def test_inspect_says_how_each_layer_is_computed(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["inspect", "person_detection", "--plan"]) == 0
    shown = capsys.readouterr().out
    assert "tml_conv_2d_linear_s8" in shown
    assert re.search(r"proved at [\d,]+ steps of \d+ channels", shown)
    assert re.search(r"offset +bytes +from step +to step +tensor", shown)
