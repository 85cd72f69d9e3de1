"""The pooling of a QRNN layer: its sequential part, a loop over time of elementwise steps.

Source: Bradbury, Merity, Xiong, Socher, Quasi-Recurrent Neural Networks (arXiv 1611.01576), section 2:

    f-pooling:    c_t = f_t c_(t-1) + (1 - f_t) z_t     h_t = c_t
    fo-pooling:   c_t = f_t c_(t-1) + (1 - f_t) z_t     h_t = o_t c_t
    ifo-pooling:  c_t = f_t c_(t-1) + i_t z_t           h_t = o_t c_t

with c = 0 before the first step unless a `start` is given.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, get_args

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

Gates = Literal["f", "fo", "ifo"]
PoolingMethod = Literal["reference", "fused"]

HALF = (torch.bfloat16, torch.float16)


def pool(
    kind: Gates,
    z: Tensor,
    f: Tensor,
    o: Tensor | None = None,
    i: Tensor | None = None,
    start: Tensor | None = None,
    method: PoolingMethod = "fused",
) -> tuple[Tensor, Tensor]:
    """Pool candidates over time, differentiable (once) in every tensor.

    Args:
        kind: "f", "fo" or "ifo".
        z: (B, T, H) candidates, after tanh. Any floating type; all of one type.
        f: (B, T, H) forget gate in [0, 1], after sigmoid; exactly 1 keeps the state to the bit ("ifo": with
            i = 0).
        o: (B, T, H) output gate, for "fo" and "ifo".
        i: (B, T, H) input gate, for "ifo".
        start: (B, H) c before the first step; None is 0.
        method: "reference" (the equations, step by step, under torch's own autograd) or "fused" (one autograd
            function with a backward pass of its own, faster).

    Returns:
        h (B, T, H) in the type of z, and the last c (B, H). In half precision everything is computed in
        float32, and the last c stays float32: it is a sum over hundreds of steps.

    Raises:
        ValueError: unknown kind or method; a gate is missing, superfluous, or of another shape or type.
    """
    tensors = _checked(kind, z, f, o, i, start)
    if method not in get_args(PoolingMethod):
        names = ", ".join(get_args(PoolingMethod))
        raise ValueError(f"pooling method must be one of {names}, not {method!r}")
    wide = torch.float32 if z.dtype in HALF else z.dtype
    if start is None:
        start = z.new_zeros(z.shape[0], z.shape[2])
    gates = [None if tensor is None else tensor.to(wide) for tensor in tensors]
    compute: Callable[..., tuple[Tensor, Tensor]] = _Pooling.apply if method == "fused" else _reference
    h, c = compute(*gates, start.to(wide))
    return h.to(z.dtype), c


def _checked(
    kind: str, z: Tensor, f: Tensor, o: Tensor | None, i: Tensor | None, start: Tensor | None
) -> tuple[Tensor, Tensor, Tensor | None, Tensor | None]:
    if kind not in get_args(Gates):
        raise ValueError(f"kind must be one of {', '.join(get_args(Gates))}, not {kind!r}")
    if z.dim() != 3:
        raise ValueError(f"z must be (B, T, H), not {tuple(z.shape)}")
    for name, gate in {"f": f, "o": o, "i": i}.items():
        if (gate is not None) != (name in kind):
            raise ValueError(f"{kind}-pooling {'needs' if name in kind else 'has no'} gate {name}")
        if gate is not None and (gate.shape != z.shape or gate.dtype != z.dtype):
            found = f"{tuple(gate.shape)} {gate.dtype}"
            raise ValueError(f"gate {name} must be {tuple(z.shape)} {z.dtype} as z is, not {found}")
    if start is not None and start.shape != (z.shape[0], z.shape[2]):
        raise ValueError(f"start must be {(z.shape[0], z.shape[2])}, not {tuple(start.shape)}")
    return z, f, o, i


def _reference(
    z: Tensor, f: Tensor, o: Tensor | None, i: Tensor | None, start: Tensor
) -> tuple[Tensor, Tensor]:
    c, states = start, []
    inputs = (1 - f) * z if i is None else i * z
    for f_t, input_t in zip(f.unbind(1), inputs.unbind(1), strict=True):
        c = f_t * c + input_t
        states.append(c)
    h = torch.stack(states, dim=1) if states else inputs
    return (h if o is None else o * h), c


class _Pooling(torch.autograd.Function):
    """Saves the gates and every c; autograd would save far more for each of the T steps."""

    @staticmethod
    def forward(
        ctx: Any, z: Tensor, f: Tensor, o: Tensor | None, i: Tensor | None, start: Tensor
    ) -> tuple[Tensor, Tensor]:
        batch, frames, size = z.shape
        c = z.new_empty(batch, frames + 1, size)  # c[:, t] is the state before step t
        c[:, 0] = start
        steps = zip(c.unbind(1)[:-1], c.unbind(1)[1:], f.unbind(1), strict=True)
        if i is None:
            for (before, after, f_t), z_t in zip(steps, z.unbind(1), strict=True):
                torch.lerp(z_t, before, f_t, out=after)
        else:
            for (before, after, f_t), input_t in zip(steps, (i * z).unbind(1), strict=True):
                torch.addcmul(input_t, f_t, before, out=after)
        ctx.save_for_backward(z, f, o, i, c)
        return c[:, 1:].clone() if o is None else o * c[:, 1:], c[:, -1].clone()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, for_h: Tensor, for_last: Tensor) -> tuple[Tensor | None, ...]:
        z, f, o, i, c = ctx.saved_tensors
        before, after = c[:, :-1], c[:, 1:]
        for_c = torch.cat([torch.zeros_like(c[:, :1]), for_h if o is None else for_h * o], dim=1)
        for_c[:, -1] += for_last
        steps = for_c.unbind(1)
        for t in range(z.shape[1], 0, -1):  # the gradient of c_t reaches c_(t-1) times f_t
            steps[t - 1].addcmul_(steps[t], f[:, t - 1])
        for_start, for_c = for_c[:, 0], for_c[:, 1:]
        for_o = None if o is None else for_h * after
        if i is None:
            return for_c * (1 - f), for_c * (before - z), for_o, None, for_start
        return for_c * i, for_c * before, for_o, for_c * z, for_start
