"""Quantisation in training: a head reads an embedding as the codec of this name will decode it.

Codes have no gradient. The backward pass treats them as the value itself within the range, and as constants
outside it (straight-through estimator: Bengio et al. 2013, arXiv 1308.3432; clipped for signs as in Hubara et
al. 2016, "Binarized Neural Networks"). Ranges follow the embeddings seen in training, as in Jacob et al. 2018
(arXiv 1712.05877), and are fixed afterwards.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor, nn

_HORIZON = 50.0  # batches: the running statistics are a mean over about as many
# Half the range of the uniform quantiser of least squared error for a normal distribution, in deviations
# (Max 1960, "Quantizing for Minimum Distortion", table II, for 16 levels; 256 levels by the same method).
_HALF_RANGE = {4: 2.514, 8: 3.922}
# Deviations from the threshold within which a sign still passes a gradient: of 1, 1.5, 2, 3 and no limit the
# best on 1,202 real videos (linear bottleneck of 128 bits), by no more than seeds differ; no limit is worst.
_SIGN_RANGE = 1.5
_SMALLEST_STEP = 1e-12  # a dimension that never varies has step 0; 0 / 0 is NaN


class Quantizer(nn.Module, ABC):
    """(B, dim) -> (B, dim), every value replaced by what encoding and decoding makes of it.

    Buffers `mean` and `variance` (dim,), `batches` (scalar): running statistics of the embeddings in
    training.
    """

    mean: Tensor
    variance: Tensor
    batches: Tensor

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(dim))
        self.register_buffer("variance", torch.ones(dim))
        self.register_buffer("batches", torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        """In training mode `x` first updates the statistics, unless it is one row; float32 or float64."""
        x = x.to(torch.promote_types(x.dtype, self.mean.dtype))
        if self.training and len(x) > 1:
            with torch.no_grad():
                self._observe(x.detach())
        low, high = self._bounds()
        passing = torch.clamp(x, low, high)
        return self._quantised(x.detach()) + (passing - passing.detach())  # adds exactly 0

    def _observe(self, x: Tensor) -> None:
        self.batches += 1
        self._follow(self.mean, x.mean(0))
        self._follow(self.variance, (x - self.mean).square().mean(0))

    def _follow(self, running: Tensor, newest: Tensor) -> None:
        # The mean of the first batches, then a running one: nothing remembers the values at the start.
        running.lerp_(newest, 1 / self.batches.clamp(max=_HORIZON))

    def _spread(self, deviations: float) -> tuple[Tensor, Tensor]:
        half = deviations * self.variance.sqrt()
        return self.mean - half, self.mean + half

    @abstractmethod
    def _bounds(self) -> tuple[Tensor, Tensor]:
        """(low, high), (dim,) each: between them a gradient passes."""

    @abstractmethod
    def _quantised(self, x: Tensor) -> Tensor:
        """What `x` decodes to, without a gradient."""


class UniformQuantizer(Quantizer):
    """2 ** bits equally spaced levels per dimension, around its mean; values outside are clipped."""

    def __init__(self, dim: int, bits: Literal[4, 8]) -> None:
        super().__init__(dim)
        self.bits: Literal[4, 8] = bits

    def _bounds(self) -> tuple[Tensor, Tensor]:
        return self._spread(_HALF_RANGE[self.bits])

    def _quantised(self, x: Tensor) -> Tensor:
        low, high = self._bounds()
        last = 2**self.bits - 1
        step = ((high - low) / last).clamp_min(_SMALLEST_STEP)
        return low + torch.round((x - low) / step).clamp(0, last) * step


class SignQuantizer(Quantizer):
    """One bit per dimension: above its mean or not; decoded to the mean of the values on that side.

    Buffers `below` and `above` (dim,): the two running means.
    """

    below: Tensor
    above: Tensor

    def __init__(self, dim: int) -> None:
        super().__init__(dim)
        self.register_buffer("below", -torch.ones(dim))
        self.register_buffer("above", torch.ones(dim))

    def _observe(self, x: Tensor) -> None:
        super()._observe(x)
        is_above = x > self.mean
        for side, running in ((is_above, self.above), (~is_above, self.below)):
            count = side.sum(0)
            newest = torch.where(side, x, 0).sum(0) / count.clamp_min(1)
            self._follow(running, torch.where(count > 0, newest, self.mean))

    def _bounds(self) -> tuple[Tensor, Tensor]:
        return self._spread(_SIGN_RANGE)

    def _quantised(self, x: Tensor) -> Tensor:
        return torch.where(x > self.mean, self.above, self.below).to(x.dtype)


# Codecs that a model can be trained for, by name.
QUANTIZERS: dict[str, Callable[[int], Quantizer]] = {
    "int8": lambda dim: UniformQuantizer(dim, 8),
    "int4": lambda dim: UniformQuantizer(dim, 4),
    "binary": SignQuantizer,
}


def build_quantizer(codec: str, dim: int) -> Quantizer:
    """The quantiser of a codec for embeddings of size `dim`; ValueError for a codec that has none."""
    if codec not in QUANTIZERS:
        raise ValueError(f"quantize must be one of {', '.join(QUANTIZERS)}, not {codec!r}")
    return QUANTIZERS[codec](dim)
