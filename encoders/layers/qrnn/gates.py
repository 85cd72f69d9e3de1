"""From the gates of a QRNN layer before their nonlinearities to its states: everything but the product.

The equations are those of pooling.py, with bias, padding, zoneout and the direction of time. All in one
function, because a compiled loop over time then reads the gates only once: on a CPU in C (in_c.py), on a GPU
in Triton (in_triton.py).
"""

from __future__ import annotations

from typing import Any, Literal, get_args

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from encoders.layers.qrnn.compiled import compiled_pooling, why_not
from encoders.layers.qrnn.pooling import Gates, pool


def windows(padded: Tensor, window: int) -> Tensor:
    """(B, k - 1 + T, I) -> (B, T, k I): row t holds the frames t to t + k - 1."""
    if window == 1:
        return padded
    frames = padded.shape[1] - window + 1
    # BLAS takes no overlapping rows, so torch would make this copy anyway.
    return torch.cat([padded[:, first : first + frames] for first in range(window)], dim=2)


def window_product(padded: Tensor, weight: Tensor, mask: Tensor | None) -> Tensor:
    """windows(padded) @ weight.T (B, T, O), or of the N frames of a mask (B, T) alone (N, O); on the CPU.

    padded (B, k - 1 + T, I), weight (O, k I); computed in the type of `padded`.
    """
    batch, length, inputs = padded.shape
    window = weight.shape[1] // inputs
    frames = length - window + 1
    first = torch.arange(batch)[:, None] * length + torch.arange(frames)
    first = first.flatten() if mask is None else first[mask]
    product: Tensor = _Product.apply(padded.contiguous(), weight, first)  # type: ignore[no-untyped-call]
    return product if mask is not None else product.view(batch, frames, len(weight))


class _Product(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, padded: Tensor, weight: Tensor, first: Tensor) -> Tensor:
        ctx.save_for_backward(padded, weight, first)
        with torch.autocast("cpu", enabled=False):
            return _rows(padded, weight, first) @ weight.to(padded.dtype).t()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        padded, weight, first = ctx.saved_tensors
        with torch.autocast("cpu", enabled=False):
            for_padded = for_weight = None
            if ctx.needs_input_grad[1]:
                for_weight = _transposed_product(gradient, _rows(padded, weight, first)).to(weight.dtype)
            if ctx.needs_input_grad[0]:
                for_padded = torch.zeros_like(padded)
                parts = weight.to(padded.dtype).split(padded.shape[2], dim=1)
                for offset, part in enumerate(parts):  # a frame is in k windows
                    for_padded.flatten(0, 1).index_add_(0, first + offset, gradient @ part)
            return for_padded, for_weight, None


def _rows(padded: Tensor, weight: Tensor, first: Tensor) -> Tensor:
    """(N, k I): the windows that begin at the rows `first` of the frames of all videos, concatenated."""
    length, inputs = padded.shape[0] * padded.shape[1], padded.shape[2]
    window = weight.shape[1] // inputs
    if not len(first):
        return padded.new_empty(0, window * inputs)
    overlapping = padded.as_strided((length - window + 1, window * inputs), (inputs, 1))
    return overlapping.index_select(0, first)


def _transposed_product(a: Tensor, b: Tensor) -> Tensor:
    """a.T @ b; in half precision oneDNN is a sixth slower on transposed views, so they are copied."""
    if a.element_size() > 2:
        return a.t() @ b
    return a.t().contiguous() @ b.t().contiguous().t()


GatesMethod = Literal["auto", "reference", "fused", "native", "triton"]


def pool_gates(
    kind: Gates,
    gates: Tensor,
    bias: Tensor,
    start: Tensor | None = None,
    mask: Tensor | None = None,
    kept: Tensor | None = None,
    reverse: bool = False,
    method: GatesMethod = "auto",
) -> tuple[Tensor, Tensor]:
    """The states of a layer, differentiable (once) in `gates`, `bias` and `start`.

    Args:
        kind: "f", "fo" or "ifo".
        gates: (B, T, G H) before bias, tanh and sigmoid, of any floating type: H columns for each of the G
            gates z, f, o, i that `kind` has. Or (N, G H): of the N valid frames of `mask` alone, in order.
        bias: (G H,), added in float32 at least.
        start: (B, H) c before the first step; None is 0.
        mask: (B, T) bool, False on padding, which leaves the state unchanged to the bit. None: no padding.
        kept: (B, T, H) bool, True where zoneout keeps the state; h is o c there too. None: nowhere.
        reverse: time runs from the last frame to the first.
        method: "reference" and "fused" (torch's activations, then `pool` by that method), "native" (C, on the
            CPU), "triton" (on CUDA; both float32 and bfloat16 only), or "auto", see `chosen_method`. They
            agree to rounding: all sum in float32 at least.

    Returns:
        h (B, T, H) in the type of `gates`, 0 on padding; and the last c (B, H), float32 or float64.

    Raises:
        ValueError: unknown kind or method, a wrong shape or type, a method that cannot run here.
    """
    _check(kind, gates, bias, start, mask, kept)
    method = chosen_method(method, gates)
    wide = torch.promote_types(gates.dtype, torch.float32)
    start, bias = None if start is None else start.to(wide), bias.to(wide)
    if method == "native" or method == "triton":
        return compiled_pooling(method, 1 + len(kind), gates, bias, start, mask, kept, reverse)
    if gates.dim() == 2 and mask is not None:
        gates = gates.new_zeros(*mask.shape, gates.shape[1]).masked_scatter(mask[:, :, None], gates)
    if not reverse:
        return _by_torch(kind, gates, bias, start, mask, kept, method)
    mask, kept = (None if tensor is None else tensor.flip(1) for tensor in (mask, kept))
    h, c = _by_torch(kind, gates.flip(1), bias, start, mask, kept, method)
    return h.flip(1), c


