"""The part of a report about classes: how unequal they are, and what rare and frequent ones lose."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from compress.reports.class_extremes import Extremes, extremes
from compress.reports.class_frequency import ClassFrequency, ScoredClasses, class_frequency
from compress.reports.class_scores import chosen_rows, load_scored
from compress.reports.row import Row
from compress.reports.sentences import subject
from compress.reports.table4 import Table4
from compress.reports.wording import listed
from compress.reports.zipf import Zipf, zipf


@dataclass(frozen=True)
class ClassFindings:
    """What is drawn and tabled.

    Args:
        train, validation: ranked classes.
        names: of the classes, by number; empty without a vocabulary.
        frequency: mean average precision by bin.
        extremes: the classes that the headline's row lost and gained most; None without names, without a
            baseline, or when nothing changed.
    """

    train: Zipf
    validation: Zipf
    names: Mapping[int, str]
    frequency: ClassFrequency
    extremes: Extremes | None


@dataclass(frozen=True)
class ClassSections:
    """Findings, or None when no scores were kept with counts; `missing` says in a sentence what is absent."""

    findings: ClassFindings | None
    missing: str


def class_sections(table: Table4, evaluation: Path, names: Mapping[int, str]) -> ClassSections:
    """Measure the classes of the chosen rows from the scores that were kept beside them.

    Args:
        table: the rows of the report.
        evaluation: folder that the rows came from; scores lie in scores/<row>.
        names: of the classes, by number; may be empty.

    Raises:
        CorruptArtifactError: kept scores are damaged.
        DataError: no validation video has a label.
    """
    scored, left_out = load_scored(chosen_rows(table), evaluation)
    findings = _findings(table, scored, names) if scored else None
    return ClassSections(findings, _missing(left_out, bool(scored)))


def _findings(table: Table4, scored: list[ScoredClasses], names: Mapping[int, str]) -> ClassFindings:
    by_name = {row.name: row for row in scored}
    baseline = by_name.get(table.baseline.row) if table.baseline is not None else None
    line = subject(table)
    headline = by_name.get(line.row.row) if line is not None and line.row is not None else None
    compared = headline is not None and baseline is not None and bool(names)
    return ClassFindings(
        train=zipf(scored[0].train_counts),
        validation=zipf(scored[0].positives),
        names=names,
        frequency=class_frequency(scored, None if baseline is None else baseline.name),
        extremes=extremes(headline, baseline, names) if compared and headline and baseline else None,
    )


def _missing(left_out: list[Row], any_scored: bool) -> str:
    if not left_out:
        return ""
    if not any_scored:
        # One is enough: rows of the same training videos share the counts.
        return (
            "Average precision by class frequency is left out: the training videos of each class were not "
            f"kept; compress evaluate --name {left_out[0].row} keeps them."
        )
    commands = listed([f"compress evaluate --name {row.row}" for row in left_out])
    return (
        "Not shown by class frequency, for lack of scores on the same videos: "
        f"{listed([row.row for row in left_out])}; to measure again: {commands}."
    )
