"""The rows of the tables: what is printed, what is built for them, and the commands that make them."""

from __future__ import annotations

import shlex
from typing import Any

import pytest
import torch

from cli.evaluate import evaluate
from cli.train import train
from compress.jobs.settings import recipe_changes
from compress.papers import CatalogueRow, StandIn, catalogue, published, row_command, row_settings
from compress.training.config import TrainConfig
from compress.training.recipes import train_config
from encoders import build_encoder, build_head, count_parameters, encoder_level

ROWS = {row.run: row for row in catalogue().rows}
# As printed: Hit@1, PERR, MAP, GAP.
PRINTED = {
    "lstm-1x1024": (0.848, 0.741, 0.334, 0.805),
    "lstm-2x1024": (0.859, 0.754, 0.354, 0.816),
    "lstm-1280-640": (0.862, 0.759, 0.357, 0.820),
    "lstm-3x1024": (0.874, 0.776, 0.399, 0.837),
    "lstm-res3-1024": (0.877, 0.780, 0.422, 0.842),
    "lstm-1x1024-max": (0.844, 0.735, 0.341, 0.795),
    "lstm-1x1024-attention": (0.863, 0.761, 0.378, 0.822),
    "bilstm-1x2048": (0.874, 0.778, 0.437, 0.839),
    "bilstm-2x2048": (0.869, 0.771, 0.409, 0.833),
    "stacked-bilstm-2x2048": (0.876, 0.780, 0.427, 0.841),
    "bilstm-3x1024": (0.866, 0.763, 0.359, 0.824),
    "stacked-bilstm-res3-1024": (0.866, 0.752, 0.358, 0.828),
    "multi-modal-dbof": (0.854, 0.747, 0.353, 0.800),
    "multi-modal-lstm": (0.856, 0.752, 0.358, 0.814),
    "moe": (0.854, 0.759, 0.466, 0.817),
    "fc-320": (0.832, 0.726, 0.348, 0.782),
    "fc-1024": (0.840, 0.735, 0.374, 0.795),
    "cnn-320-mean": (0.851, 0.724, 0.304, 0.796),
    "cnn-320-max": (0.862, 0.764, 0.418, 0.822),
    "cnn-512-mean": (0.857, 0.758, 0.408, 0.818),
    "cnn-512-max": (0.864, 0.766, 0.428, 0.827),
    "cnn-1024-mean": (0.861, 0.764, 0.425, 0.825),
    "cnn-1024-max": (0.863, 0.768, 0.427, 0.831),
    "qrnn": (0.854, 0.756, None, 0.808),
}
OURS = (
    *("frame-average-logistic", "frame-statistics", "nextvlad", "transformer"),
    *("logistic", "autoencoder-320"),
)


def lstm(inputs: int, units: int) -> int:
    """Four gates, each with weights for input and state and one bias."""
    return 4 * units * (inputs + units + 1)


def dbof(inputs: int) -> int:
    """8192 clusters, 1024 hidden, batch norms (the first without shift) in place of biases."""
    return inputs + inputs * 8192 + 2 * 8192 + 8192 * 1024 + 2 * 1024


def qrnn(inputs: int, units: int) -> int:
    """Three gates of a window of two."""
    return 3 * units * (2 * inputs + 1)


# By hand, of encoders that read `d` numbers a frame or video.
PARAMETERS = {
    "lstm-1x1024": lambda d: lstm(d, 1024),
    "lstm-2x1024": lambda d: lstm(d, 1024) + lstm(1024, 1024),
    "lstm-1280-640": lambda d: lstm(d, 1280) + lstm(1280, 640),
    "lstm-3x1024": lambda d: lstm(d, 1024) + 2 * lstm(1024, 1024),
    "lstm-res3-1024": lambda d: lstm(d, 1024) + 2 * lstm(1024, 1024),
    "lstm-1x1024-max": lambda d: lstm(d, 1024),
    "lstm-1x1024-attention": lambda d: lstm(d, 1024) + 1024,
    "bilstm-1x2048": lambda d: 2 * lstm(d, 1024),
    "bilstm-2x2048": lambda d: 2 * (lstm(d, 1024) + lstm(1024, 1024)),
    "stacked-bilstm-2x2048": lambda d: 2 * (lstm(d, 1024) + lstm(1024, 1024)),
    "bilstm-3x1024": lambda d: 2 * (lstm(d, 512) + 2 * lstm(512, 512)),
    "stacked-bilstm-res3-1024": lambda d: 2 * (lstm(d, 512) + 2 * lstm(1024, 512)),
    "multi-modal-dbof": lambda d: sum(dbof(part) for part in _parts(d)),
    "multi-modal-lstm": lambda d: sum(lstm(part, 1024) + lstm(1024, 1024) for part in _parts(d)),
    "frame-average-logistic": lambda d: d,  # the scale of the norm on the average
    "moe": lambda d: 0,
    "logistic": lambda d: 0,
    "qrnn": lambda d: qrnn(d, 512) + qrnn(512, 512),
}
# In millions, as counted for the paper (models.md section 4); ours add a gain and a norm to the embedding.
MILLIONS = {
    **{f"cnn-{x}-{p}": n for p in ("mean", "max") for x, n in ((320, 8.28), (512, 10.32), (1024, 15.76))},
    "fc-320": (1152 + 1) * 320 / 1e6,
    "fc-1024": (1152 + 1) * 1024 / 1e6,
}


