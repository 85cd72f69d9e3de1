"""Scales and round tick values."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

Scale = Callable[[float], float]


@dataclass(frozen=True)
class Frame:
    """The inside of a plot, in drawing units; y grows downwards."""

    left: float
    top: float
    right: float
    bottom: float


def linear(low: float, high: float, start: float, end: float) -> Scale:
    """Maps low to start and high to end; low < high."""
    return lambda value: start + (value - low) / (high - low) * (end - start)


def values_between(scale: Scale, start: float, end: float) -> tuple[float, float]:
    """What lies at two places of a linear scale: two of its values give its inverse."""
    zero, one = scale(0.0), scale(1.0)
    return (start - zero) / (one - zero), (end - zero) / (one - zero)


def logarithmic(low: float, high: float, start: float, end: float) -> Scale:
    """Like `linear` in log2; 0 < low < high."""
    straight = linear(math.log2(low), math.log2(high), start, end)
    return lambda value: straight(math.log2(value))


def round_ticks(low: float, high: float, wanted: int = 5) -> list[float]:
    """About `wanted` multiples of 1, 2 or 5 times a power of ten inside [low, high]; low < high."""
    rough = (high - low) / wanted
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough * 0.999)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(i * step, 12) for i in range(first, last + 1)]


def powers_of_two(low: float, high: float) -> list[int]:
    """Powers of two inside [low, high]."""
    return [2**i for i in range(math.ceil(math.log2(low)), math.floor(math.log2(high)) + 1)]


def decimals(ticks: list[float]) -> int:
    """How many decimals tell all ticks exactly."""
    return next(digits for digits in range(13) if all(abs(round(t, digits) - t) < 1e-12 for t in ticks))
