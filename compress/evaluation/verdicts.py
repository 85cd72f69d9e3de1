"""What is said of a measured row against its baseline, and when nothing may be said.

The best judge of the row is compared with the best judge of the baseline. Where one of them has not
converged, or where the two were not measured together, there is no verdict, and a command says how to get it.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from enum import StrEnum

from compress.evaluation.judges.judged import Judged
from compress.evaluation.judges.names import title_of
from compress.evaluation.row import Row
from compress.metrics import Interval

MANY_VIDEOS = 20_000
"""Training videos from which on the head of older rows, of a fixed number of epochs, had steps enough."""

_SAME = 1e-5  # a figure, after rounding in files
_PRINTED = 4  # decimal places of a figure in [0, 1]


class Verdict(StrEnum):
    """What is said of a metric; HOLDS, WITHIN_NOISE and FALLS_SHORT come from a paired interval."""

    HOLDS = "holds"
    WITHIN_NOISE = "within noise"
    FALLS_SHORT = "falls short"
    NOT_CONVERGED = "not converged: no verdict"
    MEASURE_AGAIN = "measure again: no verdict"
    CHOSEN_ON_SEEN = "judges chose on seen videos: no verdict"
    BASELINE = "baseline"
    NOT_COMPARED = "not compared"
    NOT_RUN = "NOT RUN"


def judge(difference: Interval) -> Verdict:
    """Holds (low >= 0), within noise (low < 0 <= high) or falls short (high < 0), for row minus baseline.

    Of the interval as reports print it, in hundredths of a point: float rounding alone, of an embedding that
    is turned, moves figures by less.
    """
    if round(difference.low, _PRINTED) >= 0:
        return Verdict.HOLDS
    return Verdict.WITHIN_NOISE if round(difference.high, _PRINTED) >= 0 else Verdict.FALLS_SHORT


def verdict(row: Row, baseline: Row | None, metric: str) -> Verdict:
    """The verdict on one metric of a row ("gap", "map", ...) against its baseline, or why there is none."""
    if row.role == "baseline":
        return Verdict.BASELINE
    if row.delta is None or baseline is None:
        return Verdict.NOT_COMPARED
    found = doubt(row, baseline)
    return judge(row.delta[metric]) if found is None else found[0]


def doubt(row: Row, baseline: Row) -> tuple[Verdict, str] | None:
    """Why there is no verdict about a row, as a verdict and in words; None where there is one."""
    if found := unsettled(row) or unsettled(baseline):
        return found
    if row.delta is None:
        return None
    if _measured_apart(row, row.delta.gap, baseline):
        return Verdict.MEASURE_AGAIN, f"{baseline.row} was measured again after {row.row}"
    loses = Verdict.FALLS_SHORT in (judge(row.delta.gap), judge(row.delta.map))
    if loses and _optimism(row) - _optimism(baseline) > row.figures.gap.high - row.figures.gap.low:
        return Verdict.CHOSEN_ON_SEEN, (
            f"the encoder of {row.row} has learned from the videos on which judges choose their settings: "
            f"GAP is {_best_aside(row):.3f} there, {row.figures.gap.value:.3f} on new ones"
        )
    return None


UNSEEN = "--set set_aside=0.2"
"""Added to `compress train`, it leaves out all videos that judges choose on; preset `best` does so anyway."""


def _optimism(row: Row) -> float:
    """By how much GAP is higher where the best judge chose its settings than on new videos.

    It is about 0, or as in the baseline, unless the encoder has learned the labels of those videos: then
    judges see no overfitting, and choose settings that are bad for new videos. That lowers figures, so
    "holds" needs no doubt.
    """
    return _best_aside(row) - row.figures.gap.value if row.judges else 0.0


def _best_aside(row: Row) -> float:
    return row.best_judge.aside_gap if row.best_judge is not None else 0.0


def unsettled(row: Row) -> tuple[Verdict, str] | None:
    """Why the figures of a row are not final, as a verdict and in words; None where they are."""
    if row.judges and not row.converged:
        what = f"the best judge of {row.row}, {judge_title(row)}, has not converged"
        return Verdict.NOT_CONVERGED, what
    if not row.judges and row.data.train_videos < MANY_VIDEOS:
        what = f"the head of {row.row} was trained for a fixed number of epochs, on few videos"
        return Verdict.MEASURE_AGAIN, what
    return None


def _measured_apart(row: Row, delta: Interval, baseline: Row) -> bool:
    """Whether the difference is one from other figures than those that the baseline has now."""
    return abs(row.figures.gap.value - delta.value - baseline.figures.gap.value) > _SAME


def dissent(row: Row, baseline: Row | None, metric: str) -> list[tuple[Judged, Interval]]:
    """The judges, each with its difference, that contradict the row's verdict on a metric.

    Those are the ones that lose something where the row does not, or lose nothing where it falls short. A
    judge that has not converged contradicts nothing.
    """
    said = verdict(row, baseline, metric)
    if baseline is None or said not in (Verdict.HOLDS, Verdict.WITHIN_NOISE, Verdict.FALLS_SHORT):
        return []
    ready = {one.name for one in baseline.judges if one.converged}
    found = [
        (one, one.delta[metric])
        for one in row.judges
        if one.delta is not None and one.converged and one.name in ready
    ]
    against = Verdict.HOLDS if said is Verdict.FALLS_SHORT else Verdict.FALLS_SHORT
    return [(one, difference) for one, difference in found if judge(difference) is against]


def videos_only(*rows: Row) -> bool:
    """Whether intervals leave the seed out: a head was trained once. One in closed form has no seed."""
    return any(
        one.best_judge is None or (one.best_judge.seeds == 1 and "epochs" in one.best_judge.settings)
        for one in rows
    )


def judge_title(row: Row) -> str:
    """The judge that speaks for a row, in words."""
    return title_of(row.head.removeprefix("fresh "))


def commands_for_verdicts(rows: Iterable[Row], baseline: Row) -> str:
    """What to type so that doubtful rows get a verdict: the baseline first, then each of them.

    All are measured alike. Where a judge has not converged, all may train twice as long as the longest was
    allowed to.
    """
    measured = [baseline, *(row for row in rows if row.row != baseline.row)]
    longer = any(not judged.converged for row in measured for judged in row.judges)
    limit = 2 * max(map(_limit, measured)) if longer else None
    return " && ".join(_again(row, limit) for row in measured)


def _evaluate(row: Row) -> list[str]:
    """The words of the command that measured a row."""
    found = [part for part in row.command.split(" && ") if part.startswith("compress evaluate ")]
    try:
        # What an older version was told, such as a number of epochs, means something else to the judges.
        words = shlex.split(found[-1]) if found and row.judges else []
    except ValueError:  # not what `compress evaluate` writes
        words = []
    return words or ["compress", "evaluate", "--name", row.row]


def _limit(row: Row) -> int:
    from compress.training.recipes import JUDGE_EPOCHS  # imported late: torch takes seconds

    words = _evaluate(row)
    return int(words[words.index("--head-epochs") + 1]) if "--head-epochs" in words else JUDGE_EPOCHS


def _again(row: Row, epochs: int | None) -> str:
    words = _evaluate(row)
    if epochs is None:
        return shlex.join(words)
    if "--head-epochs" in words:
        place = words.index("--head-epochs")
        words = words[:place] + words[place + 2 :]
    return shlex.join([*words, "--head-epochs", str(epochs)])
