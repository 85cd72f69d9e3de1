"""Rivals compute as libraries do when nobody has set anything: our global settings are put back for them."""

from __future__ import annotations

from benchmarks.measure import Call


def untouched(rival: Call) -> Call:
    """`rival`, with float32 products by the library that torch starts with: encoders change it."""
    import torch

    def call() -> object:
        ours = torch.get_float32_matmul_precision()
        torch.set_float32_matmul_precision("highest")
        try:
            return rival()
        finally:
            torch.set_float32_matmul_precision(ours)

    return call
