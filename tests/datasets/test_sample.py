"""Sample shards: the same bytes for the same seed, one world for all splits, and no video twice."""

from __future__ import annotations

import csv
import hashlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from compress.datasets.record import FrameRecord, Record, VideoRecord
from compress.datasets.sample import write_sample
from compress.datasets.sample.frames import STEP, dequantize
from compress.datasets.sample.writer import NUM_IDS, first_number, video_id
from compress.datasets.source import open_source
from compress.errors import UsageError
from compress.progress import Event, Progress

CLASSES = 60


def records(paths: list[Path]) -> list[Record]:
    source = open_source([str(path) for path in paths], num_classes=CLASSES, require_labels=True)
    return [record for path in paths for record in source.read(path)]


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def same(one: Record, other: Record) -> bool:
    values = [
        record.features if isinstance(record, VideoRecord) else record.frames for record in (one, other)
    ]
    return (
        one.video_id == other.video_id
        and np.array_equal(one.labels, other.labels)
        and np.array_equal(values[0], values[1])
    )


@pytest.mark.parametrize(("level", "count"), [("video", 300), ("frame", 3)])
def test_the_same_seed_gives_the_same_bytes_and_another_seed_gives_others(
    level: str, count: int, tmp_path: Path
) -> None:
    runs = [
        write_sample(
            tmp_path / str(run), level=level, num_videos=count, shards=2, num_classes=CLASSES, seed=seed
        )
        for run, seed in enumerate([5, 5, 6])
    ]
    first, second, third = ([sha256(path) for path in paths] for paths in runs)
    assert first == second
    assert not set(first) & set(third)
    vocabularies = [sha256(tmp_path / str(run) / "vocabulary.csv") for run in range(3)]
    assert vocabularies[0] == vocabularies[1] != vocabularies[2]


def test_the_number_of_threads_does_not_change_a_byte(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from compress.datasets.sample import write_sample; "
        "write_sample(Path(sys.argv[1]), level='video', num_videos=300, num_classes=60)"
    )
    sums = []
    for threads in ("1", "2"):
        names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
        environment = os.environ | dict.fromkeys(names, threads)
        command = [sys.executable, "-c", code, str(tmp_path / threads)]
        subprocess.run(command, check=True, env=environment, cwd=Path(__file__).parents[2])
        sums.append(sha256(tmp_path / threads / "train0000.tfrecord"))
    assert sums[0] == sums[1]


def test_any_shards_and_any_start_cut_the_same_row_of_videos(tmp_path: Path) -> None:
    def draw(name: str, **options: int) -> list[Record]:
        return records(write_sample(tmp_path / name, level="video", num_classes=CLASSES, **options))

    whole = draw("whole", num_videos=600)
    assert len(whole) == 600
    parts = draw("parts", num_videos=600, shards=7)
    assert all(same(one, other) for one, other in zip(whole, parts, strict=True))
    later = draw("later", num_videos=100, start=350)
    assert all(same(one, other) for one, other in zip(whole[350:450], later, strict=True))


def test_splits_share_the_world_but_no_video(tmp_path: Path) -> None:
    ids: list[bytes] = []
    rows: list[np.ndarray] = []
    for prefix in ("train", "validate", "test", "holdout"):
        paths = write_sample(tmp_path, level="video", num_videos=300, num_classes=CLASSES, prefix=prefix)
        assert paths == [tmp_path / f"{prefix}0000.tfrecord"]
        for record in records(paths):
            assert isinstance(record, VideoRecord)
            ids.append(record.video_id)
            rows.append(record.features)
    assert len(set(ids)) == len(np.unique(np.stack(rows), axis=0)) == 1200
    assert len(list(tmp_path.glob("vocabulary.csv"))) == 1


