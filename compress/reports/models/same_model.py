"""Whether a measured model is that of the row whose name it has."""

from __future__ import annotations

from compress.evaluation.models.row import ModelRow
from compress.papers import CatalogueRow


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
