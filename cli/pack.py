"""`compress pack`: one file that others load."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import rich_click as click

from cli.options import workspace_options
from cli.session import Session
from cli.text import aligned, size

_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command()
@click.argument("run", metavar="RUN")
@click.argument("output", metavar="OUTPUT.safetensors", type=_FILE)
@click.option("--onnx", type=_FILE, metavar="FILE.onnx", help="Write the encoder as ONNX too.")
@click.option(
    "--data-license",
    metavar="NAME",
    show_default="unknown",
    help="Licence of the training data, for the model card; YouTube-8M: cc-by-4.0.",
)
@click.option("--replace", is_flag=True, help="Write over files that are there.")
@workspace_options
@click.pass_obj
def pack(session: Session, /, **options: Any) -> None:
    """Write the encoder of RUN to one file, with a model card beside it.

    The file has no classifier, so it is a fraction of the run, and gives the same embeddings:
    compress.load("OUTPUT.safetensors").encode(X).
    """
    from compress.jobs.pack import pack_run

    with session.working() as report:
        done = pack_run(session.workspace, **options, report=report)
    checked = "" if done.difference is None else f" (differs from torch by {done.difference:.0e} at most)"
    session.show(
        done,
        lambda: aligned(
            {
                "run": done.run,
                "encoder": f"{done.output}, {size(done.bytes)}",
                "model card": done.card,
                "ONNX": None if done.onnx is None else f"{done.onnx}{checked}",
            }
        ),
        kept=True,
    )
