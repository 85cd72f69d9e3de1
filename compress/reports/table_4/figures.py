"""The charts of Table 4: what each row lost, and what the bytes buy."""

from __future__ import annotations

from compress.evaluation.row import Row
from compress.metrics import Interval, metric_named
from compress.papers import published
from compress.reports.charts import BASELINE, CONTROL, PAPER, SERIES, Line, Mark, front, rows_chart, scatter
from compress.reports.document import Chart, Figure, Key
from compress.reports.rounding import DELTA, bracket, figure, points, points_bracket
from compress.reports.svg import Look, legend_mark
from compress.reports.table_4.table import JUDGED, Table4
from compress.reports.table_4.table import Line as TableLine

VERDICTS = {"holds": Look("holds"), "within noise": Look("noise"), "falls short": Look("short", hollow=True)}
WITHHELD = Look("muted", "s", hollow=True)
ROLES = {"baseline": BASELINE, "encoder": SERIES[0], "control": CONTROL}
FOREST_CAPTION = (
    "Difference from the baseline in points, with its paired 95 % interval, for GAP and for MAP. Left of the "
    "line at 0, something was lost."
)
PAPER_CAPTION = " Hollow diamonds are the paper's own differences, on its data."
TRADEOFF_CAPTION = (
    "GAP and MAP against stored bytes per video. Bars are the 95 % interval of each row alone (the paired "
    "differences above are narrower). The band is the baseline's interval, the stepped line joins the rows "
    "that no other row beats in both. Rows of one size are drawn side by side."
)
TRADEOFF_LEGEND = (
    Key("trained encoder", legend_mark(ROLES["encoder"])),
    Key("control", legend_mark(ROLES["control"])),
    Key("baseline", legend_mark(ROLES["baseline"])),
)


def forest_figure(table: Table4, paper: bool) -> Figure | None:
    """What each row lost, with the paper's differences where `paper`; None when no row was compared."""
    charts = tuple(chart for metric in JUDGED if (chart := forest(table, metric, paper)))
    said = {line.verdict(metric) for line, row in table.measured if row.delta for metric in JUDGED}
    looks = VERDICTS | ({} if said <= VERDICTS.keys() else {"no verdict": WITHHELD})
    looks |= {"the paper": PAPER} if paper else {}
    legend = tuple(Key(label, legend_mark(look)) for label, look in looks.items())
    return Figure(charts, FOREST_CAPTION + (PAPER_CAPTION if paper else ""), legend) if charts else None


def tradeoff_figure(table: Table4) -> Figure:
    """What the bytes of each row buy."""
    return Figure(tuple(tradeoff(table, metric) for metric in JUDGED), TRADEOFF_CAPTION, TRADEOFF_LEGEND)


def forest(table: Table4, metric: str, paper: bool = True) -> Chart | None:
    """Each row's difference from the baseline; metric "gap" or "map". None when no row has one."""
    marks = []
    for line, row in table.measured:
        if row.delta is None:
            continue
        delta: Interval = getattr(row.delta, metric)
        verdict = line.verdict(metric)
        in_paper = paper_difference(line, metric) if paper else None
        marks.append(
            Mark(
                name=row.row,
                value=Interval(100 * delta.value, 100 * delta.low, 100 * delta.high),
                look=VERDICTS.get(verdict, WITHHELD),
                words=f"{row.row}: {points(delta.value)} {points_bracket(delta)} points, {verdict}",
                paper=None
                if in_paper is None
                else (100 * in_paper, f"the paper {points(in_paper, 1)} points"),
            )
        )
    name = metric_named(metric).title
    title = f"Difference in {name} from the baseline, in points"
    return rows_chart(marks, title=title, axis=f"{DELTA} {name}, points", differences=True) if marks else None


def paper_difference(line: TableLine, metric: str) -> float | None:
    """The paper's figure minus its baseline's, as a fraction; None for rows that the paper lacks."""
    if line.published is None or line.published.name == published().baseline.name:
        return None
    difference: float = getattr(line.published, metric) - getattr(published().baseline, metric)
    return difference


def tradeoff(table: Table4, metric: str) -> Chart:
    """A metric of each row against its bytes, and the rows that no other row beats in both."""

    def mark(row: Row) -> Mark:
        value: Interval = getattr(row.figures, metric)
        words = f"{row.row}: {row.bytes_per_video:,} bytes, {figure(value.value)} {bracket(value)}"
        return Mark(row.row, value, ROLES[row.role], words, row.bytes_per_video)

    name = metric_named(metric).title
    # Controls are below the others, and are named last.
    marks = sorted((mark(row) for _, row in table.measured), key=lambda mark: mark.look != CONTROL)
    best = front([(int(mark.x), mark.value.value) for mark in marks])
    named = sorted(marks, key=lambda mark: (mark.look == CONTROL, -mark.value.value))
    return scatter(
        marks,
        title=f"{name} against bytes per video",
        across="bytes per video (log scale)",
        upwards=name,
        of_bytes=True,
        band=getattr(table.baseline.figures, metric) if table.baseline else None,
        lines=[Line(tuple(marks[i] for i in best), "ink", to_edge=True)],
        labels=[(mark.name, mark) for mark in named],
    )
