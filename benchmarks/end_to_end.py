"""`python -m benchmarks end-to-end`: seconds from shards to a searchable store, stage by stage.

With --project, the same stages by the code of another checkout, in turn: before and after.
"""

from __future__ import annotations

import json
import shutil
import statistics
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.arguments import Parser, existing_folder, positive
from benchmarks.children import Used, run
from benchmarks.machine import ROOT
from benchmarks.table import columns
from compress.artifacts.atomic import write_bytes
from compress.errors import NotFoundError, UsageError

RUN = "residual_cnn-320"
STAGES = ("table", "encode", "index", "first search")
_TABLE = """\
import sys
from pathlib import Path
from compress.datasets import load_table, open_source
for pattern in sys.argv[2:]:
    load_table(open_source([pattern]), cache=Path(sys.argv[1]))
"""


@dataclass(frozen=True)
class Stage:
    """One stage of one round: `project` is the checkout whose code ran."""

    name: str
    project: str
    used: Used


def main(words: Sequence[str]) -> int:
    """Run one command line; returns the exit code."""
    asked = _parser().parse_args(list(words))
    projects = [ROOT] if asked.project is None else [asked.project.resolve(), ROOT]
    for project in projects:
        if not (project / "cli" / "__main__.py").is_file():
            raise NotFoundError("is no checkout of this project", where=project)
    if not asked.train or not asked.validate:
        raise UsageError("--train and --validate are needed", hint="patterns of video-level shards")
    patterns = tuple(str(Path(pattern).resolve()) for pattern in (asked.train, asked.validate))
    stages: list[Stage] = []
    with tempfile.TemporaryDirectory(prefix="end-to-end-", dir=asked.scratch) as scratch:
        trained = asked.run or train(Path(scratch) / "training", patterns, projects[0], asked.train_epochs)
        for number in range(asked.rounds):
            for project in projects if number % 2 == 0 else projects[::-1]:
                folder = Path(scratch) / "workspace"
                stages += measure(folder, patterns, project, trained, asked.threads)
                shutil.rmtree(folder)
    print(render(stages, projects))
    if asked.json:
        write_bytes(asked.json, (json.dumps([asdict(stage) for stage in stages], indent=1) + "\n").encode())
    return 0


def train(folder: Path, patterns: tuple[str, ...], project: Path, epochs: int) -> Path:
    """A ResidualCNN-320, trained on the first shard alone: how good it is does not matter here."""
    first = [str(next(iter(sorted(_matches(pattern))))) for pattern in patterns]
    _compress(project, 0, "init", str(folder), "--train", first[0], "--validate", first[1])
    settings = ("--set", "warm_epochs=0", "--set", "batch_size=64")
    options = ("--dim", "320", "--epochs", str(epochs), *settings)
    _compress(project, 0, "train", "--workspace", str(folder), *options)
    return folder / "runs" / RUN


def measure(
    folder: Path, patterns: tuple[str, ...], project: Path, trained: Path, threads: int
) -> list[Stage]:
    """All stages by the code of one checkout, in a new workspace at `folder`."""
    _compress(project, threads, "init", str(folder), "--train", patterns[0], "--validate", patterns[1])
    shutil.copytree(trained, folder / "runs" / RUN)
    chosen = ("--workspace", str(folder), "--dim", "320")
    used = {"table": run(("-c", _TABLE, str(folder / "cache"), *patterns), project=project, threads=threads)}
    used["encode"] = _compress(project, threads, "encode", *chosen)
    used["index"] = _compress(project, threads, "index", *chosen)
    used["first search"] = _compress(project, threads, "search", *chosen, "--row", "0")
    for name, stage in used.items():
        print(f"{project.name}: {name}: {stage.wall:.1f} s", file=sys.stderr, flush=True)
    return [Stage(name, str(project), stage) for name, stage in used.items()]


def render(stages: Sequence[Stage], projects: Sequence[Path]) -> str:
    """Seconds of each stage, the median over rounds; and the times faster where there are two checkouts."""
    names = ["before", "after"] if len(projects) == 2 else ["seconds"]
    header = ["stage", *names, *(f"CPU {name}" for name in names), *(["times faster"] * (len(names) - 1))]
    rows = [header]
    totals = [0.0] * (2 * len(names))
    for stage in STAGES:
        chosen = [
            [one.used for one in stages if (one.name, one.project) == (stage, str(p))] for p in projects
        ]
        figures = [statistics.median(used.wall for used in some) for some in chosen]
        figures += [statistics.median(used.cpu for used in some) for some in chosen]
        totals = [total + figure for total, figure in zip(totals, figures, strict=True)]
        rows.append(_cells(stage, figures, len(names)))
    return "\n".join(columns([*rows, _cells("all", totals, len(names))]))


def _cells(stage: str, figures: Sequence[float], sides: int) -> list[str]:
    ratio = [f"{figures[0] / figures[1]:.2f}x"] if sides == 2 else []
    return [stage, *(f"{figure:.1f}" for figure in figures), *ratio]


def _matches(pattern: str) -> list[Path]:
    from compress.datasets.source import find_shards

    return list(find_shards([pattern]))


def _compress(project: Path, threads: int, *words: str) -> Used:
    return run(("-m", "cli", *words), project=project, threads=threads)


def _parser() -> Parser:
    parser = Parser("python -m benchmarks end-to-end", description="From shards to a searchable store.")
    parser.add_argument("--train", metavar="PATTERN", help="video-level shards")
    parser.add_argument("--validate", metavar="PATTERN", help="video-level shards")
    parser.add_argument(
        "--project", type=existing_folder, metavar="FOLDER", help="another checkout, measured in turn: before"
    )
    parser.add_argument(
        "--run", type=existing_folder, metavar="FOLDER", help="a trained ResidualCNN-320; else one is made"
    )
    parser.add_argument(
        "--train-epochs", type=positive, default=1, metavar="N", help="of the one that is made (1)"
    )
    parser.add_argument("--rounds", type=positive, default=1, metavar="N", help="times all stages run (1)")
    parser.add_argument(
        "--threads", type=int, choices=range(1025), default=0, metavar="N", help="each may use (0: all)"
    )
    parser.add_argument("--scratch", type=existing_folder, metavar="FOLDER", help="where it works")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything measured there")
    return parser
