"""Raw features -> input of an encoder: dequantise, normalise, set padding to 0 (models.md section 1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from encoders.layers.pooling import frame_mask
from encoders.options import positive

QUANTISED_STEP = 4 / 255  # uint8 codes cover [-2, 2]
QUANTISED_MINIMUM = -2.0
QUANTISED_BIAS = 4 / 512  # Google's reader adds half a bin although its quantiser rounds; we do the same

SMALLEST_NORM = 1e-6  # sqrt of the 1e-12 in TensorFlow's l2_normalize
SMALLEST_STD = 1e-6  # a dimension that never varies is only centred


@dataclass(frozen=True)
class InputNormConfig:
    """Options of InputNorm.

    Args:
        dim: dimensions of a video or frame.
        mode: "l2" (papers: unit L2 norm of the whole concatenated vector), "standardize" (each dimension to
            mean 0, standard deviation 1, by `set_statistics`), "l2_standardize" (ours: first l2, then
            standardize, with the statistics of the unit vectors), "none".
        unit_after: L2-normalise after standardising; only with "standardize".
        scale: factor on the result, > 0; after an L2 norm, sqrt(dim) makes a typical value 1. Papers: 1.
        undo_whitening: multiply each dimension by a factor of its own first, see `InputNorm.set_whitening`.
    """

    dim: int = 1152
    mode: Literal["l2", "l2_standardize", "standardize", "none"] = "l2"
    unit_after: bool = False
    scale: float = 1.0
    undo_whitening: bool = False

    def __post_init__(self) -> None:
        positive(dim=self.dim, scale=self.scale)
        if self.unit_after and self.mode != "standardize":
            raise ValueError(f"unit_after needs mode 'standardize', not {self.mode!r}")


def dequantize(codes: Tensor) -> Tensor:
    """uint8 codes (any shape) -> float32: q * 4/255 + 4/512 - 2; 0 -> -1.9921875, 255 -> 2.0078125."""
    return codes.float().mul_(QUANTISED_STEP).add_(QUANTISED_MINIMUM + QUANTISED_BIAS)


class InputNorm(nn.Module):
    """Normalise videos or frames; the same in training and evaluation.

    Buffers `mean` and `std` (dim,), and with `undo_whitening` also `whitening` (dim,), are part of the state
    dict.
    """

    mean: Tensor
    std: Tensor
    whitening: Tensor

    def __init__(self, config: InputNormConfig) -> None:
        super().__init__()
        self.config = config
        self.register_buffer("mean", torch.zeros(config.dim))
        self.register_buffer("std", torch.ones(config.dim))
        if config.undo_whitening:  # else not in the state dict, which older models do not have it in either
            self.register_buffer("whitening", torch.ones(config.dim))

    def set_whitening(self, whitening: Tensor) -> None:
        """Set what each dimension was divided by, (dim,) > 0; ValueError without `undo_whitening`."""
        if not self.config.undo_whitening:
            raise ValueError("this input norm does not undo whitening")
        finite = bool((torch.isfinite(whitening) & (whitening > 0)).all())
        if whitening.shape != (self.config.dim,) or not finite:
            wanted = f"({self.config.dim},) finite positive numbers"
            raise ValueError(f"whitening must be {wanted}; it is {tuple(whitening.shape)}")
        self.whitening.copy_(whitening)

    def set_statistics(self, mean: Tensor, std: Tensor) -> None:
        """Set mean and standard deviation (dim,) of the training data as `before_statistics` gives them."""
        wanted = (self.config.dim,)
        for name, value in (("mean", mean), ("std", std)):
            if value.shape != wanted or not bool(torch.isfinite(value).all()):
                raise ValueError(f"{name} must be {wanted} finite numbers; it is {tuple(value.shape)}")
        self.mean.copy_(mean)
        self.std.copy_(torch.where(std > SMALLEST_STD, std, torch.ones_like(std)))

    def forward(self, features: Tensor, num_frames: Tensor | None = None) -> Tensor:
        """Normalise over the last axis.

        Args:
            features: (B, dim), or (B, T, dim) with `num_frames`; floating point, or uint8 codes.
            num_frames: (B,) integers, valid frames of each video; only at frame level.

        Returns:
            Same shape, float32 (float64 from float64); frames from `num_frames` on are exactly 0.
        """
        axes = 2 if num_frames is None else 3
        if features.dim() != axes or features.shape[-1] != self.config.dim:
            wanted = f"(B, {self.config.dim})" if axes == 2 else f"(B, T, {self.config.dim}) with num_frames"
            raise ValueError(f"the model takes {wanted}, not {tuple(features.shape)}")
        x = self._normalised(self._unwhitened(_as_float(features)))
        if num_frames is None:
            return x
        return torch.where(frame_mask(num_frames, x)[:, :, None], x, x.new_zeros(()))

    def before_statistics(self, features: Tensor) -> Tensor:
        """Raw features or frames (..., dim) -> the values whose statistics `set_statistics` takes."""
        x = self._unwhitened(_as_float(features))
        return F.normalize(x, dim=-1, eps=SMALLEST_NORM) if self.config.mode == "l2_standardize" else x

    def _unwhitened(self, x: Tensor) -> Tensor:
        return x * self.whitening.to(x.dtype) if self.config.undo_whitening else x

    def _normalised(self, x: Tensor) -> Tensor:
        config = self.config
        if config.mode == "l2_standardize":
            x = F.normalize(x, dim=-1, eps=SMALLEST_NORM)
        if config.mode in ("standardize", "l2_standardize"):
            x = (x - self.mean) / self.std
        if config.mode == "l2" or config.unit_after:
            x = F.normalize(x, dim=-1, eps=SMALLEST_NORM)
        return x if config.scale == 1 else x * config.scale


def _as_float(features: Tensor) -> Tensor:
    if features.dtype == torch.uint8:
        return dequantize(features)
    if not features.is_floating_point():
        raise ValueError(f"features must be floating point or uint8, not {features.dtype}")
    return features if features.dtype == torch.float64 else features.float()
