"""`compress tradeoff`: what each byte of a video buys."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click

from cli.judge_options import head_epochs_option, head_mixup_option, heads_option
from cli.options import CodecOption, compute_options, on_corrupt_option, preset_option
from cli.plan import plan_text
from cli.session import Session
from cli.text import aligned, printed
from cli.types import Listed, whole
from compress.limits import Limit
from compress.progress import Note

if TYPE_CHECKING:
    from compress.pipeline.engine import Failure
    from compress.pipeline.tradeoff import ReportedTradeoff

POINTS = "Points"
COLUMNS = ("store", "dim", "codec", "bytes_per_video", "seed", "state", "seconds")


@click.command()
@click.option(
    "--run",
    "runs",
    multiple=True,
    metavar="NAME",
    show_default="every trained one, unless --point is given",
    panel=POINTS,
    help="A trained encoder, or ENCODER-DIM to train one; may be repeated.",
)
@click.option(
    "--dims",
    type=Listed(int),
    metavar="N,...",
    default=(),
    show_default="all that each was trained for",
    panel=POINTS,
    help="Embedding sizes to store of each --run; a run that is trained now is trained for these.",
)
@click.option(
    "--codecs",
    type=Listed(str),
    metavar="CODEC,...",
    default="int8,int4,binary",
    cls=CodecOption,
    panel=POINTS,
    help="Codecs to store each --run with:",
)
@click.option(
    "--controls",
    type=Listed(str, nothing="none"),
    metavar="NAME,...",
    default="original,pca,random,pq,opq",
    panel=POINTS,
    help="What needs no training, to compare with at the same bytes and codecs: the original features, PCA, "
    "random projections, product quantisation (pq, opq); none for nothing.",
)
@click.option(
    "--bytes",
    "sizes",
    type=Listed(int),
    metavar="N,...",
    default=(),
    show_default="all",
    panel=POINTS,
    help="Only points of these bytes per video, and the original.",
)
@click.option(
    "--point",
    "points",
    multiple=True,
    metavar="STORE",
    panel=POINTS,
    help="A further point, by the name of its store: RUN[-dN][-CODEC]; may be repeated.",
)
@click.option("--baseline", metavar="NAME", default="original", help="The store that changes refer to.")
@click.option(
    "--seeds",
    type=whole(Limit(at_least=1, at_most=100)),
    default=1,
    help="Heads per point, each of another seed; on the runs NAME-seed1, NAME-seed2, ... where they exist.",
)
@heads_option
@head_epochs_option
@head_mixup_option
@click.option("--retrieval/--no-retrieval", default=True, help="Also measure the nearest neighbours.")
@click.option("--dry-run", is_flag=True, help="Only list what is missing, and how long it would take.")
@click.option("--measured", is_flag=True, help="Make nothing; report what is measured.")
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    show_default="reports/ of the workspace",
    metavar="FOLDER",
    help="Where tradeoff.md, .json, .html and .svg go.",
)
@preset_option
@on_corrupt_option
@compute_options("seed", "threads", "device")
@click.pass_obj
@click.pass_context
def tradeoff(
    context: click.Context,
    session: Session,
    /,
    dry_run: bool,
    measured: bool,
    output: Path | None,
    **options: Any,
) -> None:
    """Quality against bytes per video: encoders x sizes x codecs, beside what needs no training.

    Quality is GAP (global average precision), MAP (mean average precision) and the nearest neighbours.
    Missing points are trained, encoded and judged by fresh heads; run it again to continue after a stop.
    """
    from compress.pipeline.engine import make_missing
    from compress.pipeline.tradeoff import plan_tradeoff, report_tradeoff

    if dry_run and measured:
        raise click.UsageError("--dry-run and --measured do not go together.")
    failures: list[Failure] = []
    with session.working() as report:
        plan = plan_tradeoff(session.workspace, **options, timed=not measured, report=report)
        text = plan_text(plan.points, COLUMNS, "points")
        if not dry_run:
            if not measured:
                report(Note(text))
                failures = make_missing(plan.points, report)
            done = report_tradeoff(
                session.workspace, plan, failures, made=not measured, output=output, report=report
            )
    plan_facts = [one.facts for one in plan.points]
    if dry_run:
        session.show({"plan": plan_facts}, lambda: text)
        return
    failed = [failure.facts for failure in failures]
    session.show({**_files(done), "plan": plan_facts, "failed": failed}, lambda: _text(done), kept=True)
    if failures:
        context.exit(failures[0].exit_code)


def _text(done: ReportedTradeoff) -> str:
    from compress.reports.tradeoff.page import print_tradeoff

    shown = printed(lambda console: print_tradeoff(done.table, console))
    return "\n\n".join([shown, aligned(_files(done))])


def _files(done: ReportedTradeoff) -> dict[str, Any]:
    return {"markdown": done.markdown, "json": done.json, "html": done.html, "svg": done.svg}
