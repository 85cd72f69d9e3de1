"""How exactly a GPU computes: torch's process-wide switches, made once before a training."""

from __future__ import annotations

import torch


def set_up_device(device: str, precision: str, *, same_shapes: bool) -> None:
    """Make the switches of a GPU follow the recipe; a CPU has none of them.

    "bf16": what autocast leaves in float32 may use TF32 (10 bits of mantissa where bfloat16 has 7), in
    matrix products, convolutions and cuDNN's recurrent layers; sums over the parts of a split bfloat16
    product may be in bfloat16, torch's default. "fp32": float32 all through, so also without the TF32 that
    torch allows convolutions by default. It is the recipe to compare with.

    Args:
        device: "cpu" or "cuda".
        precision: of the recipe, "bf16" or "fp32".
        same_shapes: whether all batches but the last have one shape, so that it pays to let cuDNN measure
            which of its ways is fastest. Frames have a new shape each batch.
    """
    if device != "cuda":
        return
    short = precision == "bf16"
    torch.set_float32_matmul_precision("high" if short else "highest")
    torch.backends.cudnn.allow_tf32 = short
    torch.backends.cudnn.benchmark = same_shapes
