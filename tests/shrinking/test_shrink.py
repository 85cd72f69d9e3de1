"""From a trained run to a smaller one: stored small, loaded like any other, resumed to the bit."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import compress
from compress.artifacts.atomic import read_json
from compress.artifacts.folder import read_folder
from compress.errors import CorruptArtifactError, DataError, Interrupted, UsageError
from compress.evaluation.description import model_size
from compress.progress import Note, clear_interrupt
from compress.shrinking import ShrinkPlan, Shrunk, shrink
from compress.shrinking.pruning import share_of_zeros
from compress.training import TrainConfig, load_model, train
from compress.training.log import append_log
from compress.training.run import Run, save_model
from compress.training.scoring import accumulate
from compress.training.weights import matrices_of
from tests.training.examples import LINEAR, LSTM, RESIDUAL_CNN, contents, interrupt_after, tables
from tests.training.test_side_outputs import AUTOENCODER, MULTI_MODAL
from tests.training.test_side_outputs import tables as side_tables

NESTED = replace(LINEAR, nested_dims=(4,), quantize="int8")
PCA = TrainConfig("pca", {"dim": 8}, head=None, input_norm="l2", precision="fp32")
RECIPES = {"linear": LINEAR, "residual_cnn": RESIDUAL_CNN, "lstm": LSTM, "nested": NESTED, "pca": PCA}
SIDES = {"autoencoder": AUTOENCODER, "multi_modal": MULTI_MODAL}
PRUNED = ShrinkPlan("int8", 0.8, "global", 2)


def tables_of(name: str) -> Any:
    return side_tables(SIDES[name]) if name in SIDES else tables(RECIPES[name])


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Finished runs by name."""
    found = {}
    for name, config in {**RECIPES, **SIDES}.items():
        found[name] = tmp_path_factory.mktemp(name) / name
        train(replace(config, epochs=2), *tables_of(name), found[name])
    return found


def made(trained: dict[str, Path], name: str, plan: ShrinkPlan, output: Path, **options: Any) -> Shrunk:
    table, validation = tables_of(name)
    has_head = name != "pca"
    return shrink(
        trained[name],
        output,
        plan,
        table if plan.epochs else None,
        validation if has_head else None,
        **options,
    )


every_run = pytest.mark.parametrize("name", [*RECIPES, *SIDES])


@every_run
@pytest.mark.parametrize("weights", ["float16", "int8"])
def test_fewer_bits_give_nearly_the_same_model_in_fewer_bytes(
    trained: dict[str, Path], tmp_path: Path, name: str, weights: Any
) -> None:
    before = contents(trained[name])
    done = made(trained, name, ShrinkPlan(weights), tmp_path / "small")
    assert contents(trained[name]) == before, "the run it came from stays"
    assert model_size(done.run)["bytes"] < model_size(trained[name])["bytes"]
    (old, facts), (new, small) = load_model(trained[name]), load_model(done.run)
    assert small["shrunk"]["run"] == name
    for key in ("model_config", "train_config", "schema", "train_videos", "epoch"):
        assert small[key] == facts[key]
    left = {key for key in old.state_dict() if key.startswith(("side_heads", "encoder.decode"))}
    for key, value in old.state_dict().items():
        if key not in left:
            assert torch.allclose(new.state_dict()[key], value, atol=0.005 * float(value.abs().max()))
    if name != "pca":
        wanted = accumulate(new, tables_of(name)[1], precision=small["train_config"]["precision"]).figures()
        assert small["figures"]["gap"] == wanted.gap
        assert abs(wanted.gap - facts["figures"]["gap"]) < 0.05


@every_run
def test_pruned_weights_are_zero_where_they_are_stored_and_loaded(
    trained: dict[str, Path], tmp_path: Path, name: str
) -> None:
    plan = PRUNED if name != "pca" else replace(PRUNED, epochs=0)
    done = made(trained, name, plan, tmp_path / "small")
    model, facts = load_model(done.run)
    matrices = {
        key: value
        for key, value in matrices_of(model).items()
        if not key.startswith(("side_heads", "encoder.decode"))
    }
    assert share_of_zeros(matrices.values()) == pytest.approx(facts["shrunk"]["share_of_zeros"], abs=1e-4)
    assert facts["shrunk"]["share_of_zeros"] >= 0.7, "among what is kept; the share is of all"
    total = sum(int(value.count_nonzero()) for value in matrices.values())
    assert total <= sum(facts["shrunk"]["not_zero"].values()) <= sum(facts["parameters"].values())
    assert not (done.run / "tuning").exists()


@pytest.mark.parametrize("weights", ["float16", "int8"])
def test_a_smaller_run_that_is_saved_again_loads_as_it_was(
    trained: dict[str, Path], tmp_path: Path, weights: str
) -> None:
    done = made(trained, "linear", ShrinkPlan(weights), tmp_path / "small")
    encoder = compress.load(done.run)
    features = np.random.default_rng(0).normal(size=(5, encoder.input_dim)).astype(np.float32)
    encoder.save(tmp_path / "saved")
    assert np.array_equal(compress.load(tmp_path / "saved").encode(features), encoder.encode(features))


def test_what_only_training_needs_is_left_out(trained: dict[str, Path], tmp_path: Path) -> None:
    for name in SIDES:
        done = made(trained, name, ShrinkPlan("float16"), tmp_path / name)
        model, facts = load_model(done.run)
        assert facts["parameters"].keys() == {"encoder", "head"}
        assert not any(value.any() for value in model.side_heads.parameters())
        assert not any(value.any() for value in model.encoder.training_only_parameters())


