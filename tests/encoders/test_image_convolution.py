"""The convolution over an image against torch's own over sequences, and that nothing is copied for it."""

from __future__ import annotations

import pytest
import torch

from encoders.layers.convolution.positions import as_image, image_convolution
from tests.encoders.test_dft_convolution import direct, problem, relative_errors, results


@pytest.mark.parametrize("dilation", [1, 3, 5])
@pytest.mark.parametrize("length", [1, 7, 100])
@pytest.mark.parametrize(("dtype", "bound"), [(torch.float64, 1e-14), (torch.float32, 2e-6)])
def test_result_and_gradients_equal_the_direct_convolution(
    length: int, dilation: int, dtype: torch.dtype, bound: float
) -> None:
    exact = problem(length, batch=3)
    found = results(image_convolution, *(t.detach().to(dtype).requires_grad_() for t in exact), dilation)
    assert all(tensor.dtype == dtype for tensor in found)
    assert max(relative_errors(found, results(direct, *exact, dilation))) < bound


@pytest.mark.parametrize(("inputs", "kernel"), [(1, 49), (64, 9), (2, 1)])
def test_any_odd_kernel_and_number_of_channels(inputs: int, kernel: int) -> None:
    exact = problem(60, batch=2, inputs=inputs, kernel=kernel)
    found, wanted = results(image_convolution, *exact, 2), results(direct, *exact, 2)
    assert max(relative_errors(found, wanted)) < 1e-14


def test_numbers_that_float32_holds_exactly_give_the_same_bits() -> None:
    random = torch.Generator().manual_seed(0)
    x, weight = (torch.randint(-8, 8, shape, generator=random).float() for shape in ((50, 3, 16), (8, 16, 9)))
    bias = torch.arange(8.0)
    assert torch.equal(image_convolution(x, weight, bias, 3), direct(x, weight, bias, 3))


def test_an_empty_batch_gives_an_empty_result() -> None:
    x, weight, bias = problem(20, batch=0)
    assert image_convolution(x, weight, bias, 3).shape == (20, 0, 4)


def test_the_image_is_the_sequence_itself_with_the_channels_last() -> None:
    x = torch.randn(10, 4, 6)
    image = as_image(x)
    assert image.shape == (1, 6, 10, 4)
    assert image.data_ptr() == x.data_ptr()
    assert image.stride() == torch.empty(1, 6, 10, 4).to(memory_format=torch.channels_last).stride()


def test_the_result_comes_with_the_channels_last_and_is_not_copied() -> None:
    x, weight, bias = (t.detach().float() for t in problem(20, 4, inputs=16, outputs=32))
    y = torch.nn.functional.conv2d(as_image(x), weight[:, :, :, None], bias, padding=(4, 0))
    assert y.permute(0, 2, 3, 1)[0].is_contiguous()
    assert image_convolution(x, weight, bias).is_contiguous()


def test_autocast_computes_in_its_type() -> None:
    x, weight, bias = (t.detach().float().requires_grad_() for t in problem(30, 2))
    with torch.autocast("cpu", torch.bfloat16):
        y = image_convolution(x, weight, bias)
    assert y.dtype == torch.bfloat16
    y.float().sum().backward()
    assert weight.grad is not None
    assert weight.grad.dtype == torch.float32
