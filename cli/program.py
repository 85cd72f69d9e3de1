"""The program `compress`: the group of commands."""

from __future__ import annotations

from typing import Any

import rich_click as click

from cli.clean import clean
from cli.clusters import clusters
from cli.collection import collection
from cli.completion import completion
from cli.data import data
from cli.demo import demo
from cli.doctor import doctor
from cli.du import du
from cli.duplicates import duplicates
from cli.encode import encode
from cli.evaluate import evaluate
from cli.export import export
from cli.extract import extract
from cli.index import index
from cli.init import init
from cli.options import Commands
from cli.pack import pack
from cli.predict import predict
from cli.report import report
from cli.search import search
from cli.select import select
from cli.serve import serve
from cli.session import Session
from cli.shrink import shrink
from cli.tradeoff import tradeoff
from cli.train import train

HELP_SETTINGS: dict[str, Any] = {
    "help_option_names": ["-h", "--help"],
    "show_default": True,
    "max_content_width": 110,
}


@click.group(cls=Commands, context_settings=HELP_SETTINGS, invoke_without_command=True)
@click.version_option(package_name="compress-video-embeddings", prog_name="compress")
@click.pass_context
def compress(context: click.Context) -> None:
    """Make video embeddings small, and prove that nothing was lost.

    To see everything once: `compress demo`. For your own videos: `compress init`, then `train`, `encode`,
    `index`, `search` and `evaluate`, each with --dim, then `report`.

    Options override environment variables (COMPRESS_SEED), which override compress.toml.
    """
    context.obj = Session()
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


MAKING = (demo, extract, init, data, train, shrink, encode, index, search, duplicates, clusters)
ASKING = (collection, serve, predict, export, pack, evaluate, tradeoff, select, report)
for command in (*MAKING, *ASKING, du, clean, doctor, completion):
    compress.add_command(command)
