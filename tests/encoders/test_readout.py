"""The linear readout: the loss that keeps an embedding legible to linear models."""

from __future__ import annotations

import torch

from encoders import Model, ModelConfig, build_model
from encoders.heads.readout import LinearReadout
from encoders.input_norm import InputNormConfig


def model(readout_weight: float = 0.0) -> Model:
    torch.manual_seed(0)
    options = {"input_dim": 7, "dim": 4}
    norm = InputNormConfig(7)
    config = ModelConfig("linear", 5, options, "logistic", input_norm=norm, readout_weight=readout_weight)
    return build_model(config)


def test_the_loss_is_the_squared_error_whatever_the_length_of_an_embedding() -> None:
    torch.manual_seed(0)
    readout = LinearReadout(4, 5).double()
    torch.nn.init.normal_(readout.weight)
    torch.nn.init.normal_(readout.bias)
    torch.nn.init.constant_(readout.gain, 0.5)
    x, labels = torch.randn(6, 4, dtype=torch.float64), torch.rand(6, 5) < 0.4
    scaled = x / x.norm(dim=1, keepdim=True)  # half of length 2
    errors = scaled @ readout.weight.T + readout.bias - labels.double()
    torch.testing.assert_close(readout.loss(x, labels), errors.square().sum() / 6)
    torch.testing.assert_close(readout.loss(3 * x, labels.double()), readout.loss(x, labels))
    assert readout.loss(x[:0], labels[:0]) == 0


def test_a_model_adds_it_to_the_loss_and_it_reaches_the_encoder() -> None:
    plain, taught = model(), model(2.0)
    taught.load_state_dict(plain.state_dict(), strict=False)
    priors = torch.full((5,), 0.25)
    for each in (plain, taught):
        each.set_class_priors(priors)
    inputs, labels = torch.randn(6, 7), torch.rand(6, 5) < 0.4
    squares = (0.25 - labels.float()).square().sum() / 6  # no weight has been set
    torch.testing.assert_close(taught.loss(inputs, labels), plain.loss(inputs, labels) + 2 * squares)
    assert taught.readout is not None
    torch.nn.init.normal_(taught.readout.weight)
    slopes = [
        torch.autograd.grad(each.loss(inputs, labels), each.encoder.weight)[0] for each in (plain, taught)
    ]
    assert not torch.allclose(*slopes)
    torch.testing.assert_close(taught(inputs), plain(inputs))  # it scores nothing


def test_without_a_weight_or_a_head_a_model_has_none() -> None:
    assert not any(name.startswith("readout") for name in model().state_dict())
    assert model(1.0).parameter_counts()["readout"] == 1 + 5
    closed = ModelConfig("linear", 5, {"input_dim": 7, "dim": 4}, None, input_norm=InputNormConfig(7))
    assert build_model(closed).readout is None
