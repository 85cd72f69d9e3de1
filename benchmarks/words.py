"""Figures as people read them; the same words in the terminal and in Markdown."""

from __future__ import annotations

from benchmarks.results import Result

_PREFIXES = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"), (1.0, ""))


def rate(value: float, unit: str) -> str:
    """461000, "videos" -> "461 k videos/s"; bytes as B/s."""
    return f"{quantity(value, 'B' if unit == 'bytes' else unit)}/s"


def quantity(value: float, unit: str) -> str:
    """A number with three digits and a prefix that suits it."""
    factor, prefix = next(((f, p) for f, p in _PREFIXES if value >= f), (1.0, ""))
    scaled = value / factor
    digits = 0 if scaled >= 100 else 1 if scaled >= 10 else 2
    return f"{scaled:.{digits}f} {prefix}{unit}" if len(unit) < 6 else f"{scaled:.{digits}f}{prefix} {unit}"


def seconds(value: float) -> str:
    """A time with three digits."""
    factor, unit = next(((f, u) for f, u in ((1.0, "s"), (1e-3, "ms")) if value >= f), (1e-6, "us"))
    scaled = value / factor
    return f"{scaled:.{0 if scaled >= 100 else 1 if scaled >= 10 else 2}f} {unit}"


def ratio(result: Result) -> str:
    """Times faster than the rival."""
    return f"{result.rounds.ratio:.2f}x"


def interval(result: Result) -> str:
    """Smallest and largest ratio of a round."""
    low, high = result.rounds.interval
    return f"[{low:.2f}..{high:.2f}]"


def goal(result: Result) -> str:
    """What was wanted, and whether it was reached."""
    if result.goal is None:
        return "-"
    kind, wanted = result.goal.kind, result.goal.at_least
    words = {"ratio": f"{wanted:g}x", "share": f"{wanted:.0%}", "rate": rate(wanted, result.unit)}[kind]
    return f"{words} {'yes' if result.reached else 'NO'}" if result.state == "measured" else words


def share(result: Result) -> str:
    """Share of the limit, in percent."""
    if result.work is None or result.share is None:
        return "-"
    return f"{result.share:.0%} {result.work.resource}"


def arithmetic(result: Result) -> str:
    """How the share comes about; "" where no work was named."""
    if result.work is None:
        return ""
    work, unit = result.work, "FLOP" if "arithmetic" in result.work.resource else "B"
    achieved = work.amount / result.our_seconds
    return (
        f"{work.formula} = {quantity(work.amount, unit)}; in {seconds(result.our_seconds)}: "
        f"{quantity(achieved, unit)}/s of {quantity(result.limit, unit)}/s ({work.resource}) "
        f"= {result.share:.0%}"
    )


def size(count: int) -> str:
    """Bytes of memory in GB."""
    return f"{count / 1e9:.1f} GB of memory"
