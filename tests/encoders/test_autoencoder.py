"""The autoencoder: what it adds to the loss, and that embeddings do without the decoder."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch.nn import functional as F

from encoders import build_encoder
from tests.encoders.examples import inputs_for, model_inputs_for, small_encoder, small_model

LABELS = torch.rand(8, 5, generator=torch.Generator().manual_seed(1)) < 0.4


def test_layers_are_linear_activation_norm_and_the_decoder_is_the_mirror() -> None:
    encoder = build_encoder("autoencoder", {"input_dim": 20, "hidden": [12, 8], "dim": 4})
    shapes = [
        [tuple(m.weight.shape) for m in half if isinstance(m, torch.nn.Linear)]
        for half in (encoder.encode, encoder.decode)
    ]
    assert shapes == [[(12, 20), (8, 12), (4, 8)], [(8, 4), (12, 8), (20, 12)]]
    kinds = [type(module).__name__ for module in encoder.encode]
    assert kinds == ["Linear", "ReLU", "BatchNorm", "Dropout"] * 2 + ["Linear"]


def test_without_norm_the_embedding_is_two_matrix_products_and_a_relu() -> None:
    encoder = small_encoder("autoencoder", hidden_norm=False)
    (x,) = inputs_for(encoder, 4)
    first, last = encoder.encode[0], encoder.encode[-1]
    hidden = torch.relu(x @ first.weight.t() + first.bias)
    torch.testing.assert_close(encoder(x), hidden @ last.weight.t() + last.bias)


@pytest.mark.parametrize("weight", [0.0, 1.0, 500.0])
def test_the_loss_is_that_of_the_labels_and_the_weighted_mean_squared_error(weight: float) -> None:
    model = small_model("autoencoder").eval()
    object.__setattr__(model.encoder.config, "reconstruction_weight", weight)
    features = model_inputs_for(model, 8)
    x = features / features.norm(dim=1, keepdim=True)
    errors = (model.encoder.decode(model.encoder.encode(x)) - x).square()
    expected = model.head.loss(model.encoder(x), LABELS) + weight * errors.sum(1).mean() / 16
    torch.testing.assert_close(model.loss(features, LABELS), expected)


def test_the_loss_does_not_depend_on_the_number_of_videos_and_is_0_for_none() -> None:
    encoder = small_encoder("autoencoder")
    (x,) = inputs_for(encoder, 4)
    torch.testing.assert_close(
        encoder.forward_training(x).loss, encoder.forward_training(x.repeat(3, 1)).loss
    )
    assert encoder.forward_training(x[:0]).loss == 0


def test_noise_is_added_in_training_only_and_the_target_has_none() -> None:
    encoder = small_encoder("autoencoder", input_noise=0.5, hidden_norm=False).train()
    (x,) = inputs_for(encoder, 4)
    torch.manual_seed(3)
    output = encoder.forward_training(x)
    torch.manual_seed(3)
    code = encoder.encode(x + 0.5 * torch.randn_like(x))
    assert torch.equal(output.embedding, code)
    torch.testing.assert_close(output.loss, F.mse_loss(encoder.decode(code), x))
    assert torch.equal(encoder.eval().forward_training(x).embedding, encoder(x))


def test_dropout_of_the_embedding_is_for_the_head_alone() -> None:
    encoder = small_encoder("autoencoder", embedding_dropout=0.5).train()
    (x,) = inputs_for(encoder, 32)
    output = encoder.forward_training(x)
    assert 0.3 < (output.embedding == 0).float().mean() < 0.7
    plain = small_encoder("autoencoder").train().forward_training(x)
    torch.testing.assert_close(output.loss, plain.loss)


def test_the_decoder_is_counted_apart_and_no_score_needs_it() -> None:
    model = small_model("autoencoder").eval()
    counts = model.parameter_counts()
    assert counts["encoder"] == sum(p.numel() for p in model.encoder.encode.parameters())
    assert counts["training_only"] == sum(p.numel() for p in model.encoder.decode.parameters())
    features = model_inputs_for(model, 8)
    scores = model(features)
    for parameter in model.encoder.decode.parameters():
        parameter.data.fill_(torch.nan)
    assert torch.equal(model(features), scores)


def test_what_is_trained_for_reconstruction_reconstructs_better() -> None:
    def error_after_training(weight: float) -> float:
        encoder = small_encoder("autoencoder", reconstruction_weight=weight, dim=4, hidden_norm=False).train()
        mixing = torch.randn(4, 16, generator=torch.Generator().manual_seed(1))
        x = torch.randn(64, 4, generator=torch.Generator().manual_seed(2)) @ mixing / 2
        labels = x[:, :1].sign()
        optimizer = torch.optim.Adam(encoder.parameters(), lr=0.01)
        for _ in range(150):
            output = encoder.forward_training(x)
            (output.loss + F.soft_margin_loss(output.embedding[:, :1], labels)).backward()
            optimizer.step()
            optimizer.zero_grad()
        return float(F.mse_loss(encoder.decode(encoder(x)), x).detach())

    assert error_after_training(1.0) < 0.2 * error_after_training(0.0)


@pytest.mark.parametrize("activation", ["relu", "gelu", "tanh"])
@pytest.mark.parametrize("options", [{}, {"embedding_norm": True}, {"hidden": []}, {"dropout": 0.5}], ids=str)
def test_every_option_trains(activation: str, options: dict[str, Any]) -> None:
    encoder = small_encoder("autoencoder", activation=activation, **options).train()
    output = encoder.forward_training(*inputs_for(encoder, 8))
    (output.loss + output.embedding.square().sum()).backward()
    assert all(torch.isfinite(p.grad).all() and p.grad.abs().sum() > 0 for p in encoder.parameters())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"hidden": [0]}, r"hidden\[0\] must be positive"),
        ({"activation": "sigmoid"}, "activation must be one of 'relu', 'gelu', 'tanh'"),
        ({"reconstruction_weight": -1.0}, "reconstruction_weight must not be negative"),
        ({"input_noise": -1.0}, "input_noise must not be negative"),
        ({"dropout": 1.0}, r"dropout must be in \[0, 1\)"),
        ({"embedding_dropout": -0.1}, r"embedding_dropout must be in \[0, 1\)"),
    ],
)
def test_options_out_of_range_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build_encoder("autoencoder", options)
