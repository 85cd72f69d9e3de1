"""From nothing to a report, as a person types it; and everything once more."""

from __future__ import annotations

import json
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
            "&& compress evaluate --name original --head-epochs 1",
        ),
        (
            "original-int8",
            "compress train --encoder identity && compress encode --name original --codec int8 "
            "&& compress evaluate --name original-int8 --head-epochs 1",
        ),
        (
            "residual_cnn-24",
            "compress train --dim 24 --set width=0.05 --epochs 1 --set warm_epochs=0 "
            "&& compress encode --name residual_cnn-24 "
            "&& compress evaluate --name residual_cnn-24 --head-epochs 1",
        ),
        (
            "lstm-8",
            "compress train --encoder lstm --dim 8 --epochs 1 && compress encode --name lstm-8 "
            "&& compress evaluate --name lstm-8 --head-epochs 1",
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


def test_other_options_of_an_evaluation_replace_its_head(compress, inside: Path):
    for epochs in (2, 1):
        ended = compress("evaluate", "--name", "original", "--head-epochs", epochs, "--json")
        assert (ended.code, ended.json["head_training"]["epochs"]) == (0, epochs)


def test_a_training_says_shares_as_fractions_and_counts_as_whole_numbers(compress, inside: Path):
    told = dict(line.rsplit(maxsplit=1) for line in compress(*LSTM).out.splitlines())

    assert (told["validation videos"], told["classes with labels"].isdigit()) == ("30", True)
    assert len(told["GAP"]) == len("0.1234")


def test_an_evaluation_that_is_typed_again_does_not_train_its_head_again(compress, inside: Path):
    ended = compress("evaluate", "--name", "original", "--head-epochs", 1)

    assert ended.code == 0
    assert "heads/original is already trained" in ended.err


def test_a_head_of_other_epochs_is_not_compared_with_the_baseline(compress, inside: Path):
    ended = compress("evaluate", "--dim", 24, "--head-epochs", 2)

    assert ended.code == 68
    assert "another head" in ended.err


def test_what_each_command_says_comes_next_is_a_command(compress, inside: Path):
    for words in (["train", "--encoder", "pca", "--dim", "4"], ["encode", "--name", "pca-4"]):
        ended = compress(*words)
        (following,) = [line.split(None, 1)[1] for line in ended.out.splitlines() if line.startswith("next")]
        assert compress(*following.split()[1:]).code == 0
