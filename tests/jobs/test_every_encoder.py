"""Every registered encoder, also those of tomorrow, with every head and codec, from shards to a report.

tests/encoders/test_every_*.py have what holds for them as torch modules. The work is shared: each encoder is
trained once for each head, and all its embeddings are those of two of these runs.
"""

from __future__ import annotations

import html
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from compress.codecs.int8 import Int8
from compress.evaluation.models.row import load_models
from compress.jobs.names import store_name
from compress.jobs.report import report_models, report_stores
from compress.metrics import METRICS
from compress.reports import load_rows, model_table, table4
from compress.store.audit import audit
from compress.store.reader import Store
from compress.training.precision import computes_bf16
from compress.training.run import load_model
from compress.workspace import Workspace
from encoders import config_class, encoder_level, list_encoders, list_heads
from tests.encoders.examples import OPTIONS, SMALL
from tests.jobs.journey import (
    embedded_one_by_one,
    encoded,
    indexed,
    measured,
    scored,
    searched,
    stored,
    trained,
)
from tests.jobs.tiny_videos import CLASSES, LENGTHS, TRAIN, VALIDATE, make_workspace

NAMES = [metric.name for metric in METRICS]
as_trained = pytest.mark.skipif(
    not computes_bf16("cpu"),
    reason="this processor has no bfloat16: what was trained in it is measured in float32, which rows say",
)

DIM = 10  # no encoder's own width, so that every one that can projects
FIXED = {"identity": SMALL["input_dim"]}  # what cannot be another size
CHOSEN_HEAD, NATURAL_HEAD = "moe", "logistic"  # of the runs that are encoded
HEADS = {head: (f"head={head}",) for head in list_heads()} | {
    f"moe-{mixtures}": ("head=moe", f'head_options={{"num_mixtures": {mixtures}}}') for mixtures in (1, 4)
}
CODECS = ("float32", "float16", "int8")  # the others have tests of their own: tests/codecs
every_codec = pytest.mark.parametrize("codec", CODECS)


@dataclass(frozen=True)
class Made:
    """Everything that was made of one encoder.

    Args:
        encoder: its name.
        workspace: has a run for each of HEADS; `chosen` is encoded with every codec, `natural` with float32.
        rows: of each store, by its name; models: of each run, by its head.
        log: what each training measured, by its head.
    """

    encoder: str
    workspace: Workspace
    rows: dict[str, dict[str, Any]]
    models: dict[str, dict[str, Any]]
    log: dict[str, Any]

    @property
    def chosen(self) -> str:
        """The run in float32 whose dim was chosen."""
        return f"{self.encoder}-{CHOSEN_HEAD}"

    @property
    def natural(self) -> str:
        """The run by the recipe's precision that is as wide as the encoder is by itself."""
        return f"{self.encoder}-{NATURAL_HEAD}"

    @property
    def dim(self) -> int:
        """Of `chosen`."""
        return FIXED.get(self.encoder, DIM)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """`original` is encoded and measured."""
    torch.set_num_threads(1)
    workspace = make_workspace(tmp_path_factory.mktemp("every"))
    trained(workspace, "original", "identity")
    encoded(workspace, "original")
    measured(workspace, "original")
    return workspace


@pytest.fixture(scope="module", params=list_encoders())
def made(request: pytest.FixtureRequest, workspace: Workspace) -> Made:
    """All jobs but index, search and report."""
    torch.set_num_threads(1)
    made = Made(request.param, workspace, {}, {}, {})
    for head, settings in HEADS.items():
        run = f"{made.encoder}-{head}"
        chosen = (made.dim, "precision=fp32") if run == made.chosen else (None,)
        made.log[head] = trained(workspace, run, made.encoder, *chosen, *settings)
        made.models[head] = scored(workspace, run)
    stores = [(made.chosen, codec) for codec in CODECS] + [(made.natural, "float32")]
    for run, codec in stores:
        encoded(workspace, run, codec)
        made.rows[store_name(run, codec)] = measured(workspace, store_name(run, codec))
    return made


def matrix(store: Store, embeddings: dict[bytes, np.ndarray]) -> np.ndarray:
    """The embeddings in the order of the store."""
    return np.stack([embeddings[video_id] for video_id in store.id_bytes.tolist()])


