"""In which precision a trained model is computed: as it was trained, where the machine is made for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

import torch

Precision = Literal["fp32", "bf16"]
Wanted = Literal["fp32", "bf16", "auto"]

_NATIVE = ("avx512_bf16", "amx_bf16", "bf16", "sve_bf16")  # names of torch.cpu.get_capabilities


def computes_bf16(device: str) -> bool:
    """Whether bfloat16 is a type of the device's own arithmetic; elsewhere it is slower than float32."""
    if torch.device(device).type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    # Not in every version of torch that we take.
    ask: Callable[[], Mapping[str, Any]] = getattr(torch.cpu, "get_capabilities", dict)
    found = ask()
    return any(found.get(name, False) for name in _NATIVE)


def choose_precision(wanted: Wanted, trained: Precision, device: str) -> Precision:
    """What "auto" means: as the model was trained, but float32 where bfloat16 is not native.

    Args:
        wanted: "fp32" and "bf16" are taken as they are.
        trained: precision of the training.
        device: "cpu" or "cuda".
    """
    if wanted != "auto":
        return wanted
    return trained if trained == "fp32" or computes_bf16(device) else "fp32"


def precision_note(wanted: Wanted, trained: Precision, used: Precision) -> str:
    """What a person should know of it; empty where there was no choice: float32 as trained."""
    if wanted != "auto":
        return f"computing in {used}" + ("" if used == trained else f", trained in {trained}")
    if used != trained:
        return f"computing in {used}: this machine has no arithmetic for {trained}, in which it was trained"
    return f"computing in {used}, as trained" if used == "bf16" else ""
