"""docs/python.md runs as it stands, one block after the other; so do the examples."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest

from compress.evaluation.judges import names as judge_names
from compress.training import recipes, scaling

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def a_folder_and_one_judge(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """What is written is run as it stands, but for judges and trainings that take a minute."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(judge_names, "TITLES", {"ridge": "ridge regression"})
    monkeypatch.setattr(scaling, "LEAST_STEPS", 4)
    monkeypatch.setitem(recipes._CONVERGED, "epochs", 4)


def test_the_page_runs_as_it_stands(capsys: pytest.CaptureFixture[str]):
    page = "docs/python.md"
    blocks = re.findall(r"^```python\n(.*?)^```$", (ROOT / page).read_text(encoding="utf-8"), re.M | re.S)
    assert len(blocks) > 5
    names: dict[str, object] = {}
    for block in blocks:
        exec(compile(block, page, "exec"), names)
    assert "features have shape (2000, 100)" in capsys.readouterr().out


@pytest.mark.parametrize("script", sorted(path.name for path in (ROOT / "examples").glob("*.py")))
def test_an_example_runs(script: str, capsys: pytest.CaptureFixture[str]):
    runpy.run_path(str(ROOT / "examples" / script))
    assert "bytes per row" in capsys.readouterr().out
