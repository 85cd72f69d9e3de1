"""All rows of an evaluation folder, refused together when they were not measured alike."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from pathlib import Path

from compress.errors import DataError, NotFoundError
from compress.evaluation.row import Row
from compress.evaluation.row_file import read_row

AGAIN = (
    "measure them again on the same data with `compress evaluate`, or move the files that do not belong out"
)


def load_rows(folder: Path) -> list[Row]:
    """Every row that `compress evaluate` left in a folder, in the order of file names.

    Raises:
        NotFoundError: no such folder, or no row in it.
        CorruptArtifactError: a file is not JSON or a field is wrong; names the file.
        DataError: rows with the same name, on different validation data, or against different baselines.
    """
    paths = sorted(folder.glob("*.json")) if folder.is_dir() else []
    if not paths:
        raise NotFoundError(
            "no measured rows here",
            where=folder,
            hint="`compress train --encoder identity && compress encode --name original && "
            "compress evaluate --name original` measures the baseline, `compress evaluate --dim 320` an "
            "embedding",
        )
    rows = {path: read_row(path) for path in paths}
    _refuse_repeated_names(rows)
    _refuse_mixed(
        rows,
        "validation data",
        lambda row: (row.data.fingerprint, row.data.validate_videos, row.data.num_classes),
    )
    _refuse_mixed(rows, "baselines", _baseline_of)
    return list(rows.values())


def _baseline_of(row: Row) -> str | None:
    return row.row if row.role == "baseline" else row.baseline


def _refuse_repeated_names(rows: Mapping[Path, Row]) -> None:
    first: dict[str, Path] = {}
    for path, row in rows.items():
        if row.row in first:
            raise DataError(
                f"two files hold the row {row.row!r}: {first[row.row].name} and {path.name}",
                where=path.parent,
                hint="remove one of them",
            )
        first[row.row] = path


def _refuse_mixed(rows: Mapping[Path, Row], what: str, key: Callable[[Row], Hashable | None]) -> None:
    groups: dict[Hashable, list[str]] = {}
    for path, row in rows.items():
        found = key(row)
        if found is not None:
            groups.setdefault(found, []).append(path.name)
    if len(groups) > 1:
        described = "; ".join(f"{_short(value)}: {', '.join(names)}" for value, names in groups.items())
        raise DataError(
            f"rows with different {what} do not compare ({described})",
            where=next(iter(rows)).parent,
            hint=AGAIN,
        )


def _short(value: Hashable) -> str:
    if isinstance(value, tuple):
        fingerprint, videos, classes = value
        return f"{str(fingerprint)[:12]}, {videos} videos, {classes} classes"
    return str(value)
