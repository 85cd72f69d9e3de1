"""`python -m benchmarks scale`: does a video cost the same at 100 times as many, and does memory stay flat?

Each step is a process of its own, so that its memory is its own.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.arguments import Parser, existing_folder, positive
from benchmarks.children import Used, run
from benchmarks.machine import ROOT
from benchmarks.table import columns
from compress.artifacts.atomic import write_bytes
from compress.errors import UsageError

RUN = "random-320"
VIDEOS_A_SHARD = 10_000
SMALLEST = 1_000
MEMORY_GOAL = 1.25
_SAMPLE = """\
import sys
from pathlib import Path
from compress.datasets import write_sample
folder, videos, shards, prefix = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
write_sample(folder, level="video", num_videos=videos, shards=shards, prefix=prefix)
"""
_TABLE = """\
import sys
from pathlib import Path
from compress import load_table, open_source
load_table(open_source([sys.argv[1]]), cache=Path(sys.argv[2]))
"""


@dataclass(frozen=True)
class Step:
    """One step at one size.

    Args:
        name: "table", "encode", "index" or "evaluate".
        videos: how many it worked on.
        used: what it took.
        result: bytes of what it made and needs in memory as a whole (the index); 0 for the others.
        estimate: what it said beforehand that it would need; "" when it said nothing.
    """

    name: str
    videos: int
    used: Used
    result: int = 0
    estimate: str = ""

    @property
    def memory(self) -> int:
        """Bytes at most, without mapped files and without the result."""
        return max(self.used.anonymous - self.result, 0)


def main(words: Sequence[str]) -> int:
    """Run one command line; returns the exit code."""
    asked = _parser().parse_args(list(words))
    if asked.largest < SMALLEST:
        raise UsageError(f"is {asked.largest}, but must be at least {SMALLEST}", where="--largest")
    steps: list[Step] = []
    for videos in (asked.largest // 100, asked.largest // 10, asked.largest):
        with tempfile.TemporaryDirectory(prefix="scale-", dir=asked.scratch) as folder:
            for step in measure(videos, Path(folder)):
                steps.append(step)
                print(f"{step.name} of {videos:,} videos: {step.used.cpu:.1f} s of CPU", file=sys.stderr)
    print(render(steps))
    if asked.json:
        write_bytes(asked.json, (json.dumps([asdict(step) for step in steps], indent=1) + "\n").encode())
    return 0


def measure(videos: int, folder: Path) -> Iterator[Step]:
    """All steps at one size, one after another; `folder` is filled."""
    measured = max(10, videos // 10)
    for split, count in (("train", videos), ("validate", measured)):
        shards = -(-count // VIDEOS_A_SHARD)
        _python(_SAMPLE, str(folder / split), str(count), str(shards), split)
    space = folder / "workspace"
    patterns = {split: str(folder / split / "*.tfrecord") for split in ("train", "validate")}
    _compress("init", str(space), "--train", patterns["train"], "--validate", patterns["validate"])
    yield Step("table", videos, _python(_TABLE, patterns["train"], str(folder / "cache")))
    shutil.rmtree(folder / "cache")
    everything = videos + measured
    _compress("train", "--workspace", str(space), "--encoder", "random_projection", "--dim", "320")
    chosen = ("--workspace", str(space), "--name", RUN)
    yield Step("encode", everything, _compress("encode", *chosen))
    used = _compress("index", *chosen)
    index = next((space / "embeddings").rglob("index-*.faiss")).stat().st_size
    told = [line for line in used.told.splitlines() if "Building" in line]
    yield Step("index", everything, used, index, told[0] if told else "")
    options = ("--baseline", RUN, "--head-epochs", "1", "--no-retrieval")
    yield Step("evaluate", everything, _compress("evaluate", *chosen, *options))


def render(steps: Sequence[Step]) -> str:
    """The steps as a table, and what follows for the largest size against the smallest."""
    ordered = sorted(steps, key=lambda step: (_ORDER.index(step.name), step.videos))
    lines = columns([_HEADER, *(_cells(step) for step in ordered)])
    for name in _ORDER:
        sizes = [step for step in ordered if step.name == name]
        if len(sizes) > 1:
            lines.append(_verdict(sizes[0], sizes[-1]))
    return "\n".join([*lines, *(step.estimate for step in ordered if step.estimate)])


_ORDER = ("table", "encode", "index", "evaluate")
_HEADER = ("step", "videos", "CPU s", "us a video", "peak MB", "without files MB", "without result MB")


def _cells(step: Step) -> tuple[str, ...]:
    used = step.used
    memory = (used.peak, used.anonymous, step.memory)
    cost = f"{1e6 * used.cpu / step.videos:.0f}"
    return (
        step.name,
        f"{step.videos:,}",
        f"{used.cpu:.1f}",
        cost,
        *(f"{size / 1e6:,.0f}" for size in memory),
    )


def _verdict(small: Step, large: Step) -> str:
    more = large.videos - small.videos
    added = 1e6 * (large.used.cpu - small.used.cpu) / more
    cost = (large.used.cpu / large.videos) / (small.used.cpu / small.videos)
    memory, times = large.memory / max(small.memory, 1), large.videos // small.videos
    return (
        f"{small.name}, {times} times the videos: {cost:.2f} times the cost of a video "
        f"({added:.0f} us for each more), {memory:.2f} times the memory (goal {MEMORY_GOAL:g})"
    )


def _python(text: str, *words: str) -> Used:
    return run(("-c", text, *words), project=ROOT, threads=1)


def _compress(*words: str) -> Used:
    return run(("-m", "cli", *words), project=ROOT, threads=1)


def _parser() -> Parser:
    parser = Parser(
        "python -m benchmarks scale", description="The same steps on 1, 10 and 100 times the videos."
    )
    parser.add_argument(
        "--largest", type=positive, default=100_000, metavar="N", help="videos of the largest size (100000)"
    )
    parser.add_argument("--scratch", type=existing_folder, metavar="FOLDER", help="where shards are written")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything measured there")
    return parser
