"""Which rows the demo makes, and how long it says that they take."""

from __future__ import annotations

from compress.demo import plan
from compress.demo.plan import Row, Size


def test_the_plan_has_every_row_of_the_paper_and_every_control():
    names = [row.store for row in plan.rows(Size(4000, 5000, 100, frames=True))]

    assert names[0] == "original"
    assert {"residual_cnn-320", "residual_cnn-512", "lstm-640", "linear-320", "original-int8"} < set(names)
    assert {f"{kind}-{dim}" for kind in ("pca", "random") for dim in (320, 512, 640)} < set(names)


def test_few_videos_get_more_epochs_and_many_take_longer():
    few, many = Size(4_000, 5_000, 100, frames=True), Size(23_000, 29_000, 3862, frames=True)

    assert (few.epochs, few.head_epochs, many.epochs, many.head_epochs) == (12, 15, 6, 6)
    assert few.core_seconds < 300 < many.core_seconds
    assert Row("identity", None, codec="int8").store == "original-int8"
