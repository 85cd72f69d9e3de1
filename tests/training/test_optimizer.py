"""Which parameters decay, how the rates of main and branch go, and the running average."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from compress.training import TrainConfig
from compress.training.optimizer import (
    FINAL_SHARE,
    WeightAverage,
    branch_factor,
    build_optimizer,
    clip_each,
    cosine,
    main_factor,
    set_learning_rates,
    staircase,
)
from encoders import InputNormConfig, Model, ModelConfig, build_model
from tests.training.examples import CLASSES, DIM, LINEAR, LSTM, RESIDUAL_CNN


def model_of(config, head: str = "moe", **head_options: object) -> Model:
    options = {**config.encoder_options, "input_dim": DIM}
    norm = InputNormConfig(DIM)
    return build_model(ModelConfig(config.encoder, CLASSES, options, head, head_options, norm))


def groups_by_name(model: Model, config) -> dict[str, dict]:
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    optimizer = build_optimizer(model, config)
    return {names[id(p)]: group for group in optimizer.param_groups for p in group["params"]}


@pytest.mark.parametrize("mixtures", [1, 2, 5])
@pytest.mark.parametrize("config", [LINEAR, RESIDUAL_CNN, LSTM], ids=lambda config: config.encoder)
def test_only_matrices_decay(config, mixtures: int) -> None:
    groups = groups_by_name(model_of(config, num_mixtures=mixtures), config)
    decayed = {name for name, group in groups.items() if group["weight_decay"]}
    assert decayed == {name for name in groups if name.rpartition(".")[2].startswith("weight")}
    assert {"head.weight"} <= decayed
    assert not decayed & {"head.bias", "encoder.gain", "encoder.norm.bias"}
    assert {group["weight_decay"] for name, group in groups.items() if name in decayed} == {0.01}


@pytest.mark.parametrize("config", [LINEAR, RESIDUAL_CNN, LSTM], ids=lambda config: config.encoder)
def test_every_parameter_is_in_one_group(config) -> None:
    model = model_of(config)
    optimizer = build_optimizer(model, config)
    listed = [id(p) for group in optimizer.param_groups for p in group["params"]]
    assert sorted(listed) == sorted(id(p) for p in model.parameters())


def test_the_branch_learns_at_its_own_rate() -> None:
    config = replace(RESIDUAL_CNN, learning_rate=0.1, branch_learning_rate=0.2)
    model = model_of(config)
    optimizer = build_optimizer(model, config)
    set_learning_rates(optimizer, {"main": 0.5, "branch": 0.25})
    branch = {id(parameter) for parameter in model.encoder.branch_parameters()}
    assert branch
    for group in optimizer.param_groups:
        for parameter in group["params"]:
            assert group["lr"] == pytest.approx(0.05), group["part"]
            assert (group["part"] == "branch") is (id(parameter) in branch)
            assert group["peak"] == (0.2 if id(parameter) in branch else 0.1)


@pytest.mark.parametrize(("name", "kind"), [("adamw", torch.optim.AdamW), ("adam", torch.optim.Adam)])
def test_the_optimizer_is_the_one_asked_for(name: str, kind: type) -> None:
    optimizer = build_optimizer(model_of(LINEAR), replace(LINEAR, optimizer=name))
    assert type(optimizer) is kind
    assert optimizer.defaults["betas"] == (0.9, 0.999)
    assert optimizer.defaults["eps"] == 1e-8


def test_each_tensor_is_clipped_on_its_own() -> None:
    model = nn.Linear(3, 2)
    model.weight.grad, model.bias.grad = torch.full((2, 3), 10.0), torch.tensor([0.3, 0.4])
    clip_each(model, 1.0)
    np.testing.assert_allclose(model.weight.grad.numpy(), np.full((2, 3), 1 / np.sqrt(6)), rtol=1e-5)
    np.testing.assert_array_equal(model.bias.grad.numpy(), np.float32([0.3, 0.4]))


@pytest.mark.parametrize("norm", [0.5, 1.0, 100.0])
def test_clipping_all_tensors_at_once_gives_the_bits_of_clipping_them_one_by_one(norm: float) -> None:
    model = model_of(LSTM)
    for number, parameter in enumerate(model.parameters()):
        parameter.grad = torch.randn(parameter.shape) * 3.0 ** (number % 7 - 3)
    wanted = [parameter.grad.clone() for parameter in model.parameters()]
    for gradient in wanted:
        holder = nn.Parameter(torch.zeros_like(gradient))
        holder.grad = gradient
        nn.utils.clip_grad_norm_([holder], norm)
    clip_each(model, norm)
    for parameter, gradient in zip(model.parameters(), wanted, strict=True):
        assert torch.equal(parameter.grad, gradient)


def test_parameters_without_a_gradient_are_left_alone() -> None:
    clip_each(nn.Linear(3, 2), 1.0)


class Counter(nn.Module):
    """One weight, one float buffer, one whole-number buffer."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(3))
        self.register_buffer("running", torch.zeros(2))
        self.register_buffer("steps", torch.zeros((), dtype=torch.int64))

    def become(self, value: float) -> None:
        with torch.no_grad():
            self.weight.fill_(value)
            self.running.fill_(-value)
            self.steps.fill_(int(value))


