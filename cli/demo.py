"""`compress demo`: everything once, in minutes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import rich_click as click

from cli.options import description_options, machine_options
from cli.progress import duration
from cli.report import report_text
from cli.search import answer_text
from cli.session import Session
from cli.types import whole
from compress.limits import LIMITS


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path), default="demo-workspace")
@click.option(
    "--train",
    multiple=True,
    metavar="PATTERN",
    help="Real video-level shards to train on, instead of sample data.",
)
@click.option("--validate", multiple=True, metavar="PATTERN", help="Real shards to measure on.")
@click.option(
    "--vocabulary",
    type=click.Path(dir_okay=False, exists=True, path_type=Path),
    metavar="FILE",
    help="Names of the classes of the real shards (CSV).",
)
@click.option(
    "--num-classes", type=whole(LIMITS["num_classes"]), help="Classes, where the real shards do not tell."
)
@description_options()
@machine_options("seed", "threads", "device")
@click.pass_obj
def demo(session: Session, /, folder: Path, threads: int, device: str, **data: Any) -> None:
    """Sample data, train, encode, index, search and Table 4: minutes on a laptop.

    FOLDER becomes a workspace that every other command can continue with. Run it again after Ctrl-C.
    """
    from compress.pipeline.demo import run_demo
    from compress.pipeline.demo_folder import DemoFolder

    place = DemoFolder(folder, **data, description=session.description)
    with session.working() as report:
        done = run_demo(place, threads=threads, device=device, report=report)
    facts = {
        "folder": done.folder,
        "similar": done.similar,
        "markdown": done.report.markdown,
        "json": done.report.json,
        "html": done.report.html,
        "seconds": done.seconds,
    }
    kind = "invented " if place.on_sample else ""
    session.show(
        facts,
        lambda: "\n\n".join(
            [
                f"Five similar {kind}videos, found by embeddings of size 320",
                answer_text(done.similar),
                report_text(done.report),
                f"took {duration(done.seconds)}; go on in {done.folder}: compress search --dim 320 --row 7",
            ]
        ),
        kept=True,
    )
