"""What a GPU does otherwise, done on a CPU: the same training comes out of it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
import torch

from compress.artifacts.folder import read_folder
from compress.errors import DivergedError, Interrupted
from compress.progress import Note, clear_interrupt
from compress.training import TrainConfig, train
from compress.training.feed import batches
from compress.training.precision import device_settings
from compress.training.run import Run
from compress.training.state import READ_EVERY, PendingLosses, Progressed
from tests.training.examples import LINEAR, LSTM, RESIDUAL_CNN, contents, interrupt_after, tables

RECIPES = [LINEAR, RESIDUAL_CNN, LSTM]
MUCH, NOTHING = 1 << 40, 0  # bytes that are free


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, bytes]]:
    """By encoder: a run as a CPU makes it."""
    found = {}
    for config in RECIPES:
        run = tmp_path_factory.mktemp(config.encoder) / "run"
        train(config, *tables(config), run)
        found[config.encoder] = contents(run)
    return found


@pytest.mark.parametrize("config", RECIPES, ids=lambda config: config.encoder)
@pytest.mark.parametrize("free_bytes", [MUCH, NOTHING], ids=["resident", "sent by a thread"])
@pytest.mark.parametrize("read_every", [2, 5, 100])
def test_neither_where_batches_come_from_nor_when_losses_are_read_changes_a_bit(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    plain: dict,
    config: TrainConfig,
    free_bytes: int,
    read_every: int,
) -> None:
    said: list[str] = []
    monkeypatch.setattr("compress.training.loop.batches", partial(batches, free_bytes=free_bytes))
    monkeypatch.setitem(READ_EVERY, "cpu", read_every)
    stopped = interrupt_after(5)

    def report(event: object) -> None:
        said.extend([event.text] if isinstance(event, Note) else [])
        if not isinstance(event, Note) and event.stage.startswith("epoch"):
            stopped(event)

    with pytest.raises(Interrupted):
        train(config, *tables(config), tmp_path / "run", report=report)
    clear_interrupt()
    assert read_folder(Run(tmp_path / "run").checkpoint, "checkpoint").metadata["at"]["step"] == 5
    train(config, *tables(config), tmp_path / "run")
    assert contents(tmp_path / "run") == plain[config.encoder]
    assert sum("the training videos (" in text for text in said) == 1


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_loss_read_late_ends_the_training_before_a_checkpoint_holds_what_came_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: float
) -> None:
    monkeypatch.setitem(READ_EVERY, "cpu", 100)
    losses = iter([1.0, 2.0, value, *[1.0] * 10])
    monkeypatch.setattr("compress.training.loop.step", lambda *arguments: torch.tensor(next(losses)))
    with pytest.raises(DivergedError, match="at step 3"):
        train(LINEAR, *tables(LINEAR), tmp_path / "run", checkpoint_seconds=1e9)
    assert not Run(tmp_path / "run").checkpoint.exists()
    assert not Run(tmp_path / "run").log.exists()


def test_losses_are_added_in_the_order_of_the_steps_whenever_they_are_read() -> None:
    values = [0.1 * number for number in range(1, 20)]
    found = set()
    for every in (1, 4, 100):
        READ_EVERY["test"] = every
        at, losses = Progressed(), PendingLosses("test")
        for at.step, value in enumerate(values, start=1):
            losses.add(at, torch.tensor(value, dtype=torch.float64), at.step)
        losses.settle(at)
        losses.settle(at)
        found.add((at.loss_sum, at.videos))
    del READ_EVERY["test"]
    assert len(found) == 1


@pytest.fixture
def switches() -> Iterator[None]:
    before = torch.get_float32_matmul_precision()
    cudnn = torch.backends.cudnn.allow_tf32, torch.backends.cudnn.benchmark
    yield
    torch.set_float32_matmul_precision(before)
    torch.backends.cudnn.allow_tf32, torch.backends.cudnn.benchmark = cudnn


@pytest.mark.usefixtures("switches")
@pytest.mark.parametrize("same_shapes", [False, True])
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_gpu_computes_float32_in_full_unless_the_recipe_is_bfloat16(
    precision: str, same_shapes: bool
) -> None:
    torch.set_float32_matmul_precision("medium")
    torch.backends.cudnn.allow_tf32, torch.backends.cudnn.benchmark = precision == "fp32", not same_shapes
    before = _switches()
    with device_settings("cuda", precision, same_shapes=same_shapes):
        products = {"fp32": "highest", "bf16": "high"}[precision]
        assert _switches() == (products, precision == "bf16", same_shapes)
    assert _switches() == before


@pytest.mark.usefixtures("switches")
def test_an_error_leaves_the_switches_as_they_were() -> None:
    before = _switches()
    with pytest.raises(DivergedError), device_settings("cuda", "bf16", same_shapes=True):
        raise DivergedError("the loss is nan at step 1")
    assert _switches() == before


@pytest.mark.usefixtures("switches")
def test_a_cpu_has_no_such_switches() -> None:
    before = _switches()
    with device_settings("cpu", "bf16", same_shapes=True):
        assert _switches() == before


def _switches() -> tuple[str, bool, bool]:
    cudnn = torch.backends.cudnn
    return torch.get_float32_matmul_precision(), cudnn.allow_tf32, cudnn.benchmark
