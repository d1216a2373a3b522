"""Public data sets by name, from a server on this machine that does everything wrong."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from file_server import Server
from PIL import Image

from tinyml import cli, tasks
from tinyml.datasets import PARTS, TEST, VALIDATION, check, coco, public, split
from tinyml.datasets.public import coco as public_coco
from tinyml.datasets.public import magic_wand, speech_commands
from tinyml.errors import ConfigError, DataError, ToolError
from tinyml.media import wav
from tinyml.platforms.download import File


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    server = Server()
    monkeypatch.setenv("TINYML_CACHE", str(tmp_path / "cache"))
    for module in (speech_commands, magic_wand):
        monkeypatch.setattr(module, "FILE", File(f"{server.url}/{module.FILE.name}"))
    annotations = File(f"{server.url}/{public_coco.ANNOTATIONS.name}")
    monkeypatch.setattr(public_coco, "ANNOTATIONS", annotations)
    monkeypatch.setattr(public_coco, "SITE", server.url)
    yield server
    server.close()


def packed(files: dict[str, bytes], *others: tarfile.TarInfo) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz", compresslevel=1) as tar:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
        for info in others:
            tar.addfile(info)
    return out.getvalue()


def words(tmp_path: Path, speakers: int = 8) -> bytes:
    """Return Speech Commands in small: two words and its lists."""
    files = {}
    names = [f"{number:08x}" for number in range(speakers)]
    for seed, word in enumerate(("no", "yes")):
        for number, name in enumerate(names):
            random = np.random.default_rng([seed, number])
            file = tmp_path / "clip.wav"
            wav.write(file, random.integers(-9000, 9000, 4000).astype(np.int16))
            files[f"./{word}/{name}_nohash_0.wav"] = file.read_bytes()
    lists = {"validation": names[:1], "testing": names[1:3]}
    for part, some in lists.items():
        text = "".join(f"{word}/{one}_nohash_0.wav\n" for word in ("no", "yes") for one in some)
        files[f"./{part}_list.txt"] = text.encode()
    return packed(files)


SOUNDS = "/speech_commands_v0.02.tar.gz"


def test_a_name_is_downloaded_once_and_its_lists_are_followed(
    tmp_path: Path, server: Server
) -> None:
    server.files[SOUNDS] = words(tmp_path)
    seen: list[tuple[int, int]] = []
    folder = public.resolve(
        Path("speech_commands"), "keyword_spotting", lambda *step: seen.append(step)
    )
    assert folder == tmp_path / "cache" / "datasets" / "speech_commands"
    assert seen[-1] == (len(server.files[SOUNDS]),) * 2
    parts = split(tasks.load("keyword_spotting").read(folder)).parts
    assert {one.group for one in parts[VALIDATION]} == {"00000000"}
    assert {one.group for one in parts[TEST]} == {"00000001", "00000002"}
    assert public.resolve(Path("speech_commands"), "keyword_spotting") == folder
    assert len(server.asked) == 1


def test_a_folder_that_is_there_is_no_name(
    tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "magic_wand").mkdir()
    assert public.resolve(Path("magic_wand"), "gesture") == Path("magic_wand")
    assert public.resolve(Path("some/where"), "gesture") == Path("some/where")
    assert server.asked == []


def test_names_that_make_no_sense_are_refused(server: Server) -> None:
    with pytest.raises(DataError, match="no folder speech_comands") as caught:
        public.resolve(Path("speech_comands"), "keyword_spotting")
    assert "did you mean speech_commands" in caught.value.hint
    with pytest.raises(ConfigError, match="magic_wand is a data set for gesture"):
        public.resolve(Path("magic_wand"), "keyword_spotting")
    with pytest.raises(ToolError, match="magic_wand comes as a whole, not 5 of it"):
        public.resolve(Path("magic_wand:5"), "gesture")
    for count in ("0", "abc", "-3", "2,000", ""):
        with pytest.raises(ConfigError, match=f"'{count}' in coco:{count} is no number") as caught:
            public.resolve(Path(f"coco:{count}"), "person_detection")
        assert "coco:500" in caught.value.hint


@pytest.mark.parametrize("ranges", [True, False])
def test_an_interrupted_download_goes_on(tmp_path: Path, server: Server, ranges: bool) -> None:
    server.files[SOUNDS] = words(tmp_path)
    server.cut, server.ranges = [1000], ranges
    with pytest.raises(ToolError, match=r"ended after 1,000 of [\d,]+ bytes") as caught:
        public.resolve(Path("speech_commands"), "keyword_spotting")
    assert f"fetch it by hand into {tmp_path / 'cache' / 'downloads'}" in caught.value.hint
    folder = public.resolve(Path("speech_commands"), "keyword_spotting")
    assert len(list(folder.rglob("*.wav"))) == 16
    assert server.asked == [(SOUNDS, None), (SOUNDS, "bytes=1000-")]


def test_what_was_fetched_by_hand_needs_no_network(tmp_path: Path, server: Server) -> None:
    content = words(tmp_path)
    server.close()
    with pytest.raises(ToolError, match="cannot be downloaded") as caught:
        public.resolve(Path("speech_commands"), "keyword_spotting")
    downloads = tmp_path / "cache" / "downloads"
    assert str(downloads) in caught.value.hint
    (downloads / SOUNDS[1:]).write_bytes(content)
    assert public.resolve(Path("speech_commands"), "keyword_spotting").is_dir()


def test_another_content_than_published_or_than_before_is_refused(
    tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = words(tmp_path)
    server.files[SOUNDS] = content
    url = f"{server.url}{SOUNDS}"
    for digest in ("sha256:" + "0" * 64, "sha1:" + "0" * 40):
        monkeypatch.setattr(speech_commands, "FILE", File(url, len(content), digest))
        with pytest.raises(ToolError, match=r"has SHA-(1|256) [0-9a-f]+, must have 0+"):
            public.resolve(Path("speech_commands"), "keyword_spotting")
    monkeypatch.setattr(speech_commands, "FILE", File(url, len(content) - 1))
    with pytest.raises(ToolError, match=r"must have [\d,]+"):
        public.resolve(Path("speech_commands"), "keyword_spotting")
    right = f"sha1:{hashlib.sha1(content).hexdigest()}"
    monkeypatch.setattr(speech_commands, "FILE", File(url, len(content), right))
    folder = public.resolve(Path("speech_commands"), "keyword_spotting")
    # Where nobody publishes a digest, the first download's counts.
    folder.rename(tmp_path / "aside")
    (tmp_path / "cache" / "downloads" / SOUNDS[1:]).unlink()
    server.files[SOUNDS] = words(tmp_path, speakers=7)
    monkeypatch.setattr(speech_commands, "FILE", File(url))
    with pytest.raises(ToolError, match="as at the first install"):
        public.resolve(Path("speech_commands"), "keyword_spotting")
    assert not folder.exists()


def _member(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    return info


@pytest.mark.parametrize(
    "member",
    [
        _member("../../../escaped.txt"),
        _member("/tmp/escaped.txt"),
        _member("ring/link.txt", tarfile.SYMTYPE, "/etc/passwd"),
        _member("ring/hard.txt", tarfile.LNKTYPE, "../../escaped.txt"),
        _member("ring/device.txt", tarfile.CHRTYPE),
    ],
)
def test_an_archive_writes_nothing_outside_its_folder(
    tmp_path: Path, server: Server, member: tarfile.TarInfo
) -> None:
    server.files["/data.tar.gz"] = packed({"ring/output_ring_a.txt": b"-,-,-\n"}, member)
    with pytest.raises(ToolError, match=r"would not stay inside|is no file"):
        public.resolve(Path("magic_wand"), "gesture")
    assert not list(tmp_path.rglob("escaped*"))
    assert not (tmp_path / "cache" / "datasets" / "magic_wand").exists()


def test_a_damaged_archive_is_named(server: Server) -> None:
    content = packed({"ring/output_ring_a.txt": motions(1, 40)})
    server.files["/data.tar.gz"] = content[: len(content) // 2]
    with pytest.raises(ToolError, match=r"data\.tar\.gz is damaged"):
        public.resolve(Path("magic_wand"), "gesture")


def motions(seed: int, count: int, begin: bool = True) -> bytes:
    random = np.random.default_rng(seed)
    lines = []
    for _ in range(count):
        lines += [" -,-,-"] if begin else []
        lines += [",".join(map(str, row)) for row in random.normal((0, 0, 1000), 300, (30, 3))]
    return "\n".join(lines).encode()


def test_the_magic_wand_is_divided_by_its_performers(server: Server) -> None:
    files = {
        f"{label}/output_{label}_{name}.txt": motions(10 * at + seed, 3)
        for at, label in enumerate(("ring", "wing"))
        for seed, name in enumerate(("anna", "ben", "cleo", "dan", "eve", "fay"))
    }
    for number in range(1, 6):
        files[f"negative/output_negative_{number}.txt"] = motions(90 + number, 9, begin=False)
    server.files["/data.tar.gz"] = packed({**files, "._junk.txt": b"x", "readme.md": b"x"})
    folder = public.resolve(Path("magic_wand"), "gesture")
    dataset = tasks.load("gesture").read(folder)
    assert (dataset.source, dataset.licence) == (folder.name, check.OWNERS)
    assert dataset.labels == ("negative", "ring", "wing")
    assert sum(one.label == "negative" for one in dataset.recordings) == 5 * 2  # of 120 samples
    divided = split(dataset)
    assert divided.rule.startswith("by performer")
    groups = [{one.group for one in divided.parts[part]} for part in PARTS]
    assert not (groups[0] & groups[1] | groups[1] & groups[2] | groups[0] & groups[2])


def photographs(server: Server, count: int) -> None:
    """Serve COCO in small: every third photograph shows a person on 1 % of it."""
    document = {
        "categories": [{"id": 1, "name": "person"}],
        "licenses": [{"id": 4, "name": "Attribution License"}],
        "images": [
            {"id": n, "width": 10, "height": 10, "file_name": f"{n:012}.jpg", "license": 4}
            for n in range(count)
        ],
        "annotations": [
            {"image_id": n, "category_id": 1, "bbox": [0, 0, 9, 1], "area": 1 if n % 3 == 0 else 5,
             "id": n}
            for n in range(count) if n % 3 != 2
        ],
    }  # fmt: skip
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(public_coco.MEMBER, json.dumps(document))
    server.files[f"/{public_coco.ANNOTATIONS.name}"] = out.getvalue()
    for number in range(count):
        picture = io.BytesIO()
        pixels = np.random.default_rng(number).integers(0, 256, (20, 24, 3), np.uint8)
        Image.fromarray(pixels).save(picture, "JPEG")
        server.files[f"/train2017/{number:012}.jpg"] = picture.getvalue()


def test_of_coco_no_more_comes_than_is_asked_for(tmp_path: Path, server: Server) -> None:
    photographs(server, 30)
    server.cut = [10**9, 10**9, 50]  # the second photograph breaks off
    with pytest.raises(ToolError, match="ended after 50 of") as caught:
        public.resolve(Path("coco:2"), "person_detection")
    assert "by hand into" in caught.value.hint
    folder = public.resolve(Path("coco:2"), "person_detection")
    assert len(list(folder.rglob("*.jpg"))) == 4
    asked = [(path.rpartition("/")[2], part) for path, part in server.asked]
    assert asked[1:] == [
        ("000000000001.jpg", None), ("000000000004.jpg", None), ("000000000004.jpg", "bytes=50-"),
        ("000000000000.jpg", None), ("000000000002.jpg", None),
    ]  # fmt: skip
    dataset = tasks.load("person_detection").read(folder)
    assert [(one.group, one.label) for one in dataset.recordings] == [
        ("coco 1", "person"), ("coco 4", "person"),
        ("coco 0", "not_person"), ("coco 2", "not_person"),
    ]  # fmt: skip
    assert "at least 2.5%" in dataset.source


def test_visual_wake_words_count_smaller_people(server: Server) -> None:
    photographs(server, 9)
    dataset = coco.read(public.resolve(Path("vww:4"), "person_detection"))
    people = [one.group for one in dataset.recordings if one.label == "person"]
    assert people == ["coco 0", "coco 1", "coco 3", "coco 4"]
    assert "at least 0.5%" in dataset.source


def test_annotations_of_something_else_are_refused(server: Server) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("readme", "x")
    for content in (b"no archive", out.getvalue()):
        server.files[f"/{public_coco.ANNOTATIONS.name}"] = content
        with pytest.raises(ToolError, match="has no usable annotations/instances_train2017"):
            public.resolve(Path("coco"), "person_detection")
        for file in (public.paths.cache() / "downloads").iterdir():
            file.unlink()


def test_commands_take_names_and_say_what_is_missing(
    tmp_path: Path, server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    server.close()
    assert cli.main(["evaluate", "--data", "speech_commands"]) == 3
    said = capsys.readouterr().err
    assert f"by hand into {tmp_path / 'cache' / 'downloads'}" in said
    assert cli.main(["evaluate", "gesture", "--data", "magic_wnd"]) == 2
    assert "did you mean magic_wand" in capsys.readouterr().err


def test_every_named_set_is_for_a_task_and_pinned() -> None:
    assert public.names() == ("coco", "magic_wand", "speech_commands", "vww")
    for file in (speech_commands.FILE, magic_wand.FILE, public_coco.ANNOTATIONS):
        assert file.digest.partition(":")[0] in ("sha256", "sha1")
