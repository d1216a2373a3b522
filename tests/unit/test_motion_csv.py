"""CSV files of motion: read as written, resampled by their times, refused with the line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tinyml.errors import DataError
from tinyml.media import motion_csv


def write(folder: Path, text: str) -> Path:
    path = folder / "motion.csv"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("rate_hz", [25, 100, 119, 1000])
def test_what_is_written_is_read_again(tmp_path: Path, rate_hz: int) -> None:
    samples = np.random.default_rng(1).integers(-32768, 32768, (300, 3)).astype(np.int16)
    motion_csv.write(tmp_path / "a.csv", samples, rate_hz)
    found = motion_csv.read(tmp_path / "a.csv", rate_hz)
    assert found.shape == samples.shape
    assert np.abs(found.astype(int) - samples).max() <= (0 if rate_hz in (25, 100, 1000) else 9)
    assert [file.name for file in tmp_path.iterdir()] == ["a.csv"]


def test_columns_may_come_in_any_order_and_times_uneven(tmp_path: Path) -> None:
    path = write(
        tmp_path, "z_mg,time_ms,note,y_mg,x_mg\n3,100,a,2,1\n3,110,b,12,101\n3,140,c,42,401\n"
    )
    assert motion_csv.read(path, 100).tolist() == [
        [1, 2, 3], [101, 12, 3], [201, 22, 3], [301, 32, 3], [401, 42, 3],
    ]  # fmt: skip


HEADER = "time_ms,x_mg,y_mg,z_mg\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no column time_ms"),
        ("time_ms,x_mg,y_mg\n0,1,2\n10,1,2\n", "no column z_mg"),
        (HEADER, "holds 0 samples"),
        (HEADER + "0,1,2,3\n", "holds 1 samples"),
        (HEADER + "0,1,2,3\n10,1,2\n", "line 3"),
        (HEADER + "0,1,2,3\n10,1,2,x\n", "line 3"),
        (HEADER + "0,1,2,3\n10,1,nan,3\n", "line 3 is not finite"),
        (HEADER + "0,1,2,3\n10,1,2,inf\n", "line 3 is not finite"),
        (HEADER + "0,1,2,3\n10,1,2,3\n10,1,2,3\n", "line 4: 0 ms after"),
        (HEADER + "0,1,2,3\n10,1,2,3\n5000,1,2,3\n", "line 4: 4990 ms after"),
        (HEADER + "\n0,1,2,3\n\n10,1,2,x\n", "line 5: '10,1,2,x'"),
        (HEADER + "\n0,1,2,3\n \n10,1,2,inf\n", "line 5 is not finite"),
        ("\n" + HEADER + "\n0,1,2,3\n\n0,1,2,3\n", "line 6: 0 ms after"),
    ],
)
def test_unusable_files_are_named_with_the_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(DataError, match=message) as caught:
        motion_csv.read(write(tmp_path, text), 100)
    assert "motion.csv" in caught.value.message


def test_files_that_are_no_text_or_not_there_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(bytes(range(256)))
    for name in ("a.csv", "missing.csv"):
        with pytest.raises(DataError, match=name):
            motion_csv.read(tmp_path / name, 100)
    with pytest.raises(DataError, match="cannot be written"):
        motion_csv.write(tmp_path / "none" / "a.csv", np.zeros((2, 3), np.int16), 100)


def test_a_line_cut_off_and_a_time_that_comes_twice_are_left_out_and_said(tmp_path: Path) -> None:
    rows = [f"{10 * number},{number},2,3" for number in range(40)]
    whole, odd = motion_csv.table_noting(write(tmp_path, HEADER + "\n".join(rows)))
    assert (len(whole), odd) == (40, "")
    again = [*rows[:21], rows[20], *rows[21:]]
    table, odd = motion_csv.table_noting(write(tmp_path, HEADER + "\n".join(again)))
    assert np.array_equal(table, whole)
    assert odd == "has the time of the line before in line 23, left out"
    for cut in ("400,1", "400,1,2,", "400,1,2,-"):
        table, odd = motion_csv.table_noting(write(tmp_path, HEADER + "\n".join([*rows, cut])))
        assert np.array_equal(table, whole)
        assert odd == "is cut in its last line 42, left out"
