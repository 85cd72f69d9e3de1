"""The multilayer perceptron with a linear map beside it."""

from __future__ import annotations

import torch
from torch.nn import functional as F

from encoders import build_encoder

OPTIONS = {"input_dim": 6, "dim": 3, "hidden": (8,)}


def test_with_a_skip_it_starts_as_a_linear_bottleneck_and_learns_more() -> None:
    torch.manual_seed(0)
    encoder, x = build_encoder("mlp", {**OPTIONS, "skip": True}), torch.randn(20, 6)
    torch.testing.assert_close(encoder(x), F.linear(x, encoder.skip.weight, encoder.skip.bias))
    encoder(x).square().sum().backward()
    last = encoder.layers[-1].weight
    assert last.grad.abs().max() > 0
    torch.nn.init.ones_(last)
    assert not torch.allclose(encoder(x), F.linear(x, encoder.skip.weight, encoder.skip.bias))


def test_the_norm_is_of_the_sum() -> None:
    torch.manual_seed(0)
    encoder = build_encoder("mlp", {**OPTIONS, "skip": True, "embedding_norm": True})
    torch.nn.init.normal_(encoder.layers[-1].weight)
    found = encoder(torch.randn(200, 6))
    torch.testing.assert_close(found.mean(0), torch.zeros(3), atol=1e-5, rtol=0)
    torch.testing.assert_close(found.var(0, correction=0), torch.ones(3), atol=2e-2, rtol=0)


def test_without_a_skip_an_older_model_is_built_as_before() -> None:
    names = {name.split(".")[0] for name in build_encoder("mlp", OPTIONS).state_dict()}
    assert names == {"layers"}