def _parts(d: int) -> tuple[int, int]:
    return {1152: (1024, 128), 128: (64, 64)}[d]


def config_of(row: CatalogueRow, stand_in: StandIn | None = None) -> TrainConfig:
    changes = recipe_changes(row_settings(row, stand_in), 0, {"epochs": row.epochs})
    return train_config(row.encoder, row.dim, row.preset, changes)


def encoder_of(row: CatalogueRow, input_dim: int) -> torch.nn.Module:
    config = config_of(row, catalogue().stand_in(row, input_dim))
    with torch.device("meta"):  # sizes alone: no memory, no random numbers
        return build_encoder(config.encoder, {**config.encoder_options, "input_dim": input_dim})


def test_every_row_is_there_once_with_its_run() -> None:
    assert list(ROWS) == [row.run for row in catalogue().rows]
    assert {run for run, row in ROWS.items() if row.published} == set(PRINTED)
    assert {run for run, row in ROWS.items() if not row.published} == set(OURS)
    assert [sum(row.published is not None for row in catalogue().of(t)) for t in ("2", "3", "qrnn")] == [
        14,
        9,
        1,
    ]


@pytest.mark.parametrize("run", PRINTED)
def test_figures_are_as_printed(run: str) -> None:
    found = ROWS[run].published
    assert found is not None
    assert (found.hit_at_one, found.perr, found.map, found.gap) == PRINTED[run]


def test_the_rows_of_table_4_are_rows_of_tables_2_and_3() -> None:
    for row in published().rows:
        of_table = ROWS[published().runs[row.name]]
        assert of_table.published is not None
        assert (row.gap, row.map) == (of_table.published.gap, of_table.published.map)
        assert row.size == of_table.dim


@pytest.mark.parametrize(
    ("run", "input_dim"),
    [(run, d) for run, row in ROWS.items() for d in ((1152, 128) if row.level == "frame" else (1152,))],
)
def test_every_row_builds_the_encoder_that_it_names(run: str, input_dim: int) -> None:
    row = ROWS[run]
    encoder = encoder_of(row, input_dim)
    assert encoder_level(row.encoder) == row.level
    assert encoder.dim == (row.dim or encoder.dim)
    if run in PARAMETERS:
        assert count_parameters(encoder) == PARAMETERS[run](input_dim)
    if run in MILLIONS:
        assert count_parameters(encoder) / 1e6 == pytest.approx(MILLIONS[run], abs=0.005)


def test_the_check_values_of_one_layer() -> None:
    assert lstm(1152, 1024) / 1e6 == pytest.approx(8.917, abs=5e-4)
    assert lstm(1024, 1024) / 1e6 == pytest.approx(8.393, abs=5e-4)


@pytest.mark.parametrize("run", ROWS)
def test_the_head_has_as_many_parameters_as_counted_by_hand(run: str) -> None:
    row, config = ROWS[run], config_of(ROWS[run])
    assert config.head == row.head
    dim, classes = encoder_of(row, 1152).dim, 3862
    with torch.device("meta"):
        head = build_head(row.head, dim, classes, config.head_options)
    wanted = {"moe": 5 * classes * dim + 2 * classes, "logistic": classes * dim + classes}
    assert count_parameters(head) == wanted[row.head]


@pytest.mark.parametrize("run", ROWS)
def test_the_command_of_a_row_trains_just_that(run: str) -> None:
    row = ROWS[run]
    first, second = (shlex.split(part) for part in row_command(row).split(" && "))
    parsed: dict[str, Any] = train.make_context("train", first[2:]).params
    assert first[:2] == ["compress", "train"]
    assert (parsed["name"], parsed["encoder"], parsed["dim"]) == (run, row.encoder, row.dim)
    assert parsed["epochs"] == row.epochs
    assert tuple(parsed["settings"]) == row_settings(row)
    assert evaluate.make_context("evaluate", second[2:]).params["runs"] == (run,)


def test_an_encoder_that_lacks_a_modality_gets_a_stand_in_and_says_so() -> None:
    row = ROWS["multi-modal-lstm"]
    stand_in = catalogue().stand_in(row, 128)
    assert stand_in is not None
    assert "stand in" in stand_in.note
    assert config_of(row, stand_in).encoder_options["modalities"] == [64, 64]
    assert "modalities=[64, 64]" in row_command(row, stand_in)
    assert catalogue().stand_in(row, 1152) is None
    assert catalogue().stand_in(ROWS["lstm-1x1024"], 128) is None
