"""Starting ResidualCNN from its fully connected layer alone."""

import pytest
import torch

from encoders import InputNorm, InputNormConfig, ModelConfig, build_encoder, build_model

SMALL = {"input_dim": 24, "dim": 12, "width": 0.1, "branch_gain": 0.0}


def test_warm_residual_cnn_equals_one_whose_gain_is_zero():
    encoder = build_encoder("residual_cnn", SMALL).eval()
    features = torch.randn(5, 24)
    cold = encoder(features)
    encoder.set_warm(True)
    assert torch.equal(encoder(features), cold)


def test_branch_parameters_are_all_but_the_fully_connected_layer():
    encoder = build_encoder("residual_cnn", SMALL)
    branch = {id(parameter) for parameter in encoder.branch_parameters()}
    rest = [name for name, parameter in encoder.named_parameters() if id(parameter) not in branch]
    assert rest == ["fc.weight", "fc.bias"]


@pytest.mark.parametrize(("name", "options"), [("linear", {}), ("residual_cnn", {"branch_gain": None})])
def test_encoders_without_a_silent_branch_refuse_to_warm_up(name, options):
    with pytest.raises(ValueError, match="branch"):
        build_encoder(name, {**SMALL, **options} if name != "linear" else {}).set_warm(True)


def test_l2_standardize_gives_unit_vectors_mean_zero_and_deviation_one():
    norm = InputNorm(InputNormConfig(6, "l2_standardize"))
    features = torch.randn(500, 6) * torch.arange(1, 7) + 1
    unit = norm.before_statistics(features)
    assert torch.allclose(unit.norm(dim=1), torch.ones(500))
    norm.set_statistics(unit.mean(0), unit.std(0))
    done = norm(features)
    assert torch.allclose(done.mean(0), torch.zeros(6), atol=1e-5)
    assert torch.allclose(done.std(0), torch.ones(6), atol=1e-5)


def test_a_model_without_a_head_embeds_and_says_why_it_cannot_score():
    model = build_model(ModelConfig("linear", 5, {"dim": 3}, head=None))
    assert model.embed(torch.randn(2, 1152)).shape == (2, 3)
    assert model.parameter_counts() == {"encoder": 3 * 1152 + 3, "head": 0}
    with pytest.raises(ValueError, match="has no head"):
        model(torch.randn(2, 1152))
