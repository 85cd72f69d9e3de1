"""The loss in one piece: torch finds nothing in it that it cannot compile, and the result is the same."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from compress.artifacts.atomic import read_json
from compress.datasets.table import VideoTable
from compress.errors import UnavailableError, UsageError
from compress.training import TrainConfig, train
from compress.training.checks import check_compile
from compress.training.identity import differences, identity_of
from compress.training.inputs import batch
from compress.training.new_model import new_model
from compress.training.objective import compiled, loss_function
from compress.training.run import Run
from encoders import Method, set_convolution_method
from tests.training.examples import IDENTITY, LINEAR, LSTM, RESIDUAL_CNN, tables, video_table

# torch.compile uses what torch has deprecated.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

_CNN = {**RESIDUAL_CNN.encoder_options, "embedding_dropout": 0.0}
CNN = replace(RESIDUAL_CNN, encoder_options=_CNN, input_dropout=0.0, precision="fp32")
RECIPES = [
    replace(LINEAR, encoder_options={"dim": 8, "norm": True}, precision="bf16"),
    CNN,
    replace(RESIDUAL_CNN, encoder_options={**_CNN, "dim": 16, "width": 2.0}, input_dropout=0.0),  # by tiles
    replace(IDENTITY, precision="fp32"),
]


def named(config: TrainConfig) -> str:
    return f"{config.encoder}-{config.head}-{config.precision}-{config.encoder_options.get('width', '')}"


def _bound(config: TrainConfig) -> float:
    return 3e-2 if config.precision == "bf16" else 1e-4


def results(
    config: TrainConfig, table: VideoTable, backend: str | None, method: Method = "auto"
) -> list[torch.Tensor]:
    """The loss of a batch and all gradients."""
    torch.manual_seed(0)
    torch._dynamo.reset()
    model = new_model(config, table).train()
    if config.warm_epochs:
        model.encoder.set_warm(False)
    set_convolution_method(model, method)
    loss_of = loss_function(config, model, "cpu")
    if backend is not None:
        loss_of = compiled(loss_of, "cpu", backend=backend)
    loss = loss_of(*batch(table, torch.arange(9).numpy(), torch.device("cpu")))
    loss.backward()
    # Nothing depends on a bias that a batch norm follows: its gradient is rounding alone.
    kept = [p.grad for name, p in model.named_parameters() if p.grad is not None and name != "encoder.bias"]
    return [loss.detach(), *kept]


@pytest.mark.parametrize("config", RECIPES, ids=named)
def test_there_is_no_break_and_the_loss_and_its_gradient_are_the_same(config: TrainConfig) -> None:
    torch._dynamo.utils.counters.clear()
    for ours, wanted in zip(
        results(config, video_table(), "aot_eager"), results(config, video_table(), None), strict=True
    ):
        assert (ours - wanted).norm() <= _bound(config) * max(float(wanted.norm()), 1e-3)
    assert torch._dynamo.utils.counters["stats"]["unique_graphs"] == 1
    assert not torch._dynamo.utils.counters["graph_break"]


def test_the_convolutions_of_a_gpu_are_compiled_without_a_break_too() -> None:
    torch._dynamo.utils.counters.clear()
    found = results(CNN, video_table(), "aot_eager", "image")
    for ours, wanted in zip(found, results(CNN, video_table(), None), strict=True):
        assert (ours - wanted).norm() <= 1e-4 * max(float(wanted.norm()), 1e-3)
    assert not torch._dynamo.utils.counters["graph_break"]


@pytest.mark.slow
@pytest.mark.skipif(not any(map(shutil.which, ("g++", "c++", "clang++"))), reason="no C++ compiler")
@pytest.mark.parametrize("config", RECIPES[:2], ids=named)
def test_inductors_loss_and_gradient_are_the_same(config: TrainConfig) -> None:
    found, wanted = (results(config, video_table(), backend) for backend in ("inductor", None))
    for ours, theirs in zip(found, wanted, strict=True):
        assert (ours - theirs).norm() <= _bound(config) * max(float(theirs.norm()), 1e-3)


def test_a_run_tells_that_its_loss_was_compiled_and_may_be_continued_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "compress.training.loop.compiled", lambda loss, *arguments, **options: loss
    )  # what is compiled is tested above
    before = train(IDENTITY, *tables(IDENTITY), tmp_path / "run", compile=True)
    assert read_json(Run(tmp_path / "run").config)["runtime"] == {"compile": True}
    again = train(IDENTITY, *tables(IDENTITY), tmp_path / "run")
    assert again.figures == before.figures


def test_an_older_run_is_the_same_training_whether_compiled_or_not() -> None:
    arguments = (IDENTITY, *tables(IDENTITY), "cpu")
    assert differences(identity_of(*arguments), identity_of(*arguments, compile=True)) == []
    assert "runtime" not in identity_of(*arguments)


def test_what_is_computed_is_not_compiled(tmp_path: Path) -> None:
    config = TrainConfig("pca", {"dim": 4}, head=None)
    with pytest.raises(UsageError, match="nothing to compile"):
        train(config, video_table(), video_table(10, seed=1), tmp_path / "run", compile=True)
    assert not (tmp_path / "run").exists()


def test_loops_over_time_are_not_compiled(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="lstm reads frames"):
        train(LSTM, *tables(LSTM), tmp_path / "run", compile=True)
    assert not (tmp_path / "run").exists()


def test_a_missing_compiler_is_told_before_the_run_is_claimed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CXX", "no-such-compiler")
    with pytest.raises(UnavailableError, match="no C\\+\\+ compiler"):
        check_compile(IDENTITY)
    with pytest.raises(UnavailableError, match="no C\\+\\+ compiler"):
        train(IDENTITY, *tables(IDENTITY), tmp_path / "run", compile=True)
    assert not (tmp_path / "run").exists()
