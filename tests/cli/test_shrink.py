"""`compress shrink`, and every command that meets a smaller run afterwards."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Ended

Compress = Callable[..., Ended]
PRUNE = ("--prune", "0.8", "--scope", "row", "--epochs", "1")


def test_a_smaller_run_is_encoded_evaluated_and_reported_like_any_other(
    compress: Compress, inside: Path
) -> None:
    made = compress("shrink", "--dim", 24, *PRUNE, "--json")
    assert made.code == 0, made.err
    told = made.json
    assert told["name"] == "residual_cnn-24-w8-p80"
    assert told["size"]["bytes"] < told["size_before"]["bytes"] / 3
    assert told["size"]["weights"] == "int8"
    assert told["size"]["share_of_zeros"] >= 0.79
    assert told["figures"].keys() == told["figures_before"].keys()
    for words in (
        ("encode", "--name", told["name"]),
        ("index", "--name", told["name"]),
        ("evaluate", "--name", told["name"], "--heads", "ridge"),
        ("report",),
    ):
        ended = compress(*words)
        assert ended.code == 0, ended.err
    row = json.loads((inside / "evaluation" / f"{told['name']}.json").read_text())
    assert row["title"].endswith(", int8 weights, 80 % pruned")
    assert row["table4_row"] is None
    assert row["encoder_bytes"] == told["size"]["parts"]["encoder"]
    assert "8 bits each, the smallest 80 % set to 0 in 1 more epochs." in " ".join(row["notes"])
    page = (inside / "reports" / "report.md").read_text()
    assert "int8 weights, 80 % pruned" in page
    assert "Encoder on disk" in page


def test_the_command_of_its_row_makes_it_again(compress: Compress, inside: Path) -> None:
    for output in ([], ["--output", "mine"]):
        made = compress("shrink", "--name", "lstm-8", *PRUNE, *output, "--json")
        assert made.code == 0, made.err
        name = made.json["name"]
        assert compress("evaluate", "--run", name).code == 0
        row = json.loads((inside / "evaluation" / "models" / f"{name}.json").read_text())
        trained, shrunk, evaluated = (shlex.split(part)[1:] for part in row["command"].split(" && "))
        assert (trained[0], evaluated[:3]) == ("train", ["evaluate", "--run", name])
        weights = inside / "runs" / name / "model" / "manifest.json"
        before = weights.read_bytes()
        assert compress(*shrunk, "--fresh").code == 0
        assert weights.read_bytes() == before


def test_sizes_and_figures_are_told_beside_those_of_before(compress: Compress, inside: Path) -> None:
    made = compress("shrink", "--name", "lstm-8", "--weights", "float16")
    assert made.code == 0, made.err
    lines = dict(line.split("  ", 1) for line in made.out.splitlines())
    assert "times smaller than" in lines["model"]
    assert "(before" in lines["GAP"]
    assert lines["next"].strip() == "compress encode --name lstm-8-w16"
    assert compress("data", "inspect", "runs/lstm-8-w16").code == 0
    told = compress("evaluate", "--run", "lstm-8-w16").out.splitlines()[0]
    assert told.startswith("LSTM")
    assert "float16 weights" in told


def test_a_size_means_the_run_that_was_trained(compress: Compress, inside: Path) -> None:
    assert compress("shrink", "--name", "residual_cnn-24").code == 0
    again = compress("encode", "--dim", 24, "--json")
    assert again.code == 0, again.err
    assert again.json["path"].endswith("residual_cnn-24.h5")


def test_what_is_computed_is_pruned_at_once_and_needs_no_shards(compress: Compress, inside: Path) -> None:
    assert compress("train", "--encoder", "pca", "--dim", 5).code == 0
    for shard in inside.glob("*.tfrecord"):
        shard.unlink()
    made = compress("shrink", "--name", "pca-5", "--prune", "0.5", "--json")
    assert made.code == 0, made.err
    assert made.json["figures"] == made.json["figures_before"] == {}
    refused = compress("shrink", "--name", "pca-5", "--prune", "0.5", "--epochs", 1)
    assert refused.code == 2
    assert "it cannot be trained" in refused.err


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("--name", "nobody"), 66, "no trained encoder named"),
        (("--name", "original"), 2, "has no weights to make smaller"),
        (("--name", "lstm-8", "--weights", "float32"), 2, "nothing to do"),
        (("--name", "lstm-8", "--prune", "1"), 2, "prune"),
        (("--name", "lstm-8", "--epochs", "1"), 2, "give --prune too"),
        (("--name", "lstm-8", "--output", "lstm-8", "--fresh"), 2, "is the name of another run"),
        (("--name", "lstm-8", "--output", "residual_cnn-24", "--fresh"), 2, "is the name of another run"),
        (("--name", "lstm-8", "--output", "../x"), 2, "--output: not a valid name"),
        (("--name", "lstm-8", "--validate", "train*.tfrecord"), 68, "level"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(
    compress: Compress, inside: Path, words: tuple[str, ...], code: int, message: str
) -> None:
    before = sorted(path.name for path in (inside / "runs").iterdir())
    ended = compress("shrink", *words)
    assert (ended.code, len(ended.err.splitlines()[-1:])) == (code, 1)
    assert message in ended.err
    assert sorted(path.name for path in (inside / "runs").iterdir()) == before


def test_another_plan_under_the_same_name_needs_fresh(compress: Compress, inside: Path) -> None:
    assert compress("shrink", "--name", "lstm-8", "--output", "small").code == 0
    other = ("shrink", "--name", "lstm-8", "--output", "small", "--weights", "float16")
    refused = compress(*other)
    assert refused.code == 2
    assert "choose another --output, or --fresh to throw it away" in refused.err
    assert compress(*other, "--fresh").code == 0
