"""A verdict is right or withheld: convergence, older rows, baselines that changed, judges that disagree."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cli.evaluate import evaluate
from compress.evaluation.verdicts import (
    MANY_VIDEOS,
    UNSEEN,
    Verdict,
    commands_for_verdicts,
    dissent,
    verdict,
    videos_only,
)
from compress.reports import Provenance, load_rows, table4, table4_page, to_markdown
from compress.reports.table_4.findings import cautions, headline, measured_on
from compress.reports.table_4.table import Table4
from tests.reports.conftest import estimate, judge_of

Change = Callable[[dict[str, Any]], Any]
NAMES = ("original", "residual_cnn-320")


def table_of(evaluation: Callable[..., Path], change: Change, *names: str) -> Table4:
    return table4(load_rows(evaluation(*(names or NAMES), change=change)))


def said(table: Table4, name: str = "residual_cnn-320") -> Verdict:
    line = next(line for line, row in table.measured if row.row == name)
    assert (line.verdict("gap") is line.verdict("map")) or not line.doubt
    return line.verdict("gap")


def unconverged(*names: str) -> Change:
    def change(row: dict[str, Any]) -> None:
        judge_of(row, "moe")["converged"] = row["row"] not in names

    return change


def older(row: dict[str, Any]) -> None:
    del row["judges"]


@pytest.mark.parametrize("name", NAMES)
def test_where_a_best_judge_has_not_converged_there_is_no_verdict(
    evaluation: Callable[..., Path], name: str
) -> None:
    table = table_of(evaluation, unconverged(name))
    assert said(table) is Verdict.NOT_CONVERGED
    assert headline(table) == (
        "No verdict on a 320-d embedding at 28 % of the bytes: the best judge of "
        f"{name}, mixture of experts, has not converged"
    )
    assert any(
        text.startswith("No verdict, because a judge has not converged: residual_cnn-320. To measure again: "
                        "`compress evaluate --name original --head-epochs 200 && "
                        "compress evaluate --name residual_cnn-320 --head-epochs 200`.")
        for text in cautions(table)
    )  # fmt: skip
    assert "not converged: no verdict" in to_markdown(table4_page(table, Provenance("", "", {})))


@pytest.mark.parametrize(
    ("delta", "wanted"), [(-0.02, Verdict.CHOSEN_ON_SEEN), (0.02, Verdict.HOLDS)], ids=["loses", "gains"]
)
def test_a_loss_of_an_encoder_that_has_seen_what_judges_choose_on_is_no_verdict(
    evaluation: Callable[..., Path], delta: float, wanted: Verdict
) -> None:
    def change(row: dict[str, Any]) -> None:
        if row["row"] == "residual_cnn-320":
            judge_of(row, "moe")["aside_gap"] += 0.2
            for metric in ("gap", "map"):
                baseline = row["figures"][metric]["value"] - row["delta"][metric]["value"]
                row["figures"][metric] = estimate(baseline + delta, 0.001)
                row["delta"][metric] = estimate(delta, 0.001)

    table = table_of(evaluation, change)
    assert said(table) is wanted
    told = [text for text in cautions(table) if "judges chose on videos that the encoder has seen" in text]
    assert len(told) == (wanted is Verdict.CHOSEN_ON_SEEN)
    assert all(UNSEEN in text for text in told)


def test_a_judge_that_is_not_the_best_may_still_learn(evaluation: Callable[..., Path]) -> None:
    table = table_of(evaluation, lambda row: judge_of(row, "ridge").update(converged=False))
    assert said(table) is Verdict.HOLDS
    assert dissent(*[row for _, row in table.measured], "gap") == []


@pytest.mark.parametrize(
    ("videos", "wanted"), [(MANY_VIDEOS, Verdict.HOLDS), (MANY_VIDEOS - 1, Verdict.MEASURE_AGAIN)]
)
def test_an_older_row_of_few_videos_has_no_verdict_and_says_why(
    evaluation: Callable[..., Path], videos: int, wanted: Verdict
) -> None:
    def change(row: dict[str, Any]) -> None:
        older(row)
        row["data"]["train_videos"] = videos

    table = table_of(evaluation, change)
    assert said(table) is wanted
    assert "fixed number of epochs" in measured_on(table)
    assert any(
        "Older measurements, whose head was trained for a fixed number of epochs" in text
        and "`compress evaluate --name original && compress evaluate --name residual_cnn-320`" in text
        for text in cautions(table)
    )


def test_a_baseline_that_was_measured_again_since_withholds_the_verdict(
    evaluation: Callable[..., Path],
) -> None:
    def change(row: dict[str, Any]) -> None:
        if row["row"] == "original":
            row["figures"]["gap"] = estimate(0.68, 0.006)

    table = table_of(evaluation, change)
    assert said(table) is Verdict.MEASURE_AGAIN
    assert "original was measured again after residual_cnn-320" in headline(table)


def test_without_the_row_of_the_baseline_nothing_is_compared(evaluation: Callable[..., Path]) -> None:
    assert said(table4(load_rows(evaluation("residual_cnn-320")))) is Verdict.NOT_COMPARED


def test_the_headline_names_the_judges_that_disagree(evaluation: Callable[..., Path]) -> None:
    def change(row: dict[str, Any]) -> None:
        if row["row"] != "original":
            judge_of(row, "ridge")["delta"] = {"baseline": "original"} | {
                metric: estimate(-0.05, 0.01) for metric in ("gap", "map", "perr", "hit_at_one")
            }

    table = table_of(evaluation, change)
    assert said(table) is Verdict.HOLDS
    assert headline(table).endswith(
        "but 93.0 % of MAP; other judges disagree: ridge regression −5.00 points of GAP"
    )
    facts = {fact.label: fact for fact in table4_page(table, Provenance("", "", {})).summary}
    assert facts["Judges"].value == "1 of 2 agree"
    assert "ridge regression −5.00" in facts["Judges"].detail


def test_a_judge_that_holds_where_the_row_falls_short_is_named_too(evaluation: Callable[..., Path]) -> None:
    def change(row: dict[str, Any]) -> None:
        if row["row"] != "original":
            judge_of(row, "ridge")["delta"]["gap"] = estimate(0.02, 0.01)

    table = table_of(evaluation, change, "original", "lstm-640")
    assert said(table, "lstm-640") is Verdict.FALLS_SHORT
    assert "other judges disagree: ridge regression +2.00 points of GAP" in headline(table)


@pytest.mark.parametrize(("seeds", "only"), [(3, False), (1, True)])
def test_with_one_seed_the_interval_says_videos_only(
    evaluation: Callable[..., Path], seeds: int, only: bool
) -> None:
    table = table_of(evaluation, lambda row: judge_of(row, "moe").update(seeds=seeds))
    text = to_markdown(table4_page(table, Provenance("", "", {})))
    assert ("videos only, holds" in text) is only
    assert videos_only(*(row for _, row in table.measured)) is only


def test_a_judge_in_closed_form_has_no_seed_to_leave_out(evaluation: Callable[..., Path]) -> None:
    table = table_of(evaluation, lambda row: row.update(head="fresh ridge"))
    assert not videos_only(*(row for _, row in table.measured))


def test_a_row_against_no_baseline_and_the_baseline_itself_are_not_judged(
    evaluation: Callable[..., Path],
) -> None:
    baseline, row = load_rows(evaluation(*NAMES))
    assert verdict(baseline, baseline, "gap") is Verdict.BASELINE
    assert verdict(row, None, "gap") is Verdict.NOT_COMPARED


def options_of(command: str) -> dict[str, Any]:
    """What the program understands of a command."""
    words = shlex.split(command)
    assert words[:2] == ["compress", "evaluate"]
    with evaluate.make_context("evaluate", words[2:]) as context:
        return dict(context.params)


@pytest.mark.parametrize(
    ("command", "limit"),
    [
        ("compress evaluate --name original --heads moe,ridge --seed 4", 200),
        ("compress encode --name x && compress evaluate --name original --head-epochs 7", 14),
        ("compress tradeoff --run x", 200),
        ("compress evaluate --name 'a b", 200),
    ],
)
def test_the_command_that_goes_on_is_understood_and_doubles_the_limit(
    evaluation: Callable[..., Path], command: str, limit: int
) -> None:
    def change(row: dict[str, Any]) -> None:
        unconverged("original")(row)
        row["command"] = command if row["row"] == "original" else f"compress evaluate --name {row['row']}"

    baseline, row = load_rows(evaluation(*NAMES, change=change))
    first, second = map(options_of, commands_for_verdicts([row], baseline).split(" && "))
    assert (first["name"], second["name"]) == NAMES
    assert first["head_epochs"] == second["head_epochs"] == max(limit, 200)
    if "--heads" in command:
        assert first["heads"] == ("moe", "ridge")


def test_on_other_data_the_card_leads_with_a_row_that_loses_nothing(evaluation: Callable[..., Path]) -> None:
    def other(row: dict[str, Any]) -> None:
        row.update(dim=min(row["dim"], 700), table4_row=None)
        row["data"]["num_classes"] = 12

    table = table_of(evaluation, other, "original", "residual_cnn-320", "lstm-640", "residual_cnn-512")
    assert table.subject is not None
    assert table.subject[1].row == "residual_cnn-320"
    losing = table_of(evaluation, other, "original", "lstm-640")
    assert losing.subject is not None
    text = to_markdown(table4_page(table, Provenance("", "", {})))
    assert "the paper's" not in text
    assert "of the paper" not in text
