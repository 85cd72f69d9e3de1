"""Heads on side outputs: part of the loss, never of an embedding or a score."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from encoders import Inputs, Model, ModelConfig, build_encoder, build_head, build_model, list_encoders
from encoders.input_norm import InputNorm, InputNormConfig
from tests.encoders.examples import model_inputs_for, small_encoder, small_model, small_options

LABELS = torch.rand(8, 5, generator=torch.Generator().manual_seed(1)) < 0.4
WITH_SIDES = [name for name in list_encoders() if small_encoder(name).side_dims]
PLAIN = ["linear", "mlp", "lstm"]


def cross_entropy(head: Callable[[Tensor], Tensor], embedding: Tensor) -> Tensor:
    """Summed over classes, mean over videos, from probabilities in float64."""
    p, y = torch.sigmoid(head(embedding).double()), LABELS.double()
    return -(y * p.log() + (1 - y) * (1 - p).log()).sum() / len(y)


def features_of(model: Model, inputs: Inputs) -> tuple[Tensor, ...]:
    if isinstance(inputs, Tensor):
        return (model.input_norm(inputs),)
    return model.input_norm(*inputs), inputs[1]


@pytest.mark.parametrize("name", PLAIN)
@pytest.mark.parametrize("dropped", [0.0, 0.3])
def test_without_sides_the_loss_is_that_of_the_head_to_the_last_bit(name: str, dropped: float) -> None:
    model = small_model(name)
    inputs = model_inputs_for(model, 8)
    torch.manual_seed(7)
    features, *rest = features_of(model, inputs)
    features = F.dropout(features, dropped) if dropped else features
    expected = model.head.loss(model.encoder(features, *rest), LABELS)
    wanted = torch.autograd.grad(expected, list(model.parameters()))
    torch.manual_seed(7)
    loss = model.loss(inputs, LABELS, dropped)
    assert torch.equal(loss, expected)
    found = torch.autograd.grad(loss, list(model.parameters()))
    assert all(torch.equal(a, b) for a, b in zip(found, wanted, strict=True))


@pytest.mark.parametrize("name", PLAIN)
def test_without_sides_the_weights_start_and_are_saved_as_encoder_and_head_alone(name: str) -> None:
    torch.manual_seed(0)
    encoder, head = build_encoder(name, small_options(name)), build_head("moe", 16, 5)
    parts = {"input_norm": InputNorm(InputNormConfig(16)), "encoder": encoder, "head": head}
    wanted = {f"{part}.{key}": value for part, m in parts.items() for key, value in m.state_dict().items()}
    found = small_model(name).state_dict()
    assert list(found) == list(wanted)
    assert all(torch.equal(found[key], wanted[key]) for key in wanted)
    assert set(small_model(name).parameter_counts()) == {"encoder", "head"}


@pytest.mark.parametrize("name", WITH_SIDES)
def test_the_loss_is_the_weighted_sum_over_all_heads(name: str) -> None:
    model = small_model(name, "logistic").eval()
    inputs, weights = model_inputs_for(model, 8), model.encoder.loss_weights
    output = model.encoder.forward_training(*features_of(model, inputs))
    expected = weights["embedding"] * cross_entropy(model.head, output.embedding)
    for side, head in model.side_heads.items():
        expected = expected + weights[side] * cross_entropy(head, output.sides[side])
    expected = expected if output.loss is None else expected + output.loss
    torch.testing.assert_close(model.loss(inputs, LABELS).double(), expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("name", WITH_SIDES)
def test_side_heads_are_of_the_kind_and_options_of_the_head(name: str) -> None:
    options = {"num_mixtures": 3, "weight_penalty": 0.25}
    config = ModelConfig(name, 5, small_options(name), "moe", options, InputNormConfig(dim=16))
    model = build_model(config)
    assert {side: head.dim for side, head in model.side_heads.items()} == model.encoder.side_dims
    for head in model.side_heads.values():
        assert type(head) is type(model.head)
        assert (head.config.num_mixtures, head.config.weight_penalty) == (3, 0.25)


@pytest.mark.parametrize("name", WITH_SIDES)
def test_the_penalty_counts_every_head(name: str) -> None:
    norm = InputNormConfig(dim=16)
    model = build_model(ModelConfig(name, 5, small_options(name), "logistic", {"weight_penalty": 0.5}, norm))
    heads = [model.head, *model.side_heads.values()]
    expected = model.encoder.penalty() + sum(0.25 * head.weight.square().sum() for head in heads)
    torch.testing.assert_close(model.penalty(), expected)


@pytest.mark.parametrize("name", WITH_SIDES)
def test_class_priors_are_set_on_every_head(name: str) -> None:
    model, priors = small_model(name, "logistic"), torch.tensor([0.5, 0.1, 0.2, 0.01, 0.9])
    model.set_class_priors(priors)
    for head in (model.head, *model.side_heads.values()):
        torch.testing.assert_close(torch.sigmoid(head.bias), priors)


@pytest.mark.parametrize("name", WITH_SIDES)
def test_embeddings_and_scores_never_touch_the_sides(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    model = small_model(name).eval()
    inputs = model_inputs_for(model, 8)
    embeddings, scores = model.embed(inputs), model(inputs)
    monkeypatch.setattr(type(model.encoder), "forward_training", None)
    for head in model.side_heads.values():
        head.weight.data.fill_(torch.nan)
    assert torch.equal(model.embed(inputs), embeddings)
    assert torch.equal(model(inputs), scores)


@pytest.mark.parametrize("name", ["autoencoder", *WITH_SIDES])
def test_parameter_counts_say_what_only_training_needs(name: str) -> None:
    model = small_model(name)
    counts = model.parameter_counts()
    assert sum(counts.values()) == sum(parameter.numel() for parameter in model.parameters())
    sides = sum(parameter.numel() for parameter in model.side_heads.parameters())
    assert counts.get("side_heads", 0) == sides
    assert ("side_heads" in counts) == bool(model.encoder.side_dims)
    for parameter in model.encoder.training_only_parameters():
        parameter.data.fill_(torch.nan)
    assert torch.isfinite(model.eval()(model_inputs_for(model, 8))).all()


def test_a_model_without_a_head_has_no_side_heads_and_no_loss() -> None:
    options = small_options("multi_modal")
    model = build_model(ModelConfig("multi_modal", 5, options, None, input_norm=InputNormConfig(dim=16)))
    assert not model.side_heads
    with pytest.raises(ValueError, match="model has no head"):
        model.loss(model_inputs_for(model, 8), LABELS)


def test_input_dropout_is_for_training_only() -> None:
    model = small_model("mlp").eval()
    inputs = model_inputs_for(model, 8)
    assert torch.equal(model.loss(inputs, LABELS, 0.5), model.loss(inputs, LABELS))
    assert not torch.equal(model.train().loss(inputs, LABELS, 0.5), model.loss(inputs, LABELS))


def test_the_encoders_with_sides_are_known() -> None:
    assert "multi_modal" in WITH_SIDES
