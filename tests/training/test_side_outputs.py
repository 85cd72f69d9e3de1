"""A training whose encoder has side outputs or a loss of its own: resumed, kept and loaded like any other."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from compress.errors import Interrupted
from compress.progress import clear_interrupt
from compress.training import TrainConfig, load_model, train
from compress.training.inputs import Table
from tests.training.examples import contents, frame_table, interrupt_after, video_table

AUTOENCODER = TrainConfig(
    "autoencoder",
    {"dim": 8, "hidden": [12], "dropout": 0.2, "embedding_dropout": 0.2, "input_noise": 0.1},
    epochs=2,
    batch_size=16,
    input_dropout=0.1,
)
MULTI_MODAL = TrainConfig(
    "multi_modal",
    {"modalities": [10, 6], "encoder_options": [{"dim": 8, "sizes": [8]}] * 2, "embedding_dropout": 0.2},
    head_options={"num_mixtures": 3},
    epochs=2,
    batch_size=8,
    input_dropout=0.1,
)
every_recipe = pytest.mark.parametrize(
    "config", [AUTOENCODER, MULTI_MODAL], ids=lambda config: config.encoder
)


def tables(config: TrainConfig) -> tuple[Table, Table]:
    if config.encoder == "multi_modal":
        return frame_table(), frame_table(10, seed=1)
    return video_table(), video_table(20, seed=1)


@every_recipe
def test_a_training_that_was_stopped_ends_as_one_that_was_not(tmp_path: Path, config: TrainConfig) -> None:
    train(config, *tables(config), tmp_path / "whole")
    for steps in (2, 2):  # in the first epoch, and in the second
        with pytest.raises(Interrupted):
            train(config, *tables(config), tmp_path / "stopped", report=interrupt_after(steps))
        clear_interrupt()
    train(config, *tables(config), tmp_path / "stopped")
    assert contents(tmp_path / "stopped") == contents(tmp_path / "whole")


@every_recipe
def test_the_kept_model_has_all_that_was_trained(tmp_path: Path, config: TrainConfig) -> None:
    model, metadata = load_model(train(config, *tables(config), tmp_path / "run").run)
    assert metadata["parameters"] == model.parameter_counts()
    extra = set(metadata["parameters"]) - {"encoder", "head"}
    assert extra == ({"side_heads"} if config.encoder == "multi_modal" else {"training_only"})
    assert all(head.config.num_mixtures == 3 for head in model.side_heads.values())


@every_recipe
@pytest.mark.parametrize("class_priors", [False, True])
def test_side_heads_start_from_the_class_frequencies_too(
    tmp_path: Path, config: TrainConfig, class_priors: bool
) -> None:
    config = replace(config, epochs=1, learning_rate=1e-12, weight_decay=0.0, class_priors=class_priors)
    table, validation = tables(config)
    model, _ = load_model(train(config, table, validation, tmp_path / "run").run)
    chances = torch.from_numpy((table.labels.class_counts() + 0.5) / (len(table) + 1)).float()
    for head in (model.head, *model.side_heads.values()):
        start = torch.sigmoid(head(torch.zeros(1, head.dim)))[0]
        assert torch.allclose(start, chances, atol=0.02) == class_priors
