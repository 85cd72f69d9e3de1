"""The teachers are trained once."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.training.distillation.teaching import make_teachers


@pytest.fixture(scope="session")
def school(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the finished runs of `teaching`; scores may be kept in its cache."""
    folder = tmp_path_factory.mktemp("school")
    make_teachers(folder)
    return folder
