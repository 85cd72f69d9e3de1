"""`compress demo`: everything once, in minutes."""

from __future__ import annotations

from pathlib import Path

import rich_click as click

from cli.options import compute_options
from cli.session import Session


@click.command()
@click.option(
    "--train", multiple=True, metavar="PATTERN", help="Real shards to train on, instead of sample data."
)
@click.option("--validate", multiple=True, metavar="PATTERN", help="Real shards to measure on.")
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    default="demo-workspace",
    help="The workspace that it makes.",
)
@compute_options
@click.pass_obj
def demo(session: Session, train: tuple[str, ...], validate: tuple[str, ...], folder: Path) -> None:
    """Sample data, train, encode, index, search and Table 4: minutes on a laptop."""
    from compress.demo import run_demo

    with session.working() as report:
        done = run_demo(
            folder,
            train=train,
            validate=validate,
            seed=session.settings.seed,
            threads=session.settings.threads,
            device=session.settings.device,
            report=report,
        )
    session.show(done, lambda: done.text)
