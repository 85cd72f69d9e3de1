"""Every way to compute a QRNN's states from its gates against the reference in float64.

The tests of "triton" run where there is a GPU, and in Triton's interpreter; see test_qrnn_triton.py.
"""

from __future__ import annotations

import os
import threading
from typing import Any, get_args

import pytest
import torch
from torch import Tensor

from encoders import native
from encoders.layers.qrnn import in_c
from encoders.layers.qrnn.gates import chosen_method, pool_gates
from encoders.layers.qrnn.pooling import Gates

INTERPRETED = os.environ.get("TRITON_INTERPRET") == "1"
COMPILED = [
    pytest.param("native", marks=pytest.mark.skipif(native.load() is None, reason="no C code here")),
    pytest.param(
        "triton",
        marks=pytest.mark.skipif(
            not (INTERPRETED or torch.cuda.is_available()), reason="neither a GPU nor Triton's interpreter"
        ),
    ),
]
every_kind = pytest.mark.parametrize("kind", get_args(Gates))
every_compiled = pytest.mark.parametrize("method", COMPILED)
every_method = pytest.mark.parametrize("method", ["reference", "fused", *COMPILED])
TOLERANCE = {torch.float32: 2e-6, torch.bfloat16: 1e-2}  # relative; h and gradients are rounded to bfloat16


def device_of(method: str) -> str:
    return "cuda" if method == "triton" and not INTERPRETED else "cpu"


