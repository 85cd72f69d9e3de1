"""The part of the Markdown report about classes."""

from __future__ import annotations

from compress.reports.classes.extremes import ExtremeClass, Extremes, extremes_caption
from compress.reports.classes.frequency import ClassFrequency, Mean, frequency_caption, where_lost
from compress.reports.classes.sections import ClassSections
from compress.reports.classes.zipf import zipf_sentence
from compress.reports.markdown_table import escape, to_table
from compress.reports.wording import DELTA, bracket, count, figure, points, points_bracket


def class_parts(classes: ClassSections) -> list[str]:
    """Paragraphs and tables in reading order."""
    found = classes.findings
    parts = ["## Rare and frequent classes"]
    parts += [f"> **Note.** {escape(classes.missing)}"] if classes.missing else []
    if found is None:
        return parts if classes.missing else []
    told = "\n".join(f"- {escape(text)}" for text in where_lost(found.frequency))
    parts += [escape(classes.why)] if classes.why else []
    parts += [told] if told else []
    parts += [escape(frequency_caption(found.frequency)), _frequency(found.frequency)]
    if found.extremes is not None:
        parts += [escape(extremes_caption(found.extremes)), _extremes(found.extremes)]
    return [*parts, escape(zipf_sentence(found.train))]


def _frequency(found: ClassFrequency) -> str:
    header = ["Training videos", "Classes", "Validation videos"]
    for row in found.rows:
        header.append(f"{escape(row.name)}: mean AP")
        header += [f"{escape(row.name)}: {DELTA} (points)"] if row.delta is not None else []
    rows = []
    for i, one in enumerate(found.bins):
        cells = [one.name, count(one.classes), count(one.positives)]
        for row in found.rows:
            cells.append(_value(row.values[i]))
            cells += [_difference(row.delta[i])] if row.delta is not None else []
        rows.append(cells)
    return to_table(header, rows)


def _value(mean: Mean) -> str:
    return figure(mean.value) + (f" {bracket(mean.interval)}" if mean.interval else "")


def _difference(mean: Mean) -> str:
    return points(mean.value) + (f" {points_bracket(mean.interval)}" if mean.interval else "")


def _extremes(found: Extremes) -> str:
    header = ["Class", "Training videos", "Validation videos"]
    header += [f"{escape(found.baseline)}: AP", f"{escape(found.row)}: AP", f"{DELTA} AP (points)"]
    return to_table(header, [_class(one) for one in (*found.lost, *found.gained)])


def _class(one: ExtremeClass) -> list[str]:
    return [
        escape(one.name),
        count(one.train_videos),
        count(one.positives),
        figure(one.baseline),
        figure(one.row),
        points(one.row - one.baseline),
    ]
