"""The part of a report about classes: how unequal they are, and what rare and frequent ones lose."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from compress.reports.classes.choice import ClassChoice, KeptRow
from compress.reports.classes.extremes import Extremes, extremes
from compress.reports.classes.frequency import ClassFrequency, ScoredClasses, class_frequency
from compress.reports.classes.scores import load_scored
from compress.reports.classes.zipf import Zipf, zipf
from compress.reports.wording import listed


@dataclass(frozen=True)
class ClassFindings:
    """What is drawn and tabled.

    Args:
        train, validation: ranked classes.
        names: of the classes, by number; empty without a vocabulary.
        frequency: mean average precision by bin.
        extremes: the classes that the choice's subject lost and gained most; None without names, without a
            reference, or when nothing changed.
    """

    train: Zipf
    validation: Zipf
    names: Mapping[int, str]
    frequency: ClassFrequency
    extremes: Extremes | None


@dataclass(frozen=True)
class ClassSections:
    """Findings, or None when no scores were kept with counts; `missing` says in a sentence what is absent.

    `why` says in a sentence why these rows are shown.
    """

    findings: ClassFindings | None
    missing: str
    why: str = ""


def class_sections(choice: ClassChoice, names: Mapping[int, str]) -> ClassSections:
    """Measure the classes of the chosen rows from the scores that were kept beside them.

    Args:
        choice: rows, and which of them are compared.
        names: of the classes, by number; may be empty.

    Raises:
        CorruptArtifactError: kept scores are damaged.
        DataError: no validation video has a label.
        SchemaError: the rows were measured on different videos.
    """
    scored, left_out = load_scored(choice.rows)
    findings = _findings(choice, scored, names) if scored else None
    return ClassSections(findings, _missing(left_out, bool(scored)), choice.why if scored else "")


def _findings(choice: ClassChoice, scored: list[ScoredClasses], names: Mapping[int, str]) -> ClassFindings:
    by_name = {row.name: row for row in scored}
    reference, subject = by_name.get(choice.reference or ""), by_name.get(choice.subject or "")
    compared = reference is not None and len(scored) > 1
    named = bool(names) and reference is not None and subject is not None
    return ClassFindings(
        train=zipf(scored[0].train_counts),
        validation=zipf(scored[0].positives),
        names=names,
        frequency=class_frequency(scored, choice.reference if compared else None),
        extremes=extremes(subject, reference, names) if named and subject and reference else None,
    )


def _missing(left_out: list[KeptRow], any_scored: bool) -> str:
    if not left_out:
        return ""
    if not any_scored:
        # One is enough: rows of the same training videos share the counts.
        return (
            "Average precision by class frequency is left out: the training videos of each class were not "
            f"kept; {left_out[0].again} keeps them."
        )
    commands = listed([row.again for row in left_out])
    return (
        "Not shown by class frequency, for lack of scores on the same videos: "
        f"{listed([row.name for row in left_out])}; to measure again: {commands}."
    )
