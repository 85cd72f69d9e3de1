"""Options that say what is in files: kept in compress.toml, told by inspect, compared with a run."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from compress import open_store
from compress.jobs.sources import open_split
from compress.workspace import load_workspace
from tests.cli.conftest import Ended
from tests.datasets.messages import example, sequence, write

Call = Callable[..., Ended]
RGB, AUDIO = 4, 2


def records(count: int, first: int, names: tuple[str, str], **extra: list[float]) -> list[bytes]:
    rng = np.random.default_rng(7)
    values = rng.normal(size=(first + count, RGB + AUDIO))[first:].tolist()
    return [
        example(
            id=[b"v%d" % (first + row)],
            labels=[row % 3],
            **{names[0]: value[:RGB], names[1]: value[RGB:]},
            **extra,
        )
        for row, value in enumerate(values)
    ]


@pytest.fixture
def data(here: Path) -> Path:
    ours = ("mean_rgb", "mean_audio")
    write(here / "train.tfrecord", records(40, 0, ours, std_rgb=[0.5, 1.0]))
    write(here / "validate.tfrecord", records(20, 40, ours, std_rgb=[0.5, 1.0]))
    write(here / "same.tfrecord", records(20, 40, ours))
    write(here / "other.tfrecord", records(20, 40, ("rgb_mean", "audio_mean")))
    return here


def test_names_that_only_some_files_have_are_compared_and_mapped(compress: Call, data: Path) -> None:
    assert compress("init", "--train", "train*", "--validate", "validate*", "--num-classes", 3).code == 0
    words = ["train", "--encoder", "linear", "--dim", 3, "--epochs", 1, "--set", "warm_epochs=0"]
    trained = compress(*words)
    assert trained.code == 0, trained.err
    left = "not used: std_rgb (2 floats); --features, --id and --labels choose what is used"
    assert trained.err.count(left) == 1  # in train and validate alike, and told once

    assert compress("encode", "--dim", 3, "--input", "same.tfrecord", "--output", "same.h5").code == 0
    for command in (
        ["encode", "--dim", 3, "--input", "other.tfrecord", "--output", "other.h5"],
        ["evaluate", "--run", "linear-3", "--validate", "other.tfrecord"],
    ):
        refused = compress(*command)
        assert refused.code == 68
        assert "holds audio_mean (2), rgb_mean (4), expected are mean_rgb (4), mean_audio (2)" in refused.err
        (hint,) = re.findall(r"--features \S+", refused.err)
        allowed = compress(*command, *hint.split())
        assert allowed.code == 0, allowed.err
        assert "is read as mean_rgb, mean_audio, as --features says" in allowed.err
    same, other = open_store(data / "same.h5"), open_store(data / "other.h5")
    assert np.array_equal(same.rows(range(20)), other.rows(range(20)))
    needs_a_run = compress("evaluate", "--dim", 3, "--features", "mean_rgb")
    assert (needs_a_run.code, "--features needs --run" in needs_a_run.err) == (2, True)


def test_what_is_said_at_init_is_kept(compress: Call, here: Path) -> None:
    rows = [example(name=[b"v%d" % row], topic=[row % 2], a=[0.5, float(row)], b=[1.0]) for row in range(8)]
    write(here / "t.tfrecord", rows)
    seen = compress("data", "inspect", "t.tfrecord", "--json")
    assert (seen.code, "--id name" in seen.err or "--id name" in seen.out) == (67, True)
    said = ["--id", "name", "--labels", "topic", "--features", "b,a"]
    found = compress("data", "inspect", "t.tfrecord", *said, "--json").json["findings"][0]["facts"]
    assert found["takes"] == [
        "b (1 float) as features",
        "a (2 floats) as features",
        "name (bytes) as id",
        "topic (integers) as labels",
    ]
    assert (found["leaves"], found["dim"], found["classes"]) == ([], 3, 2)
    text = compress("data", "inspect", "t.tfrecord", *said[:-1], "a").out
    assert re.search(r"^leaves +b \(1 float\)$", text, re.M)

    assert compress("init", "--train", "t*", "--validate", "t*", *said).code == 0
    workspace = load_workspace(here)
    assert workspace.description.said() == {"features": ("b", "a"), "id": "name", "labels": "topic"}
    assert compress("train", "--encoder", "identity").code == 0
    assert compress("encode", "--name", "original").code == 67  # train and validate are the same videos
    done = compress("encode", "--name", "original", "--input", "t.tfrecord", "--output", "t.h5")
    assert done.code == 0, done.err
    store = open_store(here / "t.h5")
    assert store.ids[3] == "v3"
    assert store.rows([3]).tolist() == [[1.0, 0.5, 3.0]]


STEPS = {"rgb": [[b"abc"], [b"def"]]}
TIMES = {"segment_start_times": [0], "segment_end_times": [1], "segment_labels": [1], "segment_scores": [1.0]}


@pytest.mark.parametrize(
    ("record", "also", "takes"),
    [
        (example(id=[b"v"], labels=[1], inc3=[1.0], mean_audio=[2.0]), [], "inc3 (1 float) as features"),
        (example(vid=[b"v"], labels=[1], mean_rgb=[1.0]), [], "vid (bytes) as id"),
        (
            sequence({"id": [b"v"], "labels": [1], **TIMES}, STEPS),
            [],
            "segment_labels (integers) as segments",
        ),
        (
            sequence({"id": [b"v"], "labels": [1]}, {**STEPS, "audio": [[0.5], [1.5]]}),
            ["rgb"],
            "rgb (3 bytes a frame) as frames",
        ),
    ],
)
def test_the_option_that_a_hint_names_works(compress: Call, here: Path, record, also, takes: str) -> None:
    write(here / "a.tfrecord", [record])
    told = compress("data", "inspect", "a.tfrecord", "--num-classes", 3, "--json")
    text = told.out + told.err
    (hint,) = re.findall(r"--(?:id|features|segments)(?: [^\s\",]+(?:,[^\s\",]+)*)?(?=[\s\":])", text)[:1]
    words = [*hint.removesuffix(" makes").split(), *also]
    done = compress("data", "inspect", "a.tfrecord", "--num-classes", 3, *words, "--json")
    assert done.code == 0, done.err
    assert takes in done.json["findings"][0]["facts"]["takes"]


def test_a_command_without_these_options_is_told_the_line_of_the_workspace(
    compress: Call, here: Path
) -> None:
    rows = [example(id=[b"v%d" % row], labels=[row % 2], a=[0.5, float(row)], b=[1.0]) for row in range(8)]
    write(here / "t.tfrecord", rows[:5])
    write(here / "v.tfrecord", rows[5:])
    toml = here / "compress.toml"
    toml.write_text('train = "t*"\nvalidate = "v*"\n')
    refused = compress("tradeoff", "--dims", 2, "--dry-run")
    assert refused.code == 68, refused.err
    (line,) = re.findall(r"\(in compress.toml: (.*)\)$", refused.err, re.M)
    toml.write_text(f"{toml.read_text()}{line}\n")
    workspace = load_workspace(here)
    assert open_split(workspace, "train", (), "fail").schema.names == ("a", "b")


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ('features = ["a", "a"]', "features a,a: name each feature once"),
        ("features = 3", "features must be a name or a list of names"),
        ('level = "shot"', "level: is video or frame, not 'shot'"),
        ("id = 3", "id must be a string"),
        ("segments = 1", "segments must be true or false"),
        ('label_separator = ""', "label-separator: is empty"),
    ],
)
def test_a_wrong_description_is_a_wrong_configuration(compress: Call, workspace: Path, line, error) -> None:
    (workspace / "compress.toml").write_text(f"{line}\n")
    refused = compress("train", "--dim", 3)
    assert (refused.code, error in refused.err) == (78, True), refused.err


def test_an_encoder_of_frames_trains_on_float_frames(compress: Call, here: Path) -> None:
    rng = np.random.default_rng(0)
    for name, count in (("train", 24), ("validate", 8)):
        (here / name).mkdir()
        for row in range(count):
            steps = rng.normal(size=(3 + row % 3, 3)).tolist()
            lists = {"RGB/feature/floats": steps, "AUDIO/feature/floats": [step[:2] for step in steps]}
            message = sequence({"clip/label/index": [row % 3]}, lists)
            (here / name / f"{name}_{row}.pb").write_bytes(message)
    init = ["init", "--train", "train/*.pb", "--validate", "validate/*.pb", "--num-classes", 3]
    assert compress(*init).code == 0
    trained = compress("train", "--encoder", "lstm", "--dim", 4, "--epochs", 1)
    assert trained.code == 0, trained.err
    assert trained.err.count("records have no id: folder, file name") == 1
    assert compress("encode", "--dim", 4).code == 0
    store = open_store(here / "embeddings" / "lstm-4.h5")
    assert sorted(store.ids)[0] == "train_0"
    assert np.isfinite(store.rows(range(32))).all()
