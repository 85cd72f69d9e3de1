"""Nested embeddings: prefixes, renormalised, each with a head; and any encoder can have them."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from encoders import (
    Model,
    ModelConfig,
    build_encoder,
    build_model,
    list_encoders,
    model_config,
    prefix_embedding,
)
from encoders.bottleneck import dims_with_heads
from tests.encoders.examples import model_inputs_for, small_model, small_options

LABELS = torch.rand(8, 5, generator=torch.Generator().manual_seed(1)) < 0.4
# Those that drop numbers of the embedding, by the option that says how many.
DROPPING = {
    name: option
    for name in list_encoders()
    for option in ("embedding_dropout", "dropout")
    if build_encoder(name, small_options(name)).last_dropout is not None
    and hasattr(build_encoder(name, small_options(name)).config, option)
    and (option == "embedding_dropout" or name == "linear")
}


def nested_model(name: str = "linear", dims: tuple[int, ...] = (4, 8), quantize: str = "none") -> Model:
    torch.manual_seed(0)
    return build_model(replace(small_model(name).config, nested_dims=dims, quantize=quantize)).train()


def slow_prefix(embedding: Tensor, dim: int) -> Tensor:
    rows = []
    for row in embedding.tolist():
        norm = math.sqrt(sum(number * number for number in row[:dim]))
        rows.append([number / norm * math.sqrt(dim) if norm else 0.0 for number in row[:dim]])
    return torch.tensor(rows)


@pytest.mark.parametrize("dim", [1, 3, 7])
def test_a_prefix_is_cut_and_renormalised_and_a_zero_row_stays_zero(dim: int) -> None:
    embedding = torch.randn(6, 7, generator=torch.Generator().manual_seed(0))
    embedding[2] = 0
    embedding[3, :3] = 0  # its first numbers alone
    torch.testing.assert_close(prefix_embedding(embedding, dim), slow_prefix(embedding, dim))


def test_cutting_twice_is_cutting_once() -> None:
    embedding = torch.randn(6, 7)
    torch.testing.assert_close(
        prefix_embedding(prefix_embedding(embedding, 5), 3), prefix_embedding(embedding, 3)
    )


def test_a_prefix_of_bfloat16_is_float32_and_of_float64_float64() -> None:
    assert prefix_embedding(torch.randn(2, 4).bfloat16(), 2).dtype == torch.float32
    assert prefix_embedding(torch.randn(2, 4).double(), 2).dtype == torch.float64


@pytest.mark.parametrize("dim", [0, 8])
def test_no_prefix_is_empty_or_longer_than_the_embedding(dim: int) -> None:
    with pytest.raises(ValueError, match="1 to 7"):
        prefix_embedding(torch.randn(2, 7), dim)


@pytest.mark.parametrize(
    ("nested", "wanted"), [((), (16,)), ((8, 4), (4, 8, 16)), ((16,), (16,)), ((4, 16), (4, 16))]
)
def test_the_whole_embedding_is_the_last_size(nested: tuple[int, ...], wanted: tuple[int, ...]) -> None:
    assert dims_with_heads(nested, 16) == wanted


@pytest.mark.parametrize(
    ("nested", "telling"), [((0,), "positive"), ((4, 4), "twice"), ((17,), "at most dim = 16")]
)
def test_sizes_that_cannot_be_are_refused(nested: tuple[int, ...], telling: str) -> None:
    with pytest.raises(ValueError, match=telling):
        nested_model(dims=nested)


@pytest.mark.parametrize("quantize", ["none", "int8", "binary"])
@pytest.mark.parametrize("name", list_encoders())
def test_every_encoder_learns_nested_and_quantised(name: str, quantize: str) -> None:
    model = nested_model(name, quantize=quantize)
    inputs = model_inputs_for(model, 8)
    optimizer = torch.optim.Adam(model.parameters(), 1e-2)
    losses = []
    for _ in range(12):
        loss = model.loss(inputs, LABELS) + model.penalty()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0]
    embedding = model.eval().embed(inputs)
    torch.testing.assert_close(embedding.norm(dim=1), torch.full((8,), 4.0))
    for dim in (4, 8, 16):
        assert model.logits(embedding, dim).shape == (8, 5)
    assert torch.equal(model(inputs), model.logits(embedding, 16))


def test_the_loss_is_the_mean_over_all_sizes() -> None:
    model = nested_model()
    features = model_inputs_for(model, 8)
    raw = model.encoder(model.input_norm(features))
    losses = [model.head_of(dim).loss(slow_prefix(raw.detach(), dim), LABELS) for dim in (4, 8, 16)]
    torch.testing.assert_close(model.loss(features, LABELS), torch.stack(losses).mean())


def test_a_size_without_a_head_is_refused() -> None:
    with pytest.raises(ValueError, match="only for 4, 8, 16"):
        nested_model().head_of(5)


@pytest.mark.parametrize("name", sorted(DROPPING))
def test_numbers_are_dropped_after_they_were_renormalised_and_quantised(name: str) -> None:
    options = small_options(name, **{DROPPING[name]: 0.5})
    model = build_model(
        replace(small_model(name).config, encoder_options=options, nested_dims=(8,), quantize="binary")
    ).train()
    assert model.encoder.last_dropout.p == 0
    assert model.bottleneck.dropout.p == 0.5
    whole = torch.randn(8, 16)
    read = model.bottleneck(whole, 8)
    assert (read == 0).any()
    assert (read != 0).any()
    assert model.config.encoder_options[DROPPING[name]] == 0.5


@pytest.mark.parametrize("name", list_encoders())
def test_an_encoder_with_an_embedding_dropout_says_which_module_it_is(name: str) -> None:
    encoder = build_encoder(name, small_options(name))
    assert hasattr(encoder.config, "embedding_dropout") <= (encoder.last_dropout is not None)


def test_without_nested_dims_and_codec_an_encoder_drops_as_it_always_did() -> None:
    config = replace(small_model("linear").config, encoder_options=small_options("linear", dropout=0.5))
    model = build_model(config).train()
    assert (model.embed(torch.randn(8, 16)) == 0).any()
    assert model.dims == (16,)
    assert set(model.parameter_counts()) == {"encoder", "head"}


def test_a_nested_model_is_built_again_from_its_config_and_weights() -> None:
    model = nested_model(quantize="int4")
    model.loss(model_inputs_for(model, 8), LABELS)
    again = build_model(model_config(model.config.to_dict()))
    again.load_state_dict(model.state_dict())
    features = model_inputs_for(model, 8)
    assert torch.equal(again.eval()(features), model.eval()(features))
    assert model.parameter_counts()["nested_heads"] == sum(
        parameter.numel() for dim in (4, 8) for parameter in model.head_of(dim).parameters()
    )


def test_all_heads_start_from_the_class_priors() -> None:
    model = nested_model()
    model.set_class_priors(torch.full((5,), 0.2))
    for dim in (4, 8, 16):
        with torch.no_grad():
            model.head_of(dim).weight.zero_()
            found = torch.sigmoid(model.head_of(dim)(torch.randn(3, dim)))
        torch.testing.assert_close(found, torch.full((3, 5), 0.2))


def test_a_model_without_a_head_cannot_be_nested() -> None:
    with pytest.raises(ValueError, match="need a head"):
        build_model(ModelConfig("identity", 5, {"input_dim": 1152}, None, nested_dims=(4,)))


def test_the_gradient_of_a_prefix_reaches_its_own_numbers_alone() -> None:
    embedding = torch.randn(4, 6, requires_grad=True)
    F.softplus(prefix_embedding(embedding, 2)).sum().backward()
    assert (embedding.grad[:, 2:] == 0).all()
    assert (embedding.grad[:, :2] != 0).any()
