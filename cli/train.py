"""`compress train`: fit an encoder."""

from __future__ import annotations

import json
import shutil
import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import rich_click as click

from cli.options import (
    DATA,
    compute_options,
    description_options,
    on_corrupt_option,
    preset_option,
    train_shards_option,
    validate_shards_option,
)
from cli.progress import duration
from cli.session import Session
from cli.text import aligned
from cli.types import Listed, real, whole
from compress.limits import LIMITS

if TYPE_CHECKING:
    from compress.jobs.settings import RecipeSetting

RECIPE, DISTILLATION = "Recipe", "Learning from teachers (distillation)"
INDENT = "      "
COUNTS = {"num_videos": "validation videos", "num_classes_with_labels": "classes with labels"}


@click.command()
@click.option("--dim", type=whole(LIMITS["dim"]), help="Embedding size.")
@click.option("--name", metavar="NAME", show_default="ENCODER-DIM", help="Name of the run.")
@click.option(
    "--encoder",
    metavar="NAME",
    show_default="the one of Table 4: residual_cnn, or lstm for 640",
    help="A registered encoder, or a closed-form one: pca, random_projection, identity.",
)
@click.option(
    "--fresh", is_flag=True, help="Delete an earlier run of this name, finished or not, and start over."
)
@preset_option
@click.option(
    "--epochs",
    type=whole(LIMITS["epochs"]),
    show_default="the preset's",
    panel=RECIPE,
    help="Passes over the data, at most.",
)
@click.option(
    "--batch-size",
    type=whole(LIMITS["batch_size"]),
    show_default="the preset's",
    panel=RECIPE,
    help="Videos per step.",
)
@click.option(
    "--learning-rate",
    type=real(LIMITS["learning_rate"]),
    show_default="the preset's",
    panel=RECIPE,
    help="The highest of the schedule.",
)
@click.option(
    "--nested",
    type=Listed(int),
    metavar="DIM,...",
    panel=RECIPE,
    help="Also train these shorter prefixes of the embedding (Matryoshka), for example 32,64,128. "
    "`compress encode --dim 64` then stores the first 64 dimensions.",
)
@click.option(
    "--quantize",
    type=click.Choice(("none", "int8", "int4", "binary")),
    show_default="the preset's",
    panel=RECIPE,
    help="Train for embeddings that are stored with this codec.",
)
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="KEY=VALUE",
    panel=RECIPE,
    help="Any other setting of the recipe or the encoder; may be repeated. See --help-settings.",
)
@click.option(
    "--help-settings",
    is_flag=True,
    panel=RECIPE,
    help="List the keys of --set with meaning, type and default, for this --encoder and --preset.",
)
@click.option(
    "--compile/--no-compile",
    default=False,
    show_default=True,
    panel=RECIPE,
    help="Compile the training step of a video-level encoder (torch.compile; CUDA graphs on a GPU): a minute "
    "at the start, then faster steps. Results differ in the last bits, so a stopped run must be continued "
    "with the same choice; config.json records it. Not yet measured on a GPU.",
)
@click.option(
    "--teacher",
    "teachers",
    multiple=True,
    metavar="RUN",
    panel=DISTILLATION,
    help="Also learn from this finished run. May be repeated; several teach by their mean probabilities.",
)
@click.option(
    "--distill-weight",
    type=real(LIMITS["distill_weight"]),
    show_default="the preset's",
    panel=DISTILLATION,
    help="Weight of the teachers in the loss; the labels get the rest.",
)
@click.option(
    "--temperature",
    type=real(LIMITS["temperature"]),
    show_default="the preset's",
    panel=DISTILLATION,
    help="Divides the logits of teachers and model before they are compared.",
)
@click.option(
    "--unlabelled",
    multiple=True,
    metavar="PATTERN",
    panel=DISTILLATION,
    help="Shards whose videos learn from the teachers alone; labels in them are ignored. "
    "--set unlabelled_ratio=2 takes two of these videos for each labelled one.",
)
@train_shards_option
@validate_shards_option
@click.option(
    "--num-classes",
    type=whole(LIMITS["num_classes"]),
    panel=DATA,
    help="Number of classes, if neither the shards nor the workspace say.",
)
@description_options()
@on_corrupt_option
@compute_options("seed", "threads", "device")
@click.pass_obj
def train(session: Session, /, help_settings: bool, **options: Any) -> None:
    """Train an encoder with embeddings of size --dim, and keep the epoch with the best validation GAP.

    GAP is global average precision. Run the same command again to continue after Ctrl-C or a crash: the
    result is the same as without the stop.
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
        lambda: aligned(
            {
                "run": done.run,
                "best epoch": done.best_epoch,
                **({} if done.converged is None else {"converged": "yes" if done.converged else "no"}),
                **_figures(done.figures),
                "took": duration(done.seconds),
                "next": session.next(f"compress encode --name {done.name}"),
            }
        ),
        kept=True,
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
    """Shares with four decimals, under their titles; how many they are of as whole numbers."""
    from compress.metrics import METRICS  # not before: numpy

    titles = {metric.name: metric.title for metric in METRICS}
    shares = {titles.get(name, name): f"{value:.4f}" for name, value in figures.items() if name not in COUNTS}
    return {**shares, **{title: int(figures[name]) for name, title in COUNTS.items() if name in figures}}
