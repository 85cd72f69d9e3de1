"""A run knows the sizes of its shards, and a shard that was cut between two records is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from compress.datasets.shard_sizes import ShardSize, changed_shards
from compress.datasets.source import Source
from compress.datasets.table import load_table
from compress.errors import UsageError
from compress.progress import Event, Note
from compress.run_config import changed_since, noted_shards, read_run_config, write_run_config
from compress.store.reader import open_store
from compress.training import train
from compress.training.run import Run
from tests.encoding.examples import encoded, encoder_run, shards, videos
from tests.training.examples import LINEAR

OLD = (ShardSize("a 1.tfrecord", 900, 9), ShardSize("b.tfrecord", 800, 8))


def test_a_size_is_written_and_read_back() -> None:
    assert [ShardSize.parse(str(one)) for one in OLD] == list(OLD)
    assert changed_since(noted_shards(train=OLD), OLD) == []
    assert noted_shards(train=()) == {}
    assert changed_since({}, OLD) == [], "a run of version 0.1 noted nothing"


def test_only_shards_of_the_same_name_and_another_size_have_changed() -> None:
    cut = ShardSize("b.tfrecord", 500, 5)
    assert changed_shards(OLD, [OLD[0], cut]) == [
        "b.tfrecord has 5 videos in 500 bytes, it had 8 in 800",
    ]
    assert changed_shards(OLD, [ShardSize("c.tfrecord", 1, 1)]) == [], "new videos"
    assert changed_shards(OLD, [ShardSize("b.tfrecord", 800, 7)]) == [], "fewer of them are asked for"
    assert changed_shards([*OLD, cut], [cut]) == [], "two folders with a file of that name"
    many = [ShardSize(f"{n}.tfrecord", n, n) for n in range(1, 6)]
    assert changed_shards([each._replace(bytes=99) for each in many], many)[3:] == [
        "2 more shards have other sizes, too"
    ]


def test_an_encoding_of_a_cut_shard_says_so_and_never_takes_the_place_of_the_whole_one(
    tmp_path: Path,
) -> None:
    whole = shards(tmp_path / "whole", "train", videos(12), [8, 4])
    run = encoder_run(tmp_path / "run")
    write_run_config(run, {"config": {}, **noted_shards(train=load_table(whole).shards)})
    said: list[str] = []

    def note(event: Event) -> None:
        if isinstance(event, Note):
            said.append(event.text)

    path = encoded(tmp_path, {"train": whole}, run, report=note).path
    assert not [text for text in said if "shards have changed" in text]
    cut = shards(tmp_path / "whole", "train", videos(11), [7, 4])
    with pytest.raises(UsageError, match="holds 12 videos, 1 of them not among the 11 to encode"):
        encoded(tmp_path, {"train": cut}, run, report=note)
    assert len(open_store(path)) == 12
    assert len(open_store(encoded(tmp_path / "new", {"train": cut}, run, report=note).path)) == 11
    told = [text for text in said if text.startswith("shards have changed since run was trained: train0")]
    assert len(told) == 2
    assert "train0.tfrecord has 7 videos in" in told[0]
    assert "it had 8 in" in told[0]
    assert "train1" not in told[0]


def test_a_training_notes_its_shards_and_says_which_of_them_changed(tmp_path: Path) -> None:
    held_out = load_table(shards(tmp_path / "s", "validate", videos(5, 100)))

    def fit(source: Source) -> None:
        train(LINEAR, load_table(source), held_out, tmp_path / "run")

    fit(shards(tmp_path / "s", "train", videos(12), [8, 4]))
    kept = read_run_config(tmp_path / "run")["shards"]
    assert [ShardSize.parse(text)[::2] for text in kept["train"]] == [
        ("train0.tfrecord", 8),
        ("train1.tfrecord", 4),
    ]
    before = Run(tmp_path / "run").config.read_bytes()
    with pytest.raises(UsageError, match=r"the training videos.*train0\.tfrecord has 7 videos.*it had 8"):
        fit(shards(tmp_path / "s", "train", videos(11), [7, 4]))
    assert Run(tmp_path / "run").config.read_bytes() == before
