"""The convolution by Fourier tiles against torch's own."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from encoders.layers.convolution.dft import (
    convolve_transformed,
    dft_convolution,
    dft_operator,
    transform_weight,
)
from encoders.layers.convolution.dft_plan import Plan, make_plan, transforms

LENGTHS = [1, 2, 7, 16, 33, 100, 321]
DILATIONS = [1, 3, 5]


def direct(x: Tensor, weight: Tensor, bias: Tensor, dilation: int) -> Tensor:
    margin = weight.shape[2] // 2 * dilation
    y = F.conv1d(x.permute(1, 2, 0), weight, bias, padding=margin, dilation=dilation)
    return y.permute(2, 0, 1)


def problem(
    length: int, batch: int, inputs: int = 5, outputs: int = 4, kernel: int = 9
) -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(length)

    def random(*shape: int) -> Tensor:
        return torch.randn(shape, generator=generator, dtype=torch.float64).requires_grad_()

    return random(length, batch, inputs), random(outputs, inputs, kernel), random(outputs)


def results(method: object, x: Tensor, weight: Tensor, bias: Tensor, dilation: int) -> list[Tensor]:
    """The result and its three gradients, for the same random gradient."""
    y = method(x, weight, bias, dilation)
    generator = torch.Generator().manual_seed(1)
    gradient = torch.randn(y.shape, generator=generator, dtype=torch.float64).to(y.dtype)
    return [y.detach(), *torch.autograd.grad(y, (x, weight, bias), gradient)]


def relative_errors(found: list[Tensor], wanted: list[Tensor]) -> list[float]:
    return [((a.double() - b).norm() / b.norm()).item() for a, b in zip(found, wanted, strict=True)]


@pytest.mark.parametrize("dilation", DILATIONS)
@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize(("dtype", "bound"), [(torch.float64, 1e-13), (torch.float32, 2e-6)])
def test_result_and_gradients_equal_the_direct_convolution(
    length: int, dilation: int, dtype: torch.dtype, bound: float
) -> None:
    exact = problem(length, batch=3)
    wanted = results(direct, *exact, dilation)
    found = results(dft_convolution, *(t.detach().to(dtype).requires_grad_() for t in exact), dilation)
    assert all(tensor.dtype == dtype for tensor in found)
    assert max(relative_errors(found, wanted)) < bound


@pytest.mark.parametrize("kernel", [1, 3, 9, 49])
def test_any_odd_kernel(kernel: int) -> None:
    exact = problem(40, batch=2, kernel=kernel)
    errors = relative_errors(results(dft_convolution, *exact, 2), results(direct, *exact, 2))
    assert max(errors) < 1e-13


@pytest.mark.parametrize("dilation", DILATIONS)
def test_gradients_equal_finite_differences(dilation: int) -> None:
    x, weight, bias = problem(21, batch=2, inputs=2, outputs=3)
    assert torch.autograd.gradcheck(lambda *args: dft_convolution(*args, dilation), (x, weight, bias))


@pytest.mark.parametrize("wanted", [(True, False, False), (False, True, False), (False, False, True)])
def test_only_the_gradients_asked_for_are_computed(wanted: tuple[bool, ...]) -> None:
    tensors = [t.detach().requires_grad_(want) for t, want in zip(problem(20, 2), wanted, strict=True)]
    dft_convolution(*tensors, 3).sum().backward()
    assert tuple(t.grad is not None for t in tensors) == wanted


def test_an_empty_batch_gives_an_empty_result_and_zero_gradients() -> None:
    x, weight, bias = problem(20, batch=0)
    y = dft_convolution(x, weight, bias, 3)
    assert y.shape == (20, 0, 4)
    y.sum().backward()
    assert x.grad.shape == x.shape
    assert not weight.grad.any()
    assert not bias.grad.any()


@pytest.mark.parametrize(("inputs", "outputs", "dilation"), [(128, 192, 3), (256, 128, 5)])
def test_bfloat16_is_nearly_as_exact_as_the_direct_convolution_in_bfloat16(
    inputs: int, outputs: int, dilation: int
) -> None:
    """Four roundings instead of one: 5e-3 of the norm where the direct method has 3e-3."""
    exact = problem(107, 4, inputs, outputs)
    wanted = results(direct, *exact, dilation)
    single = [t.detach().float().requires_grad_() for t in exact]
    with torch.autocast("cpu", torch.bfloat16):
        tiles = relative_errors(results(dft_convolution, *single, dilation), wanted)
        plain = relative_errors(results(direct, *single, dilation), wanted)
    assert max(tiles) < 8e-3
    assert all(a < 3 * max(b, 2e-3) for a, b in zip(tiles, plain, strict=True))


def test_autocast_gives_the_gradient_of_the_weight_in_its_own_type() -> None:
    tensors = [t.detach().float().requires_grad_() for t in problem(30, 2)]
    with torch.autocast("cpu", torch.bfloat16):
        y = dft_convolution(*tensors, 1)
    assert y.dtype == torch.bfloat16
    y.float().sum().backward()
    assert [t.grad.dtype for t in tensors] == [torch.float32] * 3


@pytest.mark.parametrize("dilation", DILATIONS)
def test_the_operator_for_compiled_code_gives_the_same_bits(dilation: int) -> None:
    tensors = [t.detach().float().requires_grad_() for t in problem(33, 3)]
    found, wanted = (results(method, *tensors, dilation) for method in (dft_operator, dft_convolution))
    assert all(torch.equal(a, b) for a, b in zip(found, wanted, strict=True))


def test_the_operator_keeps_the_promises_that_torch_wants_of_one() -> None:
    from encoders.layers.convolution.dft import _convolution

    torch.library.opcheck(_convolution, (*problem(20, 2), 3))


def test_a_transformed_weight_gives_the_same_result_to_the_bit() -> None:
    x, weight, bias = (t.detach().float() for t in problem(50, 3))
    plan = make_plan(50, 3, 9)
    spectrum = transform_weight(weight, plan, torch.float32)
    assert torch.equal(convolve_transformed(x, spectrum, bias, plan), dft_convolution(x, weight, bias, 3))


def test_matrices_made_in_inference_mode_can_be_trained_with() -> None:
    transforms.cache_clear()
    x, weight, bias = problem(20, 2)
    with torch.inference_mode():
        dft_convolution(x, weight, bias, 1)
    dft_convolution(x, weight, bias, 1).sum().backward()
    assert weight.grad is not None


@pytest.mark.parametrize("dilation", DILATIONS)
@pytest.mark.parametrize("length", [*LENGTHS, 320, 512, 1024])
def test_the_tiles_of_a_plan_cover_the_sequence_without_a_spare_one(length: int, dilation: int) -> None:
    plan = make_plan(length, dilation, 9)
    longest = -(-length // dilation)
    assert plan.tiles * plan.outputs >= longest > (plan.tiles - 1) * plan.outputs
    assert plan.padded_inputs >= plan.margin + length
    assert plan.points == 3 * plan.samples // 2 - 1


@pytest.mark.parametrize("length", [320, 512, 1024])
def test_a_tile_needs_less_than_a_quarter_of_the_multiplications(length: int) -> None:
    for dilation in DILATIONS:
        plan = make_plan(length, dilation, 9)
        assert plan.points * plan.tiles * plan.dilation < 9 * length / 3.9


def test_a_tile_is_written_out_by_the_definition() -> None:
    plan = Plan(10, 1, 3, 10, 1)
    forth, taps, back = transforms(plan.outputs, plan.kernel, torch.float64, torch.device("cpu"))
    assert forth.shape == (plan.points, 12)
    x, w = torch.arange(12, dtype=torch.float64), torch.tensor([2.0, -1.0, 0.5], dtype=torch.float64)
    wanted = [2 * x[i] - x[i + 1] + x[i + 2] / 2 for i in range(10)]
    torch.testing.assert_close(back @ ((taps @ w) * (forth @ x)), torch.stack(wanted))


@pytest.mark.parametrize(("length", "dilation", "kernel"), [(10, 1, 4), (0, 1, 9), (10, 0, 9), (10, 1, -1)])
def test_impossible_convolutions_are_refused(length: int, dilation: int, kernel: int) -> None:
    with pytest.raises(ValueError, match="kernel must be odd, length and dilation positive"):
        make_plan(length, dilation, kernel)
