"""Which models of a table are shown by class frequency, and why: few enough to tell them apart."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from compress.evaluation.models.row import ModelRow
from compress.evaluation.row import Role
from compress.reports.classes.sections import ClassChoice, KeptRow
from compress.reports.models.table import ModelLine, ModelTable

FEW_ENCODERS = 3  # of a table whose every encoder gets a row
Measured = tuple[ModelLine, ModelRow]


def chosen_models(table: ModelTable, folder: Path) -> ClassChoice:
    """The first measured row, which the others are compared with, and a few that differ from it most.

    Of a table of few encoders (Table 3) these are the best row of each, else the best and the worst printed
    row; and the best row that is not printed. Rows of other validation videos than the first one's are left
    out.
    """
    alike = _on_the_same_videos(table.measured)
    if not alike:
        return ClassChoice()
    reasons: dict[str, str] = {}
    shown: list[Measured] = []
    for one, reason in _wanted(table, alike):
        if one[0].run not in reasons:
            reasons[one[0].run] = reason
            shown.append(one)
    others = shown[1:]
    return ClassChoice(
        rows=tuple(
            _kept(one, folder, "baseline" if others and one is shown[0] else "encoder") for one in shown
        ),
        reference=shown[0][0].run,
        subject=max(others, key=_gap)[0].run if others else None,
        why=f"Shown: {'; '.join(f'{run}, {reason}' for run, reason in reasons.items())}.",
    )


def _on_the_same_videos(measured: Sequence[Measured]) -> list[Measured]:
    def videos(one: Measured) -> tuple[str, int]:
        return one[1].data.fingerprint, one[1].data.num_classes

    return [one for one in measured if videos(one) == videos(measured[0])]


def _wanted(table: ModelTable, alike: Sequence[Measured]) -> Iterator[tuple[Measured, str]]:
    """Rows with the reason for each; a row may come twice."""
    printed = [one for one in alike if one[0] in table.paper]
    ours = [one for one in alike if one[0] not in table.paper]
    first = alike[0]
    yield first, "the first measured row" + (", which the others are compared with" if alike[1:] else "")
    encoders = list(dict.fromkeys(line.wanted.encoder for line in table.paper if line.wanted))
    if len(encoders) <= FEW_ENCODERS:
        for encoder in encoders:
            of_kind = [one for one in printed if one[0].wanted and one[0].wanted.encoder == encoder]
            if of_kind:
                yield max(of_kind, key=_gap), f"the highest GAP of the printed rows with {encoder}"
    elif printed:
        yield max(printed, key=_gap), "the highest GAP of the printed rows"
        yield min(printed, key=_gap), "the lowest GAP of the printed rows"
    if ours:
        yield max(ours, key=_gap), "the highest GAP of the rows that are not in the papers"


def _gap(one: Measured) -> float:
    return one[1].figures.gap.value


def _kept(one: Measured, folder: Path, role: Role) -> KeptRow:
    line, model = one
    words = ["compress evaluate", *(f"--run {run}" for run in model.runs)]
    words += [] if model.runs == (model.name,) else [f"--name {model.name}"]
    return KeptRow(
        name=line.run,
        title=line.title + (", synthetic frames" if model.data.synthetic_frames else ""),
        role=role,
        fingerprint=model.data.fingerprint,
        scores=folder / "scores" / model.name,
        again=" ".join([*words, "--again"]),
    )
