"""Recordings as people have them: formats, units, times, labels; what is done is said."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from tinyml import cli
from tinyml.errors import ConfigError, DataError, TinymlError
from tinyml.importing import Imported, Source, Wish, folder, kinds, label_track, table
from tinyml.importing.kinds import motion as motion_kind
from tinyml.importing.kinds import sound
from tinyml.media import motion_csv, photo, wav

soundfile = pytest.importorskip("soundfile")
cbor2 = pytest.importorskip("cbor2")

RATE_HZ = 50


def moved(seed: int, count: int = 120) -> npt.NDArray[np.float64]:
    """Motion in g, [count, 3], at rest for its first third."""
    draw = np.random.default_rng(seed)
    swing = np.sin(np.arange(count) / 4)[:, np.newaxis] * draw.normal(0, 1, 3)
    swing[: count // 3] = 0
    return np.array([0.1, 0.2, 0.97]) + swing + draw.normal(0, 0.004, (count, 3))


def rows(motion: npt.NDArray[np.float64], step: float = 20, delimiter: str = ",") -> list[str]:
    return [delimiter.join([f"{at * step:g}", *(f"{v:.4f}" for v in row)])
            for at, row in enumerate(motion)]  # fmt: skip


def imported(path: Path, to: Path, wish: Wish = Wish(), **options: str) -> folder.Import:  # noqa: B008
    return folder.run(path, to, wish, **options)


def plain(motion: npt.NDArray[np.float64]) -> str:
    return "\n".join(["time_ms,x,y,z", *rows(motion)])


def spaced(motion: npt.NDArray[np.float64]) -> str:
    return "\n".join(["Time (s), Accel X (g), Accel Y (g), Accel Z (g)", *rows(motion, 0.02)])


def in_ms2(motion: npt.NDArray[np.float64]) -> str:
    return "\n".join(["timestamp,accX,accY,accZ", *rows(motion * 9.80665)])


def counts(motion: npt.NDArray[np.float64]) -> str:
    return "\n".join(["t_us,ax,ay,az", *rows(np.rint(motion * 4096), 20000)])


def tabs(motion: npt.NDArray[np.float64]) -> str:
    return "\r\n".join(["time_ms\tx_mg\ty_mg\tz_mg", *rows(motion * 1000, delimiter="\t")])


def commas(motion: npt.NDArray[np.float64]) -> str:
    return "\n".join(
        ["time;x;y;z", *(row.replace(".", ",") for row in rows(motion, delimiter=";"))]
    )


def iso(motion: npt.NDArray[np.float64]) -> str:
    lines = [f"2026-05-01T10:00:{at * 0.02:09.6f}Z,{x:.4f},{y:.4f},{z:.4f}"
             for at, (x, y, z) in enumerate(motion)]  # fmt: skip
    return "\n".join(["Timestamp,X,Y,Z", *lines])


def carriage_returns(motion: npt.NDArray[np.float64]) -> str:
    return "\r".join(["time_ms,x,y,z", *rows(motion)])


def logged(motion: npt.NDArray[np.float64]) -> str:
    lines = [f"12:00:01.{at:03d} -> {row}" for at, row in enumerate(rows(motion))]
    return "\n".join(["12:00:00.000 -> IMU ready", "12:00:00.001 -> time_ms,x,y,z", *lines])


@pytest.mark.parametrize(
    "written",
    [plain, spaced, in_ms2, counts, tabs, commas, iso, carriage_returns, logged],
    ids=lambda function: function.__name__,
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-8-sig"])
def test_motion_of_any_table_becomes_milli_g(
    tmp_path: Path, written: Callable[[npt.NDArray[np.float64]], str], encoding: str
) -> None:
    source = tmp_path / "mine"
    for label, seed in (("ring", 1), ("wing", 2)):
        (source / label).mkdir(parents=True)
        for number in range(3):
            text = written(moved(seed * 10 + number))
            (source / label / f"{number}.csv").write_bytes(text.encode(encoding))
    result = imported(source, tmp_path / "to")
    assert result.labels == {"ring": 3, "wing": 3}
    assert not result.left_out
    samples = motion_csv.read(tmp_path / "to" / "ring" / "1.csv", RATE_HZ)
    expected = moved(11) * 1000
    assert len(samples) == len(expected)
    assert np.abs(samples - expected).max() < 2
    listed = json.loads((tmp_path / "to" / folder.LIST).read_text())
    assert [entry["done"] for entry in listed["written"]] == [list(w.done) for w in result.written]


def test_lines_of_a_serial_plotter_need_only_a_rate(tmp_path: Path) -> None:
    lines = [f"x:{x:.4f},y:{y:.4f},z:{z:.4f}" for x, y, z in moved(1)]
    (tmp_path / "ring_1.txt").write_text("\n".join(["boot", *lines]))
    refused = imported(tmp_path, tmp_path.with_name(tmp_path.name + "_none"), label="ring")
    assert refused.written == ()
    assert "--rate" in refused.left_out[0].option
    result = imported(
        tmp_path, tmp_path.with_name(tmp_path.name + "_to"), Wish(rate_hz=50), label="ring"
    )
    assert result.labels == {"ring": 1}
    assert any("serial plotter" in step for step in result.written[0].done)


def test_columns_without_names_are_named_by_the_user(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("\n".join(rows(moved(1))))
    result = imported(tmp_path / "a.csv", tmp_path / "none", label="ring")
    assert "--columns" in result.left_out[0].option
    wish = Wish(columns=("time", "x", "y", "z"))
    assert imported(tmp_path / "a.csv", tmp_path / "to", wish, label="ring").labels == {"ring": 1}


def test_several_recordings_in_one_file_are_told_apart(tmp_path: Path) -> None:
    labelled = [f"{row},{label}" for label in ("ring", "wing") for row in rows(moved(len(label)))]
    (tmp_path / "a.csv").write_text("\n".join(["t,x,y,z,label", *labelled]))
    assert imported(tmp_path / "a.csv", tmp_path / "1").labels == {"ring": 1, "wing": 1}
    parted = [*rows(moved(1)), "", *rows(moved(2)), "-,-,-,-", *rows(moved(3))]
    (tmp_path / "b.csv").write_text("\n".join(["t,x,y,z", *parted]))
    assert imported(tmp_path / "b.csv", tmp_path / "2", label="ring").labels == {"ring": 3}


@pytest.mark.parametrize("unit", ["", "m/s2", "mg"])
def test_a_unit_can_be_forced_and_what_fits_none_is_refused(tmp_path: Path, unit: str) -> None:
    (tmp_path / "a.csv").write_text("\n".join(["time_ms,x,y,z", *rows(moved(1) * 37)]))
    result = imported(tmp_path / "a.csv", tmp_path / "to", Wish(unit=unit), label="ring")
    if unit:
        assert result.written[0].done[-1] == f"acceleration in {unit}, as asked"
    else:
        assert "no unit that is known" in result.left_out[0].why
        assert "--unit" in result.left_out[0].option


def test_counts_of_a_known_range(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("\n".join(["time_ms,x,y,z", *rows(moved(1) * 32768 / 16)]))
    imported(tmp_path / "a.csv", tmp_path / "to", Wish(range_g=16), label="ring")
    samples = motion_csv.read(tmp_path / "to" / "ring" / "a.csv", RATE_HZ)
    assert np.abs(samples - moved(1) * 1000).max() < 2


def test_rotation_comes_along_in_tenths_of_degrees(tmp_path: Path) -> None:
    turned = [f"{row},{10 * at % 90},1,-2" for at, row in enumerate(rows(moved(1)))]
    header = "time_ms,ax,ay,az,gx (deg/s),gy (deg/s),gz (deg/s)"
    (tmp_path / "a.csv").write_text("\n".join([header, *turned]))
    imported(tmp_path / "a.csv", tmp_path / "to", label="ring")
    columns = (*motion_csv.COLUMNS, *motion_csv.ROTATION)
    samples = motion_csv.read(tmp_path / "to" / "ring" / "a.csv", RATE_HZ, columns)
    assert samples[:3, 3:].tolist() == [[0, 10, -20], [100, 10, -20], [200, 10, -20]]


@pytest.mark.parametrize("ending", [".json", ".cbor"])
def test_exports_of_edge_impulse(tmp_path: Path, ending: str) -> None:
    units = ["m/s2"] * 3
    payload = {
        "device_type": "X", "interval_ms": 20, "values": (moved(1) * 9.80665).tolist(),
        "sensors": [{"name": f"acc{a}", "units": u} for a, u in zip("XYZ", units, strict=True)],
    }  # fmt: skip
    document = {"protected": {"alg": "none"}, "signature": "00", "payload": payload}
    encoded = json.dumps(document).encode() if ending == ".json" else cbor2.dumps(document)
    (tmp_path / f"ring.1a2b3c{ending}").write_bytes(encoded)
    result = imported(tmp_path, tmp_path.with_name(tmp_path.name + "_to"))
    assert result.labels == {"ring": 1}
    samples = motion_csv.read(
        tmp_path.with_name(tmp_path.name + "_to") / "ring" / "ring.1a2b3c.csv", RATE_HZ
    )
    assert np.abs(samples - moved(1) * 1000).max() < 2


def spoken(*at: float, seconds: float = 4, rate: int = wav.RATE_HZ) -> npt.NDArray[np.float64]:
    """Faint noise with half a second of a tone at each of the seconds `at`."""
    draw = np.random.default_rng(1)
    samples = draw.normal(0, 0.001, round(seconds * rate))
    for start in at:
        first = round(start * rate)
        samples[first : first + rate // 2] += 0.3 * np.sin(np.arange(rate // 2) * 2500 / rate)
    return samples


@pytest.mark.parametrize(
    ("name", "subtype", "rate"),
    [
        ("a.wav", "PCM_24", 44100),
        ("a.wav", "FLOAT", 48000),
        ("a.wav", "PCM_U8", 8000),
        ("a.flac", "PCM_16", 22050),
        ("a.ogg", "VORBIS", 44100),
        ("a.mp3", "MPEG_LAYER_III", 44100),
        ("a.aiff", "PCM_16", 16000),
    ],
)
@pytest.mark.parametrize("channels", [1, 2])
def test_sound_of_any_format_becomes_sixteen_kilohertz(
    tmp_path: Path, name: str, subtype: str, rate: int, channels: int
) -> None:
    (tmp_path / "yes").mkdir()
    values = np.stack([spoken(0.3, seconds=1.2, rate=rate)] * channels, axis=1)
    soundfile.write(str(tmp_path / "yes" / name), values, rate, subtype=subtype)
    result = imported(tmp_path, tmp_path.with_name(tmp_path.name + "_to"))
    samples = wav.read(tmp_path.with_name(tmp_path.name + "_to") / "yes" / "a.wav")
    assert abs(len(samples) - 1.2 * wav.RATE_HZ) < 0.1 * wav.RATE_HZ
    middle = samples[round(0.45 * wav.RATE_HZ) : round(0.65 * wav.RATE_HZ)].astype(float)
    assert 0.19 < np.sqrt(np.mean(middle**2)) / 32768 < 0.23  # 0.3 / sqrt(2)
    assert (rate == wav.RATE_HZ) == (not any("Hz" in step for step in result.written[0].done))


def test_long_sound_is_cut_into_words_and_backgrounds_stay_whole(tmp_path: Path) -> None:
    for name in ("yes/a.wav", "_background_noise_/b.wav", "no/quiet.wav"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
    soundfile.write(str(tmp_path / "yes" / "a.wav"), spoken(0.1, 1.6, 3.3), 16000)
    soundfile.write(str(tmp_path / "_background_noise_" / "b.wav"), spoken(seconds=9), 16000)
    soundfile.write(str(tmp_path / "no" / "quiet.wav"), np.zeros(48000), 16000)
    result = imported(tmp_path, tmp_path.with_name(tmp_path.name + "_to"))
    assert result.labels == {"_background_noise_": 1, "yes": 3}
    clips = [
        wav.read(tmp_path.with_name(tmp_path.name + "_to") / "yes" / f"a_{n}.wav")
        for n in (1, 2, 3)
    ]
    for clip in clips:
        loud = np.flatnonzero(np.abs(clip.astype(np.int32)) > 5000)
        assert loud[-1] - loud[0] > 0.49 * wav.RATE_HZ
        assert 0.9 * wav.RATE_HZ <= len(clip) < 1.5 * wav.RATE_HZ
    (left,) = result.left_out
    assert "no word was heard" in left.why
    assert (
        len(wav.read(tmp_path.with_name(tmp_path.name + "_to") / "_background_noise_" / "b.wav"))
        == 9 * 16000
    )


def _apart(tenths: list[int]) -> list[float]:
    """Seconds at which words begin that do not lie over each other."""
    starts: list[float] = []
    for each in tenths:
        if not starts or each / 10 >= starts[-1] + 0.5:
            starts.append(each / 10)
    return starts


@settings(max_examples=60, deadline=None)
@given(st.sets(st.integers(0, 90), max_size=6).map(lambda tenths: _apart(sorted(tenths))))
def test_words_are_whole_and_do_not_overlap(at: list[float]) -> None:
    samples = (spoken(*at, seconds=10) * 32767).clip(-32768, 32767).astype(np.int16)
    spans = sound.words(samples)
    assert bool(spans) == bool(at)
    assert all(0 <= start < end <= len(samples) for start, end in spans)
    covered = np.zeros(len(samples), bool)
    for start, end in spans:
        covered[start:end] = True
    loud = np.flatnonzero(np.abs(samples.astype(np.int32)) > 6000)
    assert covered[loud].all()


@pytest.mark.parametrize(
    "text",
    [
        "0.0\t1.0\tyes\n\\\t0\t8000\n1.5\t2.5\tno\n",
        "start,end,label\n0,1,yes\n1.5,2.5,no\n",
        "0;1;yes\n1.5;2.5;no\n",
    ],
)
def test_a_label_track_says_what_lies_where(tmp_path: Path, text: str) -> None:
    track, whole = tmp_path / "labels.txt", tmp_path / "a.wav"
    track.write_text(text)
    soundfile.write(str(whole), spoken(0.2, 1.7), 16000)
    result = imported(whole, tmp_path / "to", Wish(regions=label_track.read(track)))
    assert result.labels == {"no": 1, "yes": 1}
    assert len(wav.read(tmp_path / "to" / "yes" / "a_1.wav")) == 16000


@pytest.mark.parametrize("text", ["", "0\t1\n", "2\t1\tyes\n", "a\tb\tc\nx\ty\tz\n"])
def test_other_files_are_no_label_track(tmp_path: Path, text: str) -> None:
    (tmp_path / "labels.txt").write_text(text)
    with pytest.raises(DataError):
        label_track.read(tmp_path / "labels.txt")


@pytest.mark.parametrize(
    ("name", "mode", "options"),
    [
        ("a.jpg", "RGB", {}),
        ("a.jpg", "CMYK", {}),
        ("a.webp", "RGB", {}),
        ("a.gif", "P", {}),
        ("a.bmp", "RGB", {}),
        ("a.tiff", "RGB", {}),
        ("a.png", "I;16", {}),
        ("a.png", "RGBA", {}),
        ("a.png", "1", {}),
    ],
)
def test_pictures_of_any_mode_become_png(
    tmp_path: Path, name: str, mode: str, options: dict[str, str]
) -> None:
    source = tmp_path / "in" / "cat"
    source.mkdir(parents=True)
    ramp = np.tile(np.linspace(0, 255, 40, dtype=np.uint8), (30, 1))
    if mode == "I;16":
        image = Image.fromarray(ramp.astype(np.uint16) << 4)  # 12 bits
    else:
        image = Image.fromarray(ramp).convert("RGB").convert(mode)
    image.save(source / name, **options)
    result = imported(tmp_path / "in", tmp_path / "to")
    pixels = photo.read(tmp_path / "to" / "cat" / "a.png")
    assert pixels.shape[:2] == (30, 40)
    assert pixels.dtype == np.uint8
    assert int(pixels[15, 1].max()) < 60
    assert int(pixels[15, 38].min()) > 200
    assert result.labels == {"cat": 1}


def test_pictures_are_turned_as_exif_says(tmp_path: Path) -> None:
    image = Image.fromarray(np.zeros((20, 60, 3), np.uint8))
    exif = image.getexif()
    exif[0x0112] = 6
    (tmp_path / "in").mkdir()
    image.save(tmp_path / "in" / "a.jpg", exif=exif)
    result = imported(tmp_path / "in", tmp_path / "to", label="cat")
    assert photo.read(tmp_path / "to" / "cat" / "a.png").shape[:2] == (60, 20)
    assert "turned upright, as EXIF says" in result.written[0].done


def test_the_source_stays_as_it_is_and_nothing_is_overwritten(tmp_path: Path) -> None:
    source, to = tmp_path / "in", tmp_path / "to"
    source.mkdir()
    (source / "ring_1.csv").write_text(plain(moved(1)))
    with pytest.raises(ConfigError, match="lies in"):
        imported(source, source / "out", label="ring")
    imported(source, to, label="ring")
    with pytest.raises(ConfigError, match="is there already"):
        imported(source, to, label="ring")
    with pytest.raises(DataError, match="does not exist"):
        imported(tmp_path / "nothing", tmp_path / "no", label="x")
    assert [path.name for path in source.iterdir()] == ["ring_1.csv"]


def test_names_are_labels_where_all_are_a_word_and_a_number(tmp_path: Path) -> None:
    source = tmp_path / "in"
    source.mkdir()
    for name in ("ring_1", "ring_2", "Big Wing (3)"):
        (source / f"{name}.csv").write_text(plain(moved(len(name))))
    assert imported(source, tmp_path / "to").labels == {"Big Wing": 1, "ring": 2}
    assert (tmp_path / "to" / "Big Wing" / "Big_Wing_3_.csv").is_file()


@pytest.mark.parametrize("label", ["..", "a/b", "\\x", "\u202ex"])
def test_labels_that_would_leave_the_folder_are_refused(tmp_path: Path, label: str) -> None:
    lines = [f"{row},{label}" for row in rows(moved(1))]
    (tmp_path / "a.csv").write_text("\n".join(["t,x,y,z,label", *lines]))
    with pytest.raises(DataError):
        imported(tmp_path / "a.csv", tmp_path / "to")
    assert not (tmp_path / "b").exists()


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(contents=st.binary(max_size=300), kind=st.sampled_from(kinds.names()), data=st.data())
def test_any_bytes_are_refused_without_a_traceback(
    tmp_path: Path, contents: bytes, kind: str, data: st.DataObject
) -> None:
    chosen = kinds.load(kind)
    path = tmp_path / f"x{data.draw(st.sampled_from(chosen.SUFFIXES))}"
    path.write_bytes(contents)
    with contextlib.suppress(TinymlError):
        list(chosen.pieces([Source(path, "x")], Wish()))


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.text("0123456789.,;:-+eE \t\nxyzt\"'#nainf", max_size=400))
def test_any_text_is_a_table_or_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "x.csv"
    path.write_text(text)
    try:
        found = table.read(path)
    except DataError:
        return
    assert len(found.rows) == len(found.lines)
    assert len({len(row) for row in found.rows}) == 1
    list(kinds.load("motion").pieces([Source(path, "x")], Wish()))


def test_the_command_says_what_it_did(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "in" / "ring").mkdir(parents=True)
    (tmp_path / "in" / "ring" / "1.csv").write_text(in_ms2(moved(1)))
    (tmp_path / "in" / "ring" / "2.csv").write_text("nothing")
    assert cli.main(["import", str(tmp_path / "in"), "--to", str(tmp_path / "to")]) == 0
    shown = capsys.readouterr().out
    assert "acceleration in m/s2: measures 9.7" in shown
    assert "2.csv: has no rows of three numbers" in shown
    assert f"tinyml train gesture --data {tmp_path / 'to'}" in shown
    assert (
        cli.main(["import", str(tmp_path / "in"), "--to", str(tmp_path / "b"), "--unit", "f"]) == 2
    )


def test_an_interrupted_import_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, target = tmp_path / "in", tmp_path / "to"
    (source / "ring").mkdir(parents=True)
    for number in range(3):
        (source / "ring" / f"{number}.csv").write_text(plain(moved(number)))
    right, calls = motion_csv.write, []

    def interrupted(*arguments: object) -> None:
        calls.append(arguments)
        if len(calls) == 2:
            raise KeyboardInterrupt
        right(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(motion_csv, "write", interrupted)
    with pytest.raises(KeyboardInterrupt):
        imported(source, target)
    assert [path.name for path in tmp_path.iterdir()] == ["in"]
    monkeypatch.undo()
    assert imported(source, target).labels == {"ring": 3}


def test_gravity_that_was_taken_out_cannot_be_given_back(tmp_path: Path) -> None:
    linear = moved(1) - moved(1).mean(0)
    linear[:40] += np.random.default_rng(1).normal(0, 0.3, (40, 3))
    (tmp_path / "a.csv").write_text("\n".join(["time_ms,x,y,z", *rows(linear)]))
    (left,) = imported(tmp_path / "a.csv", tmp_path / "to", label="ring").left_out
    assert "gravity was taken out" in left.why
    assert left.option == ""


def test_a_pause_parts_recordings(tmp_path: Path) -> None:
    """How something moved while nothing was recorded is not known, and no line is drawn there."""
    steps = [*range(0, 1000, 20), *range(10_000, 11_000, 20)]
    lines = "\n".join(f"{ms},{ms % 60},0,1000" for ms in steps)
    (tmp_path / "log.csv").write_text(f"time_ms,x_mg,y_mg,z_mg\n{lines}\n")
    source = Source(tmp_path / "log.csv", "")
    found = list(motion_kind.pieces([source], Wish()))
    assert [piece.number for piece in found if isinstance(piece, Imported)] == [1, 2]
    assert all("parted" in " ".join(piece.done) for piece in found if isinstance(piece, Imported))
