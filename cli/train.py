"""`compress train`: fit an encoder."""

from __future__ import annotations

import json
import shutil
import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import rich_click as click

from cli.options import (
    Sizes,
    compute_options,
    dim_option,
    name_option,
    on_corrupt_option,
    preset_option,
    train_shards_option,
    validate_shards_option,
)
from cli.progress import duration
from cli.session import Session
from cli.text import facts

if TYPE_CHECKING:
    from compress.jobs.settings import RecipeSetting

INDENT = "      "
COUNTS = {"num_videos": "validation videos", "num_classes_with_labels": "classes with labels"}


@click.command()
@dim_option
@click.option(
    "--encoder",
    metavar="NAME",
    help="Any registered encoder, or pca, random_projection, identity. "
    "[default: the one of Table 4: residual_cnn for 320 and 512, lstm for 640]",
)
@preset_option
@click.option(
    "--epochs", type=click.IntRange(min=1), show_default="the preset's", help="Passes over the data, at most."
)
@click.option("--batch-size", type=click.IntRange(min=1), show_default="the preset's", help="Videos a step.")
@click.option(
    "--learning-rate",
    type=click.FloatRange(min=0, min_open=True),
    show_default="the preset's",
    help="The highest of the schedule.",
)
@click.option(
    "--nested",
    type=Sizes(),
    help="Train the first so many numbers of an embedding as an embedding too (Matryoshka), for example "
    "32,64,128: `compress encode --dim 64` then stores 64 of them.",
)
@click.option(
    "--quantize",
    type=click.Choice(("none", "int8", "int4", "binary")),
    show_default="the preset's",
    help="Train for embeddings that are stored with this codec.",
)
@click.option(
    "--teacher",
    "teachers",
    multiple=True,
    metavar="RUN",
    help="Learn from this finished run too (distillation); several teach by the mean of their probabilities.",
)
@click.option(
    "--distill-weight",
    type=click.FloatRange(min=0, max=1, min_open=True),
    show_default="the preset's",
    help="What the teachers weigh; the rest is the labels'.",
)
@click.option(
    "--temperature",
    type=click.FloatRange(min=0, min_open=True),
    show_default="the preset's",
    help="Divides log-odds where teachers and model are compared.",
)
@click.option(
    "--unlabelled",
    multiple=True,
    metavar="PATTERN",
    help="Shards whose videos learn from the teachers alone, labelled or not; "
    "--set unlabelled_ratio=2 takes two of them for each video with labels.",
)
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="KEY=VALUE",
    help="Any other setting of the recipe or the encoder; may be repeated.",
)
@click.option(
    "--help-settings",
    is_flag=True,
    help="List the keys of --set with meaning, type and default, for this --encoder and --preset.",
)
@name_option
@train_shards_option
@validate_shards_option
@click.option(
    "--num-classes", type=click.IntRange(min=1), help="Classes, where neither shards nor workspace tell."
)
@click.option(
    "--fresh",
    is_flag=True,
    help="Throw away a run of this name, unfinished or finished, and start over.",
)
@click.option(
    "--compile/--no-compile",
    default=False,
    show_default=True,
    help="Compile the training step (torch.compile; on a GPU with CUDA graphs) of an encoder that reads "
    "video-level features: a minute at the start, faster steps after it. The last bits of the result change, "
    "so a run that is stopped and continued is the same to the bit only with the same choice; config.json "
    "keeps it. Not yet measured on a GPU.",
)
@on_corrupt_option
@compute_options("seed", "threads", "device")
@click.pass_obj
def train(session: Session, /, help_settings: bool, **options: Any) -> None:
    """Train an encoder that makes --dim numbers of each video, and keep the best by validation GAP.

    Run it again to go on after Ctrl-C or a crash: the result is the same as without the stop.
    """
    from compress.jobs.settings import list_settings
    from compress.jobs.train import train_run

    if help_settings:
        wanted = {name: options[name] for name in ("encoder", "dim", "preset")}
        listed = list_settings(**wanted)
        session.show({"settings": listed}, lambda: settings_text(listed))
        return

    with session.working() as report:
        done = train_run(session.workspace, **options, report=report)
    session.show(
        done,
        lambda: facts(
            {
                "run": done.run,
                "best epoch": done.best_epoch,
                **_figures(done.figures),
                "took": duration(done.seconds),
                "next": f"compress encode --name {done.name}",
            }
        ),
    )


def settings_text(listed: Mapping[str, Sequence[RecipeSetting]]) -> str:
    """The keys of --set, by group; one paragraph each, as wide as the terminal."""
    width = min(shutil.get_terminal_size().columns, 100) - len(INDENT)
    parts = ["Settings of `compress train --set KEY=VALUE`, with the values they have unless set"]
    for group, settings in listed.items():
        parts.append(f"{group}:")
        for one in settings:
            notes = [one.type, *([f"only with {one.only_with}"] if one.only_with else [])]
            notes += [f"has the option {one.option}"] if one.option else []
            head = f"  {one.key}={json.dumps(one.value)}  ({'; '.join(notes)})"
            parts += [
                head,
                textwrap.indent(textwrap.fill(one.meaning, width), INDENT),
            ]
    return "\n".join(parts)


def _figures(figures: Mapping[str, float]) -> dict[str, str | int]:
    """Shares with four decimals; how many they are of as whole numbers."""
    counts = {name: int(figures[name]) for name in COUNTS if name in figures}
    shares = {name: f"{value:.4f}" for name, value in figures.items() if name not in counts}
    return {**shares, **{COUNTS[name]: value for name, value in counts.items()}}
