"""`compress data`: samples, imports, and inspecting whatever there is."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest


@pytest.fixture(scope="module")
def sample(tmp_path_factory) -> Path:
    """A workspace with 40 made-up videos of 20 classes."""
    from compress.jobs.data import make_sample
    from compress.jobs.init import create_workspace

    folder = tmp_path_factory.mktemp("sample")
    make_sample(folder, videos=40, num_classes=20)
    create_workspace(folder, train=["train*.tfrecord"], validate=["validate*.tfrecord"], num_classes=20)
    return folder


def test_a_sample_is_the_same_for_the_same_seed(compress, here: Path):
    for folder, seed in (("a", 1), ("b", 1), ("c", 2)):
        assert (
            compress("data", "sample", folder, "--videos", 10, "--num-classes", 5, "--seed", seed).code == 0
        )
    a, b, c = (Path(folder, "train0000.tfrecord").read_bytes() for folder in "abc")

    assert a == b != c


def test_the_next_command_of_a_sample_works(compress, here: Path):
    made = compress("data", "sample", "s", "--videos", 10, "--num-classes", 5, "--json").json

    words = [word.strip("'") for word in made["next"].split()]
    assert compress(*words[1:]).code == 0
    assert compress("data", "inspect", "s", "--json").json["findings"][0]["kind"] == "workspace"


def test_shards_are_inspected(compress, sample: Path):
    facts = compress("data", "inspect", sample / "*.tfrecord", "--json").json["findings"][0]

    assert facts["kind"] == "shards"
    assert facts["facts"]["videos"] == 40
    assert facts["facts"]["dim"] == 1152
    assert facts["facts"]["checksums"] == "both of all 40 records match"


def test_a_flipped_bit_in_a_shard_is_named_with_its_place(compress, sample: Path, tmp_path: Path):
    data = bytearray((sample / "train0000.tfrecord").read_bytes())
    data[len(data) // 2] ^= 1
    (tmp_path / "bad.tfrecord").write_bytes(data)
    ended = compress("data", "inspect", tmp_path / "bad.tfrecord", "--json")

    assert ended.code == 65
    assert ended.json["error"]["kind"] == "CorruptShardError"
    assert 0 < ended.json["error"]["offset"] < len(data) // 2
    assert ended.err.startswith(f"error: {tmp_path}/bad.tfrecord: record ")


def test_several_things_are_inspected_at_once(compress, sample: Path):
    found = compress("data", "inspect", sample, sample / "train*", "--json").json["findings"]

    assert [one["kind"] for one in found] == ["workspace", "shards"]


def test_an_empty_file_is_refused(compress, tmp_path: Path):
    (tmp_path / "empty.tfrecord").touch()

    assert compress("data", "inspect", tmp_path / "empty.tfrecord").code == 65


def test_real_means_become_synthetic_frames(compress, sample: Path, tmp_path: Path):
    made = compress("data", "sample", tmp_path, "--from", sample / "validate*.tfrecord", "--json")
    found = compress("data", "inspect", tmp_path, "--json").json["findings"][0]

    assert made.code == 0
    assert found["facts"]["level"] == "frame"
    assert "synthetic" in found["facts"]["frames"]


def test_arrays_are_imported(compress, tmp_path: Path):
    rng = np.random.default_rng(0)
    np.save(tmp_path / "mine.npy", rng.standard_normal((12, 8), dtype=np.float32))
    ended = compress("data", "import", tmp_path / "mine.npy", tmp_path / "out", "--num-classes", 3, "--json")
    found = compress("data", "inspect", tmp_path / "mine.npy", "--num-classes", 3, "--json").json

    assert ended.code == 0, ended.err
    assert len(ended.json["shards"]["train"]) == 1
    assert (tmp_path / "out" / "train0000.tfrecord").stat().st_size > 12 * 8 * 4
    assert found["findings"][0]["kind"] == "arrays"


ARRAYS = {
    "features": (np.ones((5, 8), np.float16), "arrays", ["mine.labels.csv", "--num-classes N", "of 8 dim"]),
    "one vector": (np.ones(8), "array", ["`compress search --vector mine.npy` in a store of 8 dimensions"]),
    "codes": (np.ones((5, 8), np.uint8), "array", ["--queries mine.npy --output hits.csv"]),
    "three axes": (np.ones((2, 5, 8)), "array", ["nothing here: features are floats"]),
    "no rows": (np.ones((0, 8)), "array", ["nothing here"]),
    "words": (np.array(["a", "b"]), "array", ["nothing here"]),
}


@pytest.mark.parametrize("name", ARRAYS)
def test_a_plain_array_says_its_shape_and_its_use(compress, tmp_path: Path, name: str):
    array, kind, told = ARRAYS[name]
    np.save(tmp_path / "mine.npy", array)
    found = compress("data", "inspect", tmp_path / "mine.npy", "--json").json["findings"][0]

    assert found["kind"] == kind
    assert (found["facts"]["shape"], found["facts"]["dtype"]) == (list(array.shape), str(array.dtype))
    for words in told:
        assert words in found["facts"]["use it for"]


def test_files_without_labels_are_inspected_without_a_question(compress, tmp_path: Path):
    for number in range(3):
        np.save(tmp_path / f"{number}.npy", np.ones((number + 1, 4)))
    found = compress("data", "inspect", tmp_path, "--json").json["findings"][0]

    assert found["facts"]["videos"] == 3
    assert found["facts"]["labels"] == "none"
    assert any("each file is one video" in note for note in found["facts"]["notes"])


def test_every_row_of_a_plain_array_is_checked(compress, tmp_path: Path):
    np.save(tmp_path / "mine.npy", np.array([[1.0, 2.0], [np.nan, 1.0]]))
    ended = compress("data", "inspect", tmp_path / "mine.npy")

    assert (ended.code, ended.out) == (67, "")
    assert f"row 1, id {tmp_path.name}/mine-1: feature 'features' is nan" in ended.err


def test_an_index_and_a_run_are_inspected(compress, inside: Path):
    ended = compress("data", "inspect", "embeddings/residual_cnn-24.index", "runs/residual_cnn-24")
    lines = [line.split(maxsplit=1) for line in ended.out.splitlines() if line]

    assert [words[1] for words in lines if words[0] == "kind"] == ["index", "run"]
    assert ["factory", "Flat"] in lines
    assert max(len(number) for number in re.findall(r"\d+\.(\d+)\b", ended.out)) <= 6, "rounded"


def test_download_prints_commands_and_fetches_nothing(compress, here: Path):
    commands = json.loads(compress("data", "download", "--part", "2/100", "--json").out)["commands"]

    assert [("shard=2,100" in line, "partition=2/video/" in line) for line in commands] == [(True, True)] * 3
    assert "shard=" not in compress("data", "download", "--part", "1/1").out
    assert list(here.iterdir()) == []
