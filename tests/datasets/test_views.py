"""Labels of another file, joined by id, and parts of the videos: the same from shards and from arrays."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from compress.datasets import Source, load_table, open_source, scan
from compress.datasets.part import Part, groups_csv, read_groups
from compress.description import Description
from compress.errors import CompressError, DataError, SchemaError, UsageError
from compress.progress import Note
from tests.datasets.conftest import Build

IDS = [f"v{number}" for number in range(12)]


@pytest.fixture(scope="module")
def shards(tmp_path_factory: pytest.TempPathFactory, build: Build) -> Path:
    """Twelve videos in two shards, at both levels; their own labels do not count."""
    folder = tmp_path_factory.mktemp("views")
    messages = build.videos(12)
    build.shard(folder / "a.tfrecord", messages[:7])
    build.shard(folder / "b.tfrecord", messages[7:])
    build.shard(folder / "frames.tfrecord", build.frame_videos(12))
    return folder


def csv(folder: Path, *lines: str) -> Path:
    path = folder / "labels.csv"
    path.write_text("id,labels\n" + "".join(f"{line}\n" for line in lines))
    return path


def opened(shards: Path, labels: Path | None = None, files: str = "?.tfrecord", **options: Any) -> Source:
    return open_source([str(shards / files)], labels=labels, **options)


def read(source: Source) -> dict[str, list[int]]:
    """Labels by id, read record by record; blocks of two sizes say the same."""
    found = {r.video_id.decode(): r.labels.tolist() for shard in source.shards for r in source.read(shard)}
    for videos in (3, 256):
        blocks = {
            name: labels for shard in source.shards for name, labels in _of_blocks(source, shard, videos)
        }
        assert blocks == found
    return found


def _of_blocks(source: Source, shard: Path, videos: int) -> Iterator[tuple[str, list[int]]]:
    for block in source.read_blocks(shard, videos):
        assert len(block.rows) == (len(block) if block.num_frames is None else block.num_frames.sum())
        labels = np.split(block.classes, np.cumsum(block.num_labels)[:-1])
        yield from zip((name.decode() for name in block.ids), (each.tolist() for each in labels), strict=True)


def notes(source: Source) -> list[str]:
    said: list[str] = []
    scan(source, lambda event: said.append(event.text) if isinstance(event, Note) else None)
    return said


@pytest.mark.parametrize("files", ["?.tfrecord", "frames.tfrecord"])
def test_labels_are_joined_by_id_and_names_are_numbered(shards: Path, tmp_path: Path, files: str) -> None:
    prefix = "f" if files.startswith("frames") else "v"
    labels = csv(tmp_path, f"{prefix}11,dog", f"{prefix}0,cat|dog", "elsewhere,bird", f"{prefix}3,cat")
    source = opened(shards, labels, files)
    found = read(source)
    assert source.schema.class_names == ("bird", "cat", "dog")
    assert {name: of for name, of in found.items() if of} == {
        f"{prefix}0": [1, 2],
        f"{prefix}3": [1],
        f"{prefix}11": [2],
    }
    assert len(found) == 12
    assert opened(shards, labels, files).fingerprint() != opened(shards, None, files).fingerprint()


def test_ids_without_a_partner_are_counted_both_ways(shards: Path, tmp_path: Path) -> None:
    lines = [f"v{number},{number}" for number in range(10)]
    said = notes(opened(shards, csv(tmp_path, *lines, "x,1", "y,2", "v0,3")))
    assert "2 of 12 videos are not in labels.csv: no labels for v10, v11" in said
    assert "2 of 12 ids of labels.csv are no video here: x, y" in said
    assert "labels.csv has 1 further lines of the same ids: labels joined" in said


def test_the_description_names_the_file_and_its_columns(shards: Path, tmp_path: Path) -> None:
    (tmp_path / "l.tsv").write_text("clip\ttag\tsplit\nv1\ta+b\tx\n")
    said = Description(labels=f"{tmp_path / 'l.tsv'}:clip:tag", label_separator="+")
    source = opened(shards, description=said)
    assert source.schema.class_names == ("a", "b")
    assert [text for text in notes(source) if "split (in l.tsv)" in text]


def test_a_video_without_labels_is_left_out_and_counted_where_labels_are_needed(
    shards: Path, tmp_path: Path
) -> None:
    labels = csv(tmp_path, *[f"v{number},1" for number in range(12) if number != 8])
    source = opened(shards, labels, require_labels=True)
    found = read(source)
    assert sorted(found) == sorted({*IDS} - {"v8"})
    blocks = [block for shard in source.shards for block in source.read_blocks(shard, 3)]
    assert sum(map(len, blocks)) == 11
    assert (source.unlabelled, source.skipped) == (1, [])
    assert "id v9" in source.place(source.shards[1], [*found].index("v9") - 7)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["v0,1", "v1,99999999999"], "line 3: label 99999999999 is too large"),
        (["v0,1", "v1,-1"], r"line 3: label -1 is outside \[0, 2\); leave the cell empty for no label"),
        (["v0,", "v1,"], "has no labels, so the number of classes is unknown"),
    ],
)
def test_labels_that_are_no_classes_are_refused_with_their_line(
    shards: Path, tmp_path: Path, lines: list[str], message: str
) -> None:
    with pytest.raises(SchemaError, match=message):
        opened(shards, csv(tmp_path, *lines))


def test_a_number_of_classes_that_is_known_is_a_bound(shards: Path, tmp_path: Path) -> None:
    with pytest.raises(SchemaError, match=r"line 2: label 7 is outside \[0, 5\); give --num-classes N"):
        opened(shards, csv(tmp_path, "v0,7"), num_classes=5)


@pytest.mark.parametrize("text", ["labels\n1\n", "id;x\n"])
def test_a_file_without_ids_cannot_be_joined(shards: Path, tmp_path: Path, text: str) -> None:
    (tmp_path / "labels.csv").write_text(text)
    with pytest.raises(SchemaError, match=r"labels\.csv: (has no ids|the columns are)"):
        opened(shards, tmp_path / "labels.csv")
    (tmp_path / "l.npz").write_bytes(b"")
    with pytest.raises(SchemaError, match=r"l\.npz: is no table with ids"):
        opened(shards, tmp_path / "l.npz")


@pytest.mark.parametrize("files", ["?.tfrecord", "frames.tfrecord"])
def test_the_two_sides_of_a_split_are_all_videos_once(shards: Path, files: str, tmp_path: Path) -> None:
    sides = [opened(shards, None, files, part=Part(side, 0.4)) for side in ("train", "validate")]  # type: ignore[arg-type]
    train, validate = map(read, sides)
    assert {**train, **validate} == read(opened(shards, None, files))
    assert not set(train) & set(validate)
    assert min(len(train), len(validate)) > 0
    tables = [load_table(source, cache=tmp_path) for source in sides]
    again = [load_table(opened(shards, None, files, part=Part("validate", 0.4)), cache=tmp_path)]
    assert [len(table) for table in (*tables, *again)] == [len(train), len(validate), len(validate)]
    shard = sides[1].shards[-1]
    last = len([*sides[1].read(shard)]) - 1
    assert [*sides[1].read(shard)][last].video_id.decode() in sides[1].place(shard, last)


def test_a_side_depends_on_the_id_alone_and_has_its_share() -> None:
    ids = np.array([b"v%d" % number for number in range(4000)])
    kept = Part("validate", 0.1).holds(ids)
    assert 0.08 < kept.mean() < 0.12
    assert (Part("train", 0.1).holds(ids) == ~kept).all()
    assert (Part("validate", 0.1).holds(ids[::-7].astype("S30")) == kept[::-7]).all()
    assert Part("validate", 0.2).holds(ids)[kept].all()  # a larger share keeps those of the smaller


def test_a_group_is_on_the_side_of_its_name(tmp_path: Path) -> None:
    ids = np.array([b"v%d" % number for number in range(100)])
    groups = dict.fromkeys(ids.tolist()[::3], b"v7") | {b"a,\n\xc3\xa9": b"v7"}
    for side in ("train", "validate"):
        part = Part(side, 0.5, groups)  # type: ignore[arg-type]
        assert len(set(part.holds(ids[::3]).tolist())) == 1
        assert part.identity() != Part(side, 0.5).identity()  # type: ignore[arg-type]
    (tmp_path / "g.csv").write_bytes(groups_csv(groups))
    assert read_groups(tmp_path / "g.csv") == groups
    (tmp_path / "g.csv").write_text("id,side\n")
    with pytest.raises(DataError, match="is not a table of ids and groups"):
        read_groups(tmp_path / "g.csv")


@pytest.mark.parametrize("fraction", [0, 1, -0.1, 10])
def test_a_share_that_is_none_is_refused(fraction: float) -> None:
    with pytest.raises(UsageError, match="must be above 0, below 1"):
        Part("validate", fraction)
    assert issubclass(UsageError, CompressError)
