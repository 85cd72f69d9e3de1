"""How exactly a GPU computes: torch's process-wide switches, for as long as one piece of work lasts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def device_settings(device: str, precision: str, *, same_shapes: bool = False) -> Iterator[None]:
    """Within: as `set_up_device` says; after it the switches are as before.

    Whatever computes a model wants this, so that it does not depend on what the process did before.
    """
    cudnn = torch.backends.cudnn
    products = torch.get_float32_matmul_precision()
    convolutions, measuring = cudnn.allow_tf32, cudnn.benchmark
    set_up_device(device, precision, same_shapes=same_shapes)
    try:
        yield
    finally:
        if device == "cuda":
            torch.set_float32_matmul_precision(products)
            cudnn.allow_tf32, cudnn.benchmark = convolutions, measuring


def set_up_device(device: str, precision: str, *, same_shapes: bool) -> None:
    """Make the switches of a GPU follow the precision, from here on; a CPU has none of them.

    "bf16": what autocast leaves in float32 may use TF32 (10 bits of mantissa where bfloat16 has 7), in
    matrix products, convolutions and cuDNN's recurrent layers; sums over the parts of a split bfloat16
    product may be in bfloat16, torch's default. "fp32": float32 all through, so also without the TF32 that
    torch allows convolutions by default. It is what to compare with.

    Args:
        device: "cpu" or "cuda".
        precision: "bf16" or "fp32".
        same_shapes: whether all batches but the last have one shape, so that it pays to let cuDNN measure
            which of its ways is fastest. Frames have a new shape each batch. For training alone: which way
            wins may differ from run to run, and with it the last bits.
    """
    if device != "cuda":
        return
    short = precision == "bf16"
    torch.set_float32_matmul_precision("high" if short else "highest")
    torch.backends.cudnn.allow_tf32 = short
    torch.backends.cudnn.benchmark = same_shapes
