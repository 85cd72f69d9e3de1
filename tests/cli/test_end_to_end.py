"""From nothing to a report, as a person types it; and everything once more."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import numpy as np
import pytest

from compress.store.reader import open_store
from tests.cli.chain import CHAIN, INIT, LSTM, NAMES

AGAIN = [words for words in CHAIN if words != INIT]


def test_the_chain_leaves_stores_an_index_figures_and_a_report(finished: Path):
    store = open_store(finished / "embeddings" / "residual_cnn-24.h5")

    assert (len(store), store.dim, {name: len(rows) for name, rows in store.splits.items()}) == (
        150,
        24,
        {"train": 120, "validate": 30},
    )
    assert (finished / "embeddings" / "residual_cnn-24.index" / "manifest.json").is_file()
    assert sorted(path.stem for path in (finished / "evaluation").glob("*.json")) == sorted(NAMES)
    assert {path.name for path in (finished / "reports").iterdir()} == {
        "report.md",
        "report.json",
        "report.html",
    }


def test_an_encoder_of_frames_takes_the_frames_of_the_same_videos(finished: Path):
    row = json.loads((finished / "evaluation" / "lstm-8.json").read_text())

    assert row["data"]["synthetic_frames"] is True
    assert "frames/train" in row["data"]["source"]
    assert row["delta"]["baseline"] == "original"
    assert row["retrieval"]["queries"] == 30
    ids = [set(open_store(finished / "embeddings" / f"{name}.h5").ids) for name in ("original", "lstm-8")]
    assert ids[0] == ids[1]


@pytest.mark.parametrize(
    ("name", "command"),
    [
        (
            "original",
            "compress train --encoder identity && compress encode --name original "
            "&& compress evaluate --name original --heads ridge",
        ),
        (
            "original-int8",
            "compress train --encoder identity && compress encode --name original --codec int8 "
            "&& compress evaluate --name original-int8 --heads ridge",
        ),
        (
            "residual_cnn-24",
            "compress train --dim 24 --epochs 1 --set width=0.05 "
            "&& compress encode --name residual_cnn-24 "
            "&& compress evaluate --name residual_cnn-24 --heads ridge",
        ),
        (
            "lstm-8",
            "compress train --encoder lstm --dim 8 --epochs 1 && compress encode --name lstm-8 "
            "&& compress evaluate --name lstm-8 --heads ridge",
        ),
    ],
)
def test_a_row_keeps_the_commands_that_make_it(finished: Path, name: str, command: str):
    assert json.loads((finished / "evaluation" / f"{name}.json").read_text())["command"] == command


def test_every_command_may_be_run_again_and_changes_no_embedding(compress, inside: Path):
    before = {path.name: path.read_bytes() for path in (inside / "embeddings").glob("*.h5")}
    for words in AGAIN:
        ended = compress(*words, "--json")
        assert (ended.code, ended.err) == (0, ""), words
        assert isinstance(ended.json, dict), words

    assert {path.name: path.read_bytes() for path in (inside / "embeddings").glob("*.h5")} == before


def test_a_video_is_found_by_id_row_and_vector(compress, inside: Path):
    store = open_store(inside / "embeddings" / "residual_cnn-24.h5")
    np.save(inside / "seven.npy", store.rows(np.array([7]))[0])
    video = store.ids[7]
    by_id, by_row, by_vector = (
        compress("search", *words, "--dim", 24, "--k", 5, "--json").json["neighbours"]
        for words in ([video], ["--row", 7], ["--vector", "seven.npy"])
    )

    assert by_id == by_row
    # A vector is nobody's own: the video itself comes first.
    assert (by_vector[0]["video_id"], by_vector[0]["row"]) == (video, 7)
    assert [hit["row"] for hit in by_vector[1:]] == [hit["row"] for hit in by_id[:4]]


def test_similar_videos_come_with_the_names_of_their_labels(compress, inside: Path):
    ended = compress("search", "--row", 7, "--dim", 24, "--k", 3)
    names = [line.split(",")[3] for line in (inside / "vocabulary.csv").read_text().splitlines()[1:]]

    assert ended.code == 0
    assert any(name in ended.out.splitlines()[-1] for name in names)

    (inside / "vocabulary.csv").rename(inside / "elsewhere.csv")
    assert compress("search", "--row", 7, "--dim", 24, "--k", 3).out == ended.out


def test_other_judges_of_an_evaluation_replace_the_former(compress, inside: Path):
    for judge in ("knn", "ridge"):
        ended = compress("evaluate", "--name", "original", "--heads", judge, "--json")
        assert (ended.code, ended.json["head"]) == (0, f"fresh {judge}")


def test_a_training_says_shares_as_fractions_and_counts_as_whole_numbers(compress, inside: Path):
    told = dict(line.rsplit(maxsplit=1) for line in compress(*LSTM).out.splitlines())

    assert (told["validation videos"], told["classes with labels"].isdigit()) == ("30", True)
    assert len(told["GAP"]) == len("0.1234")


def test_an_evaluation_that_is_typed_again_does_not_ask_its_judges_again(compress, inside: Path):
    again = compress("evaluate", "--name", "original", "--heads", "ridge")
    both = compress("evaluate", "--name", "original", "--heads", "ridge,knn")

    assert (again.code, both.code) == (0, 0)
    assert "asking" not in again.err
    assert "asking one judge (knn) about 120 training and 30 validation videos" in both.err
    assert "nearest neighbours: GAP" in both.err
    assert "ridge regression" not in both.err


def test_a_log_is_a_few_lines(compress, inside: Path):
    trained = compress("train", "--encoder", "linear", "--dim", 4, "--epochs", 12, "--name", "talks")
    judges = ("--heads", "logistic,knn", "--seeds", 1, "--head-mixup", 0, "--head-epochs", 5)
    evaluated = compress("evaluate", "--name", "original", *judges)
    said = evaluated.err.splitlines()

    assert (trained.code, evaluated.code) == (0, 0)
    assert 1 <= len(trained.err.splitlines()) <= 8, trained.err
    assert len(said) <= 8, evaluated.err
    assert [line.split(": GAP")[0] for line in said if ": GAP" in line] == [
        "logistic regression",
        "k nearest neighbours",
    ]


def test_other_judges_are_not_compared_with_the_baseline(compress, inside: Path):
    ended = compress("evaluate", "--dim", 24, "--heads", "knn")

    assert ended.code == 68
    assert "other judges" in ended.err


def test_an_evaluation_shows_each_judge_and_the_verdict(compress, inside: Path):
    ended = compress("evaluate", "--name", "original-int8", "--heads", "ridge")

    assert ended.code == 0
    assert "ridge regression (best)" in ended.out
    assert "against original, best judge against best judge: GAP " in ended.out
    assert "intervals cover videos and the seeds of the judges" in ended.out


def test_where_a_judge_has_not_converged_there_is_no_verdict_but_the_command_that_goes_on(
    compress, inside: Path
):
    words = ("--heads", "logistic", "--seeds", 1, "--head-mixup", 0, "--head-epochs", 1)
    ended = compress("evaluate", "--name", "original", *words)

    assert ended.code == 0
    assert "logistic regression (best), not converged" in ended.out
    assert "not converged: no verdict: the best judge of original" in ended.out
    command = next(line for line in ended.out.splitlines() if line.startswith("to get one: "))
    assert command.endswith("--head-epochs 2")
    assert compress(*shlex.split(command.removeprefix("to get one: compress "))).code == 0


def test_what_each_command_says_comes_next_is_a_command(compress, inside: Path):
    for words in (["train", "--encoder", "pca", "--dim", "4"], ["encode", "--name", "pca-4"]):
        ended = compress(*words)
        (following,) = [line.split(None, 1)[1] for line in ended.out.splitlines() if line.startswith("next")]
        assert compress(*following.split()[1:]).code == 0
