"""Building by name, the errors of it, and the model as a whole."""

from __future__ import annotations

import dataclasses
import json

import pytest
import torch
from torch import nn

import encoders
from encoders import (
    InputNormConfig,
    ModelConfig,
    build_encoder,
    build_model,
    config_class,
    encoder_level,
    list_encoders,
    model_config,
)
from encoders.encoder import EncoderConfig
from encoders.linear import LinearEncoder
from encoders.registry import register
from tests.encoders.examples import SMALL, inputs_for, small_options


def small_model(encoder: str = "mlp") -> encoders.Model:
    torch.manual_seed(0)
    return build_model(ModelConfig(encoder, 5, small_options(encoder), input_norm=InputNormConfig(dim=16)))


def test_the_published_encoders_are_there() -> None:
    assert {"residual_cnn", "residual_cnn_fc", "linear", "identity", "mlp", "lstm"} <= set(list_encoders())
    assert encoder_level("lstm") == "frame"
    assert encoder_level("residual_cnn") == "video"


def test_a_second_encoder_of_the_same_name_is_refused() -> None:
    with pytest.raises(ValueError, match="encoder 'linear' is registered twice"):
        register("linear", EncoderConfig)(LinearEncoder)


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("residualcnn", {}, "no encoder 'residualcnn'; there are .*; did you mean residual_cnn"),
        ("linear", {"dims": 3}, "encoder 'linear' has no option dims; options are input_dim, dim, bias"),
        ("linear", {"dim": "3"}, "dim must be int, not '3'"),
        ("linear", {"dim": True}, "dim must be int, not True"),
        ("linear", {"bias": 1}, "bias must be bool, not 1"),
        ("linear", {"dropout": None}, "dropout must be float, not None"),
        ("lstm", {"sizes": [1.5, 640]}, r"sizes must be tuple\[int, ...\]"),
        ("mlp", {"hidden": [0]}, r"hidden\[0\] must be positive"),
        ("identity", {"dim": 3}, "identity keeps all 1152 dimensions"),
        ("linear", 3, "takes a mapping or LinearConfig, not int"),
    ],
)
def test_wrong_names_and_options_are_refused(name: str, options: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build_encoder(name, options)


@pytest.mark.parametrize("name", list_encoders())
def test_configs_are_frozen(name: str) -> None:
    config = config_class(name)()
    with pytest.raises(dataclasses.FrozenInstanceError):
        config.dim = 7  # type: ignore[misc]


def test_a_model_config_survives_json_with_every_default_written_out() -> None:
    model = small_model("residual_cnn")
    assert model.config.encoder_options["norm_momentum"] == 0.001
    assert model.config.head_options["num_mixtures"] == 2
    restored = model_config(json.loads(json.dumps(model.config.to_dict())))
    assert restored == model.config
    twin = build_model(restored)
    twin.load_state_dict(model.state_dict())
    features = torch.randn(3, 16)
    assert torch.equal(twin.eval()(features), model.eval()(features))


@pytest.mark.parametrize("name", list_encoders())
def test_a_model_learns(name: str) -> None:
    model = small_model(name).train()
    inputs = inputs_for(model.encoder, 12)
    batch = inputs[0] if len(inputs) == 1 else (inputs[0], inputs[1])
    labels = torch.rand(12, 5, generator=torch.Generator().manual_seed(1)) < 0.4
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    losses = []
    for _ in range(25):
        loss = model.loss(batch, labels)
        (loss + model.penalty()).backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
    assert losses[-1] < 0.8 * losses[0]


def test_the_parts_add_up() -> None:
    model = small_model().eval()
    features = torch.randn(3, 16)
    torch.testing.assert_close(model(features), model.head(model.embed(features)))
    torch.testing.assert_close(model.penalty(), model.encoder.penalty() + model.head.penalty())
    assert model.dim == 16
    assert sum(model.parameter_counts().values()) == sum(p.numel() for p in model.parameters())


@pytest.mark.parametrize(
    ("encoder", "inputs", "message"),
    [
        ("mlp", (torch.zeros(2, 3, 16), torch.tensor([1, 1])), "'mlp' reads video-level input, not frame"),
        ("lstm", torch.zeros(2, 16), "'lstm' reads frame-level input, not video"),
        ("mlp", torch.zeros(2, 15), r"the model takes \(B, 16\), not \(2, 15\)"),
    ],
)
def test_input_of_the_wrong_kind_is_refused(encoder: str, inputs: encoders.Inputs, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        small_model(encoder).embed(inputs)


def test_an_input_norm_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match="the encoder reads 16 dimensions, the input norm gives 1152"):
        build_model(ModelConfig("mlp", 5, SMALL))


def test_unknown_model_options_are_refused() -> None:
    with pytest.raises(ValueError, match="model has no option classes"):
        model_config({"encoder": "mlp", "num_classes": 5, "classes": 3})
    with pytest.raises(ValueError, match="model needs option num_classes"):
        model_config({"encoder": "mlp"})


def test_linear_encoder_is_a_matrix_that_a_closed_form_fit_can_write() -> None:
    encoder = build_encoder("linear", {"input_dim": 6, "dim": 2})
    assert isinstance(encoder, LinearEncoder)
    projection, mean = torch.linalg.qr(torch.randn(6, 2))[0].t(), torch.randn(6)
    with torch.no_grad():
        encoder.weight.copy_(projection)
        encoder.bias.copy_(-projection @ mean)
    features = torch.randn(3, 6)
    torch.testing.assert_close(encoder(features), (features - mean) @ projection.t())
    assert build_encoder("linear", {"bias": False}).bias is None


def test_batch_norm_of_a_single_training_video_uses_the_running_statistics() -> None:
    encoder = build_encoder("linear", {"input_dim": 6, "dim": 2, "norm": True}).train()
    before = [value.clone() for value in encoder.norm.buffers()]
    assert torch.isfinite(encoder(torch.randn(1, 6))).all()
    assert all(torch.equal(a, b) for a, b in zip(before, encoder.norm.buffers(), strict=True))
    assert isinstance(encoder.dropout, nn.Dropout)
