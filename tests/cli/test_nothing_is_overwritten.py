"""What is complete stays unless something else is asked for in its place; each way out that is told works."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np
import pytest

from compress.errors import UsageError
from compress.reports.writing import refuse_others
from compress.store.reader import open_store

ROOT = Path(__file__).resolve().parents[2]


def test_encode_refuses_to_lose_videos_and_its_ways_out_work(compress, inside: Path):
    words = ["encode", "--name", "original", "--output", "x.h5", "--input"]
    assert compress(*words, "train*.tfrecord").code == 0
    before = Path("x.h5").read_bytes()

    refused = compress(*words, "validate*.tfrecord")
    assert refused.code == 2
    assert refused.err.splitlines()[-1] == (
        "error: x.h5: holds 120 videos, 120 of them not among the 30 to encode; "
        "add the new ones with --append, replace it with --replace, or choose another --output"
    )
    assert Path("x.h5").read_bytes() == before

    added = compress(*words, "validate*.tfrecord", "--append")
    assert "added            30" in added.out
    assert len(open_store("x.h5")) == 150
    assert compress(*words, "validate*.tfrecord", "--append", "--json").json["added"] == 0
    assert compress(*words, "validate*.tfrecord", "--replace", "--json").json["videos"] == 30
    assert compress(*words, "validate*.tfrecord", "--replace", "--append").code == 2


def test_encode_takes_the_number_of_classes_of_unlabelled_videos_from_the_run(compress, inside: Path):
    features = open_store("embeddings/original.h5").decode(0, 5)
    np.save("bare.npy", features)
    text = Path("compress.toml").read_text().replace("num_classes = 12\n", "")
    Path("compress.toml").write_text(text)
    assert "num_classes" not in text
    done = compress("encode", "--name", "original", "--input", "bare.npy", "--output", "bare.h5")
    assert (done.code, len(open_store("bare.h5"))) == (0, 5)


@pytest.mark.parametrize("words", [("sample", ".", "--videos", "20"), ("import", "a.npy", ".")])
def test_shards_of_something_else_stay(compress, here: Path, words: tuple[str, ...]):
    np.save("a.npy", np.eye(3, 4, dtype=np.float32))
    assert compress("data", *words, "--num-classes", "3").code == 0
    before = Path("train0000.tfrecord").read_bytes()
    assert compress("data", *words, "--num-classes", "3").code == 0, "the same once more"

    other = ("--seed", "1") if words[0] == "sample" else ("--labels", "l.csv")
    Path("l.csv").write_text("id,labels\n0,1\n1,2\n2,0\n")
    Path("vocabulary.csv").unlink(missing_ok=True)
    refused = compress("data", *words, "--num-classes", "3", *other)
    assert refused.code == 2
    assert "is there already and holds other records; choose another folder, or give --replace" in refused.err
    assert Path("train0000.tfrecord").read_bytes() == before
    Path("vocabulary.csv").unlink(missing_ok=True)
    assert compress("data", *words, "--num-classes", "3", *other, "--replace").code == 0
    assert Path("train0000.tfrecord").read_bytes() != before


def test_an_import_does_not_mix_with_the_shards_of_another(compress, here: Path):
    np.save("a.npy", np.eye(3, 4, dtype=np.float32))
    words = ("data", "import", "a.npy", ".", "--num-classes", "3")
    assert compress(*words, "--shards", "3").code == 0
    refused = compress(*words, "--replace")
    assert refused.code == 2
    assert "the folder holds 2 more shards of 'train', such as train0001.tfrecord" in refused.err


def test_a_report_replaces_reports_and_nothing_else(tmp_path: Path):
    for kept in (
        "docs/results/yt8m-2018/report",
        "docs/results/audioset/table-2",
        "docs/results/tradeoff/tradeoff",
    ):
        refuse_others(*(ROOT / f"{kept}.{kind}" for kind in ("md", "json", "html")))
    mine = tmp_path / "report.json"
    mine.write_text("{}\n")
    with pytest.raises(UsageError) as refused:
        refuse_others(tmp_path / "report.md", mine)
    assert refused.value.hint == "move it away, or choose another folder with --output"


def test_inspect_and_import_agree_on_an_empty_file(compress, here: Path):
    Path("empty.npy").touch()
    ends = [compress("data", *words) for words in (("inspect", "empty.npy"), ("import", "empty.npy", "out"))]
    assert [end.code for end in ends] == [65, 65]
    assert all("empty.npy: the file is empty" in end.err for end in ends)
    np.save("none.npy", np.zeros((0, 4), np.float32))
    assert "nothing here: it holds no numbers" in compress("data", "inspect", "none.npy").out


HOLD = "import h5py, sys; f = h5py.File(sys.argv[1], 'r+'); print('open', flush=True); sys.stdin.read()"


@pytest.fixture
def held(here: Path) -> Iterator[Path]:
    """Features that another process has open for writing."""
    path = here / "features.h5"
    with h5py.File(path, "w") as file:
        file["features"] = np.eye(4, dtype=np.float32)
    command = [sys.executable, "-c", HOLD, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield path
        process.kill()


def test_features_that_are_being_written_are_in_use_and_not_damaged(compress, held: Path):
    ended = compress("data", "inspect", held, "--num-classes", "2")
    assert ended.code == 75
    assert "is in use: another process has it open for writing" in ended.err


def test_a_marked_store_is_repaired_by_the_command_that_its_error_names(compress, inside: Path, monkeypatch):
    from tests.store.test_superblock import mark

    store = Path("embeddings/original.h5")
    before = store.read_bytes()
    mark(store)
    refused = compress("index", "--name", "original")
    assert refused.code == 65
    command = refused.err.split("`")[1]
    assert command == f"compress data repair {inside / store}"
    assert "the mark is removed, and its sha256 matches" in compress(*command.split()[1:]).out
    assert store.read_bytes() == before
    assert "was whole, nothing was done" in compress(*command.split()[1:]).out
