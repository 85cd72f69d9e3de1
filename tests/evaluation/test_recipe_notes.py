"""What is said about options that are not the papers'; the papers' own choices are told by titles."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from compress.evaluation.description import recipe_notes
from tests.encoding.examples import encoder_run

WORDS = "Encoder options that are not the paper's: "


@pytest.mark.parametrize(
    ("encoder", "options", "told"),
    [
        ("lstm", {"sizes": [4], "dim": 4, "pooling": "max"}, None),
        ("lstm", {"sizes": [4], "dim": 4, "dropout": 0.5}, "dropout 0.5"),
        (
            "residual_lstm",
            {"sizes": [4, 4, 4], "dim": 4, "embedding_dropout": 0.25},
            "embedding_dropout 0.25",
        ),
        ("bilstm", {"sizes": [4, 3], "dim": 6}, None),
        ("stacked_bilstm", {"sizes": [3, 3, 3], "dim": 6, "between": "concatenate", "residual": True}, None),
        ("dbof", {"cluster_size": 9, "hidden_size": 5, "norm_momentum": 0.05}, "norm_momentum 0.05"),
        ("linear", {"dropout": 0.5}, None),
    ],
)
def test_changed_options_are_told(tmp_path: Path, encoder: str, options: dict[str, Any], told: str | None):
    found = [
        note for note in recipe_notes(encoder_run(tmp_path, encoder, options, head="moe")) if WORDS in note
    ]
    assert found == ([] if told is None else [f"{WORDS}{told}."])