def test_frames_have_the_video_level_features_as_their_mean(tmp_path: Path) -> None:
    videos = records(write_sample(tmp_path / "v", level="video", num_videos=4, num_classes=CLASSES))
    frames = records(write_sample(tmp_path / "f", level="frame", num_videos=4, num_classes=CLASSES))
    for video, filmed in zip(videos, frames, strict=True):
        assert isinstance(video, VideoRecord)
        assert isinstance(filmed, FrameRecord)
        assert video.video_id == filmed.video_id
        assert 120 <= len(filmed.frames) <= 300
        error = np.abs(dequantize(filmed.frames).mean(axis=0) - video.features)
        assert error.max() <= STEP / (2 * len(filmed.frames)) + 1e-9


def test_ids_are_four_letters_and_no_two_are_alike() -> None:
    numbers = np.random.default_rng(0).choice(NUM_IDS, size=20_000, replace=False)
    ids = {video_id(3, int(number)) for number in numbers}
    assert len(ids) == len(numbers)
    assert all(len(name) == 4 and name.isalnum() for name in ids)


def test_the_vocabulary_names_every_class_once_with_the_columns_of_youtube_8m(tmp_path: Path) -> None:
    write_sample(tmp_path, level="video", num_videos=1, num_classes=3862)
    with (tmp_path / "vocabulary.csv").open(newline="") as text:
        rows = list(csv.DictReader(text))
    assert list(rows[0]) == [
        "Index",
        "TrainVideoCount",
        "KnowledgeGraphId",
        "Name",
        "WikiUrl",
        "Vertical1",
        "Vertical2",
        "Vertical3",
        "WikiDescription",
    ]
    assert [int(row["Index"]) for row in rows] == list(range(3862))
    assert len({row["Name"] for row in rows}) == len({row["KnowledgeGraphId"] for row in rows}) == 3862
    counts = [int(row["TrainVideoCount"]) for row in rows]
    assert counts == sorted(counts, reverse=True)


def test_progress_is_reported_shard_by_shard(tmp_path: Path) -> None:
    events: list[Event] = []
    write_sample(tmp_path, level="video", num_videos=10, shards=3, num_classes=CLASSES, report=events.append)
    assert [event.done for event in events if isinstance(event, Progress)] == [3, 6, 10]


MISUSE = [
    ({"num_videos": 0}, "cannot spread"),
    ({"shards": 0}, "cannot spread"),
    ({"shards": 11}, "cannot spread"),
    ({"num_classes": 1}, "at least 2"),
    ({"seed": -1}, "at least 0"),
    ({"prefix": "../train"}, "cannot begin a file name"),
    ({"prefix": ""}, "cannot begin a file name"),
    ({"start": -1}, "do not exist"),
    ({"start": 3_999_991}, "do not exist"),
    ({"level": "clip"}, "neither 'video' nor 'frame'"),
]


@pytest.mark.parametrize(("change", "words"), MISUSE)
def test_arguments_out_of_range_are_refused(change: dict[str, object], words: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=words):
        write_sample(tmp_path, **({"level": "video", "num_videos": 10, "num_classes": CLASSES} | change))
    assert not list(tmp_path.iterdir())


def test_shards_of_another_sample_are_neither_mixed_in_nor_deleted(tmp_path: Path) -> None:
    old = write_sample(tmp_path, level="video", num_videos=4, shards=4, num_classes=CLASSES)
    with pytest.raises(UsageError, match=r"2 more shards of 'train', such as train0002\.tfrecord"):
        write_sample(tmp_path, level="video", num_videos=4, shards=2, num_classes=CLASSES)
    with pytest.raises(UsageError, match="vocabulary of other classes"):
        write_sample(tmp_path, level="video", num_videos=4, shards=4, num_classes=CLASSES, seed=1)
    assert all(path.exists() for path in old)


def test_the_splits_divide_the_numbers_without_overlap() -> None:
    ends = {"train": 4_000_000, "validate": 4_000_000, "test": 4_000_000, "other": NUM_IDS - 12_000_000}
    firsts = [first_number(prefix, 0, count) for prefix, count in ends.items()]
    assert firsts == [0, 4_000_000, 8_000_000, 12_000_000]
