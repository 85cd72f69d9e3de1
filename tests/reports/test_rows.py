"""Evaluation files: what is read, and what is refused and how."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from compress.errors import CompressError, CorruptArtifactError, DataError, NotFoundError
from compress.reports import load_rows


def test_rows_come_in_the_order_of_file_names_with_all_their_figures(evaluation: Callable[..., Path]) -> None:
    first, second = load_rows(evaluation("original", "pca-320"))
    assert (first.row, first.role, first.delta, first.joint) == ("original", "baseline", None, {})
    assert (second.dim, second.bytes_per_video, second.baseline) == (320, 1280, "original")
    assert second.figures.gap.value == 0.661
    assert second.delta is not None
    assert second.delta.gap.value == pytest.approx(-0.014)
    assert second.retrieval is not None
    assert second.retrieval.queries == 1000


def test_joint_figures_may_be_plain_numbers_or_intervals(evaluation: Callable[..., Path]) -> None:
    folder = evaluation(
        "mlp-320-int8", change=lambda row: row.update(joint={"gap": 0.5, "map": {"value": 0.25}})
    )
    assert load_rows(folder)[0].joint == {"gap": 0.5, "map": 0.25}


@pytest.mark.parametrize("make", [False, True], ids=["no folder", "empty folder"])
def test_no_rows_tells_which_command_makes_them(tmp_path: Path, make: bool) -> None:
    folder = tmp_path / "evaluation"
    if make:
        folder.mkdir()
    with pytest.raises(NotFoundError, match="compress evaluate") as caught:
        load_rows(folder)
    assert str(folder) in str(caught.value)


@pytest.mark.parametrize("text", ["", "{", "[1, 2", "\x00", "[" * 100_000], ids=repr)
def test_broken_json_names_the_file(evaluation: Callable[..., Path], text: str) -> None:
    folder = evaluation("original")
    (folder / "broken.json").write_text(text)
    with pytest.raises(CorruptArtifactError, match=r"broken\.json"):
        load_rows(folder)


def _figure(**ends: object) -> Callable[[dict[str, Any]], Any]:
    return lambda row: row["figures"]["gap"].update(ends)


WRONG: list[tuple[Callable[[dict[str, Any]], Any], str]] = [
    (lambda row: row.pop("figures"), "figures is missing"),
    (lambda row: row["figures"].pop("map"), "figures.map is missing"),
    (lambda row: row.update(title="a\x1b[31mred"), "title should be printable text"),
    (lambda row: row.update(title=3), "title should be printable text"),
    (lambda row: row.update(role="hero"), "role should be one of baseline, encoder, control"),
    (lambda row: row.update(dim=0), "dim should be a whole number of at least 1"),
    (lambda row: row.update(dim=True), "dim should be a whole number"),
    (lambda row: row.update(bytes_per_video=1.5), "bytes_per_video should be a whole number"),
    (lambda row: row.update(notes="one"), "notes should be a list"),
    (lambda row: row["data"].update(synthetic_frames="no"), "data.synthetic_frames should be true or false"),
    (lambda row: row.update(delta=7), "delta should be an object, is int"),
    (_figure(value=float("nan")), "figures.gap.value should be a finite number"),
    (_figure(value=1.5), r"figures.gap.value should lie in \[0, 1\]"),
    (_figure(low=0.9, high=0.8), "figures.gap.low is above high"),
]


@pytest.mark.parametrize(("change", "message"), WRONG, ids=[message for _, message in WRONG])
def test_a_wrong_field_is_named_with_its_file(
    evaluation: Callable[..., Path], change: Callable[[dict[str, Any]], Any], message: str
) -> None:
    folder = evaluation("pca-320", change=change)
    with pytest.raises(CorruptArtifactError, match=message) as caught:
        load_rows(folder)
    assert "pca-320.json" in str(caught.value)


def test_an_unknown_schema_version_names_both_versions(evaluation: Callable[..., Path]) -> None:
    folder = evaluation("original", change=lambda row: row.update(schema_version=2))
    with pytest.raises(DataError, match="schema version 2, this code reads version 1"):
        load_rows(folder)


def test_a_baseline_with_a_difference_is_refused(evaluation: Callable[..., Path]) -> None:
    folder = evaluation("original", change=lambda row: row.update(delta={"baseline": "original"}))
    with pytest.raises(CorruptArtifactError, match="delta should be null for the baseline"):
        load_rows(folder)


def _mixed(evaluation: Callable[..., Path], change: Callable[[dict[str, Any]], Any]) -> CompressError:
    evaluation("original", "pca-320")
    folder = evaluation("pca-512", change=change)
    with pytest.raises(DataError) as caught:
        load_rows(folder)
    return caught.value


@pytest.mark.parametrize(
    "change", [{"fingerprint": "0123456789abcdef"}, {"validate_videos": 9}, {"num_classes": 4}]
)
def test_rows_on_different_validation_data_are_refused_naming_the_files(
    evaluation: Callable[..., Path], change: dict[str, object]
) -> None:
    error = str(_mixed(evaluation, lambda row: row["data"].update(change)))
    assert "different validation data" in error
    assert all(name in error for name in ("original.json, pca-320.json", "pca-512.json"))


def test_rows_against_different_baselines_are_refused_naming_the_files(
    evaluation: Callable[..., Path],
) -> None:
    error = str(_mixed(evaluation, lambda row: row["delta"].update(baseline="another")))
    assert "different baselines" in error
    assert "another: pca-512.json" in error


def test_two_files_with_one_row_are_refused(evaluation: Callable[..., Path]) -> None:
    error = str(_mixed(evaluation, lambda row: row.update(row="pca-320")))
    assert "pca-320.json and pca-512.json" in error