def allowed(store: Store, exact: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What the store should give back for `exact`, and how far from it the codec says it may be."""
    if store.codec.name == "float16":
        return exact, np.abs(exact) * 2.0**-11 + 2.0**-25
    if isinstance(store.codec, Int8):
        low, high = store.codec.minimum, store.codec.maximum
        return np.clip(exact, low, high), np.broadcast_to((high - low) / 510, exact.shape)
    return exact, np.zeros_like(exact)


@every_codec
def test_a_store_gives_back_what_each_video_alone_gives_in_memory(made: Made, codec: str):
    store = stored(made.workspace, made.chosen, codec)
    exact = matrix(store, embedded_one_by_one(made.workspace, made.chosen))
    expected, error = allowed(store, exact)
    rounding = 1e-5 * np.abs(exact).max()  # float32 sums in another order
    assert (np.abs(store.decode(0, len(store)) - expected) <= error + rounding).all()
    assert np.isfinite(exact).all()
    assert np.ptp(exact, axis=0).max() > 100 * rounding  # the videos do differ


@as_trained
def test_in_the_precision_of_its_recipe_too(made: Made):
    store = stored(made.workspace, made.natural)
    exact = matrix(store, embedded_one_by_one(made.workspace, made.natural))
    difference = np.linalg.norm(store.decode(0, len(store)) - exact, axis=1)
    assert (difference <= 0.02 * np.linalg.norm(exact, axis=1)).all()


def test_videos_of_one_frame_and_of_360_shared_a_batch(made: Made):
    assert {1, 360} <= set(LENGTHS)
    facts = stored(made.workspace, made.chosen).metadata
    if facts["level"] == "frame":
        assert facts["batch_size"] >= TRAIN + VALIDATE


@every_codec
def test_a_store_is_sound_and_says_what_it_holds(made: Made, codec: str):
    store = stored(made.workspace, made.chosen, codec)
    with store.path.open("rb") as file:
        assert audit(file, store.path).dim == made.dim
    assert (store.codec.name, store.dim, len(store)) == (codec, made.dim, TRAIN + VALIDATE)
    assert store.splits == {"train": range(TRAIN), "validate": range(TRAIN, TRAIN + VALIDATE)}
    assert store.labels is not None
    assert store.labels.num_classes == CLASSES
    assert store.metadata["encoder"] == made.encoder
    assert store.metadata["level"] == encoder_level(made.encoder)


def test_without_a_dim_an_embedding_is_as_wide_as_the_encoder_makes_it(made: Made):
    options = {**OPTIONS.get(made.encoder, {}), "input_dim": SMALL["input_dim"]}
    wanted = config_class(made.encoder)(**options).dim
    assert stored(made.workspace, made.natural).dim == load_model(made.workspace.run(made.natural))[0].dim
    assert stored(made.workspace, made.natural).dim == wanted


@every_codec
def test_every_video_finds_itself_first_and_then_others(made: Made, codec: str):
    store = stored(made.workspace, made.chosen, codec)
    index = indexed(made.workspace, store_name(made.chosen, codec))
    embeddings = store.decode(0, len(store))
    hits = index.search(embeddings, len(store))
    scores, rows = hits.scores, hits.rows
    np.testing.assert_allclose(scores[:, 0], 1, atol=1e-5)
    itself = scores[rows == np.arange(len(store))[:, None]]
    np.testing.assert_allclose(itself, scores[:, 0], atol=1e-6)  # two videos may have the same embedding
    video_id = store.ids[0]
    answer = searched(made.workspace, store_name(made.chosen, codec), video_id, 3)
    assert len(answer.neighbours) == 3
    assert video_id not in [hit.video_id for hit in answer.neighbours]


def test_a_joint_head_scores_the_stored_embeddings_like_the_run(made: Made):
    joint, run = made.rows[made.chosen]["joint"], made.models[CHOSEN_HEAD]["figures"]
    assert joint == pytest.approx({metric: run[metric]["value"] for metric in joint}, abs=1e-6)


@as_trained
@pytest.mark.parametrize("head", HEADS)
def test_a_run_is_scored_as_it_was_while_training(made: Made, head: str):
    measured, then = made.models[head]["figures"], made.log[head].figures
    assert {metric: then[metric] for metric in NAMES} == pytest.approx(
        {metric: measured[metric]["value"] for metric in NAMES}, abs=1e-6
    )
    assert made.models[head]["training"]["best_epoch"] == 1


def test_all_its_heads_vote_together(made: Made):
    runs = [f"{made.encoder}-{head}" for head in HEADS]
    row = scored(made.workspace, *runs)
    assert row["runs"] == runs
    assert row["parameters"]["encoder"] == sum(m["parameters"]["encoder"] for m in made.models.values())


def test_its_stores_stand_in_table_4_beside_the_original(made: Made, tmp_path: Path):
    done = report_stores(made.workspace, tmp_path)
    table = table4(load_rows(made.workspace.evaluation))
    lines = {line.row.row: line for line, _ in table.measured if line.row}
    page, text = done.html.read_text(), done.markdown.read_text()
    for name, row in made.rows.items():
        assert lines[name].title == row["title"]
        assert lines[name].bytes_saved is not None
        assert row["delta"]["baseline"] == "original"
        assert html.escape(row["title"]) in page
        assert row["title"] in text


def test_its_runs_stand_in_the_table_of_their_level(made: Made, tmp_path: Path):
    table = {"frame": "2", "video": "3"}[encoder_level(made.encoder)]
    done = report_models(made.workspace, table, tmp_path)
    models = load_models(made.workspace.evaluation / "models")
    others = {line.run: line for line in model_table(table, models).others}
    for head, row in made.models.items():
        assert others[f"{made.encoder}-{head}"].title == row["title"]
        assert html.escape(row["title"]) in done.html.read_text()


def test_titles_tell_its_runs_apart(made: Made):
    titles = [row["title"] for row in made.models.values()]
    assert len(set(titles)) == len(titles)
