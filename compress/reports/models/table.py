"""Tables 2, 3 and QRNN: each printed row beside the model that was trained for it here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from compress.evaluation.models.row import ModelRow
from compress.papers import Catalogue, CatalogueRow, PaperFigures, StandIn, catalogue, row_command


class Judgement(StrEnum):
    """A measured GAP beside the published one; only rows of the full data set are judged."""

    REPRODUCED = "reproduced"
    ABOVE = "above"
    BELOW = "below"
    NOT_JUDGED = "not judged"
    NO_FIGURE = "ours"
    NOT_RUN = "NOT RUN"


@dataclass(frozen=True)
class ModelLine:
    """One line: a row of the catalogue, a measured model, or both.

    `command` makes the line (again); `notes` are what its reader should know, for a line that was not run
    why, where that is known.
    """

    title: str
    run: str
    wanted: CatalogueRow | None
    model: ModelRow | None
    judgement: Judgement
    command: str
    notes: tuple[str, ...] = ()

    @property
    def published(self) -> PaperFigures | None:
        """The paper's figures, None for a model that is in no paper."""
        return self.wanted.published if self.wanted else None


@dataclass(frozen=True)
class ModelTable:
    """`paper`: the printed rows in their order; `ours`: our own; `others`: what else was measured."""

    name: str
    title: str
    paper: tuple[ModelLine, ...] = ()
    ours: tuple[ModelLine, ...] = ()
    others: tuple[ModelLine, ...] = ()

    @property
    def groups(self) -> tuple[tuple[str, tuple[ModelLine, ...]], ...]:
        """The headed groups that hold lines, in reading order."""
        named = (
            ("As printed", self.paper),
            ("Not in the papers", self.ours),
            ("Further models", self.others),
        )
        return tuple((name, lines) for name, lines in named if lines)

    @property
    def lines(self) -> tuple[ModelLine, ...]:
        """All lines in reading order."""
        return self.paper + self.ours + self.others

    @property
    def measured(self) -> tuple[tuple[ModelLine, ModelRow], ...]:
        """The lines that were run, each with its model."""
        return tuple((line, line.model) for line in self.lines if line.model is not None)


def model_table(
    name: str,
    models: Sequence[ModelRow],
    *,
    notes: Mapping[str, Sequence[str]] | None = None,
    stand_ins: Mapping[str, StandIn] | None = None,
    unlike: Mapping[str, Sequence[str]] | None = None,
    rows: Catalogue | None = None,
) -> ModelTable:
    """Put measured models beside the printed rows; what was not measured says NOT RUN with its command.

    Args:
        name: "2", "3" or "qrnn".
        models: as `load_models` returns them. One that no table asks for, or that only has the name of a row,
            is a further model of the table of its level.
        notes: further notes on rows, by their names: why one could not be run, what replaces what.
        stand_ins: what rows take on these data for what the data lack, by their names: for the commands of
            those that were not run.
        unlike: what is known besides, by names of rows, to make a run another model than its row's.
        rows: in place of the catalogue, for tests.

    Source: Tables 2 and 3 of the paper, the QRNN paper's results; rows without published figures are ours.
    """
    wanted = rows or catalogue()
    further, instead = notes or {}, stand_ins or {}
    others = _not_the_rows(models, wanted, unlike or {})
    found = {model.name: model for model in models if model.name not in others}
    lines = [
        _not_run(row, tuple(further.get(row.run, ())), instead.get(row.run))
        if row.run not in found
        else _measured(row, found[row.run], tuple(further.get(row.run, ())), wanted)
        for row in wanted.of(name)
    ]
    asked = {row.run for row in wanted.rows} - set(others)
    home = {"2": "frame", "3": "video"}.get(name)
    rest = [model for model in models if model.name not in asked and model.level == home]
    return ModelTable(
        name,
        wanted.titles[name],
        paper=tuple(line for line in lines if line.published),
        ours=tuple(line for line in lines if not line.published),
        others=tuple(_further(model, others.get(model.name, ())) for model in rest),
    )


def _not_the_rows(
    models: Sequence[ModelRow], rows: Catalogue, unlike: Mapping[str, Sequence[str]]
) -> dict[str, tuple[str, ...]]:
    """The models that only have the name of a row, by their names; each with the note that says so."""
    wanted = {row.run: row for row in rows.rows}
    found: dict[str, tuple[str, ...]] = {}
    for model in models:
        row = wanted.get(model.name)
        differences = [] if row is None else unlike_row(row, model) or unlike.get(model.name, ())
        if differences:
            what = ", ".join(differences)
            found[model.name] = (f"Named as a row of the table, but not that row's model: {what}.",)
    return found


def _not_run(row: CatalogueRow, notes: tuple[str, ...], stand_in: StandIn | None) -> ModelLine:
    if stand_in is not None and stand_in.note not in notes:
        notes = (*notes, stand_in.note)
    return ModelLine(row.title, row.run, row, None, Judgement.NOT_RUN, row_command(row, stand_in), notes)


def _measured(row: CatalogueRow, model: ModelRow, notes: tuple[str, ...], rows: Catalogue) -> ModelLine:
    done = None if model.training is None else model.training.epochs
    if done is not None and done != row.epochs:
        notes = (*notes, f"Epochs of training: {done}; the row's command asks for {row.epochs}.")
    judgement = judge_model(row, model, rows)
    return ModelLine(row.title, row.run, row, model, judgement, model.command, notes + model.notes)


def _further(model: ModelRow, notes: tuple[str, ...]) -> ModelLine:
    judgement = Judgement.NO_FIGURE
    return ModelLine(model.title, model.name, None, model, judgement, model.command, notes + model.notes)


def judge_model(row: CatalogueRow, model: ModelRow, rows: Catalogue) -> Judgement:
    """GAP against the published one, within its tolerance.

    NOT_JUDGED when it was trained on other data than the paper's, or measured on few videos.
    """
    if row.published is None:
        return Judgement.NO_FIGURE
    full, data = rows.full_data, model.data
    enough = data.train_videos >= full.train_videos and data.num_classes == full.num_classes
    enough = enough and data.validate_videos >= full.validate_videos
    if not enough or data.synthetic_frames:
        return Judgement.NOT_JUDGED
    difference = model.figures.gap.value - row.published.gap
    if abs(difference) <= row.tolerance:
        return Judgement.REPRODUCED
    return Judgement.ABOVE if difference > 0 else Judgement.BELOW


def unlike_row(row: CatalogueRow, model: ModelRow) -> list[str]:
    """What makes a model of a row's name another one, in words; empty for the row's own.

    A name is free to choose: an ensemble, or a run of another encoder, may have it. The options of the
    encoder are not compared, an evaluation does not keep them.
    """
    if model.runs != (row.run,):
        return [f"it is of {'the run' if len(model.runs) == 1 else 'the runs'} {' and '.join(model.runs)}"]
    compared = [
        ("level", model.level, row.level),
        ("encoder", " and ".join(model.encoders), row.encoder),
        ("head", model.head, row.head),
        ("dim", model.dim, model.dim if row.dim is None else row.dim),
    ]
    return [f"{name} {found}, not {wanted}" for name, found, wanted in compared if found != wanted]