def problem(kind: str, batch: int = 3, frames: int = 3, size: int = 7, **wanted: bool) -> dict[str, Any]:
    """Float64 arguments of `pool_gates`; `wanted` names the optional ones that are given."""
    generator = torch.Generator().manual_seed(frames)

    def random(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    width = (1 + len(kind)) * size
    # What bfloat16 can hold, so that every type has the same problem.
    gates, start = (x.bfloat16().double() for x in (2 * random(batch, frames, width), random(batch, size)))
    arguments: dict[str, Any] = {"gates": gates, "bias": random(width).float().double()}
    lengths = torch.arange(batch).neg() % (frames + 1)  # 0, all of them, all but one, ...
    optional = {
        "start": start,
        "mask": torch.arange(frames) < lengths[:, None],
        "kept": torch.rand(batch, frames, size, generator=generator) < 0.3,
        "reverse": True,
    }
    return {**arguments, **{name: optional[name] for name, given in wanted.items() if given}}


def moved(arguments: dict[str, Any], dtype: torch.dtype, device: str) -> dict[str, Any]:
    """As leaves: gates of `dtype`, all else at least float32."""
    wide = torch.promote_types(dtype, torch.float32)
    result = {}
    for name, value in arguments.items():
        if isinstance(value, Tensor):
            value = value.detach().to(device)
            if value.is_floating_point():
                value = value.to(dtype if name == "gates" else wide).requires_grad_()
        result[name] = value
    return result


def with_gradients(kind: str, method: str, arguments: dict[str, Any], dtype: torch.dtype) -> list[Tensor]:
    """h, the last c, and the gradients of a sum over both with random weights; float64, on the CPU."""
    here = moved(arguments, dtype, device_of(method))
    h, c = pool_gates(kind, **here, method=method)
    assert h.dtype == dtype
    generator = torch.Generator().manual_seed(1)
    weights = [torch.randn(x.shape, generator=generator).bfloat16().to(x) for x in (h, c)]
    leaves = [value for value in here.values() if isinstance(value, Tensor) and value.requires_grad]
    gradients = torch.autograd.grad([h, c], leaves, weights, materialize_grads=True)
    return [x.detach().double().cpu() for x in (h, c, *gradients)]


def assert_equals_reference(
    kind: str, method: str, arguments: dict[str, Any], dtype: torch.dtype = torch.float32
) -> None:
    found = with_gradients(kind, method, arguments, dtype)
    wanted = with_gradients(kind, "reference", arguments, torch.float64)
    for name, a, b in zip(["h", "c", *arguments], found, wanted, strict=False):
        tolerance = 2e-6 if name in ("c",) else TOLERANCE[dtype]
        scale = max(1.0, b.abs().max().item()) if b.numel() else 1.0
        torch.testing.assert_close(
            a, b, rtol=0, atol=tolerance * scale, msg=lambda m, name=name: f"{name}: {m}"
        )


OPTIONS = ["", "start", "mask", "kept", "reverse", "mask reverse", "start mask kept reverse"]


@every_kind
@every_method
@pytest.mark.parametrize("options", OPTIONS)
def test_every_method_equals_the_reference_in_float64(kind: str, method: str, options: str) -> None:
    assert_equals_reference(kind, method, problem(kind, **dict.fromkeys(options.split(), True)))


@every_kind
@every_method
def test_every_method_equals_the_reference_in_bfloat16(kind: str, method: str) -> None:
    assert_equals_reference(kind, method, problem(kind, start=True, mask=True, kept=True), torch.bfloat16)


@every_kind
@every_compiled
@pytest.mark.parametrize("shape", [(0, 4, 3), (2, 0, 3), (1, 1, 1), (1, 2, 300)])
def test_any_shape_can_be_pooled(kind: str, method: str, shape: tuple[int, int, int]) -> None:
    assert_equals_reference(kind, method, problem(kind, *shape, start=True, mask=True))


@every_kind
@every_method
@pytest.mark.parametrize("reverse", [False, True])
def test_gates_of_the_valid_frames_alone_give_the_same_to_the_bit(
    kind: str, method: str, reverse: bool
) -> None:
    dense = problem(kind, start=True, mask=True, kept=True, reverse=reverse)
    packed = {**dense, "gates": dense["gates"][dense["mask"]]}
    wanted, found = (with_gradients(kind, method, given, torch.bfloat16) for given in (dense, packed))
    wanted[2] = wanted[2][dense["mask"]]
    assert all(torch.equal(a, b) for a, b in zip(found, wanted, strict=True))


@every_kind
@every_method
@pytest.mark.parametrize("value", [torch.nan, torch.inf])
def test_padding_leaves_the_state_alone_to_the_bit_whatever_it_holds(
    kind: str, method: str, value: float
) -> None:
    arguments = problem(kind, start=True, mask=True)
    arguments["mask"][:] = False
    arguments["gates"].fill_(value)
    h, c, for_gates, _, for_start = with_gradients(kind, method, arguments, torch.float32)
    assert torch.equal(c, arguments["start"])
    assert not h.any()
    assert not for_gates.any()
    assert for_start.any()


@every_kind
@every_method
def test_zoneout_everywhere_keeps_the_state_to_the_bit(kind: str, method: str) -> None:
    arguments = problem(kind, start=True, kept=True)
    arguments["kept"][:] = True
    assert torch.equal(with_gradients(kind, method, arguments, torch.float32)[1], arguments["start"])


@every_method
def test_a_forget_gate_of_one_keeps_the_state_to_the_bit(method: str) -> None:
    arguments = problem("fo", start=True)
    arguments["gates"][:, :, 7:14] = 100
    assert torch.equal(with_gradients("fo", method, arguments, torch.float32)[1], arguments["start"])


@every_kind
@every_method
def test_a_sequence_in_two_parts_is_the_sequence_to_the_bit(kind: str, method: str) -> None:
    arguments = moved(problem(kind, start=True), torch.bfloat16, device_of(method))
    whole, end = pool_gates(kind, **arguments, method=method)
    gates = arguments.pop("gates")
    first, arguments["start"] = pool_gates(kind, gates[:, :2], **arguments, method=method)
    second, c = pool_gates(kind, gates[:, 2:], **arguments, method=method)
    assert torch.equal(torch.cat([first, second], dim=1), whole)
    assert torch.equal(c, end)


@every_compiled
def test_nan_in_a_valid_frame_is_not_hidden(method: str) -> None:
    arguments = problem("fo")
    arguments["gates"][0, 1, 3] = torch.nan
    h, c, *_ = with_gradients("fo", method, arguments, torch.float32)
    assert torch.isnan(h[0, 1:, 3]).all()
    assert torch.isnan(c[0, 3])
    assert torch.isnan(h).sum() == 2


@every_compiled
def test_activations_are_within_a_few_units_in_the_last_place(method: str) -> None:
    count = 200 if INTERPRETED else 20_000
    x = torch.cat([torch.linspace(-87, 87, count), torch.logspace(-20, 1, count), torch.zeros(1)])
    x = torch.cat([x, -x]).view(1, 1, -1)
    one, shut = torch.full_like(x, 1e4), torch.full_like(x, -1e4)
    device = device_of(method)
    z = torch.cat([x, shut], dim=2)  # forgets all: c is tanh(x)
    o = torch.cat([one, shut, x], dim=2)  # c is 1: h is sigmoid(x)
    zero = torch.zeros(o.shape[2], device=device)
    _, tanh = pool_gates("f", z.to(device), zero[: z.shape[2]], method=method)
    sigmoid, _ = pool_gates("fo", o.to(device), zero, method=method)
    for found, exact in ((tanh, torch.tanh(x.double())), (sigmoid, torch.sigmoid(x.double()))):
        error = (found.cpu().double().flatten() - exact.flatten()) / exact.flatten().abs().clamp_min(1e-37)
        ulps = 3 if device == "cpu" else 128  # a GPU's exp is rough far from 0
        assert error.abs().max() <= ulps * torch.finfo(torch.float32).eps


@pytest.mark.skipif(native.load() is None, reason="no C code here")
def test_threads_and_their_number_change_no_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    arguments = problem("fo", batch=5, start=True, mask=True)
    alone = with_gradients("fo", "native", arguments, torch.float32)
    monkeypatch.setattr(in_c, "WORTH_A_THREAD", 1)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 3)
    assert all(map(torch.equal, with_gradients("fo", "native", arguments, torch.float32), alone))
    results: list[list[Tensor]] = []
    workers = [
        threading.Thread(
            target=lambda: results.append(with_gradients("fo", "native", arguments, torch.float32))
        )
        for _ in range(4)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(results) == 4
    assert all(all(map(torch.equal, result, alone)) for result in results)


def test_auto_is_the_c_code_for_the_types_it_has_and_torch_where_it_is_switched_off(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if native.load() is not None:
        assert chosen_method("auto", torch.zeros(1)) == "native"
        assert chosen_method("auto", torch.zeros(1).bfloat16()) == "native"
    assert chosen_method("auto", torch.zeros(1).double()) == "fused"
    assert chosen_method("auto", torch.zeros(1).half()) == "fused"
    monkeypatch.setenv("COMPRESS_NATIVE", "off")
    assert chosen_method("auto", torch.zeros(1)) == "fused"
    with pytest.raises(ValueError, match="'native' cannot run: the C code is not compiled, or switched off"):
        chosen_method("native", torch.zeros(1))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"kind": "of"}, "kind must be one of f, fo, ifo, not 'of'"),
        (
            {"gates": torch.zeros(3, 3, 20)},
            r"must be \(B, T, 3 H\), or \(N, 3 H\) with a mask, not \(3, 3, 20\)",
        ),
        ({"gates": torch.zeros(9, 21)}, r"or \(N, 3 H\) with a mask, not \(9, 21\)"),
        ({"gates": torch.zeros(2, 21), "mask": torch.ones(3, 3).bool()}, "9 valid frames, .* gates of 2"),
        ({"bias": torch.zeros(20)}, r"bias must be \(21,\) on cpu, not \(20,\) on cpu"),
        ({"start": torch.zeros(3, 6)}, r"start must be \(3, 7\) on cpu, not \(3, 6\)"),
        ({"mask": torch.ones(3, 5).bool()}, r"mask must be \(3, 3\) on cpu"),
        ({"mask": torch.ones(3, 3)}, "mask must be bool, not torch.float32"),
        ({"kept": torch.ones(3, 3, 1).bool()}, r"kept must be \(3, 3, 7\) on cpu"),
        ({"method": "quick"}, "must be one of auto, reference, fused, native, triton, not 'quick'"),
        (
            {"method": "native", "gates": torch.zeros(3, 3, 21).double()},
            "float32 and bfloat16, not torch.float64",
        ),
    ],
)
def test_what_cannot_be_pooled_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        pool_gates(**{"kind": "fo", "gates": torch.zeros(3, 3, 21), "bias": torch.zeros(21), **changes})
