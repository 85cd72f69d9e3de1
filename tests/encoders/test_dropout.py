"""Our dropout against torch's."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from encoders.layers.dropout import Dropout, dropout


@pytest.mark.parametrize("kind", [torch.float32, torch.float64, torch.bfloat16])
@pytest.mark.parametrize("rate", [0.1, 0.4, 0.5])
def test_it_drops_that_share_and_scales_the_rest(rate: float, kind: torch.dtype) -> None:
    torch.manual_seed(0)
    x = torch.ones(200, 100, dtype=kind, requires_grad=True)
    y = Dropout(rate)(x)
    y.sum().backward()
    kept = torch.ones((), dtype=kind) / (1 - rate)
    assert y.dtype == kind
    assert y.unique().tolist() == [0.0, kept.item()]
    assert (y == 0).double().mean().item() == pytest.approx(rate, abs=0.02)
    assert torch.equal(x.grad, y)


@pytest.mark.parametrize("kind", [torch.float32, torch.bfloat16])
def test_its_bits_are_those_of_torch(kind: torch.dtype) -> None:
    torch.manual_seed(0)
    drawn = torch.empty(50, dtype=torch.float64).bernoulli_(0.6)
    torch.manual_seed(0)
    if not torch.equal(drawn, (torch.rand(50, dtype=torch.float64) < 0.6).double()):
        pytest.skip("on this CPU torch draws by MKL")
    x, found = torch.randn(33, 17).to(kind), []
    for each in (dropout, F.dropout):
        torch.manual_seed(1)
        found.append((each(x, 0.4, True), torch.rand(1)))  # and as many numbers are drawn
    assert torch.equal(found[0][0], found[1][0])
    assert torch.equal(found[0][1], found[1][1])


def test_evaluation_and_rate_0_leave_everything_and_draw_nothing() -> None:
    x, before = torch.randn(4, 3), torch.get_rng_state()
    assert torch.equal(Dropout(0.5).eval()(x), x)
    assert torch.equal(Dropout(0.0)(x), x)
    assert torch.equal(torch.get_rng_state(), before)