@pytest.mark.parametrize("name", ["linear", "residual_cnn", "lstm", "multi_modal", "nested"])
def test_a_shrinking_that_was_stopped_ends_as_one_that_was_not(
    trained: dict[str, Path], tmp_path: Path, name: str
) -> None:
    plan = replace(PRUNED, scope="layer")
    made(trained, name, plan, tmp_path / "whole")
    for steps in (1, 2):  # while weights are cut, and after
        with pytest.raises(Interrupted):
            made(trained, name, plan, tmp_path / "stopped", report=interrupt_after(steps))
        clear_interrupt()
        assert not Run(tmp_path / "stopped").finished
    made(trained, name, plan, tmp_path / "stopped")
    assert contents(tmp_path / "stopped") == contents(tmp_path / "whole")


def test_a_finished_one_is_kept_and_another_plan_is_refused(trained: dict[str, Path], tmp_path: Path) -> None:
    said: list[str] = []
    made(trained, "linear", PRUNED, tmp_path / "small")
    before = contents(tmp_path / "small")
    made(
        trained,
        "linear",
        PRUNED,
        tmp_path / "small",
        report=lambda event: said.append(event.text) if isinstance(event, Note) else None,
    )
    assert contents(tmp_path / "small") == before
    assert said == [f"{tmp_path / 'small'} is finished already"]
    for other in (ShrinkPlan("float16"), replace(PRUNED, prune=0.5), replace(PRUNED, scope="row")):
        with pytest.raises(UsageError, match=r"made smaller, or how\).*choose another --output, or --fresh"):
            made(trained, "linear", other, tmp_path / "small")
    with pytest.raises(UsageError, match="made smaller, or how"):
        train(replace(LINEAR, epochs=2), *tables(LINEAR), tmp_path / "small")


def test_the_log_has_the_epochs_of_both_trainings(trained: dict[str, Path], tmp_path: Path) -> None:
    done = made(trained, "linear", PRUNED, tmp_path / "small")
    lines = [line["epoch"] for line in map(json.loads, Run(done.run).log.read_text().splitlines())]
    assert lines == [1, 2, 3, 4]
    config = read_json(Run(done.run).config)
    assert config["config"] == read_json(Run(trained["linear"]).config)["config"]
    assert config["refines"]["prune"] == 0.8


def test_a_smaller_run_is_not_made_smaller_again(trained: dict[str, Path], tmp_path: Path) -> None:
    done = made(trained, "linear", ShrinkPlan("float16"), tmp_path / "small")
    with pytest.raises(UsageError, match="was made smaller already; shrink 'linear' with other options"):
        shrink(done.run, tmp_path / "again", PRUNED, *tables(LINEAR))
    assert not (tmp_path / "again").exists()


def test_a_run_without_weights_has_none_to_make_smaller(tmp_path: Path) -> None:
    config = TrainConfig("identity", head=None, input_norm="l2", precision="fp32")
    train(config, *tables(LINEAR), tmp_path / "original")
    with pytest.raises(UsageError, match="no weights"):
        shrink(tmp_path / "original", tmp_path / "small", ShrinkPlan(), None, None)


@pytest.mark.parametrize(
    ("value", "weights", "message"),
    [(float("nan"), "int8", "not finite"), (1e6, "float16", "too large for float16")],
)
def test_weights_that_cannot_be_stored_leave_no_model(
    trained: dict[str, Path], tmp_path: Path, value: float, weights: Any, message: str
) -> None:
    model, facts = load_model(trained["linear"])
    with torch.no_grad():
        next(iter(matrices_of(model).values()))[0, 0] = value
    save_model(Run(tmp_path / "bad").model, model.state_dict(), facts)
    with pytest.raises(DataError, match=f"{message}; choose another --weights"):
        shrink(tmp_path / "bad", tmp_path / "small", ShrinkPlan(weights), None, tables(LINEAR)[1])
    assert not Run(tmp_path / "small").finished


def test_a_model_that_does_not_fit_its_description_is_refused(
    trained: dict[str, Path], tmp_path: Path
) -> None:
    run = Run(made(trained, "linear", ShrinkPlan(), tmp_path / "small").run)
    manifest = read_folder(run.model, "model")
    _, facts = load_model(trained["linear"])
    packed = {"encoder.weight#values": torch.zeros(3, dtype=torch.int8)}
    save_model(run.model, packed, {**facts, "weights": manifest.metadata["weights"]})
    with pytest.raises(CorruptArtifactError, match="holds a model that this version cannot build"):
        load_model(run.folder)


def test_a_source_without_config_and_log_is_made_smaller_all_the_same(
    trained: dict[str, Path], tmp_path: Path
) -> None:
    model, facts = load_model(trained["linear"])
    save_model(Run(tmp_path / "bare").model, model.state_dict(), facts)
    done = shrink(tmp_path / "bare", tmp_path / "small", ShrinkPlan(), None, tables(LINEAR)[1])
    assert Run(done.run).log.read_bytes() == b""
    assert done.figures["gap"] > 0


def test_a_log_that_is_no_json_is_named(trained: dict[str, Path], tmp_path: Path) -> None:
    model, facts = load_model(trained["linear"])
    source = Run(tmp_path / "bad")
    save_model(source.model, model.state_dict(), facts)
    append_log(source.log, {"epoch": 1})
    source.log.write_bytes(source.log.read_bytes() + b"{\n")
    with pytest.raises(CorruptArtifactError, match=r"log\.jsonl"):
        shrink(source.folder, tmp_path / "small", ShrinkPlan(), None, tables(LINEAR)[1])
