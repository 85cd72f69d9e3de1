"""What each judge of the panel says of each row of Table 4: the tables, the charts, and who disagrees."""

from __future__ import annotations

from collections.abc import Iterator

from compress.evaluation.judges.judged import Judged
from compress.evaluation.judges.names import title_of
from compress.evaluation.row import Row
from compress.evaluation.verdicts import Verdict, dissent, judge, judge_title
from compress.metrics import Interval, metric_named
from compress.reports.charts import Mark, rows_chart
from compress.reports.document import (
    Cell,
    Column,
    Figure,
    Group,
    Key,
    Section,
    Table,
    cell,
    change,
    estimate,
    named,
    row,
)
from compress.reports.panel import BEST_JUDGE, NOT_CONVERGED, in_order, judge_columns
from compress.reports.rounding import DELTA, listed, points, points_bracket
from compress.reports.svg import legend_mark
from compress.reports.table_4.figures import VERDICTS
from compress.reports.table_4.table import JUDGED, Line, Table4


def judges_section(table: Table4) -> Iterator[Section]:
    """Each row under each judge; nothing where all rows are older than the panel."""
    names = in_order(judged.name for _, one in table.measured for judged in one.judges)
    if not names:
        return
    tables = (_table(table, names, metric) for metric in JUDGED)
    figure = _figure(table)
    yield Section("Judges", (*tables, *([figure] if figure else [])))


def disagreement(line: Line, metric: str) -> str:
    """Which judges contradict the verdict: ridge regression −5.00, k nearest neighbours −0.60 points."""
    found = [] if line.row is None else dissent(line.row, line.baseline, metric)
    told = ", ".join(f"{title_of(one.name)} {points(difference.value)}" for one, difference in found)
    return f"{told} points" if told else ""


def agreement(line: Line) -> tuple[str, str] | None:
    """How many judges say of GAP what the verdict says, and what the others say; None without a verdict."""
    said = line.verdict("gap")
    if line.row is None or said not in (Verdict.HOLDS, Verdict.WITHIN_NOISE, Verdict.FALLS_SHORT):
        return None
    judges, others = line.row.judges, disagreement(line, "gap")
    if not judges:
        return None
    agreeing = len(judges) - len(dissent(line.row, line.baseline, "gap"))
    waiting = [title_of(one.name) for one in judges if not one.converged]
    detail = others or ("falls short by all" if said is Verdict.FALLS_SHORT else "GAP is not lost by any")
    if waiting:
        agreeing -= len(waiting)
        detail += f"; not converged: {listed(waiting)}"
    return f"{agreeing} of {len(judges)} agree", detail


def _said(one: Row, name: str) -> Judged | None:
    return next((judged for judged in one.judges if judged.name == name), None)


def _table(table: Table4, names: list[str], metric: str) -> Table:
    title = metric_named(metric).title
    rows = [
        row(
            named(one.title, one.row, synthetic_frames=one.data.synthetic_frames),
            *(_cell(one, _said(one, name), metric) for name in names),
            reference=one.role == "baseline",
        )
        for _, one in table.measured
        if one.judges
    ]
    best = (
        " The best judge of a row is the one with the highest GAP on training videos that were set aside; "
        "the verdict compares best with best."
    )
    return Table(
        f"{title} under each judge: of the baseline its own {title}, of each other row {DELTA} {title} "
        "against the same judge of the baseline, in points with its 95 % interval."
        + (best if metric == JUDGED[0] else ""),
        (Column("Row", left=True), *judge_columns(names)),
        (Group("", tuple(rows)),),
    )


def _cell(one: Row, judged: Judged | None, metric: str) -> Cell:
    if judged is None:
        return cell()
    found = estimate(judged.figures[metric]) if judged.delta is None else change(judged.delta[metric])
    best = BEST_JUDGE if judged == one.best_judge else None
    return cell(*found, best, None if judged.converged else NOT_CONVERGED)


def _figure(table: Table4) -> Figure | None:
    """What each judge says of the headline's row."""
    subject = table.subject
    if subject is None or subject[1].delta is None or len(subject[1].judges) < 2:
        return None
    one = subject[1]
    charts = []
    for metric in JUDGED:
        marks = [
            _mark(judged, judged.delta[metric])
            for judged in one.judges
            if judged.delta is not None and judged.converged
        ]
        name = metric_named(metric).title
        if marks:
            title = f"Difference in {name} of {one.row} under each judge, in points"
            charts.append(rows_chart(marks, title=title, axis=f"{DELTA} {name}, points", differences=True))
    legend = tuple(Key(label, legend_mark(look)) for label, look in VERDICTS.items())
    caption = (
        f"{one.row} against the baseline, each judge against itself, with paired 95 % intervals. Its best "
        f"judge is the {judge_title(one)}."
    )
    return Figure(tuple(charts), caption, legend) if charts else None


def _mark(judged: Judged, difference: Interval) -> Mark:
    said, title = judge(difference), title_of(judged.name)
    words = f"{title}: {points(difference.value)} {points_bracket(difference)} points, {said}"
    drawn = Interval(100 * difference.value, 100 * difference.low, 100 * difference.high)
    return Mark(title, drawn, VERDICTS[said], words)