@pytest.mark.parametrize("decay", [0.0, 0.5, 0.99])
def test_the_average_is_its_formula(decay: float) -> None:
    model = Counter()
    average, wanted = WeightAverage(model, decay), 0.0
    for step in range(1, 60):
        value = float(np.sin(step) * 10)
        model.become(value)
        average.update(model, step)
        share = min(decay, (1 + step) / (10 + step))
        wanted = share * wanted + (1 - share) * value
        np.testing.assert_allclose(average.weights["weight"].numpy(), wanted, atol=1e-5)
        np.testing.assert_allclose(average.weights["running"].numpy(), -wanted, atol=1e-5)
        assert average.weights["steps"] == int(value)
    assert float(model.weight[0].detach()) == pytest.approx(value, abs=1e-6)


def test_without_decay_the_average_is_the_weights_bit_for_bit() -> None:
    model = Counter()
    average = WeightAverage(model, 0.0)
    model.become(0.1)
    average.update(model, 1)
    assert all(torch.equal(average.weights[name], value) for name, value in model.state_dict().items())


def test_swapping_twice_changes_nothing() -> None:
    model = Counter()
    average = WeightAverage(model, 0.9)
    model.become(5.0)
    average.update(model, 1)
    weights = {name: value.clone() for name, value in model.state_dict().items()}
    averaged = {name: value.clone() for name, value in average.weights.items()}
    average.swap(model)
    assert all(torch.equal(model.state_dict()[name], value) for name, value in averaged.items())
    average.swap(model)
    assert all(torch.equal(model.state_dict()[name], value) for name, value in weights.items())
    assert all(torch.equal(average.weights[name], value) for name, value in averaged.items())


def test_the_average_starts_as_a_copy_not_as_the_weights_themselves() -> None:
    model = Counter()
    average = WeightAverage(model, 0.9)
    model.become(3.0)
    assert not average.weights["weight"].any()


STEPS = 100


COSINE = TrainConfig("linear", epochs=6, warmup_steps=10)


TWO_ARCS = TrainConfig("residual_cnn", epochs=6, warm_epochs=2, warmup_steps=10, second_peak=0.3)


STAIRCASE = TrainConfig(
    "linear", epochs=6, schedule="staircase", decay=0.5, batch_size=10, decay_examples=1000
)


@pytest.mark.parametrize(
    ("step", "steps", "warmup", "wanted"),
    [
        (0, 100, 0, 1.0),
        (25, 100, 0, 0.01 + 0.99 * (0.5 + math.sqrt(2) / 4)),
        (50, 100, 0, 0.505),
        (75, 100, 0, 0.01 + 0.99 * (0.5 - math.sqrt(2) / 4)),
        (100, 100, 0, 0.01),
        (250, 100, 0, 0.01),
        (0, 100, 10, 0.1),
        (4, 10**9, 10, 0.5),
        (9, 10**9, 10, 1.0),
        (0, 0, 0, 1.0),
    ],
)
def test_a_cosine_arc_has_these_values(step: int, steps: int, warmup: int, wanted: float) -> None:
    assert cosine(step, steps, warmup) == pytest.approx(wanted, abs=1e-12)


@pytest.mark.parametrize(
    ("examples", "wanted"),
    [(0, 1.0), (3_999_999, 1.0), (4_000_000, 0.95), (7_999_999, 0.95), (8_000_000, 0.9025)],
)
def test_the_papers_rate_falls_by_stairs(examples: int, wanted: float) -> None:
    assert staircase(examples, 0.95, 4_000_000) == pytest.approx(wanted)


@pytest.mark.parametrize(
    ("step", "wanted"), [(0, 1.0), (99, 1.0), (100, 0.5), (199, 0.5), (200, 0.25), (599, 1 / 32)]
)
def test_stairs_count_videos_not_steps(step: int, wanted: float) -> None:
    assert main_factor(STAIRCASE, step, STEPS) == branch_factor(STAIRCASE, step, STEPS) == wanted


@pytest.mark.parametrize(
    ("step", "main", "branch"),
    [
        (0, 0.1, 0.0),
        (100, 0.505, 0.0),
        (199, cosine(199, 200, 0), 0.0),
        (200, 0.3 * 0.1, 0.1),
        (209, 0.3 * cosine(9, 400, 0), cosine(9, 400, 0)),
        (400, 0.3 * 0.505, 0.505),
        (599, 0.3 * cosine(399, 400, 0), cosine(399, 400, 0)),
    ],
)
def test_warm_epochs_have_an_arc_of_their_own(step: int, main: float, branch: float) -> None:
    assert main_factor(TWO_ARCS, step, STEPS) == pytest.approx(main, abs=1e-12)
    assert branch_factor(TWO_ARCS, step, STEPS) == pytest.approx(branch, abs=1e-12)


@pytest.mark.parametrize("config", [COSINE, TWO_ARCS, replace(TWO_ARCS, warmup_steps=0)])
def test_rates_never_jump_up_but_where_the_branch_is_switched_on(config: TrainConfig) -> None:
    switch = config.warm_epochs * STEPS
    for factor, peak in ((main_factor, 1.0), (branch_factor, 1.0)):
        values = [factor(config, step, STEPS) for step in range(6 * STEPS)]
        assert all(0 <= value <= peak for value in values)
        steepest = max(1 / max(config.warmup_steps, 1) if config.warmup_steps else 0, math.pi / 2 / 200)
        for step in range(1, len(values)):
            if step != switch:
                assert abs(values[step] - values[step - 1]) <= steepest + 1e-12, step


def test_without_warm_epochs_the_branch_follows_the_rest() -> None:
    for step in range(0, 600, 37):
        assert branch_factor(COSINE, step, STEPS) == main_factor(COSINE, step, STEPS)


def test_the_last_step_is_almost_at_the_final_share() -> None:
    assert main_factor(COSINE, 599, STEPS) == pytest.approx(FINAL_SHARE, abs=1e-4)
