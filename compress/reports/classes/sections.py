"""The part of a report about classes: how unequal they are, and what rare and frequent ones lose."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from compress.errors import NotFoundError, SchemaError
from compress.evaluation.row import Role
from compress.evaluation.scores import load_scores, load_train_class_counts
from compress.reports.classes.frequency import ClassFrequency, ScoredClasses, class_frequency, scored_classes
from compress.reports.classes.zipf import Zipf, zipf
from compress.reports.rounding import listed

SHOWN = 5
LEAST_POSITIVES = 10  # the average precision of fewer validation videos is mostly luck


@dataclass(frozen=True)
class KeptRow:
    """A measured row or model whose scores may have been kept in folder `scores`; `again` keeps them.

    `fingerprint` is that of the validation videos that it was measured on.
    """

    name: str
    title: str
    role: Role
    fingerprint: str
    scores: Path
    again: str


@dataclass(frozen=True)
class ClassChoice:
    """What a table shows by class frequency.

    Args:
        rows: in the order of the plots; the first one decides which videos the others must share.
        reference: name of the row that the others are compared with; None compares nothing.
        subject: name of the row whose classes are named; None names none.
        why: in a sentence, why these rows.
    """

    rows: tuple[KeptRow, ...] = ()
    reference: str | None = None
    subject: str | None = None
    why: str = ""


@dataclass(frozen=True)
class ExtremeClass:
    """One class under the baseline and under the row; `name` as the vocabulary has it."""

    name: str
    train_videos: int
    positives: int
    baseline: float
    row: float


@dataclass(frozen=True)
class Extremes:
    """The classes that `row` lost most (worst first) and gained most (best first) of `considered` classes.

    Lost and gained beside `baseline`, another row.
    """

    row: str
    title: str
    baseline: str
    lost: tuple[ExtremeClass, ...]
    gained: tuple[ExtremeClass, ...]
    considered: int


@dataclass(frozen=True)
class ClassFindings:
    """What is drawn and tabled."""

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

    Raises:
        CorruptArtifactError: kept scores are damaged.
        DataError: no validation video has a label.
        SchemaError: the rows were measured on different videos.
    """
    scored, left_out = _load_scored(choice.rows)
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
            "Average precision by class frequency is missing: the counts of training videos per class were "
            f"not kept; {left_out[0].again} keeps them."
        )
    commands = listed([row.again for row in left_out])
    return (
        "Not shown by class frequency, because their scores on the same videos are missing: "
        f"{listed([row.name for row in left_out])}; to measure again: {commands}."
    )


def _load_scored(rows: Sequence[KeptRow]) -> tuple[list[ScoredClasses], list[KeptRow]]:
    """Measure the classes of rows whose scores were kept with the counts of training videos.

    Scores kept before there were counts take those of another row that had the same training videos.

    Returns: the rows that can be compared, and those that must be measured again first.

    Raises:
        CorruptArtifactError: kept scores are damaged.
    """
    known = _known_counts(rows)
    if known is None:
        return [], list(rows)
    found = [(row, _load(row, *known)) for row in rows]
    return [scored for _, scored in found if scored is not None], [row for row, scored in found if not scored]


def _known_counts(rows: Sequence[KeptRow]) -> tuple[np.ndarray, str | None] | None:
    """Training videos of each class, int64 (C,), and the fingerprint of these videos."""
    for row in rows:
        try:
            counts = load_train_class_counts(row.scores)
        except NotFoundError:
            continue
        if counts is not None:
            return counts, load_scores(row.scores)[1].get("train")
    return None


def _load(row: KeptRow, counts: np.ndarray, training: str | None) -> ScoredClasses | None:
    """None when nothing was kept, or of other videos than the row's (or, in training, the others')."""
    try:
        top, facts = load_scores(row.scores)
    except NotFoundError:
        return None
    if facts.get("validate") != row.fingerprint or facts.get("train") != training:
        return None
    return scored_classes(row.name, row.title, row.role, top, counts)


def extremes(row: ScoredClasses, baseline: ScoredClasses, names: Mapping[int, str]) -> Extremes | None:
    """The `SHOWN` largest losses and gains among classes with at least `LEAST_POSITIVES` validation videos.

    Returns: None when no class changed, or none has a name and enough videos.

    Raises:
        SchemaError: measured on different videos.
    """
    if not np.array_equal(row.positives, baseline.positives):
        raise SchemaError(f"{row.name} and {baseline.name} were not measured on the same videos")
    considered = [int(c) for c in np.flatnonzero(row.positives >= LEAST_POSITIVES) if int(c) in names]
    change = row.average_precision - baseline.average_precision
    # Ties by number, which YouTube-8M gives by falling frequency.
    lost = sorted((c for c in considered if change[c] < 0), key=lambda c: (change[c], c))[:SHOWN]
    gained = sorted((c for c in considered if change[c] > 0), key=lambda c: (-change[c], c))[:SHOWN]
    if not lost and not gained:
        return None

    def described(c: int) -> ExtremeClass:
        videos, positives = int(row.train_counts[c]), int(row.positives[c])
        before, after = float(baseline.average_precision[c]), float(row.average_precision[c])
        return ExtremeClass(names[c], videos, positives, before, after)

    return Extremes(
        row=row.name,
        title=row.title,
        baseline=baseline.name,
        lost=tuple(map(described, lost)),
        gained=tuple(map(described, gained)),
        considered=len(considered),
    )