def chosen_method(method: GatesMethod, like: Tensor) -> Literal["reference", "fused", "native", "triton"]:
    """The method for gates of the type and device of `like`; ValueError if it is unknown or cannot run.

    "auto" is "native" on a CPU and "triton" elsewhere; "fused" where these cannot run.
    """
    if method not in get_args(GatesMethod):
        raise ValueError(f"pooling method must be one of {', '.join(get_args(GatesMethod))}, not {method!r}")
    if method == "auto":
        compiled: Literal["native", "triton"] = "native" if like.device.type == "cpu" else "triton"
        return "fused" if why_not(compiled, like) else compiled
    if (method == "native" or method == "triton") and (reason := why_not(method, like)):
        raise ValueError(f"pooling method {method!r} cannot run: {reason}")
    return method


def _check(
    kind: str, gates: Tensor, bias: Tensor, start: Tensor | None, mask: Tensor | None, kept: Tensor | None
) -> None:
    if kind not in get_args(Gates):
        raise ValueError(f"kind must be one of {', '.join(get_args(Gates))}, not {kind!r}")
    count, packed = 1 + len(kind), gates.dim() == 2 and mask is not None and mask.dim() == 2
    if (gates.dim() != 3 and not packed) or gates.shape[-1] % count:
        shape = f"(B, T, {count} H), or (N, {count} H) with a mask"
        raise ValueError(f"gates of {kind}-pooling must be {shape}, not {tuple(gates.shape)}")
    batch, frames = mask.shape if packed and mask is not None else gates.shape[:2]
    size = gates.shape[-1] // count
    wanted: dict[str, tuple[int, ...]] = {
        "bias": (count * size,),
        "start": (batch, size),
        "mask": (batch, frames),
        "kept": (batch, frames, size),
    }
    for name, tensor in {"bias": bias, "start": start, "mask": mask, "kept": kept}.items():
        if tensor is not None and (tensor.shape != wanted[name] or tensor.device != gates.device):
            found = f"{tuple(tensor.shape)} on {tensor.device}"
            raise ValueError(f"{name} must be {wanted[name]} on {gates.device}, not {found}")
        if tensor is not None and name in ("mask", "kept") and tensor.dtype != torch.bool:
            raise ValueError(f"{name} must be bool, not {tensor.dtype}")
    if packed and mask is not None and mask.device.type == "cpu" and int(mask.sum()) != len(gates):
        raise ValueError(f"mask has {int(mask.sum())} valid frames, but there are gates of {len(gates)}")


def _by_torch(
    kind: Gates,
    gates: Tensor,
    bias: Tensor,
    start: Tensor | None,
    mask: Tensor | None,
    kept: Tensor | None,
    method: Literal["reference", "fused"],
) -> tuple[Tensor, Tensor]:
    padding = None if mask is None else ~mask[:, :, None]
    if padding is not None:  # which may hold NaN, and 0 * NaN is NaN
        gates = gates.masked_fill(padding, 0)
    # The bias has the wider type: in bfloat16 a forget gate of 0.999 would be 1, which never forgets.
    z, f, *others = (gates + bias).chunk(1 + len(kind), dim=2)
    o, i = [*others, None, None][:2]
    still = padding if kept is None else kept if padding is None else kept | padding
    if still is not None:  # before the sigmoid, which then gives exactly 1 or 0, without another copy
        f = f.masked_fill(still, torch.inf)
        i = None if i is None else i.masked_fill(still, -torch.inf)
    o, i = (None if gate is None else torch.sigmoid(gate) for gate in (o, i))
    h, c = pool(kind, torch.tanh(z), torch.sigmoid(f), o, i, start, method)
    h = h if padding is None else h.masked_fill(padding, 0)
    return h.to(gates.dtype), c
