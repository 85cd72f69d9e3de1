"""Layers over sequences laid out (L, B, C), positions first, and the switch between methods of convolution.

In this layout a 1x1 convolution is a linear layer, batch norm is over rows, and the tiles of dft_convolution
are blocks of rows. The method is a setting of the process: weights and checkpoints do not depend on it.
"""

from __future__ import annotations

import threading
from typing import Any, Literal, NamedTuple, get_args

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from encoders.layers.convolution.dft import (
    convolve_transformed,
    dft_convolution,
    dft_operator,
    transform_weight,
)
from encoders.layers.convolution.dft_plan import Plan, make_plan
from encoders.layers.norm import BatchNorm
from encoders.torch_settings import compute_type


def image_convolution(x: Tensor, weight: Tensor, bias: Tensor, dilation: int = 1) -> Tensor:
    """As `dft_convolution`, by torch's 2-d convolution over an image of (positions, videos)."""
    if not x.shape[1]:  # torch refuses images without columns; without videos any map gives the right shape
        return F.linear(x, weight[:, :, 0], bias)
    margin = dilation * (weight.shape[2] // 2)
    image, kernel = as_image(x), weight[:, :, :, None]
    y = F.conv2d(image, kernel, bias, padding=(margin, 0), dilation=(dilation, 1))
    return y.permute(0, 2, 3, 1)[0].contiguous()  # no copy: it is contiguous already


def as_image(x: Tensor) -> Tensor:
    """(L, B, C) -> (1, C, L, B), channels last: the same memory, where `x` is contiguous."""
    # With the new axis first its stride is that of a whole image, by which torch detects channels last.
    return x.contiguous()[None].permute(0, 3, 1, 2)


Method = Literal["auto", "direct", "image", "dft"]

FEWEST_CHANNELS = 128  # with fewer, the transforms cost more than they save
AUTO_TYPES = (torch.float32, torch.float64, torch.bfloat16)


class _Kept(NamedTuple):
    """A transformed weight, and the weight and plan it was computed from."""

    weight: Tensor
    plan: Plan
    spectrum: Tensor

    def serves(self, weight: Tensor, plan: Plan, dtype: torch.dtype) -> bool:
        return self.plan == plan and self.spectrum.dtype == dtype and _same(self.weight, weight)


_KEEPING = threading.Lock()


class PositionsNorm(BatchNorm):
    """Batch norm of (L, B, C) over the channels."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.flatten(0, 1)).view(x.shape)


class Convolution(nn.Conv1d):
    """nn.Conv1d with stride 1 and same padding, on (L, B, inputs) -> (L, B, outputs).

    Xavier-uniform weight (outputs, inputs, kernel), kernel odd; zero bias.
    """

    def __init__(self, inputs: int, outputs: int, kernel: int, dilation: int = 1) -> None:
        super().__init__(inputs, outputs, kernel, padding=dilation * (kernel // 2), dilation=dilation)
        assert self.bias is not None
        nn.init.xavier_uniform_(self.weight)
        nn.init.zeros_(self.bias)
        self.method: Method = "auto"
        self._kept: _Kept | None = None

    def forward(self, x: Tensor) -> Tensor:
        assert self.bias is not None
        if self.kernel_size[0] == 1:
            return F.linear(x, self.weight[:, :, 0], self.bias)
        method = self._chosen(x)
        if method == "image":
            return image_convolution(x, self.weight, self.bias, self.dilation[0])
        if method == "direct":
            return super().forward(x.permute(1, 2, 0)).permute(2, 0, 1).contiguous()
        if torch.compiler.is_compiling():
            return dft_operator(x.to(compute_type(x)), self.weight, self.bias, self.dilation[0])
        if torch.is_grad_enabled() and (self.weight.requires_grad or x.requires_grad):
            return dft_convolution(x, self.weight, self.bias, self.dilation[0])
        x = x.to(compute_type(x))
        plan = make_plan(len(x), self.dilation[0], self.kernel_size[0])
        return convolve_transformed(x, self._spectrum(plan, x.dtype), self.bias, plan)

    def train(self, mode: bool = True) -> Convolution:
        self._kept = None
        return super().train(mode)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_kept": None}

    def _chosen(self, x: Tensor) -> Method:
        if self.method != "auto":
            return self.method
        if x.device.type != "cpu":
            return "image"
        wide = min(self.in_channels, self.out_channels) >= FEWEST_CHANNELS
        return "dft" if wide and compute_type(x) in AUTO_TYPES else "direct"

    def _spectrum(self, plan: Plan, dtype: torch.dtype) -> Tensor:
        """The transformed weight; cached in evaluation, for as long as the weight has the same values.

        Comparing the values takes a hundredth of a batch's time, and unlike a version counter it also notices
        writes through `.data`.
        """
        weight = self.weight.detach()
        if self.training:
            return transform_weight(weight, plan, dtype)
        kept = self._kept
        if kept is None or not kept.serves(weight, plan, dtype):
            with _KEEPING:  # threads share the weights, and all come here with their first batches
                kept = self._kept
                if kept is None or not kept.serves(weight, plan, dtype):
                    kept = _Kept(weight.clone(), plan, transform_weight(weight, plan, dtype))
                    self._kept = kept
        return kept.spectrum


def _same(a: Tensor, b: Tensor) -> bool:
    return a.dtype == b.dtype and a.device == b.device and torch.equal(a, b)


def set_convolution_method(module: nn.Module, method: Method) -> None:
    """Choose how every `Convolution` inside `module` is computed from now on.

    Args:
        module: an encoder, a model, or any other module.
        method: "direct" (torch's own convolution), "image" (the same over an image, see image_convolution),
            "dft" (dft_convolution), each for all kernels above 1; or "auto": image on a GPU; on a CPU dft
            where inputs and outputs have at least 128 channels, else direct.

    Raises:
        ValueError: another method.
    """
    if method not in get_args(Method):
        raise ValueError(f"convolution method must be one of {', '.join(get_args(Method))}, not {method!r}")
    for layer in module.modules():
        if isinstance(layer, Convolution):
            layer.method = method
