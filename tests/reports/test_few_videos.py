"""What was trained on few videos is told on the pages of models as in Table 4 (test_table4.py)."""

from __future__ import annotations

from pathlib import Path

import pytest

from compress.reports import load_models, model_table
from compress.reports.cautions import few_videos
from compress.reports.models.findings import cautions
from tests.reports.model_files import model_json, write_models


@pytest.mark.parametrize(("videos", "few"), [(1_999, True), (2_000, False)])
def test_few_training_videos_of_any_row_are_a_caution(tmp_path: Path, videos: int, few: bool) -> None:
    models = model_json("lstm-1x1024", 0.6), model_json("lstm-2x1024", 0.6, data={"train_videos": videos})
    caution = (
        "Few videos: models were trained on 1,999; on fewer than 2,000 a model is under-trained, so the "
        "figures say little about the models."
    )
    table = model_table("2", load_models(write_models(tmp_path, *models)))
    assert (caution in cautions(table)) is few


def test_without_a_measured_row_nothing_is_said() -> None:
    assert few_videos([], heads=False) == few_videos([], heads=True) == ""
