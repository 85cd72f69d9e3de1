"""`compress serve`: a collection over HTTP, with a page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click

from cli.options import compute_options
from cli.session import Session
from cli.text import aligned
from cli.types import whole
from compress.limits import Limit

if TYPE_CHECKING:
    from compress.jobs.serve import Serving

_ACCESS, _PAGE = "Who may ask", "The page"


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--host", metavar="ADDRESS", default="127.0.0.1", help="The address to listen on.")
@click.option(
    "--port", type=whole(Limit(at_least=0, at_most=65535)), default=8000, help="0 takes any that is free."
)
@click.option(
    "--allow-remote", is_flag=True, panel=_ACCESS, help="Listen where other machines may ask; needs a token."
)
@click.option(
    "--allow-host",
    "allow_hosts",
    multiple=True,
    metavar="NAME",
    panel=_ACCESS,
    help="A name that this machine goes by in URLs; may be repeated.",
)
@click.option(
    "--token-file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    panel=_ACCESS,
    show_default="the variable COMPRESS_TOKEN, if it is set",
    help="Holds the token that additions and deletions need, and with --allow-remote every request.",
)
@click.option(
    "--beside",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="FOLDER",
    panel=_PAGE,
    help="Another collection of the same videos, such as the original features: both answers side by side.",
)
@click.option(
    "--link",
    metavar="URL",
    panel=_PAGE,
    help="Where a video is seen: a URL with {id}, or {NAME} of a column of the metadata.",
)
@click.option("--thumbnail", metavar="URL", panel=_PAGE, help="Its picture, in the same way.")
@compute_options()
@click.pass_obj
def serve(session: Session, /, **options: Any) -> None:
    """Serve the collection in FOLDER over HTTP, with a page to search it, until Ctrl-C."""
    from compress.jobs.serve import serve_collection

    def started(serving: Serving) -> None:
        session.show(
            serving,
            lambda: aligned(
                {
                    "page": serving.url,
                    "API": f"{serving.url}openapi.json",
                    "videos": f"{serving.videos:,}",
                    "changes": "with the token" if serving.changes else "none: there is no token",
                }
            ),
        )

    with session.working() as report:
        serve_collection(session.workspace, **options, started=started, report=report)
