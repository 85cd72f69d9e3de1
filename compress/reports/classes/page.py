"""Rare and frequent classes as sections of a document, and as JSON: by bin, and the few that changed most."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict
from typing import Any

from compress.metrics import Interval
from compress.reports.classes.figures import frequency_figure, zipf_figure
from compress.reports.classes.frequency import BinnedRow, ClassFrequency, Mean, frequency_caption, where_lost
from compress.reports.classes.sections import LEAST_POSITIVES, ClassSections, ExtremeClass, Extremes
from compress.reports.classes.zipf import Zipf, zipf_sentence
from compress.reports.document import (
    Block,
    Bullets,
    Cell,
    Column,
    Group,
    Part,
    Row,
    Section,
    Table,
    Text,
    cell,
    row,
)
from compress.reports.rounding import DELTA, bracket, count, figure, points, points_bracket


def classes_sections(classes: ClassSections) -> tuple[Section, ...]:
    """What rare and frequent classes lose, and how unequal the classes are; empty without anything to say."""
    found = classes.findings
    blocks: list[Block] = [Text(classes.missing, caution=True)] if classes.missing else []
    if found is None:
        return (Section("Rare and frequent classes", tuple(blocks)),) if blocks else ()
    names = tuple(one.name for one in found.frequency.rows)
    told = where_lost(found.frequency)
    blocks += [Text(classes.why)] if classes.why else []
    blocks += [Bullets(tuple(told), names)] if told else []
    drawn = frequency_figure(found.frequency)
    blocks += [drawn] if drawn else []
    blocks += [_frequency(found.frequency, folded="The same figures as a table" if drawn else "")]
    blocks += [_extremes(found.extremes)] if found.extremes else []
    return (
        Section("Rare and frequent classes", tuple(blocks)),
        Section(
            "How unequal the classes are",
            (Text(zipf_sentence(found.train)), zipf_figure(found)),
        ),
    )


def _frequency(found: ClassFrequency, folded: str) -> Table:
    columns = [Column("Training videos", left=True), Column("Classes"), Column("Validation videos")]
    columns += [Column(one.name) for one in found.rows]
    rows = (
        row(one.name, count(one.classes), count(one.positives), *(_means(of_row, i) for of_row in found.rows))
        for i, one in enumerate(found.bins)
    )
    return Table(
        frequency_caption(found),
        tuple(columns),
        (Group("", tuple(rows)),),
        folded=folded,
    )


def _means(of_row: BinnedRow, i: int) -> Cell:
    value = of_row.values[i]
    parts = [Part(figure(value.value)), *_interval(value, bracket)]
    if of_row.delta is not None:
        parts += [
            Part(f"{DELTA} {points(of_row.delta[i].value)}", "strong"),
            *_interval(of_row.delta[i], points_bracket),
        ]
    return cell(*parts)


def _interval(mean: Mean, tell: Callable[[Interval], str]) -> Iterable[Part]:
    return [Part(tell(mean.interval), "quiet")] if mean.interval else []


def _extremes(found: Extremes) -> Table:
    titles = (
        "Training videos",
        "Validation videos",
        f"AP, {found.baseline}",
        f"AP, {found.row}",
        f"{DELTA} AP, points",
    )
    groups = (("Lost most", found.lost), ("Gained most", found.gained))
    return Table(
        f"The classes in which {found.row} lost and gained most average precision (AP) against "
        f"{found.baseline}, of the {count(found.considered)} classes with at least {LEAST_POSITIVES} "
        "validation videos. They are the extremes of many: on other videos most of them will change less.",
        (Column("Class", left=True), *map(Column, titles)),
        tuple(Group(title, tuple(map(_class, members))) for title, members in groups),
        narrow=True,
    )


def _class(one: ExtremeClass) -> Row:
    return row(
        one.name,
        count(one.train_videos),
        count(one.positives),
        figure(one.baseline),
        figure(one.row),
        points(one.row - one.baseline),
    )


def classes_json(classes: ClassSections) -> dict[str, Any]:
    """A JSON-able dict; figures are fractions, unrounded; `findings` is null when nothing was kept."""
    found = classes.findings
    return {
        "missing": classes.missing,
        "why_these_rows": classes.why,
        "findings": None
        if found is None
        else {
            "training_videos": _zipf(found.train),
            "validation_videos": _zipf(found.validation),
            "average_precision_by_frequency": {
                "intervals": "95 % bootstrap over the classes of a bin, the same resampled classes for every "
                "row",
                "baseline": found.frequency.baseline,
                "in_words": where_lost(found.frequency),
                "bins": [asdict(one) for one in found.frequency.bins],
                "rows": [asdict(one) for one in found.frequency.rows],
            },
            "extremes": None if found.extremes is None else asdict(found.extremes),
        },
    }


def _zipf(found: Zipf) -> dict[str, Any]:
    return {
        "classes_with_videos": len(found.counts),
        "classes_without_videos": found.without,
        "most_videos_of_a_class": found.counts[0],
        "log_log_slope": found.slope,
        "log10_intercept": found.intercept,
    }
