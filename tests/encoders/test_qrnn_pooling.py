"""The pooling over time against the equations one number at a time, and its backward against differences."""

from __future__ import annotations

from typing import Any, get_args

import pytest
import torch
from torch import Tensor

from encoders.layers.qrnn.pooling import Gates, PoolingMethod, pool
from tests.encoders.slow_qrnn import slow_pool

every_kind = pytest.mark.parametrize("kind", get_args(Gates))
every_method = pytest.mark.parametrize("method", get_args(PoolingMethod))


def problem(kind: str, batch: int = 3, frames: int = 6, size: int = 4) -> dict[str, Tensor]:
    """z, the gates of this kind, and a start, in float64."""
    generator = torch.Generator().manual_seed(frames)

    def random(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    gates = {name: torch.sigmoid(random(batch, frames, size)) for name in kind}
    return {"z": torch.tanh(random(batch, frames, size)), **gates, "start": random(batch, size)}


def with_gradients(kind: str, method: str, tensors: dict[str, Tensor]) -> list[Tensor]:
    """h, the last c, and the gradients of a sum over both with random weights."""
    leaves = {name: tensor.detach().requires_grad_() for name, tensor in tensors.items()}
    h, c = pool(kind, **leaves, method=method)
    generator = torch.Generator().manual_seed(1)
    loss = sum((x * torch.randn(x.shape, generator=generator, dtype=torch.float64)).sum() for x in (h, c))
    gradients = torch.autograd.grad(loss, list(leaves.values()), materialize_grads=True)
    return [h.detach(), c.detach(), *gradients]


@every_kind
@every_method
@pytest.mark.parametrize("frames", [1, 2, 7, 40])
def test_every_method_equals_the_equations_one_number_at_a_time(kind: Any, method: Any, frames: int) -> None:
    tensors = problem(kind, frames=frames)
    h, c = pool(kind, **tensors, method=method)
    for row in range(3):
        z, f, o, i = (tensors[name][row].tolist() if name in tensors else [] for name in "zfoi")
        wanted_h, wanted_c = slow_pool(kind, z, f, o, i, tensors["start"][row].tolist())
        torch.testing.assert_close(h[row], torch.tensor(wanted_h, dtype=torch.float64), rtol=0, atol=1e-13)
        torch.testing.assert_close(c[row], torch.tensor(wanted_c, dtype=torch.float64), rtol=0, atol=1e-13)


@every_kind
@every_method
def test_gradients_equal_finite_differences(kind: Any, method: Any) -> None:
    tensors = problem(kind, batch=2, frames=5, size=3)

    def by_position(*values: Tensor) -> tuple[Tensor, Tensor]:
        return pool(kind, **dict(zip(tensors, values, strict=True)), method=method)

    assert torch.autograd.gradcheck(by_position, tuple(t.requires_grad_() for t in tensors.values()))


@every_kind
@pytest.mark.parametrize("shape", [(3, 1, 2), (2, 50, 5), (0, 4, 3), (2, 0, 3)])
def test_the_backward_of_its_own_equals_that_of_autograd(kind: Any, shape: tuple[int, int, int]) -> None:
    tensors = problem(kind, *shape)
    fused, reference = (with_gradients(kind, method, tensors) for method in ("fused", "reference"))
    for found, wanted in zip(fused, reference, strict=True):
        torch.testing.assert_close(found, wanted, rtol=1e-12, atol=1e-13)


@every_kind
@pytest.mark.parametrize("kept", ["h", "c"])
def test_a_result_that_is_not_used_has_no_part_in_the_gradient(kind: Any, kept: str) -> None:
    gradients = []
    for method in ("fused", "reference"):
        leaves = {name: tensor.requires_grad_() for name, tensor in problem(kind).items()}
        h, c = pool(kind, **leaves, method=method)
        loss = (h if kept == "h" else c).square().sum()
        gradients.append(torch.autograd.grad(loss, list(leaves.values()), materialize_grads=True))
    for found, wanted in zip(*gradients, strict=True):
        torch.testing.assert_close(found, wanted)


@every_kind
@every_method
def test_without_a_start_the_state_is_zero(kind: Any, method: Any) -> None:
    tensors = problem(kind)
    zero = {**tensors, "start": torch.zeros_like(tensors["start"])}
    del tensors["start"]
    for found, wanted in zip(
        pool(kind, **tensors, method=method), pool(kind, **zero, method=method), strict=True
    ):
        assert torch.equal(found, wanted)


@every_kind
@every_method
def test_a_forget_gate_of_one_keeps_the_state_to_the_bit(kind: Any, method: Any) -> None:
    tensors = {name: tensor.float() for name, tensor in problem(kind).items()}
    tensors["f"] = torch.ones_like(tensors["f"])
    if kind == "ifo":
        tensors["i"] = torch.zeros_like(tensors["i"])
    assert torch.equal(pool(kind, **tensors, method=method)[1], tensors["start"])


@every_kind
def test_a_sequence_in_two_parts_is_the_sequence(kind: Any) -> None:
    tensors = problem(kind, frames=9)
    start = tensors.pop("start")
    whole = pool(kind, **tensors, start=start)
    first, c = pool(kind, **{name: t[:, :4] for name, t in tensors.items()}, start=start)
    second, c = pool(kind, **{name: t[:, 4:] for name, t in tensors.items()}, start=c)
    assert torch.equal(torch.cat([first, second], dim=1), whole[0])
    assert torch.equal(c, whole[1])


@every_kind
@every_method
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_is_summed_up_in_float32(kind: Any, method: Any, dtype: torch.dtype) -> None:
    tensors = {name: tensor.to(dtype) for name, tensor in problem(kind, frames=300).items()}
    h, c = pool(kind, **tensors, method=method)
    wanted_h, wanted_c = pool(kind, **{name: tensor.double() for name, tensor in tensors.items()})
    assert (h.dtype, c.dtype) == (dtype, torch.float32)
    torch.testing.assert_close(c.double(), wanted_c, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(h, wanted_h.to(dtype), rtol=1e-2, atol=1e-2)


def test_the_gradient_cannot_be_taken_twice_in_silence() -> None:
    leaves = {name: tensor.requires_grad_() for name, tensor in problem("fo").items()}
    h, _ = pool("fo", **leaves)
    (gradient,) = torch.autograd.grad(h.square().sum(), leaves["z"], create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        gradient.sum().backward()


@pytest.mark.parametrize(
    ("kind", "changes", "message"),
    [
        ("of", {}, "kind must be one of f, fo, ifo, not 'of'"),
        ("fo", {"o": None}, "fo-pooling needs gate o"),
        ("f", {"o": "z"}, "f-pooling has no gate o"),
        ("fo", {"i": "z"}, "fo-pooling has no gate i"),
        ("fo", {"o": torch.zeros(3, 6, 5).double()}, r"gate o must be \(3, 6, 4\) .*, not \(3, 6, 5\)"),
        ("fo", {"o": torch.zeros(3, 6, 4)}, "gate o must be .*float64 as z is, not .*float32"),
        ("fo", {"start": torch.zeros(4)}, r"start must be \(3, 4\), not \(4,\)"),
        ("fo", {"z": torch.zeros(3, 4)}, r"z must be \(B, T, H\), not \(3, 4\)"),
        ("fo", {"method": "quick"}, "method must be one of reference, fused, not 'quick'"),
    ],
)
def test_what_cannot_be_pooled_is_refused(kind: Any, changes: dict[str, Any], message: str) -> None:
    tensors: dict[str, Any] = problem("fo" if kind == "of" else kind)
    changes = {name: tensors["z"] if value == "z" else value for name, value in changes.items()}
    with pytest.raises(ValueError, match=message):
        pool(kind, **{**tensors, **changes})
