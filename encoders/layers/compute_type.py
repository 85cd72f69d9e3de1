"""The type that a layer computes in."""

from __future__ import annotations

import torch
from torch import Tensor


def compute_type(x: Tensor) -> torch.dtype:
    """Autocast's type where that is on for the device of `x`; float64, which autocast leaves alone, stays."""
    device = x.device.type
    on = torch.is_autocast_enabled(device) and x.dtype != torch.float64
    return torch.get_autocast_dtype(device) if on else x.dtype
