import re
from pathlib import Path

import pytest

from tinyml import paths, runtimes
from tinyml.device import kinds
from tinyml.errors import ConfigError
from tinyml.firmware import board_keys, boards

GOOD = """\
[env:new_board]
platform = vendor@~1.2.0
board = chip  ; the name PlatformIO knows
custom_name = New Board
custom_template = arduino
custom_cpu = cortex-m4
custom_flash_bytes = 1048576
custom_ram_bytes = 131072
custom_link = serial
custom_timing = cycles
custom_runtime = compiled
"""


def write(folder: Path, text: str) -> Path:
    file = folder / "new_board.ini"
    file.write_text(text)
    return file


@pytest.mark.parametrize("name", boards.names())
def test_every_shipped_board_loads_and_has_its_template(name: str) -> None:
    board = boards.load(name)
    assert board.id == name
    assert (paths.shared("firmware_templates") / board.template).is_dir()
    assert board.runtime in runtimes.names()
    assert kinds.of(board)


def test_the_default_board_has_the_memory_of_a_nano_33_ble() -> None:
    board = boards.load(boards.DEFAULT)
    assert (board.flash_bytes, board.ram_bytes) == (960 * 1024, 256 * 1024)
    assert board.options["platform"] == "symlink://platforms/qemu_m4"


def test_a_board_file_is_all_that_a_board_needs(tmp_path: Path) -> None:
    board = boards.read(write(tmp_path, GOOD))
    assert (board.id, board.name, board.template) == ("new_board", "New Board", "arduino")
    assert (board.flash_bytes, board.ram_bytes) == (1048576, 131072)
    assert board.options["platform"] == "vendor@~1.2.0"
    assert board.options["board"] == "chip"
    assert board.options["custom_link"] == "serial"
    assert (board.shared_memory, board.stack_bytes) == (False, 0)


def test_one_memory_for_all_is_a_field(tmp_path: Path) -> None:
    text = GOOD + "custom_memory = shared\ncustom_stack_bytes = 8192\n"
    board = boards.read(write(tmp_path, text))
    assert (board.shared_memory, board.stack_bytes) == (True, 8192)


def test_an_unknown_board_comes_back_with_the_nearest_name() -> None:
    with pytest.raises(ConfigError, match=r"qemu_m4.*did you mean qemu-m4"):
        boards.load("qemu_m4")


@pytest.mark.parametrize("name", ["../boards/qemu-m4", "", "/etc/passwd"])
def test_a_path_is_not_a_board(name: str) -> None:
    with pytest.raises(ConfigError, match="no board"):
        boards.load(name)


@pytest.mark.parametrize("key", [line.split(" = ")[0] for line in GOOD.splitlines()[3:]])
def test_a_missing_field_is_named(tmp_path: Path, key: str) -> None:
    text = "\n".join(line for line in GOOD.splitlines() if not line.startswith(key))
    with pytest.raises(ConfigError, match=f"new_board.ini: {key} is missing"):
        boards.read(write(tmp_path, text))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("custom_flash_bytes", "1M"),
        ("custom_flash_bytes", "0"),
        ("custom_ram_bytes", "-1"),
        ("custom_ram_bytes", "1.5"),
        ("custom_memory", "one"),
        ("custom_stack_bytes", "8k"),
        ("custom_timing", "seconds"),
    ],
)
def test_a_bad_value_is_named_with_its_key(tmp_path: Path, key: str, value: str) -> None:
    lines = [line for line in GOOD.splitlines() if not line.startswith(key)]
    lines.append(f"{key} = {value}")
    with pytest.raises(ConfigError, match=rf"new_board.ini: {key} is '{value}', must be"):
        boards.read(write(tmp_path, "\n".join(lines)))


@pytest.mark.parametrize(
    "text", ["", "[env:other]\n", GOOD + "[env:second]\n", "no section\n", "\0", GOOD + GOOD]
)
def test_a_file_that_is_not_one_board_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError, match=r"new_board\.ini"):
        boards.read(write(tmp_path, text))


def test_a_missing_platform_is_named(tmp_path: Path) -> None:
    text = GOOD.replace("platform = vendor@~1.2.0\n", "")
    with pytest.raises(ConfigError, match="platform is missing"):
        boards.read(write(tmp_path, text))


def test_a_board_states_only_what_differs_from_another(tmp_path: Path) -> None:
    write(tmp_path, GOOD)
    second = tmp_path / "second.ini"
    second.write_text(
        "[env:second]\nextends = env:new_board\ncustom_name = Second\nboard = other\n"
    )
    board = boards.read(second)
    assert (board.id, board.name, board.ram_bytes) == ("second", "Second", 131072)
    assert board.options["board"] == "other"
    assert "extends" not in board.options  # a project has one environment only


@pytest.mark.parametrize("extended", ["env:none", "new_board", "env:second", "env:../new_board"])
def test_what_cannot_be_extended_is_refused(tmp_path: Path, extended: str) -> None:
    write(tmp_path, GOOD)
    second = tmp_path / "second.ini"
    second.write_text(f"[env:second]\nextends = {extended}\n")
    with pytest.raises(ConfigError, match=r"second\.ini"):
        boards.read(second)


@pytest.mark.needs_pio
@pytest.mark.parametrize("name", boards.names())
def test_platformio_reads_of_a_board_what_we_read(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from platformio.project.config import ProjectConfig

    file = tmp_path / "platformio.ini"
    file.write_text(f"[platformio]\nextra_configs = {paths.shared('boards')}/*.ini\n")
    config = ProjectConfig(str(file))
    for key, value in boards.load(name).options.items():
        if key.startswith("custom_") and "${" not in value:
            assert config.get(f"env:{name}", key).strip() == value.strip(), key


def test_an_unknown_key_of_ours_comes_back_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"new_board\.ini: there is no key custom_sensor"
    ) as caught:
        boards.read(write(tmp_path, GOOD + "custom_sensor = pdm\n"))
    assert "custom_sensors" in caught.value.hint


def test_every_key_is_read_somewhere() -> None:
    """A key that nothing reads is documentation of nothing."""
    folders = (paths.shared("firmware_templates"), Path(boards.__file__).parents[1])
    texts = [
        file.read_text(encoding="utf-8")
        for folder in folders
        for file in folder.rglob("*")
        if file.suffix in {".py", ".j2", ".ini"} and file.name != "board_keys.py"
    ]
    for name in board_keys.KEYS:
        word = re.compile(rf"\bcustom_{name}\b|fields\[\"{name}\"\]")
        assert any(word.search(text) for text in texts), name
