"""How numbers are rounded and written, once for all reports, so that they always agree."""

from __future__ import annotations

from compress.evaluation.row import HeadTraining
from compress.metrics import Interval

MINUS = "\N{MINUS SIGN}"
NONE = "\N{EN DASH}"
DELTA = "\N{GREEK CAPITAL LETTER DELTA}"


def figure(value: float | None) -> str:
    """A fraction with three decimals, as the paper prints it: 0.822."""
    return NONE if value is None else f"{value:.3f}"


def bracket(estimate: Interval) -> str:
    """The interval of a figure: [0.677, 0.689]."""
    return f"[{figure(estimate.low)}, {figure(estimate.high)}]"


def points(difference: float | None, digits: int = 2) -> str:
    """A difference of fractions in points (hundredths) with its sign, even when it rounds to 0: +0.80."""
    if difference is None:
        return NONE
    return f"{100 * difference + 0.0:+.{digits}f}".replace("-", MINUS)


def points_bracket(estimate: Interval) -> str:
    """The interval of a difference in points: [+0.21, +1.39]."""
    return f"[{points(estimate.low)}, {points(estimate.high)}]"


def saved(fraction: float | None) -> str:
    """The part of the size that was saved, as the paper prints it: 0.72; negative when it grew."""
    return NONE if fraction is None else f"{fraction:.2f}".replace("-", MINUS)


def percent(fraction: float) -> str:
    """A share in words: 28 %."""
    return f"{100 * fraction:.0f} %"


def count(value: int) -> str:
    """A number of videos or parameters with thousands set apart: 20,000."""
    return f"{value:,}"


def article(number: int) -> str:
    """The article of a number that begins a sentence: An 8-d embedding, An 800-d one, A 320-d one."""
    spoken_first = f"{number:,}".split(",")[0]
    return "An" if spoken_first.startswith("8") or spoken_first in ("11", "18") else "A"


def signed(value: float) -> str:
    """A number with two decimals and its sign: +0.31."""
    return f"{value + 0.0:+.2f}".replace("-", MINUS)


def size(value: float) -> str:
    """A number of epochs and the like, without needless decimals: 8, 1.5."""
    return f"{value:g}"


def on_disk(size: int | None) -> str:
    """Bytes of a model: 26.2 MB, 384 kB, 96 bytes."""
    if size is None:
        return NONE
    if size >= 1e6:
        return f"{size / 1e6:.1f} MB"
    return f"{size / 1e3:.0f} kB" if size >= 1e4 else f"{size:,} bytes"


def listed(names: list[str]) -> str:
    """Names in a sentence: a, b and c."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def millions(parameters: int | None) -> str:
    """A number of parameters: 8.92 M, 0.37 M, 1,034 where there are few."""
    if parameters is None:
        return NONE
    return count(parameters) if parameters < 10_000 else f"{parameters / 1e6:.2f} M"


def duration(seconds: float | None) -> str:
    """Seconds for a person: 42 s, 3.5 min, 2.0 h."""
    if seconds is None:
        return NONE
    if seconds < 60:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.1f} min" if seconds < 3600 else f"{seconds / 3600:.1f} h"


def blended(how: HeadTraining) -> str:
    """What a sentence about a head adds where it was trained on blends of videos: ", mixup 0.4"."""
    return f", mixup {size(how.mixup)}" if how.mixup else ""
