"""`compress tradeoff` as a person types it: a plan, a report, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click import BadParameter

from cli.types import Listed
from compress.jobs.init import create_workspace
from tests.cli.conftest import Ended
from tests.encoding.examples import CLASSES, shards, videos


@pytest.fixture
def small(here: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace with 60 training and 40 validation videos in the current folder."""
    monkeypatch.setattr("compress.pipeline.tradeoff.TIMING_SECONDS", 0.01)
    monkeypatch.setattr("compress.metrics.resampling.RESAMPLES", 20)
    shards(here, "train", videos(60))
    shards(here, "validate", videos(40, 100))
    create_workspace(here, train=["train*"], validate=["validate*"], num_classes=CLASSES)
    return here


def test_the_plan_comes_before_the_work_and_the_report_after_it(
    small: Path, compress: Callable[..., Ended]
) -> None:
    words = ("tradeoff", "--point", "pca-4-int8", "--heads", "ridge", "--no-retrieval", "--threads", 1)
    plan = compress(*words, "--dry-run")
    assert plan.code == 0
    assert "0 of 2 points measured, 2 to do, about" in plan.out
    assert not (small / "embeddings").exists()
    done = compress(*words, "--json")
    assert done.code == 0
    assert [point["state"] for point in done.json["plan"]] == ["to compute", "to compute"]
    assert all(Path(done.json[name]).is_file() for name in ("markdown", "json", "html", "svg"))
    again = compress(*words, "--measured", "--output", "elsewhere")
    assert again.code == 0
    assert "pca-4-int8" in again.out
    assert (small / "elsewhere" / "tradeoff.svg").is_file()


def test_a_point_that_fails_gives_the_call_its_exit_code(small: Path, compress: Callable[..., Ended]) -> None:
    words = ("--point", "original-pq3", "--point", "original-int8", "--heads", "ridge", "--no-retrieval")
    done = compress("tradeoff", *words, "--threads", 1, "--quiet")
    assert done.code not in (0, 70)
    assert "Note: original-pq3 failed" in done.out
    assert (small / "reports" / "tradeoff.md").is_file()


@pytest.mark.parametrize(("text", "found"), [("64,32", (64, 32)), (" 8 , 8,", (8,))], ids=["two", "twice"])
def test_numbers_are_read_as_typed(text: str, found: tuple[int, ...]) -> None:
    assert Listed(int).convert(text, None, None) == found


@pytest.mark.parametrize("text", ["", ",", "0", "a", "-1", "1.5", "²", "none"])
def test_what_is_no_list_of_sizes_is_refused(text: str) -> None:
    with pytest.raises(BadParameter):
        Listed(int).convert(text, None, None)


def test_names_are_read_as_typed() -> None:
    names = Listed(str, nothing="none")
    assert names.convert("pca, original,pca", None, None) == ("pca", "original")
    assert names.convert("none", None, None) == ()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--dry-run", "--measured"), "do not go together"),
        (("--dims", "a"), "--dims"),
        (("--codecs", "int3"), "unknown codec"),
        (("--controls", "lda"), "no control"),
        (("--run", "gone"), "no finished run 'gone'"),
        (("--bytes", "5000"), "no point to measure"),
    ],
)
def test_what_makes_no_sense_is_one_line(
    small: Path, compress: Callable[..., Ended], words: tuple[str, ...], said: str
) -> None:
    ended = compress("tradeoff", *words)
    assert ended.code in (2, 66)
    assert said in ended.err
