"""The command: what it shows, its exit codes; and the guide, followed from files to similar videos."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest

from cli.main import run
from compress.jobs import extract as job
from compress.store.reader import open_store
from tests.extract import clips

GUIDE = (Path(__file__).resolve().parents[2] / "docs" / "guides" / "videos.md").read_text(encoding="utf-8")
MACHINE = ["--workers", "1"]


def ended(*words: object) -> int:
    with pytest.raises(SystemExit) as end:
        run([str(word) for word in words])
    return int(end.value.code or 0)


@pytest.fixture
def here(tiny: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with four films in videos/."""
    monkeypatch.chdir(tmp_path)
    for number in range(4):
        clips.clip(Path("videos") / f"film{number}.mp4", paint=clips.scene(number))
    return tmp_path


def test_what_is_shown(here: Path, capsys: pytest.CaptureFixture[str]):
    assert ended("extract", "videos", "out", *MACHINE) == 0

    shown = capsys.readouterr()
    assert re.search(r"^videos +4 \(train 3, validate 1\)$", shown.out, re.M)
    assert re.search(r"^bytes per frame +rgb 96$", shown.out, re.M)
    assert re.search(r"^next +compress train --workspace out --encoder pca --dim 64$", shown.out, re.M)
    assert "note: the shards have no audio" in shown.out
    assert "at most 2 directions" in shown.out
    assert "ids are the paths below" in shown.err


def test_odd_files_give_an_exit_code_and_a_line_each(here: Path, capsys: pytest.CaptureFixture[str]):
    for number in range(7):
        Path("videos", f"text{number}.mp4").write_text("no video")

    assert ended("extract", "videos/*", "out", *MACHINE) == 65
    shown = capsys.readouterr().out
    assert shown.count("left out: ") == 6
    assert "left out: 7 files, 2 of them not shown; --json names all" in shown
    assert ended("extract", "videos/*", "out", *MACHINE) == 65, "nothing to do, but they are still left out"
    assert "nothing to do" in capsys.readouterr().out


def test_links_to_nothing_are_left_out_and_told(here: Path, capsys: pytest.CaptureFixture[str]):
    Path("videos", "gone.mp4").symlink_to("unmounted.mp4")

    for _ in range(2):
        assert ended("extract", "videos", "out", *MACHINE) == 65
        shown = capsys.readouterr().out
        assert re.search(r"^left out: videos/gone\.mp4: is a link to nothing$", shown, re.M)
        assert re.search(r"^videos +4 ", shown, re.M)


@pytest.mark.parametrize(
    "words",
    [["videos/film0.mp4"], ["videos"], ["videos/film0.mp4", "videos/film1.mp4"], ["videos", "new.mkv"]],
)
def test_a_forgotten_folder_is_what_is_missing(
    here: Path, capsys: pytest.CaptureFixture[str], words: list[str]
):
    assert ended("extract", *words) == 2
    assert f"the FOLDER is missing after '{words[-1]}': name the videos" in capsys.readouterr().err


def test_the_next_command_fits_fewer_components(here: Path, capsys: pytest.CaptureFixture[str]):
    assert ended("extract", "videos", "out", "--components", "8", *MACHINE) == 0
    (following,) = re.findall(r"^next +compress (.*)$", capsys.readouterr().out, re.M)
    assert following == "train --workspace out --encoder pca --dim 8"
    assert ended(*following.split()) == 0
    (following,) = re.findall(r"^next +compress (.*)$", capsys.readouterr().out, re.M)
    assert ended(*following.split()) == 0, "the workspace is named again"


def test_json_names_every_file(here: Path, capsys: pytest.CaptureFixture[str]):
    Path("videos", "text.mp4").write_text("no video")

    assert ended("extract", "videos", "out", "--json", *MACHINE) == 65
    found = json.loads(capsys.readouterr().out)
    assert [Path(path).name for path in found["left_out"]] == ["text.mp4"]
    assert (found["videos"], found["frames"], found["features"]) == (4, 8, {"rgb": 96})


def test_without_the_package_the_command_that_installs_it_is_named(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(job, "installed", lambda module: module != "av")

    assert ended("extract", "videos", "out") == 69
    assert "pip install 'compress-video-embeddings[video]'" in capsys.readouterr().err


def blocks() -> list[list[str]]:
    """The lines of the blocks of the guide's first part, without comments."""
    part = GUIDE[GUIDE.index("## From video files") : GUIDE.index("## From shards")]
    texts = re.findall(r"^```\n(.*?)^```$", part, re.M | re.S)
    return [[re.sub(r"\s+#.*", "", line) for line in text.splitlines()] for text in texts]


def test_the_guide_leads_from_files_to_similar_videos(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    first, later = blocks()
    assert len([line for line in first if line.startswith("compress ")]) == 5
    for line in first:
        program, *words = shlex.split(line)
        if program == "cd":
            monkeypatch.chdir(here / words[0])
            continue
        words = ["film2" if word == "VIDEO_ID" else word for word in words]
        assert ended(*words, *(MACHINE if words[0] == "extract" else [])) == 0, line
    found = capsys.readouterr().out
    assert open_store("embeddings/pca-64-int8.h5").bytes_per_video == 64
    assert all(f"film{other}" in found.split("most like film2")[1] for other in (0, 1, 3))

    clips.clip(here / "new" / "more.mp4", paint=clips.scene(9))
    for line in later:
        words = shlex.split(line)[1:]
        assert ended(*words, *(MACHINE if words[0] == "extract" else [])) == 0, line
    assert sorted(open_store("embeddings/pca-64-int8.h5").ids)[-1] == "more"
