"""Comfort around commands: completion, versions, how much is said, and cleaning up."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tinyml import cli
from tinyml.cli import completion, outputs
from tinyml.model import bundle

BASH = shutil.which("bash")


def completed(*words: str) -> list[str]:
    """Return what bash offers for the last of `words`."""
    quoted = " ".join(f"'{word}'" for word in words)
    script = completion.script("bash", cli.parsers())
    code = (
        f"{script}\nCOMP_WORDS=({quoted})\nCOMP_CWORD={len(words) - 1}\n_tinyml\n"
        'printf "%s\\n" "${COMPREPLY[@]}"'
    )
    assert BASH is not None
    done = subprocess.run([BASH, "-c", code], capture_output=True, text=True, check=True)
    assert not done.stderr
    return done.stdout.split()


@pytest.mark.skipif(BASH is None, reason="there is no bash")
@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (("tinyml", "val"), ["validate"]),
        (("tinyml", "build", "--bo"), ["--board"]),
        (("tinyml", "build", "--board", "qe"), ["qemu-m4"]),
        (("tinyml", "flash", "-b", "spr"), ["spresense"]),
        (("tinyml", "inspect", "key"), ["keyword_spotting"]),
        (("tinyml", "train", "ges"), ["gesture"]),
        (("tinyml", "evaluate", "--part", "v"), ["validation"]),
        (("tinyml", "nonsense", ""), []),
    ],
)
def test_bash_completes(words: tuple[str, ...], offered: list[str]) -> None:
    assert completed(*words) == offered


@pytest.mark.parametrize("shell", completion.SHELLS)
def test_every_verb_and_option_is_in_the_script(
    shell: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["completion", shell]) == 0
    script = capsys.readouterr().out
    for verb, parser in cli.parsers().items():
        assert verb in script
        for action in parser._actions:
            for option in action.option_strings:
                assert option.lstrip("-") in script, (verb, option)


def test_zsh_script_is_bash_script_after_its_first_lines() -> None:
    script = completion.script("zsh", cli.parsers())
    assert script.startswith("#compdef tinyml\n")
    assert script.endswith(completion.script("bash", cli.parsers()))


def test_versions_name_the_tools(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--version"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("tinyml ")
    names = [line.split()[0] for line in lines]
    for name in ("Python", "numpy", "tflite-micro"):
        assert name in names


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A generated project in ./build, and a cache of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TINYML_CACHE", str(tmp_path / "cache"))
    assert cli.main(["generate", "gesture", "-q", "--runtime", "compiled"]) == 0
    return Path("build", "gesture-qemu-m4-compiled")


def test_quiet_says_results_and_errors_alone(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    Path("mine").mkdir()
    shutil.copy(bundle.load("gesture").path / "card.json", "mine")
    assert cli.main(["inspect", "-q"]) == 0  # not even which model is taken
    assert capsys.readouterr().err == ""
    assert cli.main(["inspect", "-q", "absent"]) == 2
    assert capsys.readouterr().err.startswith("error: ")
    assert cli.main(["inspect", "--verbose"]) == 0
    assert "compiling keyword_spotting" in capsys.readouterr().err
    assert cli.main(["inspect", "-q", "-v"]) == 2


def test_clean_removes_projects_and_nothing_else(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for kept in (Path("build", "trained", "card.json"), Path("build", "notes.txt")):
        kept.parent.mkdir(exist_ok=True)
        kept.write_text("{}")
    (project / ".pio").mkdir()
    (project / ".pio" / "firmware.elf").write_bytes(bytes(1000))
    capsys.readouterr()
    assert cli.main(["clean", "--dry-run", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert [each["path"] for each in document["removed"]] == [str(project)]
    assert document["removed"][0]["bytes"] > 1000
    assert project.is_dir()
    assert cli.main(["clean"]) == 0
    assert not project.exists()
    assert sorted(each.name for each in Path("build").iterdir()) == ["notes.txt", "trained"]
    capsys.readouterr()
    assert cli.main(["clean"]) == 0
    assert capsys.readouterr().out == "nothing to remove\n"
    assert cli.main(["clean", "build", "absent"]) == 2


@pytest.mark.parametrize("name", ["src/model/model.c", "src/my_own.c"])
def test_clean_keeps_what_somebody_wrote(
    name: str, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / name).write_text("mine")
    assert cli.main(["clean"]) == 0
    assert f"stays, with what was changed or added: {name}" in capsys.readouterr().err
    assert (project / name).read_text() == "mine"


def test_clean_waits_for_nobody(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with outputs.lock(project):
        assert cli.main(["clean"]) == 0
    assert "stays: " in capsys.readouterr().err
    assert project.is_dir()


def test_clean_empties_the_cache(project: Path) -> None:
    objects = Path("cache", "objects", "a.o")
    objects.parent.mkdir(parents=True)
    objects.write_bytes(b"x")
    assert cli.main(["clean", "--cache"]) == 0
    assert not objects.parent.exists()
