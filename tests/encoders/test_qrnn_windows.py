"""The product over windows of valid frames against the windows copied out and multiplied by torch."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from encoders.layers.qrnn.gates import window_product, windows

MASKS: dict[str, Tensor | None] = {
    "all": None,
    "some": torch.tensor([[1, 1, 1, 1], [0, 0, 0, 0], [1, 1, 0, 0]]).bool(),
    "none": torch.zeros(3, 4, dtype=torch.bool),
}


def problem(window: int, dtype: torch.dtype = torch.float64, frames: int = 4) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(window)
    padded = torch.randn(3, window - 1 + frames, 5, generator=generator, dtype=torch.float64)
    weight = torch.randn(7, window * 5, generator=generator, dtype=torch.float64)
    return padded.to(dtype).requires_grad_(), weight.to(dtype).requires_grad_()


def by_copies(padded: Tensor, weight: Tensor, mask: Tensor | None) -> Tensor:
    copied = windows(padded, weight.shape[1] // padded.shape[2])
    return F.linear(copied if mask is None else copied[mask], weight)


def with_gradients(product: Any, padded: Tensor, weight: Tensor, mask: Tensor | None) -> list[Tensor]:
    result = product(padded, weight, mask)
    upstream = torch.randn(result.shape, generator=torch.Generator().manual_seed(1)).to(result)
    return [result, *torch.autograd.grad(result, (padded, weight), upstream)]


@pytest.mark.parametrize("window", [1, 2, 3, 5])
def test_a_row_of_the_windows_holds_the_frames_that_end_there(window: int) -> None:
    padded = torch.arange(2 * 9 * 3).view(2, 9, 3)
    rows = windows(padded, window)
    assert rows.shape == (2, 10 - window, window * 3)
    for frame in range(10 - window):
        assert torch.equal(rows[:, frame], padded[:, frame : frame + window].flatten(1))


@pytest.mark.parametrize("window", [1, 2, 3, 5])
@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize(
    ("dtype", "tolerance"), [(torch.float64, 1e-12), (torch.float32, 1e-5), (torch.bfloat16, 0.05)]
)
def test_the_product_and_its_gradients_equal_those_of_copied_windows(
    window: int, mask: str, dtype: torch.dtype, tolerance: float
) -> None:
    arguments = (*problem(window, dtype), MASKS[mask])
    found, wanted = (with_gradients(product, *arguments) for product in (window_product, by_copies))
    for a, b in zip(found, wanted, strict=True):
        torch.testing.assert_close(a, b, rtol=tolerance, atol=tolerance)


def test_no_frames_have_no_products() -> None:
    assert window_product(*problem(3, frames=0), None).shape == (3, 0, 7)


def test_what_lies_between_the_wanted_windows_is_not_read() -> None:
    padded, weight = problem(2)
    mask = torch.tensor([[1, 1, 0, 0], [0, 0, 0, 0], [1, 0, 0, 0]]).bool()
    garbage = padded.detach().clone()
    garbage[0, 3:] = garbage[1] = garbage[2, 2:] = torch.nan
    found = with_gradients(window_product, garbage.requires_grad_(), weight, mask)
    wanted = with_gradients(window_product, padded, weight, mask)
    assert all(torch.equal(a, b) for a, b in zip(found, wanted, strict=True))


def test_a_weight_of_another_type_is_multiplied_in_the_type_of_the_frames() -> None:
    padded, weight = problem(2, torch.float32)
    result, for_padded, for_weight = with_gradients(window_product, padded.bfloat16(), weight, None)
    assert (result.dtype, for_padded.dtype, for_weight.dtype) == (
        torch.bfloat16,
        torch.bfloat16,
        torch.float32,
    )
