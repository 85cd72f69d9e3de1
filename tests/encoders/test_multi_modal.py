"""Each modality's encoder sees its slice of the normalised frame; the losses are 1 : 1 : 6."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import pytest
import torch

from encoders import (
    Model,
    ModelConfig,
    MultiModalConfig,
    MultiModalEncoder,
    build_encoder,
    build_model,
    encoder_level,
    list_encoders,
)
from encoders.encoder import Encoder, TrainingOutput
from encoders.input_norm import InputNormConfig
from tests.encoders.examples import inputs_for, model_inputs_for, small_encoder, small_model, small_options

PARTS = [name for name in list_encoders() if encoder_level(name) == "frame" and name != "multi_modal"]
UNEQUAL = {"encoder_options": [{"dim": 12}, {"dim": 5}], "fusion": "concatenate"}


def parts_alone(encoder: Encoder, frames: torch.Tensor, num_frames: torch.Tensor) -> list[torch.Tensor]:
    """What each part gives for its slice, copied out."""
    first, second = encoder.parts
    return [first(frames[..., :10].clone(), num_frames), second(frames[..., 10:].clone(), num_frames)]


def test_the_sum_is_over_the_embeddings_of_the_slices() -> None:
    encoder = small_encoder("multi_modal", dim=0)
    inputs = inputs_for(encoder, 6)
    rgb, audio = parts_alone(encoder, *inputs)
    assert encoder.dim == 12
    torch.testing.assert_close(encoder(*inputs), rgb + audio)


def test_concatenation_takes_embeddings_of_any_width() -> None:
    encoder = small_encoder("multi_modal", dim=0, **UNEQUAL)
    inputs = inputs_for(encoder, 6)
    assert encoder.dim == 17
    torch.testing.assert_close(encoder(*inputs), torch.cat(parts_alone(encoder, *inputs), dim=1))


@pytest.mark.parametrize("options", [{}, UNEQUAL], ids=["sum", "concatenate"])
def test_another_dim_is_a_linear_layer_on_the_fusion(options: dict[str, Any]) -> None:
    natural, projected = (small_encoder("multi_modal", dim=dim, **options) for dim in (0, 16))
    projected.parts.load_state_dict(natural.parts.state_dict())
    inputs = inputs_for(natural, 6)
    wanted = natural(*inputs) @ projected.project.weight.t() + projected.project.bias
    torch.testing.assert_close(projected(*inputs), wanted)
    assert natural.side_dims == projected.side_dims


def test_the_loss_is_one_for_each_modality_and_six_for_the_fusion() -> None:
    model = small_model("multi_modal")
    frames, num_frames = model_inputs_for(model, 8)
    labels = torch.rand(8, 5, generator=torch.Generator().manual_seed(1)) < 0.4
    normalised = frames / frames.norm(dim=2, keepdim=True)  # rgb and audio together
    rgb, audio = parts_alone(model.encoder, normalised, num_frames)
    fused = model.encoder.project(rgb + audio)
    heads = model.side_heads
    losses = [
        heads["modality_0"].loss(rgb, labels),
        heads["modality_1"].loss(audio, labels),
        model.head.loss(fused, labels),
    ]
    expected = 1 * losses[0] + 1 * losses[1] + 6 * losses[2]
    torch.testing.assert_close(model.loss((frames, num_frames), labels), expected)


def test_other_weights_of_the_losses() -> None:
    encoder = small_encoder("multi_modal", modality_weight=0.25, fused_weight=2.0)
    assert encoder.loss_weights == {"embedding": 2.0, "modality_0": 0.25, "modality_1": 0.25}


def test_a_head_of_its_own_teaches_a_modality_that_the_fusion_ignores() -> None:
    model = small_model("multi_modal")
    with torch.no_grad():
        model.encoder.project.weight.zero_()
    model.loss(model_inputs_for(model, 8), torch.ones(8, 5, dtype=torch.bool)).backward()
    assert all(parameter.grad.abs().sum() > 0 for parameter in model.encoder.parts.parameters())


def test_three_modalities_with_options_of_their_own() -> None:
    options = [{"dim": 6}, {"dim": 6, "sizes": [6]}, {"dim": 6, "pooling": "mean"}]
    encoder = small_encoder(
        "multi_modal", modalities=[8, 4, 4], encoders=["lstm"] * 3, encoder_options=options
    )
    assert list(encoder.side_dims) == ["modality_0", "modality_1", "modality_2"]
    assert [part.input_dim for part in encoder.parts] == [8, 4, 4]
    assert [part.config.pooling for part in encoder.parts] == ["last", "last", "mean"]
    assert encoder(*inputs_for(encoder, 3)).shape == (3, 16)


@pytest.mark.parametrize("part", PARTS)
def test_every_frame_level_encoder_can_be_a_modality(part: str) -> None:
    inner = {name: value for name, value in small_options(part).items() if name != "input_dim"}
    names, options = [part, "lstm"], [inner, {"dim": 16}]
    shape = {"input_dim": 32, "modalities": [16, 16]}
    encoder = small_encoder("multi_modal", **shape, encoders=names, encoder_options=options)
    frames, num_frames = inputs_for(encoder, 3)
    wanted = encoder.parts[0](frames[..., :16], num_frames) + encoder.parts[1](frames[..., 16:], num_frames)
    torch.testing.assert_close(encoder(frames, num_frames), wanted)


def test_the_papers_rows_are_two_encoders_of_1024_numbers() -> None:
    options = {"encoder_options": [{"dim": 1024, "sizes": [1024, 1024]}] * 2}
    with torch.device("meta"):
        config = ModelConfig("multi_modal", 3862, options)
        model = build_model(config)
    assert model.dim == 1024
    # models.md section 9: 4 H (I + H + 1) numbers a layer; 5 C D + 2 C a head.
    layers = [4 * 1024 * (inputs + 1024 + 1) for inputs in (1024, 1024, 128, 1024)]
    head = 5 * 3862 * 1024 + 2 * 3862
    assert model.parameter_counts() == {"encoder": sum(layers), "head": head, "side_heads": 2 * head}


def test_the_config_holds_every_option_of_its_encoders_and_survives_json() -> None:
    config = MultiModalConfig()
    assert config.dim == 640
    assert [part["input_dim"] for part in config.encoder_options] == [1024, 128]
    assert config.encoder_options[0]["sizes"] == (1280, 640)
    values = json.loads(json.dumps(asdict(config)))
    with torch.device("meta"):
        assert build_encoder("multi_modal", values).config == config


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"modalities": [10, 5]}, r"modalities \(10, 5\) must add up to input_dim = 16"),
        ({"modalities": [16, 0]}, r"modalities\[1\] must be positive, not 0"),
        ({"modalities": [16]}, "must be equally many, not 1, 2 and 2"),
        ({"modalities": [], "encoders": [], "encoder_options": []}, "must be equally many, not 0, 0 and 0"),
        ({"encoders": ["lstm", "mlp"]}, "encoder 'mlp' of modality 1 reads video-level input"),
        ({"encoder_options": [{"dim": 8}, {"dims": 8}]}, "'lstm' of modality 1 has no option dims"),
        ({"encoder_options": [{"dim": 8}, {"input_dim": 7}]}, "has input_dim 7, the modality has 6"),
        ({"encoder_options": [{"dim": 8}, {"dim": 9}]}, r"\[8, 9\] cannot be summed: .* same dim"),
        ({"encoder_options": [{"dim": 8}, 3]}, r"encoder_options must be tuple\[.*Mapping"),
        ({"encoders": ["lstm", "multi"]}, "no encoder 'multi'; there are"),
        ({"fusion": "product"}, "fusion must be one of 'sum', 'concatenate'"),
        ({"modality_weight": -1.0}, "modality_weight must not be negative"),
        ({"fused_weight": 0.0}, "fused_weight must be positive"),
        ({"embedding_dropout": 1.0}, r"embedding_dropout must be in \[0, 1\)"),
        ({"dim": -1}, "dim must be positive"),
    ],
)
def test_options_that_do_not_fit_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        small_encoder("multi_modal", **options)


def test_an_encoder_with_sides_cannot_be_a_modality() -> None:
    inner = {"dim": 6, "modalities": [5, 5], "encoder_options": [{"dim": 6}, {"dim": 6}]}
    with pytest.raises(ValueError, match="must not have side outputs"):
        small_encoder("multi_modal", encoders=["multi_modal", "lstm"], encoder_options=[inner, {"dim": 6}])


def test_what_the_parts_add_to_loss_and_penalty_is_summed(monkeypatch: pytest.MonkeyPatch) -> None:
    encoder = small_encoder("multi_modal")
    assert isinstance(encoder, MultiModalEncoder)
    inputs = inputs_for(encoder, 3)
    assert encoder.forward_training(*inputs).loss is None
    for part, value in zip(encoder.parts, (2.0, 0.5), strict=True):
        number = torch.tensor(value)
        monkeypatch.setattr(part, "penalty", lambda number=number: number)
        embedding = torch.zeros(3, 12)
        output = TrainingOutput(embedding, loss=number * 10)
        monkeypatch.setattr(part, "forward_training", lambda *inputs, output=output: output)
    assert encoder.penalty() == 2.5
    assert encoder.forward_training(*inputs).loss == 25.0


def test_a_saved_model_is_built_again_with_its_side_heads() -> None:
    model = small_model("multi_modal")
    assert sorted(model.side_heads) == ["modality_0", "modality_1"]
    twin = build_model(model.config)
    assert isinstance(twin, Model)
    twin.load_state_dict(model.state_dict())
    inputs, labels = model_inputs_for(model, 8), torch.zeros(8, 5, dtype=torch.bool)
    assert torch.equal(twin.loss(inputs, labels), model.loss(inputs, labels))
    assert model.config.input_norm == InputNormConfig(dim=16)


@pytest.mark.parametrize("others", [["lstm", {"dim": 12}], None], ids=["one branch", "two branches"])
def test_branches_and_warming_up_are_those_of_the_parts_that_have_them(others: list[Any] | None) -> None:
    own = {"dim": 12, "encoder": "residual_cnn", "encoder_options": {"width": 0.06, "branch_gain": 0.0}}
    other, options = others or ["frame_statistics", own]
    encoder = small_encoder(
        "multi_modal", encoders=["frame_statistics", other], encoder_options=[own, options]
    )
    branches = [part.branch_parameters() for part in encoder.parts]
    assert [id(p) for p in encoder.branch_parameters()] == [id(p) for part in branches for p in part]
    assert [bool(branch) for branch in branches] == [True, others is None]
    inputs = inputs_for(encoder, 3)
    expected = encoder(*inputs)  # a gain of 0 is silent
    encoder.set_warm(True)
    warmed = [part.encoder.warm for part, branch in zip(encoder.parts, branches, strict=True) if branch]
    assert all(warmed)
    assert torch.equal(encoder(*inputs), expected)
    encoder.set_warm(False)
    assert not encoder.parts[0].encoder.warm


def test_without_a_branch_in_any_part_there_is_no_warming_up() -> None:
    encoder = small_encoder("multi_modal")
    assert not encoder.branch_parameters()
    encoder.set_warm(False)
    with pytest.raises(ValueError, match="has no branch"):
        encoder.set_warm(True)
