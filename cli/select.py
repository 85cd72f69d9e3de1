"""`compress select`: the fewest bytes per video that keep a promise."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click

from cli.judge_options import promised_heads_option
from cli.options import workspace_options
from cli.session import Session
from cli.text import aligned, printed
from cli.types import real
from compress.limits import Limit

if TYPE_CHECKING:
    from compress.jobs.select import Selected

_POINTS = "may fall, in points (0.5 is 0.005). Negative: how far it must rise."


@click.command()
@click.option(
    "--max-gap-drop",
    type=real(Limit()),
    metavar="POINTS",
    help=f"How far GAP (global average precision) {_POINTS}",
)
@click.option(
    "--max-map-drop",
    type=real(Limit()),
    metavar="POINTS",
    help=f"How far MAP (mean average precision over classes) {_POINTS}",
)
@click.option(
    "--max-precision-drop",
    type=real(Limit()),
    metavar="POINTS",
    help=f"How far the label precision of the 10 nearest neighbours {_POINTS}",
)
@promised_heads_option
@click.option(
    "--confidence",
    type=real(Limit(at_least=0.5, below=1)),
    default=0.95,
    help="Confidence that the chosen store keeps the promise on other videos.",
)
@click.option(
    "--baseline", metavar="NAME", default="original", help="The store that the others are compared with."
)
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    show_default="reports/ of the workspace",
    metavar="FOLDER",
    help="Where select.md and select.json go.",
)
@workspace_options
@click.pass_obj
@click.pass_context
def select(context: click.Context, session: Session, /, **options: Any) -> None:
    """Find the smallest evaluated store that keeps its figures, and print how to make it.

    One half of the validation videos decides the order in which stores are tried, the other half confirms the
    choice, so the promise is not optimistic. Exit code 72 if no store can be confirmed.
    """
    from compress.errors import UnconfirmedError
    from compress.jobs.select import select_store
    from compress.reports.selection import selection_to_json

    with session.working() as report:
        done = select_store(session.workspace, **options, report=report)
    files = {"markdown": done.markdown, "json": done.json}
    session.show(selection_to_json(done.selection) | {"files": files}, lambda: _text(done), kept=True)
    if done.selection.chosen is None:
        context.exit(UnconfirmedError.exit_code)


def _text(done: Selected) -> str:
    from compress.reports.selection import print_selection

    shown = printed(lambda console: print_selection(done.selection, console))
    return "\n\n".join([shown, aligned({"encode": done.selection.encode_command, "report": done.markdown})])
