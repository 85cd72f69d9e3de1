"""The precision in which a model is computed, and a GPU's settings for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Literal

import torch

from compress.errors import UsageError

Precision = Literal["fp32", "bf16"]
Wanted = Literal["fp32", "bf16", "auto"]
_NATIVE = ("avx512_bf16", "amx_bf16", "bf16", "sve_bf16")  # names of torch.cpu.get_capabilities


def computes_bf16(device: str) -> bool:
    """Whether the device has bfloat16 arithmetic; without it bfloat16 is slower than float32."""
    if torch.device(device).type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    # Not every version of torch that we support has it.
    ask: Callable[[], Mapping[str, Any]] = getattr(torch.cpu, "get_capabilities", dict)
    found = ask()
    return any(found.get(name, False) for name in _NATIVE)


def choose_precision(wanted: Wanted, trained: Precision, device: str) -> Precision:
    """`wanted`, where "auto" means: as trained, but float32 if the device has no bfloat16 arithmetic.

    Raises:
        UsageError: `wanted` is another word.
    """
    if wanted not in ("auto", "fp32", "bf16"):
        raise UsageError(
            f"unknown precision {wanted!r}", where="precision", hint='use "auto", "fp32" or "bf16"'
        )
    if wanted != "auto":
        return wanted
    return trained if trained == "fp32" or computes_bf16(device) else "fp32"


def precision_note(wanted: Wanted, trained: Precision, used: Precision) -> str:
    """A note on the precision; empty for float32 as trained."""
    if wanted != "auto":
        return f"computing in {used}" + ("" if used == trained else f", trained in {trained}")
    if used != trained:
        return (
            f"computing in {used}: trained in {trained}, for which this machine has no arithmetic of its own"
        )
    return f"computing in {used}, as trained" if used == "bf16" else ""


@contextmanager
def device_settings(device: str, precision: str, *, same_shapes: bool = False) -> Iterator[None]:
    """Context: a GPU's settings follow the precision, and are restored afterwards; a CPU has none.

    Everything that computes a model uses this, so that results do not depend on what the process did before.
    "bf16": what autocast leaves in float32 may use TF32 (10 bits of mantissa; bfloat16 has 7). "fp32":
    float32 throughout, also without the TF32 that torch allows in convolutions by default.

    Args:
        device: "cpu" or "cuda".
        precision: "bf16" or "fp32".
        same_shapes: whether all batches but the last have one shape, so that cuDNN may time its algorithms
            and take the fastest. For training only: the choice, and with it the last bits, may differ from
            run to run.
    """
    if device != "cuda":
        yield
        return
    cudnn, short = torch.backends.cudnn, precision == "bf16"
    before = torch.get_float32_matmul_precision(), cudnn.allow_tf32, cudnn.benchmark
    try:
        torch.set_float32_matmul_precision("high" if short else "highest")
        cudnn.allow_tf32, cudnn.benchmark = short, same_shapes
        yield
    finally:
        torch.set_float32_matmul_precision(before[0])
        cudnn.allow_tf32, cudnn.benchmark = before[1:]
