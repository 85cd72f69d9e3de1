"""Float frames, framed and as the bare messages that MediaPipe writes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from compress.datasets.catalogue import scan
from compress.datasets.schema import FeatureSchema
from compress.datasets.source import open_source
from compress.datasets.table import FrameTable, load_table
from compress.description import Description
from compress.errors import RecordError, SchemaError
from tests.datasets.messages import opened, sequence, told, write

RGB = [0.5, -1.0, 2.0]


def mediapipe(folder: Path, name: str = "clip_7.pb", rgb: int = 4, **context: Any) -> Path:
    lists = {
        "RGB/feature/floats": [[float(t), 0.25, -1.5] for t in range(rgb)],
        "RGB/feature/timestamp": [[t * 1_000_000] for t in range(rgb)],
        "AUDIO/feature/floats": [[float(-t), 0.5] for t in range(4)],
        "AUDIO/feature/timestamp": [[t * 1_000_000] for t in range(4)],
    }
    path = folder / name
    path.write_bytes(sequence({"clip/data_path": [b"/videos/7.mp4"], **context}, lists))
    return path


def test_a_bare_message_of_mediapipe_is_a_video_with_float_frames(tmp_path: Path) -> None:
    path = mediapipe(tmp_path)
    source = opened(path)
    assert source.schema == FeatureSchema(
        "frame", ("RGB/feature/floats", "AUDIO/feature/floats"), (3, 2), 10, "id", float_frames=True
    )
    table = load_table(source, cache=tmp_path / "cache")
    assert isinstance(table, FrameTable)
    assert table.ids.tolist() == [b"clip_7"]
    assert table.frames.dtype == np.float32
    assert table.frames.tolist() == [[float(t), 0.25, -1.5, float(-t), 0.5] for t in range(4)]
    notes = told(source)
    assert notes[0].startswith("records have no id: folder, file name and number are taken")
    assert "clip/data_path (bytes)" in notes[1]
    assert "RGB/feature/timestamp (integers a frame)" in notes[1]
    frames, lengths, _ = table.batch(np.array([0]))
    assert (frames.dtype, lengths.tolist()) == (np.float32, [4])
    again = load_table(opened(path), cache=tmp_path / "cache")
    assert isinstance(again, FrameTable)
    assert np.array_equal(again.frames, table.frames)


def test_an_id_in_the_message_is_taken(tmp_path: Path) -> None:
    path = mediapipe(tmp_path, **{"clip/media_id": [b"abcd"], "clip/label/index": [3]})
    assert scan(opened(path)).ids.tolist() == [b"abcd"]
    assert scan(opened(path)).labels[0].tolist() == [3]  # type: ignore[index]
    named = opened(path, description=Description(id="clip/data_path"))
    assert scan(named).ids.tolist() == [b"/videos/7.mp4"]


def test_framed_float_frames_can_be_read_for_a_run_of_codes(tmp_path: Path) -> None:
    bare = mediapipe(tmp_path)
    path = write(tmp_path / "framed.tfrecord", [bare.read_bytes()] * 2)
    run = FeatureSchema("frame", ("rgb", "audio"), (3, 2), 10, "id")
    names = ("RGB/feature/floats", "AUDIO/feature/floats")
    with pytest.raises(SchemaError, match="--features RGB/feature/floats,AUDIO/feature/floats"):
        opened(path, run=run)
    source = opened(path, run=run, description=Description(features=names))
    assert (source.schema.names, source.schema.float_frames) == (("rgb", "audio"), True)
    folder = tmp_path.name.encode()
    assert scan(source).ids.tolist() == [folder + b"/framed-0", folder + b"/framed-1"]


def test_different_numbers_of_frames_are_refused_with_the_counts(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="5 of 'RGB/feature/floats', 4 of 'AUDIO/feature/floats'"):
        scan(opened(mediapipe(tmp_path, rgb=5)))
    alone = opened(tmp_path / "clip_7.pb", description=Description(features=("RGB/feature/floats",)))
    assert scan(alone).num_frames.tolist() == [5]  # type: ignore[union-attr]


def test_a_float_frame_that_is_no_number_is_refused(tmp_path: Path) -> None:
    record = sequence({"id": [b"v"]}, {"clip": [[1.0, 2.0], [1.0, float("nan")]]})
    with pytest.raises(RecordError, match="frame 1 is nan at position 1"):
        scan(opened(write(tmp_path / "a.tfrecord", [record])))


def test_bytes_and_floats_are_not_joined(tmp_path: Path) -> None:
    record = sequence({"id": [b"v"]}, {"rgb": [[b"abc"]], "audio": [[1.0, 2.0]]})
    path = write(tmp_path / "a.tfrecord", [record])
    with pytest.raises(SchemaError, match="hold bytes and floats, which cannot be joined"):
        opened(path)
    assert opened(path, description=Description(features=("audio",))).schema.float_frames


def test_the_level_chooses_where_a_record_has_both(tmp_path: Path) -> None:
    record = sequence({"id": [b"v"], "mean_rgb": RGB}, {"rgb": [[b"abc"], [b"def"]]})
    path = write(tmp_path / "a.tfrecord", [record])
    assert opened(path).schema.names == ("rgb",)
    assert told(opened(path))[0].startswith("not used: mean_rgb (floats)")
    source = opened(path, description=Description(level="video"))
    assert source.schema.names == ("mean_rgb",)
    assert [record.features.tolist() for record in source.read(path)] == [RGB]  # type: ignore[union-attr]
    assert scan(source).ids.tolist() == [b"v"]


def test_files_of_one_name_in_two_folders_have_ids_with_the_folder(tmp_path: Path) -> None:
    for folder, name in (("a", "clip.pb"), ("b", "clip.pb"), ("b", "other.pb")):
        (tmp_path / folder).mkdir(exist_ok=True)
        mediapipe(tmp_path / folder, name)
    ids = scan(open_source([str(tmp_path)], num_classes=2)).ids.tolist()
    assert ids == [b"a/clip", b"b/clip", b"b/other"]
    mediapipe(tmp_path / "a", "07.pb")
    assert scan(opened(tmp_path / "a" / "07.pb")).ids.tolist() == [b"a/07"]
