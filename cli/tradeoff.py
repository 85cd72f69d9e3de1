"""`compress tradeoff`: what each byte of a video buys."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click

from cli.options import CodecOption, compute_options, head_mixup_option, on_corrupt_option, preset_option
from cli.session import Session
from cli.text import facts, printed
from cli.tradeoff_plan import plan_facts, plan_text
from compress.progress import Note

if TYPE_CHECKING:
    from compress.datasets.policy import OnCorrupt
    from compress.jobs.tradeoff.plan import PlannedPoint
    from compress.jobs.tradeoff.report import ReportedTradeoff
    from compress.jobs.tradeoff.request import TradeoffRequest
    from compress.jobs.tradeoff.run import FailedPoint


@click.command()
@click.option(
    "--run",
    "runs",
    multiple=True,
    metavar="NAME",
    show_default="every trained one, unless --point is given",
    help="A trained encoder, or ENCODER-DIM to train one; may be given several times.",
)
@click.option(
    "--dims",
    metavar="N,...",
    show_default="all that each was trained for",
    help="Numbers a video to store of each --run; what is trained now is trained for these.",
)
@click.option(
    "--codecs",
    metavar="CODEC,...",
    default="int8,int4,binary",
    cls=CodecOption,
    help="Codecs to store each --run with:",
)
@click.option(
    "--controls",
    metavar="NAME,...",
    default="original,pca,random,pq,opq",
    help="What to compare with, at the same bytes and codecs; none for nothing.",
)
@click.option(
    "--bytes", "sizes", metavar="N,...", help="Only points of these bytes a video, and the original."
)
@click.option(
    "--point",
    "points",
    multiple=True,
    metavar="STORE",
    help="A further point, as its store is called: RUN[-dN][-CODEC].",
)
@click.option("--baseline", metavar="NAME", default="original", help="The store deltas are measured against.")
@click.option(
    "--seeds",
    type=click.IntRange(min=1, max=100),
    default=1,
    help="Heads of so many seeds for each point; of the runs NAME-seed1, NAME-seed2, ... where they exist.",
)
@click.option(
    "--head-epochs",
    type=click.IntRange(min=1),
    show_default="the recipe's",
    help="Passes over the data of the fresh heads.",
)
@head_mixup_option
@click.option("--retrieval/--no-retrieval", default=True, help="Also measure the nearest neighbours.")
@click.option("--dry-run", is_flag=True, help="Only say what is missing, and how long it would take.")
@click.option("--measured", is_flag=True, help="Make nothing: only report what is measured.")
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    show_default="reports/ of the workspace",
    metavar="FOLDER",
    help="Where tradeoff.md, .json, .html and .svg go.",
)
@preset_option
@on_corrupt_option
@compute_options()
@click.pass_obj
@click.pass_context
def tradeoff(
    context: click.Context,
    session: Session,
    runs: tuple[str, ...],
    dims: str | None,
    codecs: str,
    controls: str,
    sizes: str | None,
    points: tuple[str, ...],
    baseline: str,
    seeds: int,
    head_epochs: int | None,
    head_mixup: float | None,
    retrieval: bool,
    dry_run: bool,
    measured: bool,
    output: Path | None,
    preset: str,
    on_corrupt: OnCorrupt,
) -> None:
    """GAP, MAP and neighbours against bytes: encoders x prefixes x codecs, beside what needs no training.

    Trains and encodes what is missing and judges every point by a fresh head; run it again to go on after a
    stop.
    """
    from compress.jobs.tradeoff.parsing import codec_names, control_names, whole_numbers
    from compress.jobs.tradeoff.request import TradeoffRequest

    if dry_run and measured:
        raise click.UsageError("--dry-run and --measured do not go together.")
    request = TradeoffRequest(
        runs=runs,
        dims=whole_numbers(dims, "--dims"),
        preset=preset,
        codecs=codec_names(codecs),
        controls=control_names(controls),
        bytes=whole_numbers(sizes, "--bytes"),
        points=points,
        baseline=baseline,
        seeds=seeds,
        head_epochs=head_epochs,
        head_mixup=head_mixup or 0.0,
        retrieval=retrieval,
        on_corrupt=on_corrupt,
        seed=session.settings.seed,
        threads=session.settings.threads,
        device=session.settings.device,
    )
    planned, failed, done = _run(session, request, output, dry_run=dry_run, measured=measured)
    if done is None:
        session.show({"plan": plan_facts(planned)}, lambda: plan_text(planned))
        return
    session.show({**_files(done), "plan": plan_facts(planned), "failed": failed}, lambda: _text(done))
    if failed:
        context.exit(failed[0].exit_code)


def _run(
    session: Session, request: TradeoffRequest, output: Path | None, *, dry_run: bool, measured: bool
) -> tuple[list[PlannedPoint], list[FailedPoint], ReportedTradeoff | None]:
    from compress.jobs.tradeoff.plan import plan_tradeoff
    from compress.jobs.tradeoff.report import report_tradeoff
    from compress.jobs.tradeoff.run import run_tradeoff

    with session.working() as progress:
        planned = plan_tradeoff(session.workspace, request, progress, timed=not measured)
        if dry_run:
            return planned, [], None
        failed: list[FailedPoint] = []
        if not measured:
            progress(Note(plan_text(planned)))
            failed = run_tradeoff(session.workspace, request, planned, progress)
        done = report_tradeoff(
            session.workspace, request, planned, failed, output, progress, made=not measured
        )
    return planned, failed, done


def _text(done: ReportedTradeoff) -> str:
    from compress.reports.tradeoff.terminal import print_tradeoff

    shown = printed(lambda console: print_tradeoff(done.table, console))
    return "\n\n".join([shown, facts(_files(done))])


def _files(done: ReportedTradeoff) -> dict[str, Any]:
    return {"markdown": done.markdown, "json": done.json, "html": done.html, "svg": done.svg}
