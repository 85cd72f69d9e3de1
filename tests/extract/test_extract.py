"""From files to shards: what is written, what is left out, and what a second call does."""

from __future__ import annotations

import errno
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from av.video.stream import VideoStream

from compress.artifacts.folder import read_folder
from compress.artifacts.lock import exclusive
from compress.datasets.record import FrameRecord, VideoRecord
from compress.datasets.source import open_source
from compress.errors import NO_MEMORY, DataError, LockedError, SchemaError, UnavailableError, UsageError
from compress.extract import features as features_module
from compress.extract import frames as frames_module
from compress.extract.features import AUDIO, RGB
from compress.extract.projection import dequantize
from compress.extract.shards import split
from compress.extract.videos import Video
from compress.jobs.extract import Extracted
from compress.progress import Event, Note
from compress.workspace import load_workspace
from tests.extract import clips

Extract = Callable[..., Extracted]


@pytest.fixture
def films(tmp_path: Path) -> Path:
    """Eight videos of two and three seconds, two of them in a subfolder."""
    for number in range(8):
        place = tmp_path / "films" / ("more" if number > 5 else "") / f"film{number}.mp4"
        clips.clip(place, frames=20 + 10 * (number % 2), paint=clips.scene(number))
    return tmp_path / "films"


@pytest.fixture
def computed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the files that were decoded."""
    names: list[str] = []
    real = features_module.compute_features

    def noted(path: Path, *rest: Any) -> Any:
        names.append(path.name)
        return real(path, *rest)

    monkeypatch.setattr(features_module, "compute_features", noted)
    return names


def records(done: Extracted, level: str) -> dict[str, Any]:
    source = open_source([f"{done.folder}/shards/{level}-*.tfrecord"], num_classes=9)
    return {record.video_id.decode(): record for shard in source.shards for record in source.read(shard)}


def bytes_of(done: Extracted) -> dict[str, str]:
    """sha256 of each shard."""
    return {name: file.sha256 for name, file in read_folder(done.folder / "shards", "shards").files.items()}


def test_both_levels_of_shards_are_those_of_youtube_8m(extracted: Extract, films: Path):
    done = extracted(films)

    frames, videos = records(done, "frame"), records(done, "video")
    assert sorted(frames) == [*(f"film{n}" for n in range(6)), "more/film6", "more/film7"]
    assert (done.videos, done.frames, done.features, done.left_out) == (8, 20, {RGB: 96}, {})
    assert sum(done.parts.values()) == 8
    for name, record in frames.items():
        assert isinstance(record, FrameRecord)
        assert record.frames.shape == (2 + int(name[-1]) % 2, 96)
        assert isinstance(videos[name], VideoRecord)
        np.testing.assert_allclose(videos[name].features, dequantize(record.frames).mean(0), atol=1e-6)


def test_names_of_features_and_the_parts_are_found_by_the_workspace(extracted: Extract, films: Path):
    done = extracted(films)

    workspace = load_workspace(done.folder)
    for level, name in (("video", "mean_rgb"), ("frame", "rgb")):
        counts = {}
        for part in ("train", "validate"):
            source = open_source(workspace.patterns(part, level), num_classes=1)
            assert (source.schema.names, source.schema.level) == ((name,), level)
            counts[part] = sum(1 for shard in source.shards for _ in source.read(shard))
        assert counts == done.parts


def test_sound_beside_the_frames(extracted: Extract, tmp_path: Path):
    clips.clip(tmp_path / "v" / "quiet.mp4", paint=clips.scene(0))
    clips.clip(tmp_path / "v" / "loud.mp4", paint=clips.scene(1), tone=800)
    clips.clip(tmp_path / "v" / "low.mp4", paint=clips.scene(2), tone=200)

    done = extracted(tmp_path / "v", audio_backbone=tmp_path)

    assert (done.features, done.silent) == ({RGB: 96, AUDIO: 8}, 1)
    found = records(done, "frame")
    assert found["quiet"].frames.shape == (2, 104)
    assert not (found["loud"].frames[:, 96:] == found["low"].frames[:, 96:]).all()
    assert not any("no audio" in note for note in done.notes)


def test_without_a_backbone_of_sound_it_is_said(extracted: Extract, films: Path):
    assert any("no audio" in note and "--audio-backbone" in note for note in extracted(films).notes)


def test_odd_files_are_a_line_each_and_do_not_stop_the_rest(extracted: Extract, films: Path):
    clips.sound_only(films / "sound.mp4")
    clips.cut_off(films / "cut.mp4")
    (films / "text.mp4").write_text("no video")
    (films / "empty.mp4").touch()
    told: list[Event] = []

    done = extracted(films, report=told.append)

    left = {Path(path).name: why for path, why in done.left_out.items()}
    assert sorted(left) == ["cut.mp4", "empty.mp4", "sound.mp4", "text.mp4"]
    assert done.videos == 8
    lines = [event.text for event in told if isinstance(event, Note)]
    for path, why in done.left_out.items():
        assert f"{path}: {why}" in lines


def test_what_this_machine_could_not_do_is_tried_again(
    extracted: Extract, films: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    undisturbed = extracted(films, folder=tmp_path / "undisturbed")

    def refuse(**options: Any) -> VideoStream:
        raise av.error.MemoryError(errno.ENOMEM, "Cannot allocate memory")

    with monkeypatch.context() as patch:
        real = frames_module._video_stream
        patch.setattr(
            frames_module, "_video_stream", lambda one: refuse() if "film3" in one.name else real(one)
        )
        done = extracted(films)
    assert [Path(path).name for path in done.left_out] == ["film3.mp4"]
    assert (done.videos, done.left_out.popitem()[1]) == (7, NO_MEMORY)
    assert any("the same command tries again" in note for note in done.notes)

    again = extracted(films)
    assert (again.new, again.videos, again.left_out) == (True, 8, {})
    assert bytes_of(again) == bytes_of(undisturbed)
    assert not any("tries again" in note for note in again.notes)


def test_too_many_open_files_are_no_damage(extracted: Extract, films: Path, monkeypatch: pytest.MonkeyPatch):
    def refuse(*rest: Any, **options: Any) -> Any:
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(frames_module.av, "open", refuse)
    with pytest.raises(UnavailableError, match=r"not one of 8 videos can be used; the first: .*Too many"):
        extracted(films)


def test_what_can_be_read_of_a_damaged_video_is_used_on_request(extracted: Extract, films: Path):
    clips.cut_off(films / "cut.mp4")

    done = extracted(films, keep_damaged=True)

    assert [Path(path).name for path in done.damaged] == ["cut.mp4"]
    assert (done.videos, done.left_out) == (9, {})
    assert len(records(done, "frame")["cut"].frames) < 10


def test_nothing_to_use_is_an_error(extracted: Extract, tmp_path: Path):
    (tmp_path / "a.mp4").write_text("no video")
    (tmp_path / "b.mp4").touch()

    with pytest.raises(DataError, match="not one of 2 videos can be used; the first: is not a video"):
        extracted(tmp_path / "*.mp4")
    assert not (tmp_path / "out").exists(), "nothing is left behind"


def test_the_same_again_does_nothing(extracted: Extract, films: Path, computed: list[str]):
    (films / "text.mp4").write_text("no video")
    first = extracted(films)
    before = {path: path.stat().st_mtime_ns for path in first.folder.rglob("*")}
    computed.clear()

    again = extracted(films)

    assert (again.new, computed) == (False, [])
    assert (again.videos, again.left_out, again.parts) == (first.videos, first.left_out, first.parts)
    assert {path: path.stat().st_mtime_ns for path in first.folder.rglob("*") if path in before} == before


@pytest.mark.parametrize(
    ("options", "what"),
    [
        ({"fps": 2.0}, "frames per second"),
        ({"max_frames": 2}, "the most frames"),
        ({"validate_fraction": 0.5}, "the share of validation videos"),
        ({"components": 4}, "the projection"),
        ({"backbone": "other"}, "the backbone"),
    ],
)
def test_shards_made_otherwise_are_not_replaced_unasked(
    extracted: Extract, films: Path, options: dict[str, Any], what: str
):
    first = extracted(films)
    before = bytes_of(first)

    with pytest.raises(UsageError, match=f"made with other options \\({what}.*--replace"):
        extracted(films, **options)
    assert bytes_of(first) == before
    assert extracted(films, **options, replace=True).new


def test_more_videos_ask_for_the_same_projection(extracted: Extract, films: Path, computed: list[str]):
    first = extracted(films)
    computed.clear()
    clips.clip(films / "new.mp4", paint=clips.scene(50))

    with pytest.raises(UsageError, match="holds the shards of 8 other videos") as error:
        extracted(films)
    words = shlex.split(error.value.hint.split("--projection ")[1])
    later = extracted(
        films / "new.mp4", films / "film1.mp4", folder=films.parent / "later", projection=Path(words[0])
    )

    assert later.parts == {"train": 2}
    np.testing.assert_array_equal(
        records(later, "frame")["film1"].frames, records(first, "frame")["film1"].frames
    )
    assert not (later.folder / "projection").exists()
    assert later.next.startswith("compress encode --name RUN --input ")

    computed.clear()
    assert extracted(films, replace=True).videos == 9
    assert computed == ["new.mp4"], "features that still fit are kept"


def test_a_projection_of_other_features_is_refused(extracted: Extract, films: Path):
    first = extracted(films)

    with pytest.raises(SchemaError, match=r"name is tiny, here other|name is efficientnet-lite0, here other"):
        extracted(films, folder=films.parent / "x", projection=first.folder / "projection", backbone="other")


def test_a_video_that_changed_and_features_that_broke_are_done_again(
    extracted: Extract, films: Path, computed: list[str]
):
    first = extracted(films)
    before, kept = bytes_of(first), sorted((first.folder / "features").glob("*.safetensors"))
    content = bytearray(kept[0].read_bytes())
    content[-1] ^= 1
    kept[0].write_bytes(content)
    kept[1].unlink()
    (films / "film3.mp4").touch()
    computed.clear()

    again = extracted(films, replace=True)

    assert "film3.mp4" in computed
    assert 2 <= len(computed) <= 3
    assert bytes_of(again) == before


def test_processes_make_the_same_bytes(extracted: Extract, films: Path, tmp_path: Path):
    clips.clip(films / "loud.mp4", paint=clips.scene(30), tone=600)
    (films / "text.mp4").write_text("no video")

    one = extracted(films, audio_backbone=tmp_path)
    two = extracted(films, audio_backbone=tmp_path, folder=tmp_path / "two", workers=2)

    assert bytes_of(two) == bytes_of(one)
    assert two.left_out == one.left_out


def test_two_at_once_are_refused(extracted: Extract, films: Path, tmp_path: Path):
    with exclusive(tmp_path / "out" / "features"), pytest.raises(LockedError):
        extracted(films)


def test_a_workspace_that_is_there_is_left_alone(extracted: Extract, films: Path, tmp_path: Path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "compress.toml").write_text("# mine\n")

    extracted(films)

    assert (tmp_path / "out" / "compress.toml").read_text() == "# mine\n"


LABELS = (
    "file,label\nfilm0.mp4,cat\nfilm1.mp4,dog\nfilm1.mp4,cat\nmore/film6,bird\nfilm7.mp4,dog\nother.mp4,fox\n"
)


def test_labels_are_joined_by_id_and_by_file_name(extracted: Extract, films: Path, tmp_path: Path):
    (tmp_path / "labels.csv").write_text(LABELS)

    done = extracted(films, labels=str(tmp_path / "labels.csv"))

    found = {
        name: record.labels.tolist() for name, record in records(done, "video").items() if len(record.labels)
    }
    assert any("4 of 8 videos are not in labels.csv" in note for note in done.notes)
    assert found == {"film0": [1], "film1": [1, 2], "more/film6": [0], "more/film7": [2]}
    assert done.labelled == 4
    assert any("1 of 5 ids of labels.csv are no video here: other.mp4" in note for note in done.notes)
    workspace = load_workspace(done.folder)
    assert workspace.num_classes == 4
    assert workspace.vocabulary is not None
    assert "bird" in workspace.vocabulary.read_text()


def test_labels_of_no_video_are_an_error(extracted: Extract, films: Path, tmp_path: Path):
    (tmp_path / "labels.csv").write_text("id,labels\nx1,3\nx2,4\n")

    with pytest.raises(SchemaError, match=r"not one line.*first id is 'x1', the first video's is 'film0'"):
        extracted(films, labels=str(tmp_path / "labels.csv"))


def some(count: int) -> list[Video]:
    return [Video(Path(str(n)), f"video{n}", 0, 0) for n in range(count)]


def test_a_part_for_validation_by_a_hash_of_the_id():
    few, many = split(some(400), 0.1), split(some(2000), 0.1)

    assert 20 < len(few["validate"]) < 60
    assert {video for part in few.values() for video in part} == set(some(400))
    assert set(few["validate"]) <= set(many["validate"]), "more videos move none"


@pytest.mark.parametrize("count", range(1, 8))
@pytest.mark.parametrize("fraction", [0.0, 0.01, 0.1, 0.99])
def test_no_part_is_empty(count: int, fraction: float):
    parts = split(some(count), fraction)

    assert set(parts) == ({"train", "validate"} if fraction and count > 1 else {"train"})
    assert all(parts.values())
    assert sum(map(len, parts.values())) == count
