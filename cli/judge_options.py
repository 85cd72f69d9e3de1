"""Options about the judges of a store: which are asked, and how long they may train."""

from __future__ import annotations

from collections.abc import Callable

import rich_click as click

from cli.options import Command
from cli.types import real, whole
from compress.limits import COUNT, Limit


def _heads(default: str, words: str) -> Callable[[Command], Command]:
    """--heads, with names separated by commas or repeated."""
    return click.option(
        "--heads",
        multiple=True,
        metavar="NAME,...",
        show_default=default,
        callback=lambda _context, _option, given: tuple(
            name for one in given for name in one.replace(" ", "").split(",") if name
        ),
        help=words,
    )


heads_option = _heads(
    "all",
    "Judges to ask: moe, logistic, mlp, ridge, knn; may be repeated, or separated by commas. "
    "`--heads moe` is the quick look.",
)
promised_heads_option = _heads(
    "the best judge of each store",
    "Judges under each of which GAP and MAP must keep the promise: moe, logistic, mlp, ridge, knn.",
)
head_epochs_option = click.option(
    "--head-epochs",
    type=whole(COUNT),
    show_default="the recipe's",
    help="The most passes of a judge over the data; one that has not converged by then gives no verdict.",
)
head_mixup_option = click.option(
    "--head-mixup",
    type=real(Limit(at_least=0)),
    metavar="ALPHA",
    show_default="searched: 0.4 or none",
    help="Train judges on blends of two videos and their labels, weighted by Beta(ALPHA, ALPHA); 0: never.",
)
