"""Recipe, data and machine that do not fit together are refused before anything is written."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from compress.errors import CompressError, SchemaError, UnavailableError, UsageError
from compress.labels import Labels
from compress.training import TrainConfig, train, train_config
from compress.training.identity import differences, identity_of, same_training
from compress.training.inputs import Table
from tests.training.examples import CLASSES, IDENTITY, LINEAR, LSTM, frame_table, video_table, with_labels

VIDEOS, FRAMES, OTHERS = video_table(), frame_table(), video_table(20, seed=1)
FRAME_TABLES = FRAMES, frame_table(10, seed=1)
UNLABELLED = with_labels(VIDEOS, Labels.from_lists([[] for _ in range(40)], CLASSES))
MORE_CLASSES = with_labels(VIDEOS, replace(VIDEOS.labels, num_classes=40))
PCA = train_config("pca", 4)

TABLES = {
    "frame-level encoder": (LSTM, VIDEOS, VIDEOS, "'lstm' reads frame-level data, .* are video-level"),
    "video-level encoder": (LINEAR, FRAMES, FRAMES, "'linear' reads video-level data, .* are frame-level"),
    "closed form": (PCA, FRAMES, FRAMES, "'pca' reads video-level data"),
    "other level": (LINEAR, VIDEOS, FRAMES, "training videos are video-level .* videos frame-level"),
    "other size": (LINEAR, VIDEOS, video_table(dim=9), "with 16 dimensions .* with 9 dimensions"),
    "other classes": (LINEAR, VIDEOS, MORE_CLASSES, "12 classes, .* 40 classes"),
    "unlabelled training": (LINEAR, UNLABELLED, VIDEOS, "no training video has a label"),
    "same videos": (LINEAR, VIDEOS, VIDEOS, "video 'v0000' and 39 more are in training"),
    "unlabelled validation": (LINEAR, VIDEOS, UNLABELLED, "no validation video has a label"),
}
RECIPES = {
    "unknown encoder": (TrainConfig("lstn"), "no encoder 'lstn'"),
    "unknown head": (replace(LINEAR, head="moo"), "head 'moo'"),
    "unknown option": (TrainConfig("linear", {"sizes": 3}), "no option sizes"),
    "wrong type": (TrainConfig("linear", {"dim": "x"}), "dim must be int"),
    "no head": (replace(LINEAR, head=None), "'linear' is trained with a head"),
    "features of another size": (
        TrainConfig("multi_modal", {"modalities": [9, 9]}),
        "must add up to input_dim = 16",
    ),
    "mixtures": (replace(LINEAR, head_options={"num_mixtures": 0}), "num_mixtures"),
    "fixed size": (TrainConfig("identity", {"dim": 9}, head=None), "dim = 9"),
    "warm-up without a branch": (replace(LINEAR, warm_epochs=1), "no branch to switch off"),
}


def refused(config: TrainConfig, table: Table, validation: Table, run: Path) -> CompressError:
    with pytest.raises(CompressError) as caught:
        train(config, table, validation, run)
    assert not (run / "model").exists()
    return caught.value


@pytest.mark.parametrize("name", TABLES)
def test_tables_that_do_not_fit_are_refused(tmp_path: Path, name: str) -> None:
    config, table, validation, message = TABLES[name]
    error = refused(config, table, validation, tmp_path / "run")
    assert isinstance(error, SchemaError)
    assert re.search(message, str(error)), str(error)
    assert not (tmp_path / "run").exists(), "nothing was written"


@pytest.mark.parametrize("name", RECIPES)
def test_recipes_that_cannot_be_built_are_refused(tmp_path: Path, name: str) -> None:
    config, message = RECIPES[name]
    tables = FRAME_TABLES if config.encoder == "multi_modal" else (VIDEOS, OTHERS)
    error = refused(config, *tables, tmp_path / "run")
    assert isinstance(error, UsageError)
    assert message in str(error)
    assert not (tmp_path / "run").exists(), "the name is free for the recipe that was meant"


@pytest.mark.parametrize(("videos", "others"), [(1, 40), (0, 40), (40, 0)])
def test_too_few_videos_are_refused(tmp_path: Path, videos: int, others: int) -> None:
    error = refused(LINEAR, video_table(videos), video_table(others, seed=1), tmp_path / "run")
    assert str(error) == f"{videos} training and {others} validation videos are too few"


@pytest.mark.skipif(torch.cuda.is_available(), reason="needs a machine without a GPU")
def test_a_gpu_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match='device="cuda": no GPU'):
        train(IDENTITY, video_table(), video_table(seed=1), tmp_path / "run", device="cuda")


def test_a_closed_form_needs_no_labels(tmp_path: Path) -> None:
    assert train(PCA, UNLABELLED, UNLABELLED, tmp_path / "run").best_epoch == 0


def test_two_training_videos_are_enough(tmp_path: Path) -> None:
    result = train(replace(IDENTITY, batch_size=1), video_table(2), video_table(1, seed=1), tmp_path / "run")
    assert np.isfinite(result.figures["gap"])


def test_a_setting_that_an_older_version_did_not_know_had_its_default() -> None:
    table, validation = VIDEOS, OTHERS
    identity = identity_of(LINEAR, table, validation, "cpu")
    older = {**identity, "config": {k: v for k, v in identity["config"].items() if k != "ema"}}
    assert same_training(older, identity)
    changed = identity_of(replace(LINEAR, ema=0.5), table, validation, "cpu")
    assert differences(older, changed) == ["ema 0.99 -> 0.5"]
    assert not same_training(None, identity)


def test_a_default_may_be_written_out_or_not() -> None:
    short, long = (
        identity_of(replace(LSTM, encoder_options=options), FRAMES, FRAMES, "cpu")
        for options in ({"dim": 8}, {"dim": 8, "sizes": [], "pooling": "last"})
    )
    assert same_training(short, long)
    assert same_training(long, short)
    other = {**long, "config": {**long["config"], "encoder_options": {"dim": 8, "pooling": "max"}}}
    assert [words.split(" ")[0] for words in differences(short, other)] == ["encoder_options"]
