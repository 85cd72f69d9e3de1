"""ResidualCNN against Table 1 written out, its published sizes, and each option."""

from __future__ import annotations

import itertools

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from encoders import ModelConfig, build_encoder, build_model, count_parameters
from encoders.layers.norm import BatchNorm
from tests.encoders.examples import small_encoder


def table_1(
    encoder: nn.Module, features: Tensor, *, pooling: str, skip: bool, norm4: bool, relu: bool
) -> Tensor:
    """The paper's Table 1 row by row, with the weights of `encoder` in the order of the table."""
    convolutions = iter([m for m in encoder.modules() if isinstance(m, nn.Conv1d)])
    norms = iter([m for m in encoder.modules() if isinstance(m, BatchNorm)])

    def conv(x: Tensor, kernel: int, dilation: int = 1) -> Tensor:
        layer = next(convolutions)
        assert layer.kernel_size == (kernel,)
        return F.conv1d(x, layer.weight, layer.bias, padding=dilation * (kernel // 2), dilation=dilation)

    def norm(x: Tensor) -> Tensor:
        n = next(norms)
        return (x - n.running_mean[:, None]) / torch.sqrt(n.running_var[:, None] + 1e-3) + n.bias[:, None]

    def module(x: Tensor, depth: int) -> Tensor:
        y = x
        for index in range(depth):
            y = conv(y, 9, 2 * index + 1)
            y = F.relu(y) if relu or index < depth - 1 else y
        return x + y

    fc = F.relu(features @ encoder.fc.weight.t() + encoder.fc.bias)
    x = norm(F.relu(conv(fc[:, None], 49)))
    x = norm(module(x, 3))
    x = norm(F.relu(conv(x, 1)))
    x = norm(module(x, 3))
    x = norm(F.relu(conv(x, 1)))
    x = norm(module(x, 2))
    x = norm(F.relu(conv(x, 1)))
    x = module(x, 2)
    x = norm(x) if norm4 else x
    assert next(convolutions, None) is None
    assert next(norms, None) is None
    pooled = x.max(2).values if pooling == "max" else x.mean(2)
    return pooled + fc if skip else pooled


@pytest.mark.parametrize(
    ("pooling", "skip", "norm4", "relu"),
    list(itertools.product(["max", "mean"], [True, False], [True, False], [True, False])),
)
def test_every_variant_equals_table_1(pooling: str, skip: bool, norm4: bool, relu: bool) -> None:
    options = {
        "pooling": pooling,
        "fc_skip": skip,
        "norm_after_module4": norm4,
        "activation_before_sum": relu,
    }
    encoder = small_encoder("residual_cnn", width=1 / 8, **options).double()
    for module in encoder.modules():
        if isinstance(module, BatchNorm):
            nn.init.normal_(module.running_mean)
            nn.init.uniform_(module.running_var, 0.5, 2)
            nn.init.normal_(module.bias)
    features = torch.randn(3, 16, dtype=torch.float64)
    expected = table_1(encoder, features, pooling=pooling, skip=skip, norm4=norm4, relu=relu)
    torch.testing.assert_close(encoder(features), expected, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize(
    ("x", "encoder_millions", "both_millions"),
    [(320, 8.28, 14.47), (512, 10.32, 20.21), (1024, 15.76, 35.54)],
)
def test_parameter_counts_are_the_published_ones(
    x: int, encoder_millions: float, both_millions: float
) -> None:
    with torch.device("meta"):
        counts = build_model(ModelConfig("residual_cnn", 3862, {"dim": x})).parameter_counts()
    assert round(counts["encoder"] / 1e6, 2) == encoder_millions
    assert round(sum(counts.values()) / 1e6, 2) == both_millions
    assert counts["head"] == 5 * 3862 * x + 2 * 3862


@pytest.mark.parametrize(("x", "giga"), [(320, 2.53), (512, 4.98), (1024, 14.92)])
def test_multiplications_of_a_video(x: int, giga: float) -> None:
    with torch.device("meta"), FlopCounterMode(display=False) as counter:
        build_encoder("residual_cnn", {"dim": x})(torch.empty(1, 1152))
    assert counter.get_total_flops() / 2e9 == pytest.approx(giga, abs=0.006)


def test_a_position_sees_exactly_257_positions_of_fc() -> None:
    encoder = build_encoder("residual_cnn", {"dim": 320, "width": 1 / 64}).eval().double()
    with (
        torch.no_grad()
    ):  # positive weights: no ReLU closes and nothing cancels, so that support is what is wired
        for parameter in encoder.cnn.parameters():
            parameter.abs_().clamp_min_(1e-3)
    sequence = torch.ones(1, 1, 320, dtype=torch.float64, requires_grad=True)
    encoder.cnn(sequence)[0, 0, 160].backward()
    seen = sequence.grad[0, 0].nonzero()[:, 0]
    assert seen.tolist() == list(range(160 - 128, 160 + 128 + 1))


def test_weights_start_xavier_uniform_and_biases_at_zero() -> None:
    encoder = build_encoder("residual_cnn", {"dim": 64})
    for name, parameter in encoder.named_parameters():
        if parameter.dim() == 1:
            assert not parameter.any(), name
        else:
            receptive = parameter[0, 0].numel()
            bound = (6 / (receptive * (parameter.shape[0] + parameter.shape[1]))) ** 0.5
            assert 0.98 * bound < parameter.abs().max() <= bound, name
            assert parameter.std().item() == pytest.approx(bound / 3**0.5, rel=0.05), name


def test_a_zero_branch_gain_starts_from_a_trained_fc_and_then_learns() -> None:
    trained = small_encoder("residual_cnn_fc")
    encoder = small_encoder("residual_cnn", branch_gain=0.0).train()
    encoder.fc.load_state_dict(trained.fc.state_dict())
    features = torch.randn(8, 16)
    embedding = encoder(features)
    torch.testing.assert_close(embedding, trained(features))
    embedding.square().sum().backward()
    assert encoder.gain.grad.abs().sum() > 0


@pytest.mark.parametrize("name", ["residual_cnn", "residual_cnn_fc"])
def test_the_fc_penalty_is_the_codes(name: str) -> None:
    encoder = small_encoder(name)
    torch.testing.assert_close(encoder.penalty(), 0.01 * encoder.fc.weight.square().sum() / 2)
    assert small_encoder(name, fc_weight_penalty=0.0).penalty() == 0


@pytest.mark.parametrize("name", ["residual_cnn", "residual_cnn_fc"])
def test_a_linear_fc_lets_negative_numbers_through(name: str) -> None:
    features = torch.randn(8, 16)
    assert (small_encoder(name, fc_activation="linear").fc(features) < 0).any()
    assert (small_encoder(name).fc(features) >= 0).all()


@pytest.mark.parametrize("name", ["residual_cnn", "residual_cnn_fc"])
def test_embedding_norm_and_dropout_act_in_training(name: str) -> None:
    features = torch.randn(64, 16)
    normed = small_encoder(name, embedding_norm=True, fc_activation="linear").train()(features)
    torch.testing.assert_close(normed.mean(0), torch.zeros(16), atol=1e-5, rtol=0)
    dropped = small_encoder(name, embedding_dropout=0.5, fc_activation="linear").train()(features)
    assert 0.3 < (dropped == 0).float().mean() < 0.7


def test_width_scales_the_channels_but_not_x() -> None:
    small, full = (small_encoder("residual_cnn", width=width) for width in (0.25, 1.0))
    channels = [m.out_channels for m in small.modules() if isinstance(m, nn.Conv1d)]
    assert channels == [16, 32, 48, 16, 32, 64, 128, 32, 64, 128, 64, 16, 128, 16]
    assert count_parameters(small) < count_parameters(full) / 12


def test_batch_norm_momentum_and_scale_are_options() -> None:
    encoder = small_encoder("residual_cnn", norm_momentum=0.25, norm_eps=0.01, norm_scale=True, width=1 / 16)
    norms = [m for m in encoder.modules() if isinstance(m, BatchNorm)]
    assert len(norms) == 7
    assert all((n.momentum, n.eps) == (0.25, 0.01) and n.weight is not None for n in norms)


def test_batch_norm_moves_its_statistics_by_momentum() -> None:
    norm = BatchNorm(3, momentum=0.25).train()
    x = torch.randn(50, 3, 4) + 8
    norm(x)
    torch.testing.assert_close(norm.running_mean, 0.25 * x.mean((0, 2)))
    torch.testing.assert_close(norm.running_var, 0.75 + 0.25 * x.transpose(0, 1).flatten(1).var(1))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"pooling": "sum"}, "pooling must be one of 'max', 'mean', not 'sum'"),
        ({"width": 0}, "width must be positive"),
        ({"norm_momentum": 1.0}, r"norm_momentum must be in \[0, 1\)"),
        ({"branch_gain": 0.0, "fc_skip": False}, "branch_gain .* needs fc_skip"),
        ({"fc_activation": "tanh"}, "fc_activation must be one of 'relu', 'linear'"),
        ({"embedding_dropout": 1}, r"embedding_dropout must be in \[0, 1\)"),
        ({"dim": 0}, "dim must be positive"),
    ],
)
def test_wrong_options_are_refused(options: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build_encoder("residual_cnn", options)
